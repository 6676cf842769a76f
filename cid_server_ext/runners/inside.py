"""What a worker does for one run: fetch the work, execute the notebook, deliver what came out.

`execute` is the Dask task. It holds the run's token and nothing else; the catalog decides with it.
Whatever happens it returns a small record for the conductor; the truth is in the catalog.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distributed import get_worker, secede
from jupyter_client.kernelspec import KernelSpecManager

from cid_client.errors import CidError, NotFound, NotLoggedIn, Unavailable
from cid_client.wire.environment import Access
from cid_client.wire.session import Session

from .. import scrub
from . import environ, hardware, versions
from .report import Reporter
from .tokens import token_for
from .versions import EnvironmentDiffers
from .watch import CANCELLED, REVOKED, Watch
from .worker import folders
from .worker.log import Log
from .worker.meter import Meter
from .worker.moved import tiles

if TYPE_CHECKING:
    from .notebook import Outcome

LOST = "lost"  # the catalog did not answer: the run may be tried again
ENDED = "ended"  # delivered; the catalog knows the rest
REFUSED = "refused"  # the catalog took nothing, for the reason given

PREFIX = "cid-run-"
CLUSTER = ".cluster.json"  # cid_client reads it


def execute(uid: str, attempt: int, expected: dict[str, str] | None = None) -> dict[str, str]:
    """Execute an attempt of the run `uid` as a Dask task.

    Returns {"state": ended, lost, revoked or refused}, with the error where there is one.
    `expected`: the versions of the conductor; a worker that has others takes nothing on.
    """
    scrub.everywhere()
    secede()  # the worker's one thread stays free for tasks of the notebook
    url = os.environ["CID_URL"].rstrip("/") + "/"
    token = token_for(os.environ["CID_RUN_KEY"], uid, attempt)
    session = Session(Access(url, f"CID-Run {token}"))
    try:
        versions.require("worker", versions.mine(), expected or {})
        return _execute(session, uid, attempt, url, token)
    except Unavailable as error:
        return {"state": LOST, "error": "Unavailable", "message": str(error)}
    except (NotLoggedIn, NotFound) as error:
        return {"state": REVOKED, "error": "Revoked", "message": str(error)}
    except (CidError, EnvironmentDiffers) as error:
        return {"state": REFUSED, "error": type(error).__name__, "message": str(error)}
    finally:
        session.close()


def _execute(session: Session, uid: str, attempt: int, url: str, token: str) -> dict[str, str]:
    from . import notebook  # papermill takes two seconds to import, once a worker
    from .worker.deliver import Delivery, insist

    work = insist(lambda: session.get(f"runs/{uid}/work"))
    heard: set[bool] = set()
    declared = work.get("environment") or {}
    versions.require_declared(declared, KernelSpecManager().find_kernel_specs())
    watch = Watch(work["wall_seconds"])
    meter = Meter()
    with _scratch() as folder, Log() as log:
        _tell_cluster(folder)
        environment = _kernel_environment(url, uid, attempt, token, folder)
        log.say(f"run {uid} of {work['template']}, at most {work['wall_seconds']} s")

        def tell(told: dict[str, Any]) -> None:
            heard.add(_tell(session, uid, told, watch))

        def more() -> dict[str, int]:
            return {"memory": meter.memory, **tiles(folder)}

        with Reporter(tell, more) as reporter:
            outcome = notebook.execute(
                work, folder, watch, reporter.tell, environment, meter=meter, log=log
            )
        if watch.why == REVOKED:
            return {"state": REVOKED, "error": "Revoked", "message": "the run's token has ended"}
        if True not in heard:  # the catalog was away: it takes nothing of what never began
            words = {"text": "its notebook ended"}
            insist(lambda: session.send("POST", f"runs/{uid}/progress", words))
        log.say(_line(outcome))
        outcome.environment = hardware.describe()
        Delivery(session, uid, folder, meter, log).bring(outcome)
    return {"state": ENDED}


def _line(outcome: Outcome) -> str:
    told = outcome.error or {}
    where = "" if told.get("cell") is None else f" in cell {told['cell']}"
    why = f"{where}: {told.get('error')}: {told.get('message')}" if told else ""
    return f"the notebook ended: {outcome.state}{why}"


def _tell(session: Session, uid: str, told: dict[str, Any], watch: Watch) -> bool:
    """Report progress and return whether it arrived.

    The answer may end the notebook, and so does a token that has ended.
    """
    try:
        answer = session.send("POST", f"runs/{uid}/progress", told)
    except Unavailable:
        return False  # the next report will do
    except CidError:
        watch.stop(REVOKED)
    else:
        if answer["cancel"]:
            watch.stop(CANCELLED)
    return True


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """Give a folder on the worker's own disk, and remove it whatever happened.

    Those of workers that were killed go first.
    """
    mine = Path(get_worker().local_directory)
    folders.sweep(mine.parent.glob(f"*/{PREFIX}*"))
    with folders.owned(PREFIX, mine) as folder:
        yield folder


def _tell_cluster(folder: Path) -> None:
    """Leave for the kernel where the scheduler of its cluster is, and what opens it."""
    worker = get_worker()
    security = worker.security
    told = {
        "address": worker.scheduler.address,
        "ca_file": security.tls_ca_file,
        "cert": security.tls_worker_cert,
        "key": security.tls_worker_key,
    }
    descriptor = os.open(folder / CLUSTER, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(told, file)


def _kernel_environment(
    url: str, uid: str, attempt: int, token: str, folder: Path
) -> dict[str, str]:
    """Return the kernel's whole environment: no run key, no token of the gateway's."""
    return {
        **environ.inherited(os.environ),
        "CID_URL": url,
        "CID_RUN": uid,
        "CID_ATTEMPT": str(attempt),
        "CID_RUN_TOKEN": token,
        "CID_SCRATCH": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "TMPDIR": str(folder),
    }
