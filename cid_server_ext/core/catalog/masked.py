"""An upload held to its mask before a byte moves: which mask that is, and what is wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Instrument, MaskVersion, Project
from ...errors import BadInput, NotFound
from . import hardware, instruments, machine, mask_rules, masks, tags
from .completeness import folded
from .mask_document import Mask
from .mask_rules import Found, Said
from .spelling import Speller
from .typed import Given

SHOWN = 200  # things that are wrong
_LINE = ("file", "field", "message")
OPEN = Mask(mask="tags")  # where no mask is named: whatever the vocabulary allows
# names of what is an image by itself; what lies beside, as notes or companions, is not judged
IMAGES = (
    *(".tif", ".tiff", ".btf", ".stk", ".lsm", ".png", ".jpg", ".jpeg", ".lif", ".czi", ".nd2"),
    *(".oib", ".oif", ".vsi", ".svs", ".ndpi", ".sdt", ".nd", ".r64"),
    *(".dv", ".r3d", ".ims", ".mrc", ".st", ".rec", ".ali"),
)
Tags = Mapping[str, Given | Sequence[Given]]


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of an upload: its mask and instrument, by name or uid, and tags.

    tags: of all that comes. tags_of: by path, of one file, or of a folder with all below it.
    """

    mask: str = ""
    instrument: str = ""
    tags: Tags = field(default_factory=dict)
    tags_of: Mapping[str, Tags] = field(default_factory=dict)

    def of(self, path: str) -> dict[str, list[Given]]:
        """Return the tags of one path; what is said of the nearest counts."""
        found: dict[str, tuple[str, list[Given]]] = {}
        for said in (self.tags, *(self.tags_of.get(part, {}) for part in _down(path))):
            for key, values in said.items():
                found[folded(key)] = (key, tags.as_list(values))
        return dict(found.values())


NOTHING = Told()


@dataclass(frozen=True, slots=True)
class Chosen:
    """The mask's version and the instrument that an upload is held to, and what that is made of."""

    version: MaskVersion | None = None
    instrument: Instrument | None = None
    mask: Mask = OPEN

    def facts(self, at: dt.datetime) -> dict[str, str]:
        """Return what the register says of the instrument, where it has one answer."""
        row = self.instrument
        if row is None:
            return {}
        one = instruments.valid(row.versions, at)
        made_of = one.hardware if one else {}
        found = {"name": row.name, "serial": row.serial, "room": row.room}
        found["microscope"] = str(made_of.get("microscope", ""))
        for kind in hardware.TAGS.values():
            parts = hardware.parts(made_of, kind)
            found[kind] = hardware.shown(parts[0]) if len(parts) == 1 else ""
        return found


@dataclass(frozen=True, slots=True)
class Judged:
    """What was chosen, and by path what each file would say."""

    chosen: Chosen
    files: dict[str, Found]

    @property
    def wrong(self) -> list[dict[str, Any]]:
        """Return one line for each field and file; for a field that is wrong in all, one line."""
        where: dict[tuple[str, str], list[str]] = {}
        for path, found in self.files.items():
            for one in found.wrong:
                where.setdefault(one, []).append(path)
        told = []
        for (name, message), paths in where.items():
            every = len(paths) == len(self.files)
            for path in [""] if every else paths:
                told.append({"field": name, "file": path, "line": None, "message": message})
        return sorted(told, key=lambda one: (str(one["file"]), str(one["field"])))

    def refuse(self) -> None:
        """Raise BadInput with all that is wrong, if anything is."""
        if wrong := self.wrong:
            lines = [": ".join(filter(None, map(one.get, _LINE))) for one in wrong[:3]]
            more = f" (and {len(wrong) - 3} more)" if len(wrong) > 3 else ""
            version = self.chosen.version
            of = f"mask {version.mask.name!r}, version {version.number}: " if version else "tags: "
            raise BadInput(f"{of}{'; '.join(lines)}{more}", wrong[:SHOWN])


def choose(session: Session, told: Told) -> Chosen:
    """Return the mask that is named, or that of the instrument; BadInput when it is not clear."""
    instrument = machine.match(session, (), told.instrument).instrument
    if told.mask:
        row = _named(session, told.mask)
        if row.retired:
            raise BadInput(f"mask: {row.name!r} is retired: {_others(session, row.instrument)}")
        own = row.instrument
        if own is not None and told.instrument and own is not instrument:
            raise BadInput(f"mask: {row.name!r} is of {own.name!r}, not of {told.instrument!r}")
        version = masks.current(row)
        return Chosen(version, own or instrument, masks.meant(version))
    rows = masks.of_instrument(session, instrument) if instrument else []
    if len(rows) > 1:
        listed = ", ".join(row.name for row in rows)
        raise BadInput(f"mask: {told.instrument!r} has several, say which: {listed}")
    if not rows:
        return Chosen(None, instrument)
    return Chosen(masks.current(rows[0]), instrument, masks.meant(masks.current(rows[0])))


def judge(
    session: Session, project: Project | None, chosen: Chosen, told: Told, paths: Collection[str]
) -> Judged:
    """Return what each image of these paths would say, and why it would be refused.

    project: whose vocabulary its tags must fit, too.
    """
    if chosen.mask is OPEN and not told.tags and not told.tags_of:
        return Judged(chosen, {})
    facts = chosen.facts(clock.now(session))
    words = _Words(session, project, chosen.mask)
    files: dict[str, Found] = {}
    seen: mask_rules.Seen = {}
    for path in list(units(paths)) or [""]:
        name = path.rpartition("/")[2]
        found = mask_rules.judge(chosen.mask, name, told.of(path), facts, seen)
        found.wrong += [wrong for one in found.said if (wrong := words.wrong(one))]
        files[path] = found
    known = {"", *paths, *(part for path in paths for part in _down(path))} if told.tags_of else ()
    for path in told.tags_of:
        if path not in known:
            raise BadInput(f"tags_of: {path[:80]!r} is not among the files")
    return Judged(chosen, files)


def kept(chosen: Chosen, told: Told) -> dict[str, Any]:
    """Return what a deposit remembers of it."""
    found = {
        "mask": chosen.version.uid if chosen.version else "",
        "instrument": chosen.instrument.uid if chosen.instrument else told.instrument,
        "tags": told.tags,
        "tags_of": told.tags_of,
    }
    return {key: value for key, value in found.items() if value}


def units(paths: Collection[str]) -> Iterator[str]:
    """Yield what of these paths is an image, or a folder that is one, as far as names tell."""
    seen: set[str] = set()
    for path in paths:
        parts = path.split("/")
        zarr = next((n for n, part in enumerate(parts) if part.lower().endswith(".zarr")), None)
        one = path if zarr is None else "/".join(parts[: zarr + 1])
        if one not in seen and (zarr is not None or one.lower().endswith(IMAGES)):
            seen.add(one)
            yield one


class _Words:
    """Asks the project's vocabulary whether it takes a value; each question once."""

    def __init__(self, session: Session, project: Project | None, mask: Mask) -> None:
        self.project = project
        if project is not None:
            mine = select(Project.id).where(Project.id == project.id)
            self.speller = Speller(session, project.id, mine, saves=False)
        self.fields = {folded(one.key): one for one in mask.fields}
        self.known: dict[tuple[str, str], tuple[str, str] | None] = {}

    def wrong(self, said: Said) -> tuple[str, str] | None:
        """Return why the vocabulary does not take this, None where it does."""
        if self.project is None:
            return None
        asked = (said.key, repr(said.values))
        if asked not in self.known:
            self.known[asked] = self._asked(said)
        return self.known[asked]

    def _asked(self, said: Said) -> tuple[str, str] | None:
        try:
            term = self.speller.term_or_new(said.key, said.values)
            if term.id is None and folded(said.key) in self.fields:
                return None  # it will be a term as the mask says it
            tags.fitting(term, self.speller.words(term, mask_rules.fitted(term, said.values)))
        except BadInput as error:
            told = str(error).removeprefix(f"value of {said.key!r}:").strip()
            return said.key[:80], told
        return None


def _named(session: Session, called: str) -> Any:
    try:
        return masks.find(session, called)
    except NotFound as error:
        known = ", ".join(row.name for row in masks.listing(session) if not row.retired)
        raise BadInput(f"mask: {error}; known: {known[:300] or 'none yet'}") from None


def _others(session: Session, instrument: Instrument | None) -> str:
    rows = masks.of_instrument(session, instrument) if instrument else []
    return f"use {', '.join(row.name for row in rows)}" if rows else "leave it out"


def _down(path: str) -> Iterator[str]:
    """Yield the folders a path lies in from the top, then itself."""
    parts = path.split("/")
    for n in range(1, len(parts) + 1):
        yield "/".join(parts[:n])
