"""Runs: one template on one image, or on many at once; watched, waited for, cancelled."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from ..again.again import Again
from ..errors import Conflict, RunFailed, one_line
from ..records.record import Field
from ..wire import waiting
from ..wire.session import Session
from . import steps
from .eta import Eta
from .provenance import Provenance
from .results import Result

ENDED = ("done", "failed", "cancelled")
FRESH = 0.3  # seconds for which a state that was read is good


class Run(Again):
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
    usage = Field[dict[str, Any]]()  # what it took: seconds, bytes, memory
    then = Field[list[dict[str, Any]]]()  # the steps that follow it
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
    def eta(self) -> Eta | None:
        """When it will end, as its template's earlier runs tell; None once it has, or if paused."""
        record = self._current()
        if record["state"] not in ENDED and record.get("eta") is None:
            record = self.refresh().record  # a list does not say it
        return Eta.of(record.get("eta"))

    @property
    def after(self) -> Run | None:
        """The run whose results it took; None where it is no step of a chain."""
        uid = self.wire("after")
        return Run(self.session, {"uid": uid}).refresh() if uid else None

    @property
    def next(self) -> Run | None:
        """The run that follows it; None before its own end, and after the last step.

        Raises Conflict where it could not begin, with the reason.
        """
        uid = steps.first_after(lambda: [self.refresh().record], f"run {self.uid}")
        return Run(self.session, {"uid": uid}).refresh() if uid else None

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

    def provenance(self) -> Provenance:
        """Return what it was: all that went in and came out, signed once it has ended."""
        return Provenance(self.session.get(f"{self.path}/provenance"), self.session)

    def crate(self, path: str | os.PathLike[str] = ".") -> Path:
        """Write its Workflow Run RO-Crate, a ZIP, to a file or into a folder; return its path."""
        target = Path(path)
        if target.is_dir():
            target = target / f"{self.uid}.crate.zip"
        target.write_bytes(self.session.content(f"{self.path}/crate"))
        return target

    def cancel(self) -> Run:
        """Ask it to stop; what it had not committed is dropped. Raises Conflict when it ended."""
        self.record = dict(self.session.send("POST", f"{self.path}/cancel"))
        return self

    def pause(self) -> Run:
        """Let it wait in the queue until `resume()`; one that runs already goes on."""
        return self._steer("pause")

    def resume(self) -> Run:
        """Let it go on, after `pause()`."""
        return self._steer("resume")

    def retry(self) -> Run:
        """Run it again, with the same parameters; it must have failed.

        Of one that is done, what could not follow it is tried again.
        """
        return self._steer("retry")

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        told = self.record
        template = f"{self.template['name']} {self.template['version']}"
        return [
            ("template", template),
            ("input", ", ".join(i["name"] for i in told.get("inputs") or ())),
            ("state", self.wire("state")),
            ("then", ", ".join(step["template"] for step in told.get("then") or ())),
            ("error", (told.get("error") or {}).get("message")),
            ("metrics", ", ".join(f"{k} {v}" for k, v in (told.get("metrics") or {}).items())),
            ("uid", self.uid),
        ]

    def _steer(self, how: str) -> Run:
        self.record = dict(self.session.send("POST", f"{self.path}/{how}"))
        self._read_at = time.monotonic()
        return self

    def _current(self) -> dict[str, Any]:
        """Return the record: as it was when it ended, or not older than FRESH seconds."""
        old = time.monotonic() - self._read_at > FRESH
        if "state" not in self.record or (self.record["state"] not in ENDED and old):
            self.refresh()
        return self.record

    def _line(self) -> str:
        told = self.record.get("progress") or {}
        text = one_line(str(told.get("text") or ""))[:60]
        if told.get("tiles"):
            text += f" tile {told['tile']} of {told['tiles']}"
        return f"{self.record['state']} {waiting.bar(self.progress)} {text}".rstrip()
