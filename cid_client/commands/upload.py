"""cid upload: files and folders into a project, several at a time."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..catalog import Catalog, connect
from ..display import size
from ..errors import BadInput, CidError, Unavailable
from ..uploads.asked import GO_ON
from ..uploads.items import parts_of
from . import mask
from .board import Board
from .command import DONE, LATER, REFUSED, STOPPED, Command
from .saying import said as said_of
from .saying import saying

JOBS = 3  # paths on their way at the same time
STOPPED_HERE = "stopped: the same command goes on with what was on its way, within a day"
SAY_IT = "say it with --tag KEY=VALUE in the same command: nothing is sent twice, within a day"


def arguments(command: argparse.ArgumentParser) -> None:
    """Say what can be given."""
    command.add_argument("path", nargs="+", type=Path, help="files and folders")
    command.add_argument("--project", "-p", required=True, metavar="NAME")
    command.add_argument("--dataset", "-d", default="", metavar="PATH", help='as "screen/plate 1"')
    saying(command)
    command.add_argument("--files", action="store_true", help="keep everything as it is")
    command.add_argument("--again", action="store_true", help="also what is there already")
    command.add_argument("--anew", action="store_true", help="do not go on with what was stopped")
    command.add_argument("--check", action="store_true", help="bring in only what is in order")
    command.add_argument("--jobs", "-j", type=int, default=JOBS, metavar="N", help="at a time")
    command.add_argument("--url", help="of the catalog, instead of CID_URL")
    command.add_argument("--token", help="instead of CID_TOKEN")


def run(given: argparse.Namespace) -> int:
    """Upload each path; what is refused does not stop the others."""
    catalog, board, stop = connect(given.url, given.token), Board(), threading.Event()
    names = dict(zip(given.path, _names(given.path), strict=True))

    def one(path: Path) -> int:
        def tell(fraction: float, text: str) -> None:
            if stop.is_set():
                raise KeyboardInterrupt
            board.show(names[path], fraction, text)

        try:
            board.end(names[path], *_upload(catalog, path, given, tell))
        except (CidError, OSError) as error:
            said = [*mask.lines(error)] if isinstance(error, BadInput) else [str(error)]
            if str(error).endswith(GO_ON):  # its bytes wait
                said.append(SAY_IT)
            whole = any(str(path) in line for line in said)
            board.end(names[path], *(line if whole else f"{path}: {line}" for line in said))
            return LATER if isinstance(error, Unavailable) else REFUSED
        return DONE

    with _terminated(), ThreadPoolExecutor(max(given.jobs, 1)) as pool:
        ended: list[Future[int]] = []
        try:
            ended.extend(pool.submit(one, path) for path in names)
            while wait(ended, timeout=0.2).not_done:
                pass
        except KeyboardInterrupt:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            board.close()
            board.end("", STOPPED_HERE)
            return STOPPED
        finally:
            catalog.close()
    return max((future.result() for future in ended), default=DONE)


def _upload(
    catalog: Catalog, path: Path, given: argparse.Namespace, tell: Callable[[float, str], None]
) -> list[str]:
    """Return what is said of a path that went in: what it became."""
    how: dict[str, Any] = {"kind": "files" if given.files else "import"}
    how |= {"again": given.again, "resume": not given.anew, "on_progress": tell}
    said = said_of(given)
    nbytes = sum(part.nbytes for part in parts_of(path))
    if given.check:
        came = _checked(catalog, path, given, tell)
    else:
        came = catalog.upload(path, given.project, given.dataset, **how, **said)
    told = f"{path}: {_counted(len(came), 'file' if given.files else 'image')}, {size(nbytes)}"
    if "tags" in said and came.there and came:  # what was there has not been told yet
        tell(1.0, "tagging")
        try:
            catalog.annotate(came, set=said["tags"])
        except CidError as error:
            raise BadInput(f"it is in the catalog, without its tags: {error}") from error
    return [told, *(f"  {line}" for line in came.facts())]


def _checked(
    catalog: Catalog, path: Path, given: argparse.Namespace, tell: Callable[[float, str], None]
) -> Any:
    """Bring in what was checked and is in order; nothing of what has to be looked at."""
    if given.files or given.again:
        raise BadInput("--check goes with neither --files nor --again")
    said = said_of(given)
    checked = catalog.check(path, given.project, given.dataset, on_progress=tell, **said)
    if checked.lacks:
        checked.wait()
        raise BadInput("\n".join([f"{path}: {SAY_IT}", *checked.lines()]))
    if not checked.good:
        checked.drop()
        raise BadInput("\n".join([f"{path}: nothing of it was brought in", *checked.lines()]))
    if not checked.sent:  # all of it is there
        return catalog.upload(path, given.project, given.dataset, on_progress=tell, **said)
    return checked.upload(tell)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _names(paths: list[Path]) -> list[str]:
    """Return what each is called on the board: its name, or its path where two have one."""
    names = [path.name for path in paths]
    return [str(path) if names.count(path.name) > 1 else path.name for path in paths]


@contextmanager
def _terminated() -> Iterator[None]:
    """Take a request to end as Ctrl-C."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


COMMAND = Command("upload", "bring files and folders into a project", arguments, run)
