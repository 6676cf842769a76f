"""Clusters that nobody uses: ended after a while, whoever opened them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from run_rows import fill, queue

from cid_server_ext.core.queue import claims, leases
from cid_server_ext.core.runs import states
from cid_server_ext.runners import orphans
from cid_server_ext.runners.orphans import Orphans


@dataclass
class Listed:
    """Names of clusters at a gateway that answers or does not."""

    names: list[str] = field(default_factory=list)
    away: bool = False

    def list_mine(self):
        if self.away:
            raise OSError("connection refused")
        return list(self.names)

    def stop(self, name):
        self.names.remove(name)


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set: `clock[0]`."""
    now = [1000.0]
    monkeypatch.setattr(orphans.time, "monotonic", lambda: now[0])
    return now


def looks(catalog, clusters, clock, seconds, own=()):
    eyes = Orphans(catalog, clusters)
    answered = []
    for _ in range(int(seconds / orphans.LOOK_SECONDS) + 1):
        answered.append(eyes.look(own))
        clock[0] += orphans.LOOK_SECONDS
    return answered


def test_a_cluster_is_ended_when_no_run_uses_it_for_a_while(sessions, clock):
    catalog = fill(sessions)
    clusters = Listed(["left over", "in use", "commits", "mine"])
    for name in ("in use", "commits"):
        queue(catalog)
        with catalog.begin() as session:
            (run,) = claims.claim(session, "somebody else", 600).runs
            leases.attach(session, "somebody else", name, {run.id: name[0] * 64})
            if name == "commits":
                for state in ("running", "committing"):
                    states.move(session, run.id, state)
    assert looks(catalog, clusters, clock, orphans.UNUSED_SECONDS - 1, {"mine"})
    assert "left over" in clusters.names
    looks(catalog, clusters, clock, orphans.UNUSED_SECONDS, {"mine"})
    assert clusters.names == ["in use", "commits", "mine"]


def test_one_that_was_opened_a_moment_ago_is_left_alone(sessions, clock):
    catalog = fill(sessions)
    clusters = Listed(["just opened"])
    eyes = Orphans(catalog, clusters)
    assert eyes.look()
    queue(catalog)
    with catalog.begin() as session:
        (run,) = claims.claim(session, "another", 600).runs
        leases.attach(session, "another", "just opened", {run.id: "a" * 64})
    for _ in range(5):
        clock[0] += orphans.LOOK_SECONDS
        assert eyes.look()
    assert clusters.names == ["just opened"]


def test_a_gateway_that_is_away_is_told_and_asked_again(sessions, clock):
    clusters = Listed(["left over"], away=True)
    eyes = Orphans(fill(sessions), clusters)
    assert not eyes.look()
    assert not eyes.look()
    clusters.away = False
    assert eyes.look()
