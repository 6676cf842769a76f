"""What a worker does for one run: fetch the work, execute the notebook, deliver what came out.

`execute` is the Dask task. It holds the run's token and nothing else; the catalog decides with it.
Whatever happens it returns a small record for the conductor; the truth is in the catalog.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from distributed import get_worker, secede

from cid_client.errors import CidError, NotFound, NotLoggedIn, Unavailable, one_line
from cid_client.wire.environment import Access
from cid_client.wire.session import Session, below

from .. import scrub
from . import environ, hardware, scratch
from .report import Reporter
from .tokens import token_for
from .watch import CANCELLED, REVOKED, Watch

if TYPE_CHECKING:
    from .notebook import Outcome

T = TypeVar("T")

LOST = "lost"  # the catalog did not answer: the run may be tried again
ENDED = "ended"  # delivered; the catalog knows the rest
REFUSED = "refused"  # the catalog took nothing, for the reason given

PAUSES = (1.0, 4.0, 10.0)  # before something is tried again: a catalog needs a while to restart
POLL_SECONDS = 0.5
COMMIT_SECONDS = 1800.0


def execute(uid: str) -> dict[str, str]:
    """Execute the run `uid` as a Dask task; return {"state": ended, lost, revoked or refused}."""
    scrub.everywhere()
    secede()  # the worker's one thread stays free for tasks of the notebook
    url = os.environ["CID_URL"].rstrip("/") + "/"
    token = token_for(os.environ["CID_RUN_KEY"], uid)
    session = Session(Access(url, f"CID-Run {token}"))
    try:
        with _scratch() as folder:
            return _execute(session, uid, folder, _kernel_environment(url, uid, token, folder))
    except Unavailable as error:
        return {"state": LOST, "error": "Unavailable", "message": str(error)}
    except (NotLoggedIn, NotFound) as error:
        return {"state": REVOKED, "error": "Revoked", "message": str(error)}
    except CidError as error:
        return {"state": REFUSED, "error": type(error).__name__, "message": str(error)}
    finally:
        session.close()


def _execute(
    session: Session, uid: str, folder: Path, kernel_env: dict[str, str]
) -> dict[str, str]:
    from . import notebook  # papermill takes two seconds to import, once a worker

    work = session.get(f"runs/{uid}/work")
    watch = Watch(work["wall_seconds"])
    with Reporter(lambda told: _tell(session, uid, told, watch)) as reporter:
        outcome = notebook.execute(work, folder, watch, reporter.tell, kernel_env)
    if watch.why == REVOKED:
        return {"state": REVOKED, "error": "Revoked", "message": "the run's token has ended"}
    outcome.environment = hardware.describe()
    try:
        _deliver(session, uid, outcome, folder)
    except (Unavailable, NotLoggedIn):
        raise
    except (CidError, scratch.BadOutput) as error:  # then its notebook alone
        told = {"error": type(error).__name__, "message": one_line(str(error)), "cell": None}
        _deliver(session, uid, outcome.failed(told), folder)
    return {"state": ENDED}


def _tell(session: Session, uid: str, told: dict[str, Any], watch: Watch) -> None:
    """Report progress; the answer may end the notebook, and so does a token that has ended."""
    try:
        answer = session.send("POST", f"runs/{uid}/progress", told)
    except Unavailable:
        return  # the next report will do
    except CidError:
        watch.stop(REVOKED)
    else:
        if answer["cancel"]:
            watch.stop(CANCELLED)


def _deliver(session: Session, uid: str, outcome: Outcome, folder: Path) -> None:
    """Stage the outputs and the executed notebook, commit them in one piece, wait for its end.

    A notebook that did not come to its end delivers itself only.
    """
    from .notebook import EXECUTED

    made, metrics = scratch.listed(folder / "outputs") if outcome.state == "done" else ([], {})
    parts = [part for one in made for part in scratch.parts_of(folder / "outputs", one["path"])]
    parts += scratch.parts_of(folder, EXECUTED)
    files = [{"path": part.path, "nbytes": part.nbytes} for part in parts]
    opened = _insist(lambda: session.send("POST", f"runs/{uid}/deposits", {"files": files}))
    where = f"deposits/{opened['uid']}"
    address = opened["upload"]
    for part in parts:
        address = _put(session, where, address, part)
    manifest = {
        "state": outcome.state,
        "error": outcome.error,
        "metrics": metrics,
        "environment": outcome.environment,
        "outputs": [*made, {"kind": "notebook", "name": "executed", "path": EXECUTED}],
    }
    _commit(session, where, manifest)


def _put(session: Session, where: str, address: str, part: scratch.Part) -> str:
    """Send one file; return the address for the next, for a write ticket may end meanwhile."""
    headers = {"Content-Length": str(part.nbytes), "Content-Digest": part.digest}

    def put(address: str) -> str:
        _insist(lambda: session.put(address + below(part.path), part.pieces(), headers))
        return address

    try:
        return put(address)
    except NotLoggedIn:
        return put(session.get(where)["upload"])


def _commit(session: Session, where: str, manifest: dict[str, Any]) -> None:
    """Commit and wait until that has ended; the run's token ends with it, which is an answer."""
    with contextlib.suppress(NotLoggedIn, NotFound):
        try:
            session.send("POST", f"{where}/commit", manifest)
        except Unavailable:  # it may have arrived all the same
            if _insist(lambda: session.get(where))["state"] == "open":
                _insist(lambda: session.send("POST", f"{where}/commit", manifest))
        give_up = time.monotonic() + COMMIT_SECONDS
        while session.get(where)["state"] == "importing" and time.monotonic() < give_up:
            time.sleep(POLL_SECONDS)


def _insist(ask: Callable[[], T]) -> T:
    """Return what `ask` returns, trying again while the catalog does not answer."""
    for pause in PAUSES:
        try:
            return ask()
        except Unavailable:
            time.sleep(pause)
    return ask()


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """Give a folder on the worker's own disk, and remove it whatever happened."""
    with tempfile.TemporaryDirectory(
        prefix="cid-run-", dir=get_worker().local_directory, ignore_cleanup_errors=True
    ) as path:
        yield Path(path).resolve()


def _kernel_environment(url: str, uid: str, token: str, folder: Path) -> dict[str, str]:
    """Return the kernel's whole environment: no run key, no token of the gateway's."""
    return {
        **environ.inherited(os.environ),
        "CID_URL": url,
        "CID_RUN": uid,
        "CID_RUN_TOKEN": token,
        "CID_SCRATCH": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "TMPDIR": str(folder),
    }
