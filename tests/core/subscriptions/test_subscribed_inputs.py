"""A subscription has further inputs and a priority: checked when it begins and at each submit."""

from __future__ import annotations

from typing import Any

import pytest
import standing
import world
from sqlalchemy import select
from standing import WHO, arrive, counted, look, subscribe

from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.people import members
from cid_server_ext.core.queue import limits
from cid_server_ext.core.subscriptions import beside, subscriptions
from cid_server_ext.core.subscriptions.subscriptions import Wanted
from cid_server_ext.core.templates import templates
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, CidError, Conflict, NotAllowed, NotFound

PROJECT = "with-beads"
BOTH = Actor("contributor", staff=True)
ALSO = [
    {"role": "beads", "help": "a bead image"},
    {"role": "dark", "many": True, "optional": True},
]


@pytest.fixture
def catalog(sessions: Sessions) -> Sessions:
    """A project with a saved search, beads here and in `lent`, a template that asks for them."""
    standing.make(sessions, PROJECT)
    raw = {**world.MANIFEST, "inputs": {"also": ALSO}}
    raw["template"] = {**raw["template"], "version": "2.0.0"}
    with sessions.begin() as session:
        world.make_project(session, "lent")
        templates.publish(session, world.STAFF, raw, world.NOTEBOOK, "Beads.")
        world.add_image(session, "lent", "far beads")
        world.add_image(session, PROJECT, "beads")
        members.put_member(session, Actor("manager"), PROJECT, "visitor", "contributor")
    return sessions


def uid(sessions: Sessions, name: str) -> str:
    with sessions() as session:
        return session.scalars(select(t.Image.uid).where(t.Image.name == name)).one()


def come(sessions: Sessions, *names: str) -> None:
    with sessions.begin() as session:
        arrive(session, PROJECT, list(names))


def test_each_run_has_them_and_the_priority(catalog: Sessions) -> None:
    beads = {"beads": [uid(catalog, "far beads")]}
    number = subscribe(catalog, PROJECT, inputs=beads, priority=-4)
    come(catalog, "stack 1", "stack 2")
    assert look(catalog) == 2
    with catalog() as session:
        runs = session.scalars(select(t.Run)).all()
        assert {run.priority for run in runs} == {-4}
        for run in runs:
            (main, also) = run.inputs
            assert (main.role, also.role, also.image.name) == ("image", "beads", "far beads")
        row = session.scalars(select(t.Subscription).where(t.Subscription.uid == number)).one()
        assert beside.seen(session, WHO, [row]) == {row.id: beads}
        assert beside.seen(session, Actor("visitor"), [row]) == {row.id: {"beads": []}}
        (said,) = session.scalars(select(t.Journal).where(t.Journal.action == "subscribe"))
        assert said.detail["priority"] == -4
    with pytest.raises(Conflict, match="the same subscription already"):
        subscribe(catalog, PROJECT, inputs=beads)
    here = {"beads": [uid(catalog, "beads")]}
    again = subscribe(catalog, PROJECT, inputs=here, also_existing=True)
    assert look(catalog) == 2  # with other beads it is another question
    with catalog.begin() as session:
        subscriptions.end(session, WHO, again)
        wanted = Wanted(PROJECT, standing.SEARCH, "count-things", inputs=here)
        assert subscriptions.preview(session, WHO, wanted).run_already == 2


@pytest.mark.parametrize(
    ("who", "more", "error", "said"),
    [
        (WHO, {}, BadInput, "it needs a bead image in the role 'beads'"),
        (WHO, {"inputs": {"beads": ["absent"]}}, NotFound, "no image 'absent'"),
        (WHO, {"inputs": {"beads": ["far beads"], "baeds": []}}, BadInput, "no role 'baeds'"),
        (Actor("visitor"), {"inputs": {"beads": ["far beads"]}}, NotFound, "may not see it"),
        (Actor("visitor", staff=True), {"inputs": {"beads": ["far beads"]}}, NotFound, "not see"),
        (WHO, {"inputs": {"beads": ["beads"]}, "priority": 1}, NotAllowed, "staff"),
        (WHO, {"inputs": {"beads": ["beads"]}, "priority": -11}, BadInput, "priority: from"),
    ],
)
def test_what_a_submit_refuses_is_not_subscribed_to(
    catalog: Sessions, who: Actor, more: dict[str, Any], error: type[CidError], said: str
) -> None:
    names = {name: uid(catalog, name) for name in ("beads", "far beads")}
    given = more.get("inputs", {})
    inputs = {role: [names.get(one, one) for one in some] for role, some in given.items()}
    wanted = Wanted(
        PROJECT,
        standing.SEARCH,
        "count-things",
        limits=standing.MANY,
        **(more | {"inputs": inputs}),
    )
    with catalog.begin() as session, pytest.raises(error, match=said):
        subscriptions.create(session, who, wanted)
    with catalog() as session:
        assert session.scalars(select(t.Subscription)).all() == []


def test_staff_who_contributes_may_let_it_go_first(catalog: Sessions) -> None:
    beads = {"beads": [uid(catalog, "beads")]}
    wanted = Wanted(
        PROJECT, standing.SEARCH, "count-things", limits=standing.MANY, inputs=beads, priority=3
    )
    with catalog.begin() as session:
        assert subscriptions.create(session, BOTH, wanted).priority == 3
    come(catalog, "stack 1")
    assert look(catalog) == 1
    with catalog() as session:
        assert session.scalars(select(t.Run.priority)).all() == [3]


def test_it_pauses_while_one_cannot_be_read_and_goes_on_by_itself(catalog: Sessions) -> None:
    number = subscribe(catalog, PROJECT, inputs={"beads": [uid(catalog, "far beads")]})

    def keep(tier: str) -> None:
        with catalog.begin() as session:
            session.scalars(select(t.Image).where(t.Image.name == "far beads")).one().tier = tier
            journal.record(session, "test", "set up", "test")

    keep("archive")
    come(catalog, "stack 1")
    assert look(catalog) == 0
    row = standing.read(catalog, number)
    assert (row.state, row.cause) == ("paused", "inputs")
    assert row.reason is not None
    assert row.reason.startswith("its input 'beads' is archived or gone")
    assert "far" not in row.reason  # not all who read it see that image
    keep("online")
    assert look(catalog) == 1
    assert standing.read(catalog, number).state == "active"
    with catalog.begin() as session:
        members.remove_member(session, Actor("manager"), "lent", "contributor")
    come(catalog, "stack 2")
    assert look(catalog) == 0
    assert standing.read(catalog, number).cause == "inputs"
    assert counted(catalog, number) == {"queued": 1, "waiting": 1}


def test_gpu_minutes_that_are_spent_pause_it_until_there_are_more(catalog: Sessions) -> None:
    raw = {**world.MANIFEST, "resources": {**world.MANIFEST.get("resources", {}), "gpus": 1}}
    raw["template"] = {**raw["template"], "version": "3.0.0"}

    def allow(minutes: int) -> None:
        with catalog.begin() as session:
            new = limits.Limits(gpu_minutes=minutes)
            limits.set_limits(session, world.STAFF, f"lab-{PROJECT}", new)

    with catalog.begin() as session:
        templates.publish(session, world.STAFF, raw, world.NOTEBOOK, "Faster.")
    allow(0)
    number = subscribe(catalog, PROJECT)
    come(catalog, "stack 1", "stack 2")
    assert look(catalog) == 0
    row = standing.read(catalog, number)
    assert (row.state, row.cause) == ("paused", "gpu")
    assert row.reason is not None
    assert row.reason.startswith("the team has no GPU minutes left this month: it goes on")
    assert look(catalog) == 0
    allow(10)
    assert look(catalog) == 2
    assert standing.read(catalog, number).state == "active"
