"""A deposit that can be broken off: begun, or gone on with where it stopped, and sent."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..display import size
from ..errors import NotFound, Unavailable
from ..wire import environment
from ..wire.session import Session, segment
from . import sending, told, tus, unfinished
from .items import Part
from .sending import Place, Progress
from .told import Told
from .unfinished import Unfinished


def begin(
    session: Session,
    project: str,
    dataset: str,
    kind: str,
    parts: list[Part],
    resume: bool,
    key: str = "",
    **more: Any,
) -> tuple[Mapping[str, Any], Unfinished]:
    """Return a deposit of these files, new or broken off, and what is remembered of it.

    Only deposits of large files are remembered; `more` is said to the catalog when one is opened.
    It is opened with a `key`, so that a lost answer, or a kill before it came, opens no second one.
    """
    files = [part.declared for part in parts]
    body = {"kind": kind, "dataset": dataset, "files": files, **more}
    folder = _folder() if resume and any(part.nbytes >= tus.LARGE for part in parts) else None
    said = told.digest({key: more[key] for key in Told.__annotations__ if key in more})
    where = {"project": project, "dataset": dataset, "kind": kind, **said}
    about = unfinished.about(session.url, parts, **where)
    for memory in unfinished.find(folder, about):
        if not memory.deposit:  # it ended before it was told which deposit it had opened
            break
        try:
            known = session.get(f"deposits/{segment(memory.deposit)}")
        except NotFound:
            known = {"state": "gone"}
        if known["state"] == "open":
            return known, memory
        memory.forget()
    else:
        memory = unfinished.remember(folder, key or secrets.token_hex(16), about)
    try:
        opened = session.send(
            "POST", f"projects/{segment(project)}/deposits", {**body, "key": memory.key}
        )
    except (Unavailable, KeyboardInterrupt):  # it may be open: the key will tell
        memory.leave()
        raise
    except BaseException:
        memory.forget()
        raise
    memory.note_deposit(opened["uid"])
    return opened, memory


def send(
    session: Session,
    where: str,
    opened: Mapping[str, Any],
    parts: list[Part],
    tell: Progress,
    memory: Unfinished,
) -> None:
    """Send what is not there yet, as the first half of the progress.

    What breaks off and is remembered stays: Unavailable then says how to go on.
    """
    place = Place(session, where, opened)
    if memory.done or memory.begun:
        tell(0.0, "going on where it was broken off")
    try:
        sending.send_all(session, place, parts, lambda far, text: tell(far / 2, text), memory)
    except Unavailable as error:
        if memory.leave():
            there = size(sum(part.nbytes for part in parts))
            raise Unavailable(f"{error}; upload the same again to go on ({there} in all)") from None
        raise
    except KeyboardInterrupt:
        memory.leave()
        raise
    except BaseException:
        memory.forget()
        raise


def _folder() -> Path | None:
    try:
        return environment.state_folder() / "uploads"
    except RuntimeError:  # nobody's home
        return None
