"""Runs: one template on one image, or on many at once; watched, waited for, cancelled."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, overload

from .. import display
from ..errors import Conflict, RunFailed, one_line
from ..records.record import Field, Record, listing
from ..wire import waiting
from ..wire.session import Session
from .results import Result

ENDED = ("done", "failed", "cancelled")
FRESH = 0.3  # seconds for which a state that was read is good


class Run(Record):
    """One execution of a template. It goes on without you: close the notebook, come back later."""

    collection = "runs"

    batch = Field[str]()
    template = Field[dict[str, str]]()
    project = Field[str]()
    dataset = Field[str]()
    person = Field[str]()
    parameters = Field[dict[str, Any]]()
    inputs = Field[list[dict[str, str]]]()
    metrics = Field[dict[str, Any]]()
    error = Field[dict[str, Any] | None]()
    environment = Field[dict[str, Any]]()
    created_at = Field[str]()
    started_at = Field[str | None]()
    ended_at = Field[str | None]()

    def __init__(self, session: Session, record: Any) -> None:
        super().__init__(session, record)
        self._read_at = time.monotonic()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _read_at=0.0)

    def refresh(self) -> Run:
        """Read the record again and return it."""
        super().refresh()
        self._read_at = time.monotonic()
        return self

    @property
    def state(self) -> str:
        """Where it is now: queued, starting, running, committing, done, failed or cancelled."""
        state: str = self._current()["state"]
        return state

    @property
    def progress(self) -> float:
        """How much of it is done now, 0 to 1."""
        record = self._current()
        if record["state"] == "done":
            return 1.0
        return float((record.get("progress") or {}).get("fraction") or 0.0)

    @property
    def ended(self) -> bool:
        """Whether it will not change any more."""
        return self.state in ENDED

    @property
    def result(self) -> Result:
        """What it made; of a failed run its notebook and files. Raises Conflict before its end."""
        if not self.ended:
            raise Conflict(f"run {self.uid} is {self.state}: wait() for it first")
        if "outputs" not in self.record:
            self.refresh()
        return Result(self.session, self.record)

    def wait(self, timeout: float | None = None, progress: bool = True) -> Run:
        """Return when it has ended, showing how far it is.

        Raises RunFailed when it failed or was cancelled, and TimeoutError after `timeout` seconds;
        the run goes on then, and so it does after Ctrl-C.
        """
        with waiting.line(progress) as show:

            def ended() -> bool:
                self.refresh()
                show(self._line())
                return self.record["state"] in ENDED

            waiting.until(ended, timeout, f"run {self.uid}")
        if (failure := self.failure()) is not None:
            raise failure
        return self

    def failure(self) -> RunFailed | None:
        """Return why it ended without results, or None."""
        state = self.record["state"]
        if state == "cancelled":
            return RunFailed(f"run {self.uid} was cancelled", error="Cancelled")
        if state != "failed":
            return None
        told = self.error or {}
        name, cell = str(told.get("error") or "CidError"), told.get("cell")
        where = "" if cell is None else f" in cell {cell}"
        why = one_line(str(told.get("message") or "no reason was recorded"))
        todo = "its notebook is run.result.notebook"
        return RunFailed(
            f"run {self.uid} failed{where}: {name}: {why} ({todo})", error=name, cell=cell
        )

    def cancel(self) -> Run:
        """Ask it to stop; what it had not committed is dropped. Raises Conflict when it ended."""
        self.record = dict(self.session.send("POST", f"{self.path}/cancel"))
        return self

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        told = self.record
        template = f"{self.template['name']} {self.template['version']}"
        return [
            ("template", template),
            ("input", ", ".join(i["name"] for i in told.get("inputs") or ())),
            ("state", self.wire("state")),
            ("error", (told.get("error") or {}).get("message")),
            ("metrics", ", ".join(f"{k} {v}" for k, v in (told.get("metrics") or {}).items())),
            ("uid", self.uid),
        ]

    def _current(self) -> dict[str, Any]:
        """Return the record: as it was when it ended, or not older than FRESH seconds."""
        old = time.monotonic() - self._read_at > FRESH
        if "state" not in self.record or (self.record["state"] not in ENDED and old):
            self.refresh()
        return self.record

    def _line(self) -> str:
        told = self.record.get("progress") or {}
        text = one_line(str(told.get("text") or ""))[:60]
        return f"{self.record['state']} {waiting.bar(self.progress)} {text}".rstrip()


class Batch(Sequence[Run]):
    """The runs of one submit."""

    def __init__(self, session: Session, uid: str, runs: Iterable[Run]) -> None:
        self.session = session
        self.uid = uid
        self.runs = list(runs)

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> list[Run]: ...
    def __getitem__(self, index: int | slice) -> Run | list[Run]:
        return self.runs[index]

    def __len__(self) -> int:
        return len(self.runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def refresh(self) -> Batch:
        """Read all its runs again, in one request, and return it."""
        answer = self.session.get("runs", batch=self.uid, limit=200)
        fresh = {run.uid: run for run in listing(Run, self.session, answer)}
        self.runs = [fresh.get(run.uid) or run.refresh() for run in self.runs]
        return self

    @property
    def state(self) -> str:
        """Where it is now: queued, running, and at its end failed, cancelled or done."""
        return self._current()._state()

    @property
    def progress(self) -> float:
        """How much of all of it is done now, 0 to 1; a run that ended counts whole."""
        return self._current()._progress()

    @property
    def result(self) -> list[Result]:
        """What each run made, in their order. Raises Conflict before the end of all."""
        return [run.result for run in self.runs]

    def wait(self, timeout: float | None = None, progress: bool = True) -> Batch:
        """Return when all have ended; raise RunFailed then if some ended without results."""
        with waiting.line(progress) as show:

            def ended() -> bool:
                self.refresh()
                show(self._line())
                return self._count(lambda state: state not in ENDED) == 0

            waiting.until(ended, timeout, f"batch {self.uid}")
        failures = [why for run in self.runs if (why := run.failure()) is not None]
        if failures:
            many = f"{len(failures)} of {len(self.runs)} runs ended without results; the first: "
            first = failures[0]
            raise RunFailed(f"{many}{first}", error=first.error, cell=first.cell)
        return self

    def cancel(self) -> Batch:
        """Ask every run that has not ended to stop."""
        for run in self.refresh().runs:
            if run.record["state"] not in ENDED:
                run.cancel()
        return self

    def __repr__(self) -> str:
        return f"<Batch of {len(self.runs)} runs {self._state()} {self.uid}>"

    def _repr_html_(self) -> str:
        rows = [run.facts() for run in self.runs]
        head = [word for word, _ in rows[0]] if rows else []
        return display.table(head, [[value for _, value in row] for row in rows])

    def _current(self) -> Batch:
        known = all("state" in run.record for run in self.runs)
        ended = known and self._count(lambda state: state not in ENDED) == 0
        return self if ended else self.refresh()

    def _state(self) -> str:
        states = [run.record.get("state", "queued") for run in self.runs]
        if any(state not in ENDED for state in states):
            return "queued" if set(states) == {"queued"} else "running"
        return next((end for end in ("failed", "cancelled") if end in states), "done")

    def _progress(self) -> float:
        parts = [1.0 if r.record["state"] in ENDED else _fraction(r) for r in self.runs]
        return sum(parts) / len(parts) if parts else 1.0

    def _line(self) -> str:
        ended = self._count(lambda state: state in ENDED)
        failed = self._count(lambda state: state == "failed")
        note = f", {failed} failed" if failed else ""
        total = f"{ended} of {len(self.runs)} ended{note}"
        return f"{self._state()} {waiting.bar(self._progress())} {total}"

    def _count(self, which: Callable[[str], bool]) -> int:
        return sum(which(run.record["state"]) for run in self.runs)


def _fraction(run: Run) -> float:
    return float((run.record.get("progress") or {}).get("fraction") or 0.0)
