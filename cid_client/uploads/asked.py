"""Uploads whose mask asks for more than was said: their bytes are there, and wait for it.

Remembered on this computer by what they are of, so that the same upload with more tags goes on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import BadInput, CidError, Wrong
from ..wire import environment
from ..wire.session import Session, segment
from .items import Part
from .unfinished import about

GO_ON = "say it and upload the same again: nothing is sent twice"


def wrongs(report: Mapping[str, Any]) -> list[Wrong]:
    """Return what a report says that masks have against it."""
    return [Wrong(**one) for one in report.get("wrong", ())]


def more(report: Mapping[str, Any] | None, way_out: str = GO_ON) -> BadInput:
    """Return what the masks of the microscopes that took these files have against them."""
    told = report or {}
    wrong = wrongs(told)
    lines = "; ".join(map(str, wrong[:3])) + (f" (and {len(wrong) - 3} more)" if wrong[3:] else "")
    names = ", ".join(map(repr, told.get("masks", ())))
    of = f"mask {names}, of the microscope that the files name" if names else "mask"
    return BadInput(f"{of}: {lines}; {way_out}", wrong)


def waiting(session: Session, parts: list[Part], **where: str) -> Mapping[str, Any] | None:
    """Return the deposit of these files that waits for more to be said, if it still does."""
    file = _file(session, parts, where)
    if file is None or not file.is_file():
        return None
    with suppress(OSError, ValueError, KeyError, CidError):
        uid = json.loads(file.read_text())["deposit"]
        told: Mapping[str, Any] = session.get(f"deposits/{segment(uid)}")
        if told["state"] == "open" and told["report"]:
            return told
    forget(session, parts, **where)
    return None


def keep(session: Session, parts: list[Part], deposit: str, **where: str) -> None:
    """Remember that a deposit of these files waits; a disk that is full is no reason to stop."""
    file = _file(session, parts, where)
    with suppress(OSError):
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"deposit": deposit}))


def forget(session: Session, parts: list[Part], **where: str) -> None:
    """It waits no more."""
    file = _file(session, parts, where)
    with suppress(OSError):
        if file is not None:
            file.unlink(missing_ok=True)


def _file(session: Session, parts: list[Part], where: Mapping[str, str]) -> Path | None:
    try:
        folder = environment.state_folder() / "asked"
        same = json.dumps(about(session.url, parts, **where), sort_keys=True)
    except (OSError, RuntimeError):  # a file that went, or nobody's home
        return None
    return folder / f"{hashlib.sha256(same.encode()).hexdigest()[:40]}.json"
