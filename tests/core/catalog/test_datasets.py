"""Datasets nest, move with all below them, change project with their bytes, or live."""

from __future__ import annotations

import pytest
import shelf
import world
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import datasets, deposits, notes, records, tags, terms
from cid_server_ext.core.life import trash, undo
from cid_server_ext.core.people import members
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, Conflict, NotAllowed, NotFound, OverQuota

CONTRIBUTOR, MANAGER, VIEWER = Actor("contributor"), Actor("manager"), Actor("viewer")
FILES = [{"path": "a.tif", "nbytes": 10}]


@pytest.fixture
def screen(sessions: Sessions) -> Sessions:
    """Project screen with plates/one/raw and plates/two, and an empty project archive."""
    with sessions.begin() as session:
        world.make_project(session, "screen")
        world.make_project(session, "archive", limit=5000)
        shelf.add_images(session, "screen", ["cell", "cell 2"], "plates/one/raw")
        shelf.add_file(session, "screen", "plan.pdf", "plates/one")
        datasets.create(session, CONTRIBUTOR, "screen", "plates/two")
    return sessions


def paths(session: Session, project: str = "screen") -> list[str]:
    chosen = select(t.Dataset.path).join(t.Project).where(t.Project.name == project)
    return list(
        session.scalars(chosen.where(t.Dataset.trash_id.is_(None)).order_by(t.Dataset.path))
    )


def uid(session: Session, path: str, project: str = "screen") -> str:
    chosen = select(t.Dataset.uid).join(t.Project).where(t.Project.name == project)
    found = chosen.where(t.Dataset.path == path, t.Dataset.trash_id.is_(None))
    return session.scalars(found).one()


def used(session: Session, project: str) -> int:
    chosen = select(t.Allocation.used).join(t.Project).where(t.Project.name == project)
    return session.scalars(chosen).one()


def words(session: Session, name: str) -> str:
    found = select(t.Document.words).join(t.Record, t.Record.id == t.Document.record_id)
    return session.scalars(found.where(t.Record.name == name)).one()


def postings(session: Session, name: str) -> set[tuple[int, int]]:
    chosen = select(t.Posting.entry, t.Posting.project_id)
    chosen = chosen.join(t.Record, t.Record.id == t.Posting.record_id)
    return {tuple(row) for row in session.execute(chosen.where(t.Record.name == name))}


def last(session: Session, action: str) -> int:
    chosen = select(t.Journal.id).where(t.Journal.action == action)
    return session.scalars(chosen.order_by(t.Journal.id.desc())).first()


def test_a_dataset_is_made_with_its_parents_in_one_step(screen: Sessions) -> None:
    with screen.begin() as session:
        datasets.create(session, CONTRIBUTOR, "screen", " a / b/c ")
        assert datasets.create(session, CONTRIBUTOR, "screen", "a/b/c").path == "a/b/c"
    with screen.begin() as session:
        made = [p for p in paths(session) if p.startswith("a")]
        assert made == ["a", "a/b", "a/b/c"]
        undo.undo(session, CONTRIBUTOR, last(session, "create dataset"))
        assert not [p for p in paths(session) if p.startswith("a")]


def test_what_lies_below_follows_and_its_uid_stays(screen: Sessions) -> None:
    with screen.begin() as session:
        one, raw = uid(session, "plates/one"), uid(session, "plates/one/raw")
        datasets.change(session, CONTRIBUTOR, one, path="done/first")
    with screen.begin() as session:
        assert paths(session) == [
            "",
            "done",
            "done/first",
            "done/first/raw",
            "plates",
            "plates/two",
        ]
        assert (uid(session, "done/first"), uid(session, "done/first/raw")) == (one, raw)
        assert "first" in words(session, "cell")
        assert "plates" not in words(session, "cell")
        undo.undo(session, CONTRIBUTOR, last(session, "move dataset"))
        assert paths(session) == ["", "plates", "plates/one", "plates/one/raw", "plates/two"]
        assert "plates" in words(session, "cell")


def test_a_name_that_begins_alike_does_not_follow(screen: Sessions) -> None:
    with screen.begin() as session:
        datasets.create(session, CONTRIBUTOR, "screen", "plates/one and a half")
        datasets.change(session, CONTRIBUTOR, uid(session, "plates/one"), path="first")
        assert "plates/one and a half" in paths(session)


def test_a_dataset_is_not_moved_into_itself_nor_onto_another(screen: Sessions) -> None:
    with screen.begin() as session:
        one = uid(session, "plates/one")
        with pytest.raises(BadInput, match="path: 'plates/one' cannot be moved into itself"):
            datasets.change(session, CONTRIBUTOR, one, path="plates/one/deeper")
        with pytest.raises(Conflict, match="there is a dataset 'plates/two' already"):
            datasets.change(session, CONTRIBUTOR, one, path="plates/two")
        with pytest.raises(BadInput, match="path"):
            datasets.change(session, CONTRIBUTOR, one, path="")
        with pytest.raises(BadInput, match="path: a project's own dataset stays"):
            datasets.change(session, CONTRIBUTOR, uid(session, ""), path="root")
        assert "plates/one" in paths(session)


def test_no_path_grows_beyond_what_is_kept(screen: Sessions) -> None:
    long = "/".join(["x" * 190] * 3)
    with screen.begin() as session:
        datasets.create(session, CONTRIBUTOR, "screen", "top/" + "y" * 100)
        top = uid(session, "top")
    with pytest.raises(BadInput, match="more than 600 characters"), screen.begin() as session:
        datasets.change(session, CONTRIBUTOR, top, path=long)
    with screen() as session:
        assert not [p for p in paths(session) if p.startswith("x")]


def test_contributors_move_and_hidden_is_absent(screen: Sessions) -> None:
    with screen.begin() as session:
        one = uid(session, "plates/one")
        with pytest.raises(NotAllowed, match="contributor"):
            datasets.change(session, VIEWER, one, path="x")
        with pytest.raises(NotFound, match="no dataset"):
            datasets.change(session, Actor("stranger"), one, path="x")


def test_in_another_project_it_is_charged_there_and_keeps_tags_and_notes(screen: Sessions) -> None:
    with screen.begin() as session:
        image = session.scalars(select(t.Image).where(t.Image.name == "cell")).one()
        tags.put(session, CONTRIBUTOR, image.uid, "Clone", "A7")
        notes.write(session, CONTRIBUTOR, f"record:{image.uid}", "the good one")
        notes.write(session, CONTRIBUTOR, f"dataset:{image.dataset.uid}", "all of it")
    with screen.begin() as session:
        one = uid(session, "plates/one")
        datasets.change(session, CONTRIBUTOR, one, project="archive", path="2026/one")
    with screen.begin() as session:
        assert paths(session) == ["", "plates", "plates/two"]
        assert paths(session, "archive") == ["", "2026", "2026/one", "2026/one/raw"]
        assert (used(session, "screen"), used(session, "archive")) == (0, 2300)
        image = session.scalars(select(t.Image).where(t.Image.name == "cell")).one()
        archive = session.scalars(select(t.Project).where(t.Project.name == "archive")).one()
        assert {tag.term.key: tag.shown for tag in image.tags}["Clone"] == "A7"
        assert {tag.term.project_id for tag in image.tags} <= {None, archive.id}
        assert image.original.project_id == archive.id
        assert {p for _, p in postings(session, "cell")} == {archive.id}
        assert {note.project_id for note in session.scalars(select(t.Note))} == {archive.id}
        undo.undo(session, CONTRIBUTOR, last(session, "move dataset"))
        assert (used(session, "screen"), used(session, "archive")) == (2300, 0)
        assert paths(session, "archive") == [""]
        assert "plates/one/raw" in paths(session)
        own = select(t.Term).where(t.Term.project_id == archive.id)
        assert session.scalars(own).all() == []
        screen_id = image.project_id
        assert {p for _, p in postings(session, "cell")} == {screen_id} != {archive.id}


def test_a_tag_goes_to_the_term_of_the_same_key(screen: Sessions) -> None:
    with screen.begin() as session:
        there = shelf.add_images(session, "archive", ["there"])[0]
        tags.put(session, CONTRIBUTOR, there.uid, "clone", "A7")
        image = session.scalars(select(t.Image).where(t.Image.name == "cell")).one()
        tags.put(session, CONTRIBUTOR, image.uid, "Clone", "A7")
        datasets.change(session, CONTRIBUTOR, uid(session, "plates/one"), project="archive")
    with screen() as session:
        chosen = select(t.Tag.value_id).join(t.Value, t.Value.id == t.Tag.value_id)
        assert len(set(session.scalars(chosen.where(t.Value.text == "A7")))) == 1
        assert uid(session, "plates/one", "archive")


def test_a_key_that_means_something_else_there_is_refused(screen: Sessions) -> None:
    with screen.begin() as session:
        there = shelf.add_images(session, "archive", ["there"])[0]
        tags.put(session, CONTRIBUTOR, there.uid, "Dose", 4.5)
        image = session.scalars(select(t.Image).where(t.Image.name == "cell")).one()
        tags.put(session, CONTRIBUTOR, image.uid, "Dose", "high")
    told = "'Dose' is text .* here and number .* in project 'archive'"
    with pytest.raises(Conflict, match=told), screen.begin() as session:
        datasets.change(session, CONTRIBUTOR, uid(session, "plates/one"), project="archive")
    with screen() as session:
        assert used(session, "screen") == 2300
        assert "plates/one" in paths(session)


def test_the_old_path_may_be_taken_there_and_the_new_one_here(screen: Sessions) -> None:
    with screen.begin() as session:
        datasets.create(session, CONTRIBUTOR, "archive", "plates/one/raw")
        datasets.create(session, CONTRIBUTOR, "screen", "2026/raw")
    with screen.begin() as session:
        datasets.change(
            session, CONTRIBUTOR, uid(session, "plates/one"), project="archive", path="2026"
        )
    with screen.begin() as session:
        theirs = ["", "2026", "2026/raw", "plates", "plates/one", "plates/one/raw"]
        assert paths(session, "archive") == theirs
        assert paths(session) == ["", "2026", "2026/raw", "plates", "plates/two"]
        image = session.scalars(select(t.Image).where(t.Image.name == "cell")).one()
        assert (image.dataset.path, image.project.name) == ("2026/raw", "archive")
        undo.undo(session, CONTRIBUTOR, last(session, "move dataset"))
        assert "plates/one/raw" in paths(session)


def test_without_room_or_role_there_it_stays(screen: Sessions) -> None:
    with screen.begin() as session:
        world.make_project(session, "small", limit=2299)
        members.remove_member(session, MANAGER, "archive", "contributor")
    with screen.begin() as session:
        one = uid(session, "plates/one")
        with pytest.raises(OverQuota, match="small"):
            datasets.change(session, CONTRIBUTOR, one, project="small")
        session.rollback()
    with screen.begin() as session:
        with pytest.raises(NotFound, match="no project 'archive'"):
            datasets.change(session, CONTRIBUTOR, one, project="archive")
        assert (used(session, "screen"), used(session, "small")) == (2300, 0)


def test_what_is_unfinished_holds_it_in_its_project(screen: Sessions) -> None:
    with screen.begin() as session:
        one = uid(session, "plates/one")
        deposit = deposits.open_import(
            session, CONTRIBUTOR, "screen", dataset="plates/one", kind="import", declared=FILES
        )
    with pytest.raises(Conflict, match="a deposit into it is under way"), screen.begin() as session:
        datasets.change(session, CONTRIBUTOR, one, project="archive")
    with screen.begin() as session:
        deposits.abort(session, CONTRIBUTOR, deposit.uid)
        image = session.scalars(select(t.Image).where(t.Image.name == "cell")).one()
        trash.throw(session, CONTRIBUTOR, [image.uid], [])
    with (
        pytest.raises(Conflict, match=r"cell.* of it lies in the trash"),
        screen.begin() as session,
    ):
        datasets.change(session, CONTRIBUTOR, one, project="archive")


def test_a_live_dataset_holds_nothing_and_its_query_is_read(screen: Sessions) -> None:
    with screen.begin() as session:
        live = datasets.create(session, CONTRIBUTOR, "screen", "good ones", "Objective:63x")
        again = datasets.create(session, CONTRIBUTOR, "screen", "good ones", "Objective:63x")
        assert again.uid == live.uid
        with pytest.raises(Conflict, match="not the same"):
            datasets.create(session, CONTRIBUTOR, "screen", "good ones")
        with pytest.raises(BadInput, match="q: "):
            datasets.create(session, CONTRIBUTOR, "screen", "bad", "snr>")
        with pytest.raises(Conflict, match="'good ones' is live"):
            deposits.open_import(
                session, CONTRIBUTOR, "screen", dataset="good ones", kind="import", declared=FILES
            )
        with pytest.raises(Conflict, match="'good ones' is live"):
            datasets.create(session, CONTRIBUTOR, "screen", "good ones/below")
        datasets.change(session, CONTRIBUTOR, live.uid, query="cell")
        assert live.query == "cell"
        with pytest.raises(Conflict, match="holds records"):
            datasets.change(session, CONTRIBUTOR, uid(session, "plates"), query="cell")


def test_results_of_a_run_lie_beside_a_live_dataset_of_their_name(screen: Sessions) -> None:
    with screen.begin() as session:
        datasets.create(session, CONTRIBUTOR, "screen", "count", "cell")
        project = session.scalars(select(t.Project).where(t.Project.name == "screen")).one()
        found = datasets.holding(session, CONTRIBUTOR, project, "count")
        assert (found.path, found.query) == ("count (results)", None)


def test_a_term_that_takes_one_value_there_takes_no_two(screen: Sessions) -> None:
    with screen.begin() as session:
        for project, many in (("screen", True), ("archive", False)):
            terms.declare(session, MANAGER, project, terms.NewTerm("Clone", many=many))
        plan = session.scalars(select(t.Record).where(t.Record.name == "plan.pdf")).one().uid
        tags.put(session, CONTRIBUTOR, plan, "Clone", ["A7", "B8"])
        session.flush()
        root = uid(session, "", "archive")
    refused = pytest.raises(Conflict, match=r"'plan.pdf' has several values of 'Clone'")
    with refused, screen.begin() as session:
        records.move(session, CONTRIBUTOR, [plan], root)
    with screen.begin() as session:
        tags.put(session, CONTRIBUTOR, plan, "Clone", "A7")
        theirs = select(t.Term).join(t.Term.project).where(t.Project.name == "archive")
        term = session.scalars(theirs).one()
        session.add(t.Value(term=term, text="A7", folded="a7", retired=True))
    with screen.begin() as session:
        records.move(session, CONTRIBUTOR, [plan], root)
        [tag] = session.scalars(select(t.Tag).where(t.Tag.term_id == term.id))
        assert (tag.shown, tag.value.retired) == ("A7", False)
