"""What a transaction changes is written to the journal with it, or nothing is changed."""

from __future__ import annotations

import threading

import pytest
import world
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from cid_server_ext.core import journal
from cid_server_ext.db import capture
from cid_server_ext.db import tables as t
from cid_server_ext.db.capture import Unrecorded
from cid_server_ext.db.session import Sessions


def last(sessions: Sessions) -> t.Journal:
    with sessions() as session:
        return session.scalars(select(t.Journal).order_by(t.Journal.id.desc())).first()


def test_a_change_without_an_entry_fails_and_changes_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
    with pytest.raises(Unrecorded, match="rows of team"), sessions.begin() as session:
        session.scalar(select(t.Team)).title = "behind our back"
    with sessions() as session:
        assert session.scalar(select(t.Team)).title == "lab-screen"


def test_a_statement_behind_our_back_is_refused(sessions: Sessions) -> None:
    with pytest.raises(Unrecorded, match="a statement changes team"), sessions.begin() as session:
        session.execute(update(t.Team).values(title="x"))


def test_columns_that_pass_need_no_entry(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
    with sessions.begin() as session:
        session.execute(update(t.Allocation).values(used=5))
    with sessions() as session:
        assert session.scalar(select(t.Allocation.used)) == 5


def test_an_entry_holds_what_changed_and_what_it_was(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
    with sessions.begin() as session:
        team = session.scalar(select(t.Team))
        team.title = "first"
        session.flush()
        team.title = "second"
        journal.record(session, "staff", "rename team", "team:lab-screen")
    entry = last(sessions)
    assert entry.rows == [
        {
            "table": "team",
            "keys": [[team.id]],
            "before": {"title": "lab-screen"},
            "after": {"title": "second"},
        }
    ]


def test_a_new_row_and_a_row_gone_are_told_whole(sessions: Sessions) -> None:
    with sessions.begin() as session:
        project = world.make_project(session, "screen")
        key = (project.id, "visitor")
    with sessions.begin() as session:
        session.add(t.ProjectMember(project_id=key[0], person=key[1], role="viewer"))
        journal.record(session, "staff", "put member", "project:screen")
    item = {"table": "project_member", "keys": [list(key)], "before": None}
    assert last(sessions).rows == [item | {"after": {"role": "viewer"}}]
    with sessions.begin() as session:
        session.delete(session.get_one(t.ProjectMember, key))
        journal.record(session, "staff", "remove member", "project:screen")
    item = {"table": "project_member", "keys": [list(key)], "after": None}
    assert last(sessions).rows == [item | {"before": {"role": "viewer"}}]


def test_rows_changed_alike_share_one_item(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make(session, "screen")
    with sessions.begin() as session:
        ids = session.scalars(select(t.Record.id).order_by(t.Record.id)).all()
        capture.touch(session, t.Record, ids)
        statement = update(t.Record).values(tier="archive")
        session.execute(statement, execution_options={"captured": True})
        journal.record(session, "staff", "archive", "project:screen")
    rows = last(sessions).rows
    assert [item["keys"] for item in rows] == [[[i] for i in ids]]
    assert rows[0]["after"] == {"tier": "archive"}


def test_what_was_rolled_back_leaves_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
    before = last(sessions).id
    with sessions() as session:
        session.scalar(select(t.Team)).title = "x"
        journal.record(session, "staff", "rename team", "team:lab-screen")
        session.flush()
        session.rollback()
        session.commit()
    assert last(sessions).id == before


def title(session: Session, new: str) -> None:
    session.scalar(select(t.Team)).title = new
    journal.record(session, "staff", new, "team:lab-screen")


def taken_back(session: Session) -> None:
    """Change and add rows in a savepoint that ends with an error."""
    with session.begin_nested():
        title(session, "taken back")
        session.add(t.Team(name="never", title="never"))
        session.flush()
        raise KeyError("taken back")


def refused(session: Session) -> None:
    """Let the database refuse what a savepoint holds."""
    with session.begin_nested():
        journal.record(session, "staff", "refused", "team:lab-screen")
        session.add(t.Team(name="lab-screen", title="the same"))


def test_what_a_savepoint_kept_or_took_back_is_told_so(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
    before = last(sessions).id
    with sessions.begin() as session:
        title(session, "first")
        with session.begin_nested():
            title(session, "kept")
            with pytest.raises(KeyError, match="taken back"):
                taken_back(session)
        with pytest.raises(IntegrityError):
            refused(session)
    with sessions() as session:
        chosen = select(t.Journal).where(t.Journal.id > before).order_by(t.Journal.id)
        first, second = session.scalars(chosen).all()
        assert [first.action, second.action] == ["first", "kept"]
        [item] = first.rows
        assert (item["table"], item["after"]) == ("team", {"title": "kept"})
        assert session.scalars(select(t.Team.title)).all() == ["kept"]


def test_a_change_in_a_savepoint_needs_an_entry_too(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")

    def behind_our_back() -> None:
        with sessions.begin() as session, session.begin_nested():
            session.scalar(select(t.Team)).title = "behind our back"

    with pytest.raises(Unrecorded, match="rows of team"):
        behind_our_back()
    with sessions.begin() as session, session.begin_nested():
        title(session, "told")
    with sessions() as session:
        assert session.scalar(select(t.Team.title)) == "told"


def test_a_row_is_touched_or_rewritten_not_both(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
    with sessions() as session:
        session.scalar(select(t.Team)).title = "x"
        session.flush()
        statement = update(t.Team).values(title="y")
        session.execute(statement, execution_options={"captured": True})
        capture.rewrite(session, t.Team, [1], {"title": "x"}, {"title": "y"})
        journal.record(session, "staff", "rename team", "team:lab-screen")
        with pytest.raises(Unrecorded, match="both touched and rewritten"):
            session.commit()


def test_a_failing_journal_write_fails_the_change(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
    with sessions.begin() as session:
        session.execute(text("ALTER TABLE journal RENAME TO away"))
    with sessions() as session:
        session.scalar(select(t.Team)).title = "without a trace"
        journal.record(session, "staff", "rename team", "team:lab-screen")
        with pytest.raises(DBAPIError):
            session.commit()
    with sessions() as session:
        assert session.scalar(select(t.Team.title)) == "lab-screen"


def test_what_another_changes_meanwhile_is_not_told_as_ours(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
    touched = threading.Event()

    def rename() -> None:
        touched.wait(60)
        with sessions.begin() as session:
            session.scalar(select(t.Team)).title = "theirs"
            journal.record(session, "other", "rename team", "team:lab-screen")

    thread = threading.Thread(target=rename)
    thread.start()
    with sessions.begin() as session:
        capture.touch(session, t.Team, [session.scalar(select(t.Team.id))])
        touched.set()
        thread.join(0.5)  # it waits for us, or has its turn before
        journal.record(session, "one", "look", "team:lab-screen")
    thread.join(60)
    with sessions() as session:
        said = session.execute(select(t.Journal.action, t.Journal.rows).order_by(t.Journal.id))
        told = [(row.action, bool(row.rows)) for row in said][-2:]
    assert told == [("look", False), ("rename team", True)]
