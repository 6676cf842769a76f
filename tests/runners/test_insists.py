"""A worker whose catalog is away for a while: nothing is lost, and nothing is committed twice."""

from __future__ import annotations

import pytest

from cid_client.errors import Conflict, NotLoggedIn, Unavailable
from cid_server_ext.runners.worker import deliver
from cid_server_ext.runners.worker.deliver import Delivery, insist

AWAY = Unavailable("it does not answer")


class Catalog:
    """A catalog that answers, does not, or takes a commit whose answer is lost."""

    def __init__(self, *commits: str, states: tuple[str, ...] = ("done",)) -> None:
        self.commits = list(commits)
        self.states = list(states)
        self.state = "open"
        self.taken = 0

    def send(self, verb, path, body=None):
        assert (verb, path) == ("POST", "deposits/d/commit")
        fate = self.commits.pop(0)
        if fate == "away":
            raise AWAY
        if self.state != "open":
            raise Conflict("it is importing")
        self.taken += 1
        self.state = "importing"
        if fate == "lost":
            raise AWAY

    def get(self, path):
        if self.state != "open":
            said = self.states.pop(0)
            if said == "away":
                raise AWAY
            if said == "token ended":
                raise NotLoggedIn("your token has ended")
            return {"state": said}
        return {"state": self.state}


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(deliver, "PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setattr(deliver, "FIRST_POLL", 0.0)
    monkeypatch.setattr(deliver, "POLL_SECONDS", 0.0)


@pytest.mark.parametrize(
    "catalog",
    [
        Catalog("taken", states=("importing", "importing", "done")),
        Catalog("away", "away", "taken"),
        Catalog("lost", states=("importing", "done")),
        Catalog("lost", states=("token ended",)),
        Catalog("away", "lost", states=("importing", "importing", "done")),
        Catalog("taken", states=("importing", "away", "away", "done")),
        Catalog("taken", states=("away", "token ended")),
    ],
    ids=["quick", "away", "answer lost", "and done", "away, then lost", "away later", "and ended"],
)
def test_a_commit_is_taken_once(catalog, tmp_path):
    Delivery(catalog, "r", tmp_path, None, None)._commit("deposits/d", {})
    assert catalog.taken == 1
    assert catalog.states == [] or catalog.states == ["done"]


def test_a_catalog_that_stays_away_is_told_after_all_tries():
    tried = []

    def ask():
        tried.append(1)
        raise AWAY

    with pytest.raises(Unavailable):
        insist(ask)
    assert len(tried) == 4
    assert sum(PAUSES) > 70  # a service that is killed needs a minute to be there again


PAUSES = deliver.PAUSES  # before a test makes them short
