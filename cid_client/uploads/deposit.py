"""Deposits: how bytes go into the catalog, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import CidError, Conflict, from_record
from ..wire import waiting
from ..wire.session import Session, segment
from . import asked
from .broken_off import begin, send
from .items import Part, hashed, parts_of
from .sending import Progress
from .told import judge, plain


def deposit(
    session: Session,
    path: Path,
    project: str,
    dataset: str,
    kind: str,
    on_progress: Progress | None = None,
    *,
    resume: bool = True,
    again: bool = False,
    told: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    """Deposit a file or a folder and return the Deposit that is done, or raise.

    Half of the progress is sending, half the import by the service. What is there already is not
    sent, unless `again`. What broke off while large files were sent is gone on with, unless
    `resume` is False. What is `told` of it is judged before a file is read.
    """
    tell = on_progress or _silent
    parts = parts_of(path)
    said = plain(told or {})
    place = {"project": project, "dataset": dataset, "kind": kind}
    if resume and (known := asked.waiting(session, parts, **place)):
        return _gone_on(session, parts, known, path.name, said, place, tell)
    if said and kind == "import":
        judge(session, project, (part.path for part in parts), said)
    if not again:
        parts = list(_hashed(parts, tell))
    opened, memory = begin(session, project, dataset, kind, parts, resume, again=again, **said)
    where = f"deposits/{segment(opened['uid'])}"
    try:
        send(session, where, opened, unknown(parts, opened), tell, memory)
        session.send("POST", f"{where}/commit", {})
        memory.forget()
        ended = imported(session, where, path.name, tell)
    except BaseException:
        if memory.kept:
            raise
        memory.forget()
        with suppress(CidError):  # what failed first is what the caller must hear
            session.send("DELETE", where)
        raise
    if ended["state"] == "open":
        asked.keep(session, parts, ended["uid"], **place)
    return whole(ended, path.name)


def _gone_on(
    session: Session,
    parts: list[Part],
    known: Mapping[str, Any],
    name: str,
    said: Mapping[str, Any],
    place: Mapping[str, str],
    tell: Progress,
) -> Mapping[str, Any]:
    """Bring in what waits with what is said now; what still lacks leaves it waiting."""
    where = f"deposits/{segment(known['uid'])}"
    session.send("POST", f"{where}/commit", dict(said))
    ended = imported(session, where, name, tell)
    if ended["state"] != "open":
        asked.forget(session, parts, **place)
    return whole(ended, name)


def whole(ended: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a deposit that is done, or raise why it is not; of one that waits, what for."""
    if ended["state"] == "done":
        return ended
    if ended["state"] == "open":
        raise asked.more(ended["report"])
    if ended["state"] == "aborted":
        raise Conflict(f"the deposit of {name} was aborted while it was imported")
    raise from_record(ended.get("error") or {})


def _hashed(parts: list[Part], tell: Progress) -> Iterator[Part]:
    for part in parts:
        tell(0.0, f"reading {part.file.name}")
        yield hashed(part)


def unknown(parts: list[Part], opened: Mapping[str, Any]) -> list[Part]:
    """Return what must be sent: all but the files, and what lies in folders, that are there."""
    there = {one["path"] for one in opened.get("there") or ()}
    return [part for part in parts if there.isdisjoint(_ways(part.path))]


def _ways(path: str) -> Iterator[str]:
    """Yield a path and the folders it lies in."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def imported(session: Session, where: str, name: str, tell: Progress) -> dict[str, Any]:
    """Return a deposit that has begun as it ended, as the second half of the progress.

    Its state is open again where a mask asks for more.
    """
    told: dict[str, Any] = {}

    def ended() -> bool:
        told.update(session.get(where))
        far = told.get("progress") or {}
        tell(0.5 + 0.5 * float(far.get("fraction") or 0), str(far.get("text") or "importing"))
        return bool(told["state"] != "importing")

    waiting.until(ended, None, f"the import of {name}")
    return told


def _silent(fraction: float, text: str) -> None:
    """Tell nobody."""
