"""A batch download: asked for, brought here, proved, and put where it is wanted."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from .. import display
from ..errors import BadInput, Conflict
from ..wire import given
from ..wire.session import Session
from ..wire.waiting import bar, line
from . import proving
from .fetching import Progress, fetch

As = Literal["originals", "ome-zarr", "ome-tiff", "imagej"]
FORMS: tuple[As, ...] = get_args(As)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record that did not come, and why; no name when you do not reach it."""

    uid: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Downloaded:
    """Where it is now: a folder or one archive; how many files and bytes, all of them verified.

    `left` counts the records that did not come, of which `left_out` tells the first. `paths` are
    the files in a folder; none where they stay in one archive.
    """

    path: Path
    files: int
    nbytes: int
    left: int
    left_out: list[LeftOut]
    paths: list[Path] = field(default_factory=list)

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        told = [("in", self.path), ("files", self.files), ("size", display.size(self.nbytes))]
        return [*told, ("left out", self.left)] if self.left else told

    def _repr_html_(self) -> str:
        rows = [(one.name or one.uid, one.why) for one in self.left_out]
        left = display.table(["left out", "why"], rows) if rows else ""
        return display.facts(self.facts()) + left


@dataclass(frozen=True, slots=True)
class Archive:
    """What a download would bring: one ZIP of `files` files at `url`, for `curl` or a browser.

    `path` is the address as a page of the same server has it. The address is yours until `ends_at`
    and needs no token, so do not pass it on. `left` counts the records that are not in it, of which
    `left_out` tells the first.
    """

    url: str
    path: str
    name: str
    nbytes: int
    files: int
    left: int
    left_out: list[LeftOut]
    ends_at: str


def archive(session: Session, selection: Mapping[str, Any], as_: As) -> Archive:
    """Return what a download of this selection would bring."""
    told = session.send("POST", "downloads", {**selection, "as": _form(as_)})
    url, files = session.absolute(told["url"]), told["files"] - 1  # the last is the manifest
    left = told["left"], _left(told)
    size = told["nbytes"], files
    return Archive(url, told["url"], told["name"], *size, *left, told["ends_at"])


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
        return _download(session, {**selection, "as": _form(as_)}, given.path(to), tell)


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
    paths: list[Path] = []
    try:
        if whole:
            files = len(proving.prove(part, tell))
            part.replace(to)
        else:
            paths = proving.unpack(part, to, tell)
            files = len(paths)
    except BadInput:
        part.unlink()  # the next call begins anew
        raise
    part.unlink(missing_ok=True)
    tell(1.0, "done")
    return Downloaded(to, files, batch["nbytes"], batch["left"], _left(batch), paths)


def _form(as_: As) -> As:
    if as_ not in FORMS:
        raise BadInput(f"as_: it is one of {', '.join(FORMS)}")
    return as_


def _left(batch: Mapping[str, Any]) -> list[LeftOut]:
    return [LeftOut(one["uid"], one["name"], one["why"]) for one in batch["left_out"]]


def _shown(show: Callable[[str], None]) -> Progress:
    return lambda fraction, text: show(f"{text} {bar(fraction)} {fraction:4.0%}")
