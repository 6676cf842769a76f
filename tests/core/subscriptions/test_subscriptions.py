"""A template runs once on each image that a saved search newly finds, within its budget."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import standing
import world
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from standing import EACH, WHO, arrive, counted, look, read, run_on, subscribe

from cid_server_ext.background.subscriber import Subscriber
from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import datasets, projects, records, renames, tags
from cid_server_ext.core.ledger import allocations
from cid_server_ext.core.life import trash, undo
from cid_server_ext.core.people import members
from cid_server_ext.core.runs import runs
from cid_server_ext.core.subscriptions import chains, following, seen, subscriptions
from cid_server_ext.core.subscriptions.budget import Limits
from cid_server_ext.core.subscriptions.subscriptions import Wanted
from cid_server_ext.core.templates import templates
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import Conflict, NotAllowed, NotFound

PROJECT = "screen"


@pytest.fixture
def catalog(sessions: Sessions) -> Sessions:
    """A project with two stacks, a saved search for stacks, and a template."""
    standing.make(sessions, PROJECT)
    come(sessions, "old stack 1", "old stack 2", "overview")
    return sessions


def come(sessions: Sessions, *names: str, **more: Any) -> list[str]:
    with sessions.begin() as session:
        return arrive(session, PROJECT, list(names), **more)


def last_entry(session: Session, action: str) -> int:
    chosen = select(func.max(t.Journal.id)).where(t.Journal.action == action)
    return session.scalars(chosen).one()


def take_back(sessions: Sessions, action: str) -> None:
    with sessions.begin() as session:
        undo.undo(session, Actor("manager"), last_entry(session, action))


def test_what_comes_is_run_once_and_what_was_there_is_not(catalog: Sessions) -> None:
    uid = subscribe(catalog, PROJECT, parameters={"sigma": 2})
    assert look(catalog) == 0
    come(catalog, "stack 3", "photo", "stack 4")
    assert look(catalog) == 2
    assert look(catalog) == 0
    assert run_on(catalog) == {"stack 3": 1, "stack 4": 1}
    assert counted(catalog, uid) == {"there": 2, "queued": 2}
    row = read(catalog, uid)
    assert (row.runs, row.today, row.nbytes) == (2, 2, 2 * EACH)
    with catalog() as session:
        made = session.scalars(select(t.Run)).all()
        assert {(run.person, run.state, run.reserved) for run in made} == {
            ("contributor", "queued", EACH)
        }
        assert made[0].parameters == {"sigma": 2.0, "mode": "fast"}
        assert len({run.batch for run in made}) == 1
        told = select(t.Journal.detail).where(t.Journal.action == "submit run")
        assert [detail["subscription"] for detail in session.scalars(told)] == [uid, uid]


def test_what_matches_later_is_run_and_never_twice(
    catalog: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Renamed, undone, redone, thrown away and brought back: what the journal says is enough."""
    subscribe(catalog, PROJECT)
    one = Subscriber(catalog, lambda: None)
    (late,) = come(catalog, "plate")
    assert one.look() == 0
    monkeypatch.setattr(following, "found", None)  # nothing is looked at as a whole any more
    with catalog.begin() as session:
        records.change(session, WHO, t.Image, late, name="late stack")
    assert one.look() == 1
    take_back(catalog, "rename")
    assert one.look() == 0
    take_back(catalog, "undo")
    with catalog.begin() as session:
        runs.cancel(session, WHO, session.scalars(select(t.Run.uid)).one())
    with catalog.begin() as session:
        thrown = trash.throw(session, WHO, [late], []).uid
    assert one.look() == 0
    with catalog.begin() as session:
        trash.restore(session, WHO, thrown)
        tags.put(session, WHO, late, "Staining", "DAPI")
    assert one.look() == 0
    come(catalog, "stack 5", "photo")
    assert one.look() == 1
    assert run_on(catalog) == {"late stack": 1, "stack 5": 1}
    one.close()


def test_a_search_that_others_change_finds_what_it_finds_then(catalog: Sessions) -> None:
    """A saved search that was changed, a value that was renamed: no record was touched."""
    with catalog.begin() as session:
        for image in session.scalars(select(t.Image.uid)):
            tags.put(session, WHO, image, "Staining", "Dapi")
        search = session.scalars(select(t.Dataset).where(t.Dataset.query.is_not(None))).one().uid
    subscribe(catalog, PROJECT)
    one = Subscriber(catalog, lambda: None)
    assert one.look() == 0
    with catalog.begin() as session:
        datasets.change(session, WHO, search, query="Staining:Hoechst")
    assert one.look() == 0
    with catalog.begin() as session:
        value = session.scalars(select(t.Value).where(t.Value.folded == "dapi")).one()
        renames.rename_value(
            session, world.STAFF, value.term.uid, value.uid, "Hoechst", project=PROJECT
        )
    assert one.look() == 1
    assert run_on(catalog) == {"overview": 1}
    one.close()


def test_what_was_thrown_away_before_its_turn_waits_no_more_until_it_is_back(
    catalog: Sessions,
) -> None:
    uid = subscribe(catalog, PROJECT, Limits(runs=1))
    first, second = come(catalog, "stack a", "stack b")
    look(catalog)
    assert counted(catalog, uid) == {"there": 2, "queued": 1, "waiting": 1}
    with catalog.begin() as session:
        thrown = trash.throw(session, WHO, [second], []).uid
        subscriptions.change(session, WHO, uid, {"runs": 5})
    assert look(catalog) == 0
    assert counted(catalog, uid) == {"there": 2, "queued": 1}
    with catalog.begin() as session:
        trash.restore(session, WHO, thrown)
    assert look(catalog) == 1
    assert run_on(catalog) == {"stack a": 1, "stack b": 1}
    assert first != second


@pytest.mark.parametrize(
    ("limits", "raised", "reason"),
    [
        (Limits(runs=2), {"runs": 4}, "its budget of 2 runs is spent: raise it to go on"),
        (
            Limits(nbytes=2 * EACH + 5),
            {"nbytes": None, "runs": 9},
            "8.0 MB of its budget of 8.0 MB",
        ),
        (Limits(runs_a_day=2), {"runs_a_day": 9}, "2 runs of this day began"),
    ],
)
def test_a_spent_budget_pauses_it_and_the_rest_waits_until_it_is_raised(
    catalog: Sessions, limits: Limits, raised: dict[str, int | None], reason: str
) -> None:
    uid = subscribe(catalog, PROJECT, limits)
    come(catalog, "stack 1", "stack 2", "stack 3")
    assert look(catalog) == 2
    come(catalog, "stack 4")
    assert look(catalog) == 0
    row = read(catalog, uid)
    assert row.state == "paused"
    assert (row.reason or "").startswith(reason)
    assert counted(catalog, uid)["waiting"] == 2
    with catalog.begin() as session:
        subscriptions.change(session, WHO, uid, raised)
    assert look(catalog) == 2
    assert read(catalog, uid).state == "active"
    assert sum(run_on(catalog).values()) == 4
    with catalog() as session:  # said once, however often it was looked at
        said = select(func.count()).where(t.Journal.action == "pause subscription")
        assert session.scalar(said) == 1


def test_the_next_day_it_goes_on_by_itself(catalog: Sessions) -> None:
    uid = subscribe(catalog, PROJECT, Limits(runs_a_day=1))
    come(catalog, "stack 1", "stack 2")
    assert look(catalog) == 1
    assert look(catalog) == 0
    with catalog.begin() as session:
        yesterday = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
        session.scalars(select(t.Subscription)).one().day = yesterday
        standing_entry(session)
    assert look(catalog) == 1
    row = read(catalog, uid)
    assert (row.state, row.today, row.runs) == ("active", 1, 2)


def test_a_full_allocation_pauses_it_until_there_is_room(catalog: Sessions) -> None:
    uid = subscribe(catalog, PROJECT)
    come(catalog, "stack 1", "stack 2")

    def limit(nbytes: int) -> None:
        with catalog.begin() as session:
            allocations.set_limits(session, world.STAFF, PROJECT, nbytes)

    limit(EACH + 10_000)
    assert look(catalog) == 1
    row = read(catalog, uid)
    assert (row.state, row.runs, row.nbytes) == ("paused", 1, EACH)
    assert "has 9.9 kB free" in (row.reason or "")
    assert look(catalog) == 0
    limit(10**9)
    assert look(catalog) == 1
    assert read(catalog, uid).state == "active"


def test_who_lost_the_right_submits_nothing_and_another_takes_it_over(catalog: Sessions) -> None:
    uid = subscribe(catalog, PROJECT)
    with catalog.begin() as session:
        members.put_member(session, world.STAFF, PROJECT, "contributor", "viewer")
    come_as_manager(catalog, "stack 1")
    assert look(catalog) == 0
    row = read(catalog, uid)
    assert (row.state, row.cause) == ("paused", "right")
    assert (row.reason or "").startswith("contributor is no longer contributor of project 'screen'")
    with catalog.begin() as session, pytest.raises(NotAllowed):
        subscriptions.resume(session, WHO, uid)
    with catalog.begin() as session, pytest.raises(NotAllowed):
        subscriptions.resume(session, world.STAFF, uid)
    with catalog.begin() as session:
        subscriptions.resume(session, Actor("manager"), uid)
    assert look(catalog) == 1
    with catalog() as session:
        assert session.scalars(select(t.Run.person)).all() == ["manager"]


def test_paused_closed_or_without_its_search_it_waits_and_says_why(catalog: Sessions) -> None:
    uid = subscribe(catalog, PROJECT)
    manager = Actor("manager")
    with catalog.begin() as session:
        subscriptions.pause(session, manager, uid)
    come(catalog, "stack 1")
    assert look(catalog) == 0
    assert (read(catalog, uid).reason, counted(catalog, uid)["waiting"]) == ("paused by manager", 1)
    with catalog.begin() as session:
        search = session.scalars(select(t.Dataset).where(t.Dataset.query.is_not(None))).one().uid
        thrown = trash.throw(session, manager, [], [search]).uid
        subscriptions.resume(session, WHO, uid)
    assert look(catalog) == 0
    assert "'new stacks' is in the trash: restore it" in (read(catalog, uid).reason or "")
    with catalog.begin() as session:
        trash.restore(session, manager, thrown)
        projects.change(session, world.STAFF, PROJECT, title=None, state="closed")
    assert look(catalog) == 0
    assert "project 'screen' is closed" in (read(catalog, uid).reason or "")
    with catalog.begin() as session:
        projects.change(session, world.STAFF, PROJECT, title=None, state="active")
    assert look(catalog) == 1
    with catalog.begin() as session:
        datasets.change(session, manager, search, query="Exposure>5 ms")
        session.add(t.Term(key="Exposure", folded="exposure", kind="sample", type="text"))
    assert look(catalog) == 0
    assert "cannot be answered: q: exposure>5" in (read(catalog, uid).reason or "")


def test_ended_it_runs_nothing_and_taken_back_it_goes_on(catalog: Sessions) -> None:
    uid = subscribe(catalog, PROJECT)
    with catalog.begin() as session:
        subscriptions.end(session, WHO, uid)
    come(catalog, "stack 1")
    assert look(catalog) == 0
    with catalog.begin() as session, pytest.raises(Conflict, match="has ended"):
        subscriptions.resume(session, WHO, uid)
    take_back(catalog, "end subscription")
    assert look(catalog) == 1
    with catalog.begin() as session, pytest.raises(Conflict):
        undo.undo(session, WHO, last_entry(session, "subscribe"))
    other = subscribe(catalog, PROJECT, parameters={"sigma": 5})
    take_back(catalog, "subscribe")
    with catalog() as session, pytest.raises(NotFound):
        seen.get(session, WHO, other)


def test_what_a_template_makes_never_begins_it_again_and_chains_end(catalog: Sessions) -> None:
    subscribe(catalog, PROJECT)
    look(catalog)
    names = [f"step-{n}" for n in range(chains.LONGEST)]
    with catalog.begin() as session:
        for name in names:
            about = {**world.MANIFEST["template"], "name": name}
            raw = {**world.MANIFEST, "template": about}
            templates.publish(session, world.STAFF, raw, world.NOTEBOOK)
            wanted = Wanted(PROJECT, standing.SEARCH, name, limits=standing.MANY)
            subscriptions.create(session, WHO, wanted)
    come(catalog, "stack 0")
    assert look(catalog) == len(names) + 1
    made = 0
    while True:  # each run makes one image that every search finds
        with catalog() as session:
            done = select(t.Record.run_id).where(t.Record.run_id.is_not(None))
            open_ = session.scalars(select(t.Run.id).where(t.Run.id.not_in(done))).all()
        if not open_:
            break
        for run in open_:
            come(catalog, f"stack of run {run}", run_id=run)
        made += len(open_)
        look(catalog)
    # 4 templates, each at most once on one way, and at most 3 on it
    assert made == 4 + 4 * 3 + 4 * 3 * 2
    with catalog() as session:
        reasons = select(t.SubscriptionMatch.reason, func.count()).group_by(
            t.SubscriptionMatch.reason
        )
        told = dict(session.execute(reasons.where(t.SubscriptionMatch.state == "left")).all())
    assert told["3 subscriptions in a row made it: no more follow one another"] == 24
    assert told["it was made by count-things itself"] == 1 + 3 * 2 + 6 * 3


def come_as_manager(sessions: Sessions, name: str) -> None:
    """Let an image come that somebody else than the contributor brings."""
    with sessions.begin() as session:
        members.put_member(session, world.STAFF, PROJECT, "contributor", "contributor")
        arrive(session, PROJECT, [name])
        members.put_member(session, world.STAFF, PROJECT, "contributor", "viewer")


def standing_entry(session: Session) -> None:
    """Say in the journal that rows were set up."""
    journal.record(session, "test", "set up", "test")
