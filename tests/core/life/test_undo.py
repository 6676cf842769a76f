"""What was done is taken back whole, or it is said what moved on; an undo is undone too."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
import world
from sqlalchemy import insert, select, update

from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import tags
from cid_server_ext.core.life import undo
from cid_server_ext.core.people import members
from cid_server_ext.db import capture
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import Conflict, NotAllowed, NotFound

ANNOTATOR, CONTRIBUTOR, MANAGER = Actor("annotator"), Actor("contributor"), Actor("manager")
BULK = {"captured": True}


@pytest.fixture
def made(sessions: Sessions) -> world.World:
    with sessions.begin() as session:
        return world.make(session, "screen")


def last(sessions: Sessions) -> t.Journal:
    with sessions() as session:
        return session.scalars(select(t.Journal).order_by(t.Journal.id.desc())).first()


def take_back(sessions: Sessions, entry: t.Journal, actor: Actor = MANAGER) -> t.Journal:
    """Undo it and return the undo's own entry."""
    with sessions.begin() as session:
        undo.undo(session, actor, entry.id)
    return last(sessions)


def put(sessions: Sessions, uid: str, key: str, value: str, actor: Actor = ANNOTATOR) -> t.Journal:
    with sessions.begin() as session:
        tags.put(session, actor, uid, key, value)
    return last(sessions)


def shown(sessions: Sessions, uid: str) -> dict[str, str]:
    with sessions() as session:
        record = session.scalars(select(t.Record).where(t.Record.uid == uid)).one()
        return {tag.term.key: tag.shown for tag in record.tags}


def words(sessions: Sessions, uid: str) -> str:
    """Return what is read when somebody searches for the record."""
    with sessions() as session:
        found = select(t.Document.words).join(t.Record, t.Record.id == t.Document.record_id)
        return session.scalars(found.where(t.Record.uid == uid)).one()


def test_a_new_row_is_taken_away_and_comes_back(sessions: Sessions, made: world.World) -> None:
    entry = put(sessions, made.image, "Staining", "DAPI")
    undone = take_back(sessions, entry, ANNOTATOR)
    assert shown(sessions, made.image) == {"Objective": "63x/1.4 oil"}
    assert "dapi" not in words(sessions, made.image)
    assert (undone.action, undone.undoes, undone.person) == ("undo", entry.id, "annotator")
    assert (undone.subject, undone.project_id) == (entry.subject, entry.project_id)
    redone = take_back(sessions, undone, ANNOTATOR)
    assert shown(sessions, made.image)["Staining"] == "DAPI"
    assert "dapi" in words(sessions, made.image)
    take_back(sessions, redone, ANNOTATOR)
    assert "Staining" not in shown(sessions, made.image)


def test_a_row_gone_comes_back_as_it_was(sessions: Sessions, made: world.World) -> None:
    with sessions() as session:
        find = select(t.Tag).join(t.Record).where(t.Record.uid == made.image)
        before = {
            c: getattr(session.scalars(find).one(), c) for c in capture.columns(t.Tag.__table__)
        }
    with sessions.begin() as session:
        tags.remove(session, ANNOTATOR, made.image, "Objective")
    entry = last(sessions)
    put(sessions, made.result, "Staining", "GFP")  # a number that was deleted is not given again
    take_back(sessions, entry)
    with sessions() as session:
        tag = session.scalars(find).one()
        assert {column: getattr(tag, column) for column in before} == before
    assert "63x" in words(sessions, made.image)


def test_a_changed_row_has_its_old_columns_again(sessions: Sessions, made: world.World) -> None:
    put(sessions, made.image, "Staining", "DAPI")
    entry = put(sessions, made.image, "Staining", "GFP")
    take_back(sessions, entry)
    assert shown(sessions, made.image)["Staining"] == "DAPI"


def test_rows_rewritten_in_bulk_come_back_and_are_rewritten_again(
    sessions: Sessions, made: world.World
) -> None:
    with sessions.begin() as session:
        old = session.scalars(select(t.Value).where(t.Value.text == "63x/1.4 oil")).one()
        new = t.Value(term_id=old.term_id, text="water 25x", folded="water 25x")
        session.add(new)
        session.flush()
        theirs = t.Tag.value_id == old.id
        ids = session.scalars(select(t.Tag.id).where(theirs).order_by(t.Tag.id)).all()
        values = {"value_id": old.id}, {"value_id": new.id}
        capture.rewrite(session, t.Tag, ids, *values)
        rewritten = update(t.Tag).where(theirs).values(value_id=new.id)
        session.execute(rewritten, execution_options=BULK)
        project = session.scalars(select(t.Project)).one()
        subject = f"project:{project.name}"
        journal.record(session, "manager", "tag", subject, project_id=project.id)
    assert shown(sessions, made.image) == {"Objective": "water 25x"}
    undone = take_back(sessions, last(sessions))
    assert shown(sessions, made.image) == {"Objective": "63x/1.4 oil"}
    assert "63x" in words(sessions, made.result)
    with sessions() as session:
        assert "water 25x" not in session.scalars(select(t.Value.text)).all()
    take_back(sessions, undone)  # the tags can point to the new value only when it is there again
    assert shown(sessions, made.image) == {"Objective": "water 25x"}
    assert "water" in words(sessions, made.result)


def test_a_row_rewritten_twice_goes_back_over_both(sessions: Sessions, made: world.World) -> None:
    with sessions.begin() as session:
        term = session.scalars(select(t.Term).where(t.Term.key == "Objective")).one()
        ids = session.scalars(select(t.Tag.id).where(t.Tag.term_id == term.id)).all()
        first = session.scalars(select(t.Value).where(t.Value.text == "63x/1.4 oil")).one()
        new = [t.Value(term_id=term.id, text=name, folded=name) for name in ("25x", "40x")]
        session.add_all(new)
        session.flush()
        for old, then in itertools.pairwise([first.id, *(value.id for value in new)]):
            capture.rewrite(session, t.Tag, ids, {"value_id": old}, {"value_id": then})
            rewritten = update(t.Tag).where(t.Tag.id.in_(ids)).values(value_id=then)
            session.execute(rewritten, execution_options=BULK)
        project = session.scalars(select(t.Project)).one()
        journal.record(session, "manager", "tag", "project:screen", project_id=project.id)
    undone = take_back(sessions, last(sessions))
    assert shown(sessions, made.image) == {"Objective": "63x/1.4 oil"}
    redone = take_back(sessions, undone)
    assert shown(sessions, made.image) == {"Objective": "40x"}
    put(sessions, made.image, "Objective", "100x")
    with pytest.raises(Conflict, match="changed since: tag by annotator"):
        take_back(sessions, redone)


def test_what_moved_on_is_told_with_who_and_when(sessions: Sessions, made: world.World) -> None:
    first = put(sessions, made.image, "Staining", "DAPI")
    second = put(sessions, made.image, "Staining", "GFP", CONTRIBUTOR)
    told = rf"changed since: tag by contributor at 20.* \(entry {second.id}\)"
    with pytest.raises(Conflict, match=told):
        take_back(sessions, first)
    assert shown(sessions, made.image)["Staining"] == "GFP"
    take_back(sessions, second)
    take_back(sessions, first)
    assert "Staining" not in shown(sessions, made.image)


def test_a_row_that_is_there_again_is_not_put_back_twice(
    sessions: Sessions, made: world.World
) -> None:
    with sessions.begin() as session:
        tags.remove(session, ANNOTATOR, made.image, "Objective")
    removed = last(sessions)
    put(sessions, made.image, "Objective", "63x/1.4 oil")
    with pytest.raises(Conflict, match="taken its place"):
        take_back(sessions, removed)


def test_what_is_undone_is_not_undone_again(sessions: Sessions, made: world.World) -> None:
    entry = put(sessions, made.image, "Staining", "DAPI")
    undone = take_back(sessions, entry)
    with pytest.raises(Conflict, match=rf"undone already: undo by manager .*entry {undone.id}"):
        take_back(sessions, entry)


def test_it_is_undone_by_who_did_it_or_a_manager(sessions: Sessions, made: world.World) -> None:
    entry = put(sessions, made.image, "Staining", "DAPI", ANNOTATOR)
    for other in (Actor("contributor"), Actor("viewer"), Actor("guest", guest=True)):
        with pytest.raises(NotAllowed, match=r"annotator did this.*needs the role manager"):
            take_back(sessions, entry, other)
    with pytest.raises(NotAllowed, match="may only read"):
        take_back(sessions, entry, Actor("manager", writes=False))
    with pytest.raises(NotFound, match="no journal entry"):
        take_back(sessions, entry, Actor("stranger"))
    with pytest.raises(NotFound):
        take_back(sessions, entry, Actor("annotator", run_id=1))
    take_back(sessions, entry, ANNOTATOR)


def test_who_lost_the_role_undoes_nothing(sessions: Sessions, made: world.World) -> None:
    entry = put(sessions, made.image, "Staining", "DAPI", ANNOTATOR)
    with sessions.begin() as session:
        members.put_member(session, MANAGER, "screen", "annotator", "viewer")
    with pytest.raises(NotAllowed, match=r"you did this.*needs the role annotator"):
        take_back(sessions, entry, ANNOTATOR)
    take_back(sessions, entry, world.STAFF)


def test_some_changes_are_not_taken_back(sessions: Sessions, made: world.World) -> None:
    with sessions() as session:
        chosen = select(t.Journal).where(t.Journal.action == "commit deposit")
        commit = session.scalars(chosen).first()
    with pytest.raises(Conflict, match=r"'commit deposit' of .* cannot be undone"):
        take_back(sessions, commit, world.STAFF)


def test_after_thirty_days_it_stays(sessions: Sessions, made: world.World) -> None:
    entry = put(sessions, made.image, "Staining", "DAPI")
    with sessions.begin() as session:
        old = entry.at - dt.timedelta(days=30, minutes=1)
        session.execute(update(t.Journal).where(t.Journal.id == entry.id).values(at=old))
    with pytest.raises(Conflict, match="cannot be undone"):
        take_back(sessions, entry)


def test_what_somebody_uses_meanwhile_is_not_taken_away(
    sessions: Sessions, made: world.World
) -> None:
    with sessions.begin() as session:
        root = session.scalars(select(t.Dataset)).one()
        new = t.Dataset(project_id=root.project_id, path="new", parent_id=root.id)
        session.add(new)
        session.flush()
        subject = f"dataset:{new.uid}"
        journal.record(session, "a", "create dataset", subject, project_id=root.project_id)
    entry = last(sessions)
    with sessions.begin() as session:
        below = t.Dataset(project_id=root.project_id, path="new/below", parent_id=new.id)
        session.add(below)
        session.flush()
        journal.record(session, "a", "create dataset", "dataset:x", project_id=root.project_id)
    below = last(sessions)
    with pytest.raises(Conflict, match="a dataset that came since needs this dataset"):
        take_back(sessions, entry)
    take_back(sessions, below)
    undone = take_back(sessions, entry)
    with sessions() as session:
        assert session.scalars(select(t.Dataset.path)).all() == [""]
    take_back(sessions, undone)
    with sessions() as session:
        again = session.scalars(select(t.Dataset).where(t.Dataset.path == "new")).one()
        assert (again.id, again.uid, again.parent_id) == (new.id, new.uid, root.id)


def test_an_entry_with_a_column_that_this_release_lacks_is_refused(
    sessions: Sessions, made: world.World
) -> None:
    with sessions.begin() as session:
        project = session.scalars(select(t.Project)).one()
        row = {"table": "tag", "keys": [[1]], "before": {"colour": "x"}, "after": {"colour": "y"}}
        session.execute(
            insert(t.Journal).values(
                person="a", action="tag", subject="x", project_id=project.id, rows=[row]
            )
        )
    with pytest.raises(Conflict, match=r"another release: 'tag.colour' is gone"):
        take_back(sessions, last(sessions))
