"""A batch download: asked for, brought here, proved, and put where it is wanted."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .. import display
from ..errors import BadInput, Conflict
from ..wire.session import Session
from ..wire.waiting import bar, line
from . import proving
from .fetching import Progress, fetch

As = Literal["originals", "ome-zarr"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record that did not come, and why; no name when you do not reach it."""

    uid: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Downloaded:
    """Where it is now: a folder or one archive; how many files and bytes, all of them verified.

    `left` counts the records that did not come, of which `left_out` tells the first.
    """

    path: Path
    files: int
    nbytes: int
    left: int
    left_out: list[LeftOut]

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        told = [("in", self.path), ("files", self.files), ("size", display.size(self.nbytes))]
        return [*told, ("left out", self.left)] if self.left else told

    def _repr_html_(self) -> str:
        rows = [(one.name or one.uid, one.why) for one in self.left_out]
        left = display.table(["left out", "why"], rows) if rows else ""
        return display.facts(self.facts()) + left


def download(
    session: Session,
    selection: Mapping[str, Any],
    to: str | os.PathLike[str],
    as_: As = "originals",
    on_progress: Progress | None = None,
) -> Downloaded:
    """Bring a selection here: into a folder, or as it is when `to` ends in ".zip".

    A call that was broken off goes on where it was. Conflict: something else is there already.
    """
    with line(on_progress is None) as show:
        tell = on_progress or _shown(show)
        return _download(session, {**selection, "as": as_}, Path(to), tell)


def _download(session: Session, body: Mapping[str, Any], to: Path, tell: Progress) -> Downloaded:
    def ask() -> dict[str, Any]:
        told: dict[str, Any] = session.send("POST", "downloads", body)
        return told

    whole = to.suffix.lower() == ".zip"
    if whole and to.exists():
        raise Conflict(f"{to} exists already: choose another name, or move it away")
    batch = ask()
    folder = to.parent if whole else to
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".cid-{batch['etag'].strip(chr(34))[:16]}.zip.part"
    fetch(session, ask, batch, part, tell)
    try:
        if whole:
            files = len(proving.prove(part, tell))
            part.replace(to)
        else:
            files = len(proving.unpack(part, to, tell))
    except BadInput:
        part.unlink()  # the next call begins anew
        raise
    part.unlink(missing_ok=True)
    tell(1.0, "done")
    left = [LeftOut(one["uid"], one["name"], one["why"]) for one in batch["left_out"]]
    return Downloaded(to, files, batch["nbytes"], batch["left"], left)


def _shown(show: Callable[[str], None]) -> Progress:
    return lambda fraction, text: show(f"{text} {bar(fraction)} {fraction:4.0%}")
