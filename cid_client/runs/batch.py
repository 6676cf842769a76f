"""The runs of one submit: counted by the catalog, watched, steered, and read page by page."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

from .. import display
from ..errors import RunFailed, one_line
from ..records.record import listing
from ..wire import waiting
from ..wire.session import Session, segment
from . import steps
from .eta import Eta
from .results import Result
from .runs import ENDED, FRESH, Run

PAGE = 200
SHOWN = 50  # rows of a table in a notebook


class Batch(Sequence[Run]):
    """The runs of one submit. It goes on without you: close the notebook, come back later.

    `record` is what the catalog says of all of them; the runs are read when they are looked at.
    """

    def __init__(
        self,
        session: Session,
        uid: str,
        runs: Iterable[Run] | None = None,
        record: Mapping[str, Any] | None = None,
    ) -> None:
        self.session = session
        self.uid = uid
        self._runs = None if runs is None else list(runs)
        self.record: dict[str, Any] = dict(record or {})
        self._read_at = time.monotonic() if record else float("-inf")

    @property
    def path(self) -> str:
        """Where the API has it."""
        return f"batches/{segment(self.uid)}"

    @property
    def runs(self) -> list[Run]:
        """Its runs, in the order of their submit."""
        if self._runs is None:
            self._runs = list(self._pages())
        return self._runs

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> list[Run]: ...
    def __getitem__(self, index: int | slice) -> Run | list[Run]:
        return self.runs[index]

    def __len__(self) -> int:
        return len(self._runs) if self._runs is not None else int(self.refresh().record["runs"])

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def refresh(self) -> Batch:
        """Ask how it stands, in one request, and return it; its runs are read again when asked."""
        self.record = dict(self.session.get(self.path))
        self._read_at = time.monotonic()
        self._runs = None
        return self

    @property
    def next(self) -> Batch | None:
        """The batch of the step that follows; None before a run is done, and after the last step.

        Raises Conflict where nothing could begin, with the reason of the first.
        """
        what = f"batch {self.uid}"
        uid = steps.first_after(lambda: [run.record for run in self._pages()], what)
        return Batch(self.session, Run(self.session, {"uid": uid}).refresh().batch) if uid else None

    @property
    def state(self) -> str:
        """Where it is now: queued, paused, running, and at its end failed, cancelled or done."""
        state: str = self._current()["state"]
        return state

    @property
    def eta(self) -> Eta | None:
        """When the last of its runs will end; None once it has, or while what is left is paused."""
        return Eta.of(self._current().get("eta"))

    @property
    def progress(self) -> float:
        """How much of all of it is done now, 0 to 1; a run that ended counts whole."""
        return float(self._current()["fraction"])

    @property
    def counts(self) -> dict[str, int]:
        """How many of its runs are in each state now."""
        return dict(self._current()["counts"])

    @property
    def failures(self) -> list[dict[str, Any]]:
        """Why runs failed: [{error, cell, count, run, message}], the most frequent first."""
        if "failures" not in self._current():
            self.refresh()
        return list(self.record["failures"])

    @property
    def result(self) -> list[Result]:
        """What each run made, in their order. Raises Conflict before the end of all."""
        return [run.result for run in self.runs]

    def wait(self, timeout: float | None = None, progress: bool = True) -> Batch:
        """Return when all have ended; raise RunFailed then if some ended without results."""
        with waiting.line(progress) as show:

            def ended() -> bool:
                self.refresh()
                show(self.line())
                return self.record["state"] in ENDED

            waiting.until(ended, timeout, f"batch {self.uid}")
        if (failure := self.failure()) is not None:
            raise failure
        return self

    def failure(self) -> RunFailed | None:
        """Return how many ended without results and why the first did, or None."""
        counts = self._current()["counts"]
        count = sum(counts.get(state, 0) for state in ("failed", "cancelled"))
        if not count:
            return None
        many = f"{count} of {self.record['runs']} runs ended without results"
        if not self.failures:
            return RunFailed(f"{many}: they were cancelled", error="Cancelled")
        first = self.failures[0]
        where = "" if first["cell"] is None else f" in cell {first['cell']}"
        why = one_line(str(first["message"] or "no reason was recorded"))
        return RunFailed(
            f"{many}; the first: run {first['run']} failed{where}: {first['error']}: {why}",
            error=first["error"],
            cell=first["cell"],
        )

    def cancel(self) -> Batch:
        """Ask every run that has not ended to stop."""
        return self._steer("cancel")

    def pause(self) -> Batch:
        """Let what is queued wait until `resume()`; what runs goes on."""
        return self._steer("pause")

    def resume(self) -> Batch:
        """Let what was paused go on."""
        return self._steer("resume")

    def retry(self) -> Batch:
        """Run again what failed, with the same parameters."""
        return self._steer("retry")

    def line(self) -> str:
        """Say in a line how far it is."""
        told = self.record
        counts = told["counts"]
        ended = sum(counts.get(state, 0) for state in ENDED)
        note = f", {counts['failed']} failed" if counts.get("failed") else ""
        total = f"{ended} of {told['runs']} ended{note}"
        return f"{told['state']} {waiting.bar(told['fraction'])} {total}"

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        told = self._current()
        template = told["template"]
        counts = ", ".join(f"{count} {state}" for state, count in told["counts"].items())
        return [
            ("uid", self.uid),
            ("template", f"{template['name']} {template['version']}"),
            ("project", told["project"]),
            ("state", told["state"]),
            ("runs", counts),
            ("created", told["created_at"]),
        ]

    def __repr__(self) -> str:
        told = self._current()
        return f"<Batch of {told['runs']} runs {told['state']} {self.uid}>"

    def _repr_html_(self) -> str:
        rows = [run.facts() for run in self.runs[:SHOWN]]
        head = [word for word, _ in rows[0]] if rows else []
        more = len(self) - len(rows)
        rest = f"<p>and {more} more</p>" if more > 0 else ""
        return display.table(head, [[value for _, value in row] for row in rows]) + rest

    def _steer(self, how: str) -> Batch:
        self.session.send("POST", f"{self.path}/{how}")
        return self.refresh()

    def _current(self) -> dict[str, Any]:
        ended = self.record.get("state") in ENDED
        if not ended and time.monotonic() - self._read_at > FRESH:
            self.refresh()
        return self.record

    def _pages(self) -> Iterator[Run]:
        after: str | None = None
        while True:
            answer = self.session.get("runs", batch=self.uid, limit=PAGE, after=after)
            yield from listing(Run, self.session, answer)
            after = answer.get("next")
            if after is None:
                return
