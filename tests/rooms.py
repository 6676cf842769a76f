"""How the suite is shared out: a file's tests run in one process, the longest files begin first.

Each process has its own database server, services, hub and browser; it shares with the others only
what nobody writes to.
"""

from __future__ import annotations

import os

import pytest
from xdist.scheduler import LoadScopeScheduling

MOST = 4  # more browsers, hubs and clusters at a time are no good neighbours

SHARED = ("tests/hub",)
"""Folders that run in one process as a whole: what their tests share takes long to start."""

FIRST = (
    "tests/hub",
    "tests/core/search/test_same_answers.py",
    "tests/runners/test_conductor.py",
    "tests/handlers",
    "tests/templates",
    "tests/runners",
    "tests/memory",
    "tests/client",
)
"""Where the tests are that take long; they begin in this order, and then all others."""

ALONE = ("tests/core", "tests/db", "tests/storage", "tests/tools")
"""Where a test has nothing beside it that could be late, and so no second try."""

LAST = ("tests/widgets/test_in_lab.py", "tests/widgets")
"""A browser has an event loop in the main thread, in which no other one can run then."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """A process for each core for folders; a file, a test or a word is run in this process."""
    few = any("::" in named or named.endswith(".py") for named in config.args)
    if few or config.option.keyword or config.option.capture == "no":
        return 0
    cores = len(os.sched_getaffinity(0))
    return min(cores, MOST) if cores > 1 else 0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Share out files and rooms, in their order."""
    return Rooms(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest first, so that no process waits for another one at the end.

    What drives services, clusters and browsers gets a second try, which the summary tells: one
    delayed process among thousands says nothing of the code, and what is wrong fails twice.
    """
    items.sort(key=lambda item: rank(item.nodeid))
    second = config.getoption("reruns", 0) is None  # unless the command line says how many
    for item in items if second else ():
        if not item.nodeid.startswith(ALONE):
            item.add_marker(pytest.mark.flaky(reruns=1))


def rank(nodeid: str) -> int:
    """Return the place of a test in the order."""
    order = (*FIRST, "", *LAST)  # what is nowhere is in between
    named = [at for at, place in enumerate(order) if place and nodeid.startswith(place)]
    return min(named, default=len(FIRST))


class Rooms(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a process the tests of a file, or those of a folder that shares what is dear."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((folder for folder in SHARED if file.startswith(folder)), file)
