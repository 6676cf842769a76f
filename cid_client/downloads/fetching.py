"""Brings an archive here however often the line breaks: what came before is not asked for again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..display import size
from ..errors import Conflict, Gone, NotLoggedIn, Unavailable
from ..wire.session import Session

PATIENCE = 120.0  # seconds without a byte after which it is given up
PAUSE = 0.5
BEAT = 0.1  # seconds between two reports of progress

Progress = Callable[[float, str], None]
Ask = Callable[[], dict[str, Any]]  # for the archive as it is now


def fetch(session: Session, ask: Ask, batch: dict[str, Any], part: Path, tell: Progress) -> None:
    """Write the archive to `part`, after what is there of it.

    Raises Conflict when it becomes another one meanwhile, Unavailable when no byte comes for long;
    what came stays for the next call.
    """
    etag, nbytes = batch["etag"], batch["nbytes"]
    heard = time.monotonic()
    while (at := _there(part, nbytes)) < nbytes:
        try:
            _more(session, batch["url"], part, at, nbytes, tell)
        except (NotLoggedIn, Gone):  # the address has ended, or a right to what is in it
            batch = ask()
            if batch["etag"] != etag:
                raise Conflict(
                    "what is to be downloaded changed meanwhile, or your right to it did: "
                    "start the download again"
                ) from None
        except Unavailable:
            now = time.monotonic()
            heard = now if part.exists() and part.stat().st_size > at else heard
            if now - heard > PATIENCE:
                raise
            time.sleep(PAUSE)


def _more(session: Session, url: str, part: Path, at: int, nbytes: int, tell: Progress) -> None:
    told = 0.0
    with session.streamed(url, at) as pieces, part.open("ab") as file:
        for piece in pieces:
            file.write(piece)
            at += len(piece)
            if (now := time.monotonic()) - told > BEAT:
                told = now
                tell(at / nbytes, f"downloading {size(at)} of {size(nbytes)}")


def _there(part: Path, nbytes: int) -> int:
    there = part.stat().st_size if part.exists() else 0
    if there > nbytes:  # no archive of ours
        part.unlink()
        return 0
    return there
