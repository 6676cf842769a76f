"""A run changes its state only along the table, and what it held is given back at its end."""

from __future__ import annotations

import datetime as dt

import pytest
from run_rows import fill, queue, read
from sqlalchemy import select

from cid_server_ext.core.runs import states
from cid_server_ext.db.tables import Allocation, Dataset, Deposit, Journal, Run
from cid_server_ext.errors import Conflict, NotFound

EVERY = ("queued", "starting", "running", "committing", "done", "failed", "cancelled")


@pytest.fixture
def catalog(sessions):
    return fill(sessions)


def entries():
    """Select what the journal says beside how the rows were set up."""
    return select(Journal).where(Journal.subject != "test").order_by(Journal.id)


def test_the_tables_states_are_those_the_database_accepts():
    assert set(EVERY) == set(states.NEXT) | states.ENDED
    assert set().union(*states.NEXT.values()) <= set(EVERY)


@pytest.mark.parametrize("state", EVERY)
def test_only_the_moves_of_the_table_are_possible(catalog, state):
    for to in EVERY:
        (run,) = queue(catalog, state=state)
        allowed = to in states.NEXT.get(state, ())
        with catalog.begin() as session:
            if allowed:
                states.move(session, run.id, to)
            else:
                with pytest.raises(Conflict, match=f"is {state}, it cannot become {to}"):
                    states.move(session, run.id, to)
        assert read(catalog, run.id).state == (to if allowed else state)


def test_start_and_end_are_stamped_with_the_databases_time(catalog):
    (run,) = queue(catalog, state="starting")
    for to in ("running", "committing", "done"):
        with catalog.begin() as session:
            states.move(session, run.id, to)
    run = read(catalog, run.id)
    now = dt.datetime.now(dt.UTC)
    assert now - dt.timedelta(minutes=1) < run.started_at <= run.ended_at <= now


def test_an_ended_run_has_no_token_no_lease_and_no_reservation(catalog):
    (run,) = queue(catalog, state="running", token_hash="a" * 64, lease_by="conductor")
    with catalog.begin() as session:
        states.move(session, run.id, "failed", error={"error": "X", "message": "y"})
    ended = read(catalog, run.id)
    assert (ended.token_hash, ended.lease_by, ended.reserved) == (None, None, 0)
    with catalog() as session:
        assert session.get_one(Allocation, 1).reserved == 0


def test_a_deposit_that_an_ended_run_left_open_expires_at_once(catalog):
    (run,) = queue(catalog, state="running")
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=24)
    with catalog.begin() as session:
        session.add(Dataset(id=1, project_id=1, path=""))
        session.flush()
        open_one = Deposit(
            project_id=1,
            dataset_id=1,
            kind="run",
            person="researcher",
            run_id=run.id,
            declared=[],
            reserved=0,
            expires_at=later,
        )
        session.add(open_one)
        session.flush()
        states.move(session, run.id, "cancelled")
    with catalog() as session:
        assert session.scalars(select(Deposit)).one().expires_at <= dt.datetime.now(dt.UTC)


def test_every_move_is_in_the_journal_with_who_did_it(catalog):
    (run,) = queue(catalog)
    with catalog.begin() as session:
        states.move(session, run.id, "cancelled", by="leader")
    with catalog() as session:
        line = session.scalars(entries()).one()
    assert (line.person, line.action, line.subject) == ("leader", "run cancelled", f"run:{run.uid}")


def test_a_refused_move_changes_nothing(catalog):
    (run,) = queue(catalog)
    with catalog.begin() as session, pytest.raises(Conflict):
        states.move(session, run.id, "cancelled", only_if=Run.person == "nobody")
    with catalog() as session:
        assert session.scalars(entries()).all() == []
    assert read(catalog, run.id).state == "queued"


def test_a_run_that_is_not_there_is_not_found(catalog):
    with catalog.begin() as session, pytest.raises(NotFound):
        states.move(session, 99, "failed")
