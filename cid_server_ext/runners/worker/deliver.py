"""Delivers what a run made: staged file by file, committed in one piece, its end awaited."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from cid_client.errors import CidError, NotFound, NotLoggedIn, Unavailable, one_line
from cid_client.wire.session import Session, below

from .. import scratch
from ..notebook import EXECUTED, Outcome
from .log import Log
from .meter import Meter
from .moved import moved

T = TypeVar("T")

LOG = "run.log"
ALWAYS = (  # with every end
    {"kind": "notebook", "name": "executed", "path": EXECUTED},
    {"kind": "log", "name": "log", "path": LOG},
)

# before something is tried again: what was computed outlasts a restart of the catalog, 80 s
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 20.0, 25.0)
COMMIT_SECONDS = 1800.0
FIRST_POLL, POLL_SECONDS = 0.03, 0.5  # a small result is there at once


class Delivery:
    """What is delivered of one run: from `folder`, with what `meter` and `log` know of it."""

    def __init__(self, session: Session, uid: str, folder: Path, meter: Meter, log: Log) -> None:
        self._session = session
        self._uid = uid
        self._folder = folder
        self._meter = meter
        self._log = log

    def bring(self, outcome: Outcome) -> None:
        """Deliver the outputs with the executed notebook; the notebook alone where they are bad.

        Raises Unavailable and NotLoggedIn, and what the catalog refuses the notebook for.
        """
        try:
            self._bring(outcome)
        except (Unavailable, NotLoggedIn):
            raise
        except (CidError, scratch.BadOutput) as error:
            told = {"error": type(error).__name__, "message": one_line(str(error)), "cell": None}
            self._log.say(f"its outputs are refused: {told['error']}: {told['message']}")
            self._bring(outcome.failed(told))

    def _bring(self, outcome: Outcome) -> None:
        """Stage and commit; a notebook that did not come to its end delivers itself only."""
        outputs = self._folder / "outputs"
        made, metrics = scratch.listed(outputs) if outcome.state == "done" else ([], {})
        parts = [part for one in made for part in scratch.parts_of(outputs, one["path"])]
        self._log.write(self._folder / LOG)
        parts += [part for one in ALWAYS for part in scratch.parts_of(self._folder, one["path"])]
        files = [{"path": part.path, "nbytes": part.nbytes} for part in parts]
        body = {"files": files}
        opened = insist(lambda: self._session.send("POST", f"runs/{self._uid}/deposits", body))
        where, address = f"deposits/{opened['uid']}", opened["upload"]
        for part in parts:
            address = self._put(where, address, part)
        read, workers = moved(self._folder)
        manifest = {
            "state": outcome.state,
            "error": outcome.error,
            "metrics": metrics,
            "environment": outcome.environment,
            "usage": self._meter.usage(read, sum(part.nbytes for part in parts), workers),
            "outputs": [
                *(claimed(one, outputs) for one in made),
                *(claimed(one, self._folder) for one in ALWAYS),
            ],
        }
        self._commit(where, manifest)

    def _put(self, where: str, address: str, part: scratch.Part) -> str:
        """Send one file; return the address for the next, for a write ticket may end meanwhile."""
        headers = {"Content-Length": str(part.nbytes), "Content-Digest": part.digest}

        def put(address: str) -> str:
            insist(lambda: self._session.put(address + below(part.path), part.pieces(), headers))
            return address

        try:
            return put(address)
        except NotLoggedIn:
            return put(insist(lambda: self._session.get(where))["upload"])

    def _commit(self, where: str, manifest: dict[str, Any]) -> None:
        """Commit and wait until that has ended; the run's token ends with it, and is an answer."""
        with contextlib.suppress(NotLoggedIn, NotFound):
            try:
                self._session.send("POST", f"{where}/commit", manifest)
            except Unavailable:
                insist(lambda: self._commit_again(where, manifest))
            give_up, pause = time.monotonic() + COMMIT_SECONDS, FIRST_POLL
            while time.monotonic() < give_up:
                if insist(lambda: self._session.get(where))["state"] != "importing":
                    break
                time.sleep(pause)
                pause = min(POLL_SECONDS, pause * 1.5)

    def _commit_again(self, where: str, manifest: dict[str, Any]) -> None:
        """Commit what is still open: the first word may have arrived though no answer came."""
        if self._session.get(where)["state"] == "open":
            self._session.send("POST", f"{where}/commit", manifest)


def claimed(output: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return what is said of an output, of a single file with the digest it has here.

    Pixels are rewritten by the catalog; each of their files was checked as it arrived.
    """
    path = folder / output["path"]
    if path.is_dir():
        return output
    return {**output, "sha256": scratch.parts_of(folder, output["path"])[0].sha256}


def insist(ask: Callable[[], T]) -> T:
    """Return what `ask` returns, trying again while the catalog does not answer."""
    for pause in PAUSES:
        try:
            return ask()
        except Unavailable:
            time.sleep(pause)
    return ask()
