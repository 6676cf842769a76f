"""What is thrown away is hidden, counted and marked, and comes back as it was."""

from __future__ import annotations

import datetime as dt

import pytest
import shelf
import world
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cid_server_ext.core import journal, policy
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import commits, datasets, deposits, links, notes, records, tags
from cid_server_ext.core.ledger import usage
from cid_server_ext.core.life import trash, undo
from cid_server_ext.core.runs import submit
from cid_server_ext.core.templates import templates
from cid_server_ext.db import capture
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, Conflict, NotAllowed, NotFound

CONTRIBUTOR, VIEWER = Actor("contributor"), Actor("viewer")
FILES = [{"path": "a.tif", "nbytes": 10}]


@pytest.fixture
def screen(sessions: Sessions) -> Sessions:
    """Project screen: images one and two of one file in a/b, plan.pdf in a; project other."""
    with sessions.begin() as session:
        for name in ("screen", "other"):
            world.make_project(session, name)
        shelf.add_images(session, "screen", ["one", "two"], "a/b")
        shelf.add_file(session, "screen", "plan.pdf", "a")
        datasets.create(session, CONTRIBUTOR, "other", "shown")
    return sessions


def record(session: Session, name: str) -> t.Record:
    return session.scalars(select(t.Record).where(t.Record.name == name)).one()


def dataset(session: Session, path: str) -> t.Dataset:
    found = select(t.Dataset).where(t.Dataset.path == path, t.Dataset.trash_id.is_(None))
    return session.scalars(found).one()


def paths(session: Session) -> list[str]:
    chosen = select(t.Dataset.path).join(t.Project).where(t.Project.name == "screen")
    return list(
        session.scalars(chosen.where(t.Dataset.trash_id.is_(None)).order_by(t.Dataset.path))
    )


def seen(session: Session) -> list[str]:
    return sorted(row.name for row in session.scalars(policy.visible(CONTRIBUTOR, t.Record)))


def everything(session: Session) -> dict[str, object]:
    """Return all that a record, its tags, links, notes and places in searches are."""
    found: dict[str, object] = {}
    for model in (t.Record, t.Tag, t.Link, t.Note, t.Dataset):
        table = model.__table__
        keys = [tuple(key) for key in session.execute(select(*table.primary_key.columns))]
        found[table.name] = capture.read(session, table, sorted(keys))
    order = (t.Posting.entry, t.Posting.project_id, t.Posting.record_id)
    chosen = select(*order, t.Posting.kind).order_by(*order)
    found["posting"] = [tuple(row) for row in session.execute(chosen)]
    words = select(t.Document.record_id, t.Document.words).order_by(t.Document.record_id)
    found["document"] = [tuple(row) for row in session.execute(words)]
    return found


def throw(sessions: Sessions, *names: str, folders: tuple[str, ...] = ()) -> str:
    with sessions.begin() as session:
        uids = [record(session, name).uid for name in names]
        tops = [dataset(session, path).uid for path in folders]
        return trash.throw(session, CONTRIBUTOR, uids, tops).uid


def restore(sessions: Sessions, uid: str) -> None:
    with sessions.begin() as session:
        trash.restore(session, CONTRIBUTOR, uid)


def used(session: Session) -> int:
    chosen = select(t.Allocation.used).join(t.Project).where(t.Project.name == "screen")
    return session.scalars(chosen).one()


def test_restored_it_is_identical(screen: Sessions) -> None:
    with screen.begin() as session:
        one = record(session, "one").uid
        tags.put(session, CONTRIBUTOR, one, "Clone", "A7")
        notes.write(session, CONTRIBUTOR, f"record:{one}", "the good one")
        links.put(session, CONTRIBUTOR, dataset(session, "shown").uid, one)
        links.put(
            session, CONTRIBUTOR, dataset(session, "shown").uid, record(session, "plan.pdf").uid
        )
    with screen() as session:
        before = everything(session)
    for names, folders in ((("one", "two", "plan.pdf"), ()), ((), ("a",))):
        restore(screen, throw(screen, *names, folders=folders))
        with screen() as session:
            assert everything(session) == before


def test_in_the_trash_it_is_hidden_counted_and_marked(screen: Sessions) -> None:
    uid = throw(screen, "one", "plan.pdf")
    with screen() as session:
        assert seen(session) == ["one.tif", "two"]  # the other image was read from the file too
        assert used(session) == 2300
        ids = [record(session, name).id for name in ("one", "plan.pdf")]
        found = select(func.count()).select_from(t.Posting).where(t.Posting.record_id.in_(ids))
        assert session.scalar(found) == 0
        (held,) = trash.listing(session, VIEWER, "screen")
        assert (held.trash.uid, held.records, held.trash.nbytes) == (uid, 2, 800)
        assert [row.name for row in held.first] == ["one", "plan.pdf"]
        left = held.trash.purge_at - dt.datetime.now(dt.UTC)
        assert dt.timedelta(days=29, hours=23) < left <= dt.timedelta(days=30, minutes=1)
        with pytest.raises(NotFound):
            trash.listing(session, Actor("stranger"), "screen")


def test_the_last_image_takes_its_file_along(screen: Sessions) -> None:
    first, second = throw(screen, "one"), throw(screen, "two")
    with screen() as session:
        assert record(session, "one.tif").trash.uid == second
    restore(screen, first)
    with screen() as session:
        assert record(session, "one.tif").trash_id is None
        assert seen(session) == ["one", "one.tif", "plan.pdf"]
    restore(screen, second)
    with screen() as session:
        assert seen(session) == ["one", "one.tif", "plan.pdf", "two"]


def test_a_file_that_another_image_needs_stays_when_its_dataset_goes(screen: Sessions) -> None:
    with screen.begin() as session:
        datasets.create(session, CONTRIBUTOR, "screen", "kept")
        records.move(
            session, CONTRIBUTOR, [record(session, "two").uid], dataset(session, "kept").uid
        )
    throw(screen, folders=("a",))
    with screen() as session:
        assert record(session, "one.tif").dataset.path == "kept"
        assert seen(session) == ["one.tif", "two"]


def test_a_dataset_takes_all_below_and_frees_its_name(screen: Sessions) -> None:
    uid = throw(screen, folders=("a",))
    with screen.begin() as session:
        assert (paths(session), seen(session)) == ([""], [])
        (held,) = trash.listing(session, VIEWER, "screen")
        assert (held.records, held.datasets, held.trash.what) == (3, ["a", "a/b"], "dataset a")
        datasets.create(session, CONTRIBUTOR, "screen", "a/b")
    restore(screen, uid)
    with screen() as session:
        assert paths(session) == ["", "a", "a (restored)", "a (restored)/b", "a/b"]
        assert record(session, "one").dataset.path == "a (restored)/b"
        words = session.get_one(t.Document, record(session, "one").id).words
        assert "restored" in words


def test_below_a_parent_that_is_gone_the_parent_is_made_again(screen: Sessions) -> None:
    inner = throw(screen, folders=("a/b",))
    outer = throw(screen, folders=("a",))
    restore(screen, inner)
    with screen() as session:
        assert paths(session) == ["", "a", "a/b"]
        assert dataset(session, "a/b").parent_id == dataset(session, "a").id
        assert seen(session) == ["one", "one.tif", "two"]
    restore(screen, outer)
    with screen() as session:
        assert paths(session) == ["", "a", "a (restored)", "a/b"]
        assert record(session, "plan.pdf").dataset.path == "a (restored)"


def test_a_record_whose_dataset_is_gone_gets_one_of_the_same_path(screen: Sessions) -> None:
    first = throw(screen, "one", "two")
    throw(screen, folders=("a/b",))
    restore(screen, first)
    with screen() as session:
        assert record(session, "one").dataset_id == dataset(session, "a/b").id
        assert record(session, "one.tif").dataset_id == dataset(session, "a/b").id
        assert record(session, "one").dataset.trash_id is None


def test_a_file_comes_back_in_its_own_project(screen: Sessions) -> None:
    with screen.begin() as session:  # its file stays with "two"
        shown = dataset(session, "shown").uid
        records.move(session, CONTRIBUTOR, [record(session, "one").uid], shown)
    throw(screen, "two")
    first = throw(screen, "one")  # the last image takes the file along
    throw(screen, folders=("a/b",))
    restore(screen, first)
    with screen() as session:
        file = record(session, "one.tif")
        assert file.trash_id is None
        assert file.dataset.project.name == file.project.name == "screen"
        assert usage.check(session) == []


def test_a_long_trash_has_pages(screen: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    thrown = [throw(screen, name) for name in ("one", "two", "plan.pdf")]
    monkeypatch.setattr(trash, "PAGE", 2)
    with screen() as session:
        first = trash.listing(session, VIEWER, "screen")
        rest = trash.listing(session, VIEWER, "screen", first[-1].trash.id)
    assert [held.trash.uid for held in [*first, *rest]] == thrown[::-1]
    assert len(first) == 2


def test_a_dataset_in_the_trash_follows_its_renamed_parent(screen: Sessions) -> None:
    uid = throw(screen, folders=("a/b",))
    with screen.begin() as session:
        datasets.change(session, CONTRIBUTOR, dataset(session, "a").uid, path="z")
    restore(screen, uid)
    with screen() as session:
        assert paths(session) == ["", "z", "z/b"]


def test_once_restored_it_is_not_restored_again(screen: Sessions) -> None:
    uid = throw(screen, "one")
    restore(screen, uid)
    with pytest.raises(Conflict, match="restored already"):
        restore(screen, uid)
    with screen() as session:
        assert trash.listing(session, VIEWER, "screen") == []


def test_it_is_taken_back_by_undo_but_redone_only_by_throwing_again(screen: Sessions) -> None:
    with screen() as session:
        before = everything(session)
    throw(screen, folders=("a",))
    with screen.begin() as session:
        entry = session.scalars(select(t.Journal.id).where(t.Journal.action == "trash")).one()
        undo.undo(session, CONTRIBUTOR, entry)
    with screen.begin() as session:
        assert everything(session) == before
        taken = session.scalars(select(t.Journal.id).where(t.Journal.action == "undo")).one()
        with pytest.raises(Conflict, match="cannot be undone"):
            undo.undo(session, CONTRIBUTOR, taken)


def test_contributors_of_one_project_throw_away(screen: Sessions) -> None:
    with screen.begin() as session:
        there = shelf.add_file(session, "other", "there.log").uid
        one, root = record(session, "one").uid, record(session, "one").project
        with pytest.raises(NotAllowed, match="contributor"):
            trash.throw(session, VIEWER, [one], [])
        with pytest.raises(NotFound):
            trash.throw(session, Actor("stranger"), [one], [])
        with pytest.raises(BadInput, match="records: of one project"):
            trash.throw(session, CONTRIBUTOR, [one, there], [])
        with pytest.raises(BadInput, match="records: name at least one"):
            trash.throw(session, CONTRIBUTOR, [], [])
        own = select(t.Dataset.uid).where(t.Dataset.project_id == root.id, t.Dataset.path == "")
        with pytest.raises(BadInput, match="datasets: a project's own dataset stays"):
            trash.throw(session, CONTRIBUTOR, [], [session.scalars(own).one()])
        with pytest.raises(Conflict, match="original of an image"):
            trash.throw(session, CONTRIBUTOR, [record(session, "one.tif").uid], [])
        uid = trash.throw(session, CONTRIBUTOR, [one], []).uid
        with pytest.raises(NotAllowed, match="contributor"):
            trash.restore(session, VIEWER, uid)
        with pytest.raises(NotFound, match="no trash"):
            trash.restore(session, Actor("stranger"), uid)


def test_what_a_run_reads_stays_until_the_run_has_ended(screen: Sessions) -> None:
    with screen.begin() as session:
        templates.publish(session, world.STAFF, world.MANIFEST, world.NOTEBOOK)
        one = record(session, "one").uid
        (run,) = submit.submit(session, CONTRIBUTOR, "count-things", [one], {})
    for names, folders in ((("one",), ()), ((), ("a",))):
        with pytest.raises(Conflict, match=f"run {run.uid} reads it"):
            throw(screen, *names, folders=folders)
    with screen.begin() as session:
        capture.touch(session, t.Run, [run.id])
        done = update(t.Run).values(state="done")
        session.execute(done, execution_options={"captured": True})
        journal.record(session, "a", "run done", f"run:{run.uid}")
    throw(screen, folders=("a",))


def test_a_dataset_stays_while_a_deposit_comes_into_it(screen: Sessions) -> None:
    with screen.begin() as session:
        deposit = deposits.open_import(
            session, CONTRIBUTOR, "screen", dataset="a/b", kind="files", declared=FILES
        )
    with pytest.raises(Conflict, match="a deposit into it is under way"):
        throw(screen, folders=("a",))
    with screen.begin() as session:
        deposits.abort(session, CONTRIBUTOR, deposit.uid)
    throw(screen, folders=("a",))


def test_what_came_in_meanwhile_lies_in_a_dataset_that_is_there(screen: Sessions) -> None:
    with screen.begin() as session:
        deposit = deposits.open_import(
            session, CONTRIBUTOR, "screen", dataset="a/b", kind="files", declared=FILES
        )
        deposits.begin(session, CONTRIBUTOR, deposit.uid, {})
        session.execute(update(t.Deposit).values(state="done"))
    throw(screen, folders=("a",))
    with screen.begin() as session:  # as if it had been opened while the dataset was thrown away
        session.execute(update(t.Deposit).values(state="importing"))
        commits.commit(session, deposit.id, commits.Commit([], [shelf.new_file("x", "file", 1)]))
    with screen() as session:
        assert record(session, "x").dataset.path == "a/b"
        assert record(session, "x").dataset.trash_id is None
        assert seen(session) == ["x"]
