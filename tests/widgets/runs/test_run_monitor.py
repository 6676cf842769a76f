from __future__ import annotations

import pretend
import pytest
from processes import wait_until
from stage import Wire, heard

from cid_widgets import RunMonitor
from cid_widgets.runs.watcher import Seen, Watcher

pytestmark = pytest.mark.usefixtures("bundle")


@pytest.fixture
def monitor(catalog: pretend.Catalog, monkeypatch: pytest.MonkeyPatch) -> RunMonitor:
    """A monitor of two runs that looks every 10 ms."""
    monkeypatch.setattr(Watcher, "shortest", 0.01)
    catalog.told = [pretend.run(f"r{i}", catalog.records[i]) for i in (2, 3)]
    return RunMonitor(catalog=catalog)


def looks(catalog: pretend.Catalog) -> int:
    return sum(asked[0] == "runs" for asked in catalog.asked)


def test_runs_are_followed_until_all_have_ended(
    catalog: pretend.Catalog, monitor: RunMonitor
) -> None:
    assert monitor.watching
    catalog.told[0] |= {"state": "running", "progress": {"cell": 3, "cells": 9, "fraction": 0.3}}
    monitor._watcher.wake()
    wait_until(lambda: monitor.runs[0]["cell"] == 3)
    for run in catalog.told:
        run |= {"state": "done", "metrics": {"objects": 42, "area": 231.73333}}
    wait_until(lambda: not monitor.watching)
    assert [run["ended"] for run in monitor.runs] == [True, True]
    assert monitor.runs[0]["metrics"] == [["objects", "42"], ["area", "231.7"]]


def test_nothing_is_sent_while_nothing_changes(
    catalog: pretend.Catalog, monitor: RunMonitor
) -> None:
    wire = Wire()
    monitor.comm = wire
    before, sent = looks(catalog), wire.count
    wait_until(lambda: looks(catalog) > before + 5)
    assert wire.count == sent
    monitor.close()
    wait_until(lambda: not monitor.watching)


def test_a_closed_monitor_looks_no_more(catalog: pretend.Catalog, monitor: RunMonitor) -> None:
    monitor.close()
    wait_until(lambda: not monitor.watching)
    monitor._watcher.wake()
    assert not monitor.watching


def test_a_silent_catalog_is_told_and_forgotten(
    catalog: pretend.Catalog, monitor: RunMonitor
) -> None:
    catalog.trouble = pretend.Refused("the catalog does not answer: trying again")
    wait_until(lambda: monitor.runs_error == "the catalog does not answer: trying again")
    assert len(monitor.runs) == 2
    catalog.trouble = None
    wait_until(lambda: monitor.runs_error == "")
    monitor.close()


def test_cancel_asks_that_run_only(catalog: pretend.Catalog, monitor: RunMonitor) -> None:
    heard(monitor, method="custom", content={"ask": "cancel", "run": "r3"})
    wait_until(lambda: [run["state"] for run in monitor.runs] == ["queued", "cancelled"])
    assert [asked for asked in catalog.asked if asked[0] == "cancel"] == [("cancel", "r3")]
    monitor.close()


def test_a_batch_a_run_and_a_list_of_runs_mean_their_batch(catalog: pretend.Catalog) -> None:
    catalog.told = [
        pretend.run("r1", catalog.records[0], batch="one", state="done"),
        pretend.run("r2", catalog.records[2], batch="two", state="failed"),
    ]
    first, second = catalog.runs(batch=None, limit=9)
    shown = [RunMonitor(what, catalog=catalog) for what in ("one", second, [first, second])]
    assert [[run["uid"] for run in one.runs] for one in shown] == [["r1"], ["r2"], ["r1", "r2"]]
    assert not any(one.watching for one in shown)


def test_a_failure_is_one_line_with_its_cell(catalog: pretend.Catalog) -> None:
    error = {"error": "ValueError", "message": "no foreground:\nlower sigma", "cell": 4}
    catalog.told = [pretend.run("r1", catalog.records[0], state="failed", error=error)]
    monitor = RunMonitor("b1", catalog=catalog)
    assert monitor.runs[0]["error"] == {"message": "no foreground: lower sigma", "cell": 4}


def test_looks_grow_rare_until_something_changes() -> None:
    seen = iter([Seen(False, True)] * 3 + [Seen(True, True), Seen(False, False)])
    pauses: list[float | None] = []
    watcher = Watcher(lambda: next(seen))
    watcher.shortest = 0.01
    wait = watcher._woken.wait
    watcher._woken.wait = lambda pause=None: pauses.append(pause) or wait(0)  # type: ignore
    watcher.wake()
    wait_until(lambda: not watcher.watching)
    assert pauses == pytest.approx([0.015, 0.0225, 0.03375, 0.01])
