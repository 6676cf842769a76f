"""The suite is shared out by what is there: places have names that exist, browsers come last."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import ports
import pytest
import rooms

ROOT = Path(__file__).parent.parent


def test_every_place_that_is_named_is_there() -> None:
    for place in (*rooms.FIRST, *rooms.LAST, *rooms.SHARED, *rooms.ALONE):
        assert (ROOT / place).exists(), place


def test_who_has_a_browser_for_long_comes_last() -> None:
    named = ["tests/widgets/x.py::test_a", "tests/core/x.py::test_a", "tests/hub/x.py::test_a"]
    assert sorted(named, key=rooms.rank) == named[::-1]


@pytest.mark.parametrize(
    ("args", "word", "alone"),
    [
        (["tests"], "", False),
        (["tests/hub", "tests/core"], "", False),
        (["tests/test_rooms.py"], "", True),
        (["tests/test_rooms.py::test_x"], "", True),
        (["tests/hub"], "start", True),
    ],
)
def test_one_file_is_run_in_this_process_and_folders_in_several(
    args: list[str], word: str, alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)))
    config = SimpleNamespace(args=args, option=SimpleNamespace(keyword=word, capture="fd"))
    assert rooms.pytest_xdist_auto_num_workers(config) == (0 if alone else rooms.MOST)  # type: ignore[arg-type]


def test_a_port_is_given_once_and_rows_of_them_too() -> None:
    given = [ports.free_port() for _ in range(50)]
    first = ports.free_ports(6)
    assert len({*given, *range(first, first + 6)}) == 56
    assert all(port in ports.POOL for port in (*given, first + 5))
