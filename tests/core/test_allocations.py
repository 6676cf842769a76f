from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import world

from cid_server_ext.core.ledger import allocations
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import OverQuota


def counters(sessions: Sessions) -> tuple[int, int]:
    with sessions() as session:
        row = session.query(t.Allocation).one()
        return row.used, row.reserved


def test_a_hundred_threads_racing_for_ten_places_get_ten(sessions: Sessions) -> None:
    with sessions.begin() as session:
        project = world.make_project(session, "screen", limit=5000)
        allocations.reserve(session, project.id, 4000)
    together = threading.Barrier(100)

    def race(_: int) -> str:
        together.wait()
        try:
            with sessions.begin() as session:
                allocations.reserve(session, project.id, 100)
        except OverQuota:
            return "refused"
        return "reserved"

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(race, range(100)))
    assert (answers.count("reserved"), answers.count("refused")) == (10, 90)
    assert counters(sessions) == (0, 5000)


def test_settling_turns_the_promise_into_use_and_gives_the_rest_back(sessions: Sessions) -> None:
    with sessions.begin() as session:
        project = world.make_project(session, "screen", limit=1000)
        allocations.reserve(session, project.id, 800)
        allocations.settle(session, project.id, reserved=800, used=300)
    assert counters(sessions) == (300, 0)


def test_settling_more_than_fits_is_refused_and_changes_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        project = world.make_project(session, "screen", limit=1000)
        allocations.reserve(session, project.id, 500)
    with pytest.raises(OverQuota, match="ask staff"), sessions.begin() as session:
        allocations.settle(session, project.id, reserved=500, used=1200)
    assert counters(sessions) == (0, 500)


@pytest.mark.parametrize(
    ("nbytes", "said"), [(0, "0 B"), (999, "999 B"), (1_500_000, "1.5 MB"), (2e13, "20.0 TB")]
)
def test_sizes_are_said_as_people_say_them(nbytes: int, said: str) -> None:
    assert allocations.human(int(nbytes)) == said
