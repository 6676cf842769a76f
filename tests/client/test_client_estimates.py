"""What runs will take and when they end, as a notebook shows it."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from stored_things import look
from tiny_catalog import Tiny

import cid_client as cid
from cid_client.runs.eta import Eta

DOCS = Path(__file__).parents[2] / "docs"
NOON = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)


@pytest.fixture
def in_london(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A computer whose clock shows UTC in winter."""
    monkeypatch.setenv("TZ", "GMT0")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_preflight_says_what_it_takes(tiny: Tiny, catalog: cid.Catalog) -> None:
    tiny.add_image("i1")
    found = catalog.preflight("segment-cells", ["i1"])
    assert found.estimate.seconds == (480.0, 720.0, 1200.0)
    assert found.estimate.price == Decimal("3.40")
    says = "about 12 min (8 to 20), 1.2 GB, 3.40 EUR"
    assert str(found.estimate) == says
    assert says in str(found)
    assert says in found._repr_html_()


def test_a_run_says_when_it_ends_until_it_has(tiny: Tiny, catalog: cid.Catalog) -> None:
    told = {"low": NOON.isoformat(), "likely": NOON.isoformat(), "high": NOON.isoformat()}
    tiny.add_image("i1")
    going = look("r1", "running") | {"eta": told}
    tiny.runs = {"r1": [look("r1", "queued"), going, look("r1", "done")]}
    run = catalog.run("segment-cells", "i1")
    tiny.runs["r1"].pop(0)
    assert run.eta == Eta(NOON, NOON, NOON), "the list did not say it: it is asked for"
    run.refresh()
    assert (run.state, run.eta) == ("done", None)


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ({"low": None, "likely": None, "high": NOON.isoformat()}, "Wed 04 Mar 12:00 at most"),
        (
            {
                "low": "2026-03-04T11:50:00Z",
                "likely": "2026-03-04T12:00:00Z",
                "high": NOON.isoformat(),
            },
            "about Wed 04 Mar 12:00 (Wed 04 Mar 11:50 to Wed 04 Mar 12:00)",
        ),
    ],
)
def test_it_is_told_by_the_clock_on_the_wall(
    told: dict[str, str], text: str, in_london: None
) -> None:
    assert str(Eta.of(told)) == text


def test_what_the_page_shows_runs(tiny: Tiny, catalog: cid.Catalog) -> None:
    page = (DOCS / "user" / "runs.md").read_text(encoding="utf-8")
    (section,) = re.findall(
        r"^## What it will take\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE
    )
    (snippet,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    tiny.add_image("i1")
    tiny.runs = {"r1": [look("r1", "done")]}
    kernel: dict[str, Any] = {"catalog": catalog, "found": [catalog.image("i1")]}
    exec(compile(snippet, "runs.md", "exec"), kernel)
    estimate = kernel["before"].estimate
    assert f"before.estimate  # {estimate}\n" in snippet
    assert f"before.estimate.seconds  # {estimate.seconds}" in snippet


def test_of_what_has_ended_nothing_is_told() -> None:
    assert Eta.of(None) is None
