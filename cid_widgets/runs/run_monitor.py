"""Runs as they go: state, progress, results, and a way to stop them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import traitlets as t

from ..lib.shapes import Shape
from ..lib.view import View, built
from ..notices.news import Telling
from . import shapes
from .catalog import Catalog, Run
from .watcher import Seen, Watcher

PAGE = 50  # runs of a batch that are shown before one asks for more
STEERING = ("cancel", "pause", "resume", "retry")
RECENT = 20
LATEST = ""  # stands for the batch of a monitor that was given none


class Monitored(View):
    """A view that shows runs, newest batch first, and follows them until all have ended."""

    catalog: Catalog

    runs = t.List(t.Dict()).tag(sync=True)
    batches = t.List(t.Dict()).tag(sync=True)
    runs_error = t.Unicode().tag(sync=True)

    def __init__(self, catalog: Catalog | None, **traits: Any) -> None:
        self._batches: dict[str, list[Shape]] = {}
        self._told: dict[str, Shape] = {}  # how each batch stands
        self._most: dict[str, int] = {}  # runs of each that are shown
        self._only: dict[str, str] = {}  # the state of those, where one was chosen
        self._watcher = Watcher(self._look)
        super().__init__(catalog, **traits)

    @property
    def watching(self) -> bool:
        """Is anything still followed?"""
        return self._watcher.watching

    def follow(self, batch: str, runs: Iterable[Run] | None = None) -> None:
        """Show a batch above the others and follow it; `runs` are its runs, if known already."""
        with self.turn:
            begun = [] if runs is None else list(runs)
            known = [shapes.run(run) for run in begun[:PAGE]]
            self._batches = {batch: known, **self._batches}
            more = True
            if runs is None:
                more = self._look().more
            else:
                self._told[batch] = shapes.begun(batch, len(begun))
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
        self.answer_steer({**asked, "how": "cancel"})

    def answer_steer(self, asked: Mapping[str, Any]) -> None:
        """Stop, pause, resume or retry one run, or a whole batch."""
        how = asked["how"]
        if how not in STEERING:
            return
        with self.telling("runs_error"):
            for what in self._meant(asked):
                getattr(what, how)()
        with self.turn:
            self._batches = {batch: [] for batch in self._batches}
        self._watcher.wake()

    def answer_more_runs(self, asked: Mapping[str, Any]) -> None:
        """Show more runs of a batch, or those of one state only."""
        batch = str(asked["batch"])
        with self.turn:
            if "state" in asked:
                self._only[batch] = str(asked["state"] or "")
                self._most[batch] = PAGE
            else:
                self._most[batch] = self._most.get(batch, PAGE) + PAGE
            if batch in self._batches:
                self._batches[batch] = []
        self._watcher.wake()

    def answer_file(self, asked: Mapping[str, Any]) -> None:
        """Tell the address of a file, such as an executed notebook, for a minute."""
        with self.telling("runs_error"):
            file = self.catalog.file(asked["uid"]).record
            self.tell("file", uid=asked["uid"], url=file.get("url") or "", name=file["name"])

    def _ask(self, batch: str) -> Iterable[Run]:
        if not batch:
            return self.catalog.runs(batch=None, limit=RECENT)
        most, only = self._most.get(batch, PAGE), self._only.get(batch) or None
        return self.catalog.runs(batch=batch, limit=most, state=only)

    def _meant(self, asked: Mapping[str, Any]) -> list[Any]:
        if "batch" in asked:
            return [self.catalog.batch(str(asked["batch"]))]
        every = (run for batch in self._batches for run in self._ask(batch))
        return [run for run in every if run.record["uid"] == asked["run"]]

    def _ended(self, batch: str) -> bool:
        """Whether nothing of it changes any more: what is shown, and what is not."""
        told = self._told.get(batch)
        if told is not None and not told["ended"]:
            return False
        return all(run["ended"] for run in self._batches[batch])

    def _look(self) -> Seen:
        """Ask for the batches that have not ended; write only what has changed."""
        before = (self.runs, self.batches)
        with self.telling("runs_error"):
            for batch, runs in list(self._batches.items()):
                if not runs or not self._ended(batch):
                    if batch:
                        self._told[batch] = shapes.batch(self.catalog.batch(batch))
                    self._batches[batch] = [shapes.run(run) for run in self._ask(batch)]
        self._show()
        more = not all(self._ended(batch) for batch in self._batches)
        return Seen(changed=(self.runs, self.batches) != before, more=more)

    def _show(self) -> None:
        told = [
            {**self._told[batch], "only": self._only.get(batch, ""), "shown": len(runs)}
            for batch, runs in self._batches.items()
            if batch in self._told
        ]
        if told != self.batches:
            self.batches = told
        runs = [run for batch in self._batches.values() for run in batch]
        if runs != self.runs:
            self.runs = runs


class RunMonitor(Monitored, Telling):
    """The runs of a batch: `RunMonitor(batch)`, `RunMonitor(run)`, or my latest: `RunMonitor()`.

    `batch` is a batch's uid, a run, or the runs that `catalog.run(...)` returned. Without a
    `catalog` it connects to the one this environment names.
    """

    _esm, _css = built("run_monitor")

    def __init__(self, batch: Any = None, *, catalog: Catalog | None = None) -> None:
        super().__init__(catalog)
        for uid in _batches(batch):
            self.follow(uid)


def _batches(of: Any) -> list[str]:
    """Return the uids of the batches that are meant, the first to be shown last."""
    if of is None:
        return [LATEST]
    if isinstance(of, str):
        return [of]
    records = [of] if hasattr(of, "record") else list(of)
    return list(dict.fromkeys(str(run.record["batch"]) for run in reversed(records)))
