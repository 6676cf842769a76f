"""Runs as they go: state, progress, results, and a way to stop them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import traitlets as t

from ..lib.shapes import Shape
from ..lib.view import View, built
from . import shapes
from .catalog import Catalog, Run
from .watcher import Seen, Watcher

MOST = 200  # what the catalog tells at once
RECENT = 20
LATEST = ""  # stands for the batch of a monitor that was given none


class Monitored(View):
    """A view that shows runs, newest batch first, and follows them until all have ended."""

    catalog: Catalog

    runs = t.List(t.Dict()).tag(sync=True)
    runs_error = t.Unicode().tag(sync=True)

    def __init__(self, catalog: Catalog | None, **traits: Any) -> None:
        self._batches: dict[str, list[Shape]] = {}
        self._watcher = Watcher(self._look)
        super().__init__(catalog, **traits)

    @property
    def watching(self) -> bool:
        """Is anything still followed?"""
        return self._watcher.watching

    def follow(self, batch: str, runs: Iterable[Run] | None = None) -> None:
        """Show a batch above the others and follow it; `runs` are its runs, if known already."""
        with self.turn:
            known = [] if runs is None else [shapes.run(run) for run in runs]
            self._batches = {batch: known, **self._batches}
            more = True
            if runs is None:
                more = self._look().more
            else:
                self._show()
        if more:
            self._watcher.wake()

    def refresh(self) -> None:
        """Ask for the state of all runs now, ended or not."""
        with self.turn:
            self._batches = {batch: [] for batch in self._batches}
        self._watcher.wake()

    def close(self) -> None:
        """Stop following, and close the widget."""
        self._watcher.stop()
        super().close()

    def answer_cancel(self, asked: Mapping[str, Any]) -> None:
        """Ask one run to stop."""
        with self.telling("runs_error"):
            for batch in self._batches:
                for run in self._ask(batch):
                    if run.record["uid"] == asked["run"]:
                        run.cancel()
        self._watcher.wake()

    def answer_file(self, asked: Mapping[str, Any]) -> None:
        """Tell the address of a file, such as an executed notebook, for a minute."""
        with self.telling("runs_error"):
            file = self.catalog.file(asked["uid"]).record
            self.tell("file", uid=asked["uid"], url=file.get("url") or "", name=file["name"])

    def _ask(self, batch: str) -> Iterable[Run]:
        return self.catalog.runs(batch=batch or None, limit=MOST if batch else RECENT)

    def _look(self) -> Seen:
        """Ask for the batches that have not ended; write only what has changed."""
        before = self.runs
        with self.telling("runs_error"):
            for batch, runs in list(self._batches.items()):
                if not runs or not _ended(runs):
                    self._batches[batch] = [shapes.run(run) for run in self._ask(batch)]
        self._show()
        more = not all(_ended(runs) for runs in self._batches.values())
        return Seen(changed=self.runs != before, more=more)

    def _show(self) -> None:
        runs = [run for batch in self._batches.values() for run in batch]
        if runs != self.runs:
            self.runs = runs


class RunMonitor(Monitored):
    """The runs of a batch: `RunMonitor(batch)`, `RunMonitor(run)`, or my latest: `RunMonitor()`.

    `batch` is a batch's uid, a run, or the runs that `catalog.run(...)` returned. Without a
    `catalog` it connects to the one this environment names.
    """

    _esm, _css = built("run_monitor")

    def __init__(self, batch: Any = None, *, catalog: Catalog | None = None) -> None:
        super().__init__(catalog)
        for uid in _batches(batch):
            self.follow(uid)


def _ended(runs: list[Shape]) -> bool:
    return all(run["ended"] for run in runs)


def _batches(of: Any) -> list[str]:
    """Return the uids of the batches that are meant, the first to be shown last."""
    if of is None:
        return [LATEST]
    if isinstance(of, str):
        return [of]
    records = [of] if hasattr(of, "record") else list(of)
    return list(dict.fromkeys(str(run.record["batch"]) for run in reversed(records)))
