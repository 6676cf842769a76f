"""Run one hub with its services in the foreground, and leave nothing behind.

    python -m hub_config.launch          CID_PORT, CID_RUN_DIR and CID_DEMO choose what and where

The hub alone does not clean up after itself when it is killed or when a service fails at its
start. This process adopts whatever the hub leaves and ends it. It stops at SIGINT, SIGTERM, when
the hub ends, and when its standard input, if that is a pipe, is closed: its own parent is gone.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO

from sqlalchemy.exc import SQLAlchemyError

from cid_server_ext.db.session import migrate

from .ports import PortBusy, require_free
from .processes import adopt_orphans, end_all, start_clean, wait_until
from .site import Site

READY = "ready"
RUNNING = b"JupyterHub is now running"
START_SECONDS = 180.0
HUB_SECONDS = 7.0  # the hub stops its services and servers itself in this time
STOP_SECONDS = 9.0  # then all that is left is killed


class StartFailed(Exception):
    """The hub did not come up; the message holds the end of its log."""


def main() -> int:
    """Start, say "ready", wait, stop. 0 when asked to stop, 1 when something failed."""
    site = Site.of(os.environ)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    adopt_orphans()
    try:
        site.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _own(site.run):
            require_free(site)
            prepare(site)
            serve(site)
    except KeyboardInterrupt:
        return 0
    except (PortBusy, StartFailed) as error:
        print(error, flush=True)
    return 1


def prepare(site: Site) -> None:
    """Bring the catalog's database to this release's schema; raise StartFailed if it is none."""
    try:
        migrate(site.database)
    except SQLAlchemyError as error:
        raise StartFailed(
            f"{site.database} cannot be opened ({getattr(error, 'orig', error)}): put a backup in "
            "its place, or start in another folder with CID_RUN_DIR=..."
        ) from error


def serve(site: Site) -> None:
    """Run the hub until we are interrupted; raise StartFailed when it ends by itself."""
    hub = start(site)
    try:
        wait_ready(site, hub)
        print(READY, flush=True)
        wait_for_end(hub)
        raise StartFailed(f"the hub ended with {hub.returncode}; its last words:\n{tail(site)}")
    finally:
        stop(hub)


def start(site: Site) -> subprocess.Popen[bytes]:
    """Start the hub in a session of its own, writing to the site's log."""
    command: list[str | Path] = [
        Path(sys.executable).parent / "jupyterhub",
        "-f",
        Path(__file__).parent / "jupyterhub_config.py",
    ]
    if site.log.exists():
        site.log.replace(site.log.with_suffix(".log.1"))  # the log of the start before is kept
    with site.log.open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=site.run,
            env={**os.environ, **site.environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=start_clean,
        )


def wait_ready(site: Site, hub: subprocess.Popen[bytes]) -> None:
    """Return when hub, catalog and gateway answer through the proxy; raise StartFailed if not."""
    deadline = time.monotonic() + START_SECONDS

    def wait(what: str, condition: Callable[[], bool]) -> None:
        came = wait_until(
            lambda: hub.poll() is not None or condition(), deadline - time.monotonic()
        )
        if hub.poll() is not None:
            raise StartFailed(f"the hub ended with {hub.returncode}; its last words:\n{tail(site)}")
        if not came:
            raise StartFailed(f"{what} is not up after {START_SECONDS:.0f} s; see {site.log}")

    # the parts come second: before the hub has added them, each question would fill its log
    wait("the hub", lambda: RUNNING in site.log.read_bytes())
    wait("the catalog", lambda: answers(f"{site.service_url}api/v1/whoami"))
    wait("Dask Gateway", lambda: answers(f"{site.gateway_url}/api/health"))


def answers(address: str) -> bool:
    """Tell whether a part answers for itself: the proxy says 404 or 503 for one that is not up.

    Raises StartFailed for one that is up and broken.
    """
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        if error.code == 500:
            raise StartFailed(f"{address} answers 500 {error.reason}: the log says why") from None
        return error.code in (401, 403)
    except OSError:
        return False


def wait_for_end(hub: subprocess.Popen[bytes]) -> None:
    """Return when the hub has ended; raise KeyboardInterrupt when our parent has."""
    watched: list[IO[str]] = [sys.stdin] if _is_pipe(sys.stdin) else []
    while hub.poll() is None:
        readable, _, _ = select.select(watched, [], [], 0.5)
        if readable and not os.read(readable[0].fileno(), 1024):
            raise KeyboardInterrupt


def stop(hub: subprocess.Popen[bytes]) -> None:
    """End the hub and everything that came from it within STOP_SECONDS."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it
    started = time.monotonic()
    if hub.poll() is None:
        hub.terminate()
        wait_until(lambda: hub.poll() is not None, HUB_SECONDS)
    end_all(started + STOP_SECONDS)


def tail(site: Site, lines: int = 15) -> str:
    """Return the end of the hub's log."""
    return "\n".join(site.log.read_text(errors="replace").splitlines()[-lines:])


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _is_pipe(stream: IO[str]) -> bool:
    return stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)


def _own(run: Path) -> IO[str]:
    # one hub a run folder: two would write the same databases
    lock = (run / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise StartFailed(f"another hub runs in {run}: stop it, or set CID_RUN_DIR=...") from None
    return lock


if __name__ == "__main__":
    sys.exit(main())
