"""What subscribing would do is said first; what is wrong is refused; it stays on its version."""

from __future__ import annotations

from typing import Any

import pytest
import standing
import world
from sqlalchemy import select
from standing import EACH, WHO, arrive, counted, look, run_on, subscribe

from cid_server_ext.core.catalog import datasets
from cid_server_ext.core.life import undo
from cid_server_ext.core.runs import submit
from cid_server_ext.core.subscriptions import seen, subscriptions
from cid_server_ext.core.subscriptions.budget import Limits
from cid_server_ext.core.subscriptions.subscriptions import Wanted
from cid_server_ext.core.templates import templates
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, BadParameter, CidError, Conflict, NotAllowed, NotFound

PROJECT = "asked-first"


@pytest.fixture
def catalog(sessions: Sessions) -> Sessions:
    """A project with two stacks, a saved search for stacks, and a template."""
    standing.make(sessions, PROJECT)
    come(sessions, "old stack 1", "old stack 2", "overview")
    return sessions


def come(sessions: Sessions, *names: str, **more: Any) -> list[str]:
    with sessions.begin() as session:
        return arrive(session, PROJECT, list(names), **more)


def test_what_is_there_is_counted_first_and_run_when_it_is_asked_for(catalog: Sessions) -> None:
    with catalog.begin() as session:
        old = session.scalars(select(t.Image.uid).where(t.Image.name == "old stack 1")).one()
        submit.submit(session, WHO, "count-things", [old], {})
    come(catalog, "line stack", axes="y", shape=(64,))
    with catalog() as session:
        wanted = Wanted(PROJECT, standing.SEARCH, "count-things", also_existing=True)
        found = subscriptions.preview(session, WHO, wanted)
        assert (found.matches, found.would_run, found.run_already, found.left) == (3, 1, 1, 1)
        assert found.nbytes == EACH
        assert found.text == (
            "3 images match now: 1 would be run, 1 was run already, 1 is not taken by the"
            " template; would reserve 4.0 MB of 5.0 TB that are free;"
            " no history yet: at most 1 h each, 4.0 MB"
        )
    uid = subscribe(catalog, PROJECT)
    assert look(catalog) == 0
    with catalog.begin() as session:
        subscriptions.existing(session, WHO, uid)
    assert look(catalog) == 1
    assert run_on(catalog) == {"old stack 1": 1, "old stack 2": 1}
    assert counted(catalog, uid) == {"there": 1, "queued": 1, "left": 1}
    with catalog() as session:
        (left,) = seen.matches(session, WHO, uid, state="left")
        assert "it needs axis x, this has y" in (left.reason or "")
    with catalog.begin() as session:
        subscriptions.end(session, WHO, uid)
    again = subscribe(catalog, PROJECT, also_existing=True, parameters={"sigma": 3})
    assert look(catalog) == 2  # with other values it is another question
    assert counted(catalog, again) == {"queued": 2, "left": 1}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"search": "nowhere"}, NotFound),
        ({"search": "folder"}, BadInput),
        ({"template": "unknown"}, NotFound),
        ({"parameters": {"sgima": 1}}, BadParameter),
        ({"limits": Limits()}, BadInput),
        ({"limits": Limits(runs=0)}, BadInput),
    ],
)
def test_a_mistake_subscribes_to_nothing(
    catalog: Sessions, change: dict[str, Any], error: type[CidError]
) -> None:
    with catalog.begin() as session:
        datasets.create(session, WHO, PROJECT, "folder")
    asked = {"search": standing.SEARCH, "template": "count-things", "limits": Limits(runs=1)}
    with catalog() as session, pytest.raises(error):
        subscriptions.create(session, WHO, Wanted(project=PROJECT, **(asked | change)))
    with catalog() as session:
        assert session.scalars(select(t.Subscription)).all() == []


def test_the_same_is_subscribed_to_once_and_not_by_staff_alone(catalog: Sessions) -> None:
    subscribe(catalog, PROJECT)
    with pytest.raises(Conflict, match="the same subscription already"):
        subscribe(catalog, PROJECT)
    wanted = Wanted(PROJECT, standing.SEARCH, "count-things", limits=standing.MANY)
    with catalog() as session, pytest.raises(NotAllowed, match="being staff is not enough"):
        subscriptions.create(session, world.STAFF, wanted)


def test_it_stays_on_its_version_and_says_that_there_is_a_newer_one(catalog: Sessions) -> None:
    uid = subscribe(catalog, PROJECT)
    newer = {**world.MANIFEST, "template": {**world.MANIFEST["template"], "version": "1.1.0"}}
    with catalog.begin() as session:
        templates.publish(session, world.STAFF, newer, world.NOTEBOOK, "Faster.")
    come(catalog, "stack 1")
    assert look(catalog) == 1
    with catalog() as session:
        row = session.scalars(select(t.Subscription).where(t.Subscription.uid == uid)).one()
        assert seen.newer(session, [row]) == {row.id: "1.1.0"}
        assert [run.template.version for run in session.scalars(select(t.Run))] == ["1.0.0"]


def test_when_its_version_is_withdrawn_it_pauses_and_says_so(catalog: Sessions) -> None:
    uid = subscribe(catalog, PROJECT)
    with catalog.begin() as session:
        templates.withdraw(session, world.STAFF, "count-things", "1.0.0", "It counts twice.")
    come(catalog, "stack 1")
    assert look(catalog) == 0
    with catalog() as session:
        row = session.scalars(select(t.Subscription).where(t.Subscription.uid == uid)).one()
        assert (row.state, row.cause) == ("paused", "template")
        assert "count-things 1.0.0 is withdrawn: end this" in (row.reason or "")
        assert seen.newer(session, [row]) == {}


def test_other_values_hold_for_the_runs_to_come_and_are_taken_back(catalog: Sessions) -> None:
    uid = subscribe(catalog, PROJECT)
    come(catalog, "stack 1")
    look(catalog)
    for _ in range(2):  # said again, nothing changes and nothing is noted
        with catalog.begin() as session:
            subscriptions.change(session, WHO, uid, {"runs": 5}, {"sigma": 3})
    come(catalog, "stack 2")
    assert look(catalog) == 1
    with catalog() as session:
        runs = session.scalars(select(t.Run).order_by(t.Run.id))
        assert [run.parameters["sigma"] for run in runs] == [1.0, 3.0]
        said = select(t.Journal).where(t.Journal.action == "change subscription")
        (entry,) = session.scalars(said)
        assert (entry.detail["runs"], entry.detail["parameters"]) == (5, {"sigma": 3.0})
    other = subscribe(catalog, PROJECT, parameters={"sigma": 4})
    for values, error in (({"sigma": 3}, Conflict), ({"sgima": 3}, BadParameter)):
        with catalog() as session, pytest.raises(error):
            subscriptions.change(session, WHO, other, {}, values)
    with catalog.begin() as session:
        undo.undo(session, WHO, entry.id)
    row = standing.read(catalog, uid)
    assert (row.parameters["sigma"], row.most_runs) == (1.0, 10_000)
