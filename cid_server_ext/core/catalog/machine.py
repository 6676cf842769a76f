"""The eight machine tags of an image that came in: each is filled, or unknown with the reason.

What the file says stays. What it lacks comes from the instrument register where its answer is the
only one possible; nothing is guessed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager, joinedload

from ...db import clock
from ...db.tables import Image, Instrument, InstrumentVersion, Tag, Term
from . import hardware, instruments, tags, typed, vocabulary
from .completeness import SILENT
from .tagging import By, batches

ZONE = "Time zone"  # of the acquisition date: no tag of its own
NAMED_BY = ("Microscope", "Microscope serial", "Serial number", "Machine name")
_NO_ZONE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*")
_BARE = re.compile(r"(\d+(?:\.\d+)?)\s*[xX×]?")  # an objective of which only the power is told


@dataclass(frozen=True, slots=True)
class Match:
    """The instrument that took an image, or why it is not known."""

    instrument: Instrument | None = None
    why: str = "no instrument is known for this image"


def complete(
    session: Session,
    image: Image,
    *,
    declared: str = "",
    names: Iterable[str] = (),
    taken: str = "",
) -> None:
    """Find the image's instrument and fill what its file lacks; the rest is unknown with reasons.

    Called at the commit, once the file's own tags are written; the caller refreshes the index.
    `image.unknown` holds the reader's reasons, `declared` the name or uid of the instrument that
    the deposit declares, `names` what else the file calls it (a serial number, a machine name),
    `taken` its acquisition date in its own words.
    """
    complete_all(session, [(image, taken)], declared=declared, names=names)


def complete_all(
    session: Session,
    several: Sequence[tuple[Image, str]],
    *,
    declared: str = "",
    names: Iterable[str] = (),
) -> None:
    """Do what `complete` does for images of one deposit, each with what it says of its date.

    In as many statements as for one.
    """
    if not several:
        return
    rows, now, others = instruments.named(session), clock.now(session), list(names)
    told = _told(session, [image.id for image, _ in several])
    matched: dict[int, Match] = {}
    for image, _ in several:
        said = told.get(image.id, {})
        named = [said[key] for key in NAMED_BY if key in said]
        matched[image.id] = _match(rows, [*named, *others], declared)
    known = instruments.versions_of(
        session, {found.instrument.id for found in matched.values() if found.instrument}
    )
    fills: list[tuple[Image, dict[str, str]]] = []
    for image, taken in several:
        said, found = told.get(image.id, {}), matched[image.id]
        image.instrument_id = found.instrument.id if found.instrument else None
        at = image.acquired_at or now
        one = instruments.valid(known[found.instrument.id], at) if found.instrument else None
        filled, reasons = _answers(said, found, one, at)
        if filled:
            fills.append((image, filled))
        image.unknown = _unknown(image, {**said, **filled}, reasons, found, at)
        if _NO_ZONE.fullmatch(taken.strip()):
            image.unknown = {**image.unknown, ZONE: "the file says none: its date is taken as UTC"}
    by = By("instrument", several[0][0].created_by)
    tags.write_all(session, fills, kind="machine", by=by)


def file_tags(session: Session, image: Image) -> dict[str, str]:
    """Return what the image's machine tags say now, by key."""
    return _told(session, [image.id]).get(image.id, {})


def _told(session: Session, image_ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """Return what machine tags say by image and key; of several values of a key the first."""
    found: dict[int, dict[str, str]] = {}
    for some in batches(image_ids):
        chosen = select(Tag).join(Term).where(Tag.record_id.in_(some), Term.kind == "machine")
        whole = chosen.options(contains_eager(Tag.term), joinedload(Tag.value))
        for tag in session.scalars(whole.order_by(Tag.id)):
            found.setdefault(tag.record_id, {}).setdefault(tag.term.key, tag.shown)
    return found


def match(session: Session, named: Iterable[str], declared: str = "") -> Match:
    """Return the instrument that the file names, else the one that is declared.

    Where the file's name fits several, the declared one decides if it is among them.
    """
    return _match(instruments.named(session), named, declared)


def _match(rows: list[Instrument], named: Iterable[str], declared: str) -> Match:
    wanted = {typed.folded(name, 240) for name in named if name.strip()}
    fits = [row for row in rows if wanted & _calls(row)]
    chosen = _declared(rows, declared)
    if len(fits) == 1:
        return Match(fits[0])
    if len(fits) > 1:
        if chosen in fits:
            return Match(chosen)
        listed = ", ".join(row.name for row in fits[:5])
        return Match(None, f"the file's name for it fits {len(fits)} instruments: {listed}")
    if chosen is not None:
        return Match(chosen)
    if declared:
        return Match(None, f"the register has no instrument {declared[:80]!r}")
    return Match()


def _calls(row: Instrument) -> set[str]:
    texts = (row.name, row.serial, *row.names)
    return {typed.folded(text, 240) for text in texts if text}


def _declared(rows: list[Instrument], declared: str) -> Instrument | None:
    if not declared.strip():
        return None
    name = typed.folded(declared, 240)
    fits = [row for row in rows if row.uid == declared or name in _calls(row)]
    return fits[0] if len(fits) == 1 else None


def _answers(
    said: Mapping[str, str], found: Match, one: InstrumentVersion | None, at: dt.datetime
) -> tuple[dict[str, str], dict[str, str]]:
    """Return what the register fills, and its reasons for what it leaves open."""
    filled: dict[str, str] = {}
    why: dict[str, str] = {}
    if found.instrument is not None and "Microscope" not in said:
        filled["Microscope"] = found.instrument.name
    for key, kind in hardware.TAGS.items():
        if found.instrument is None:
            why[key] = found.why
        elif one is None:
            told = f"register: nothing is known of {found.instrument.name} on {at:%Y-%m-%d}"
            why[key] = told
        elif key == "Objective":
            _objective(said.get(key), hardware.parts(one.hardware, kind), filled, why)
        elif key not in said:
            _only(key, kind, hardware.parts(one.hardware, kind), filled, why)
    return filled, why


def _only(
    key: str, kind: str, listed: list[hardware.Part], filled: dict[str, str], why: dict[str, str]
) -> None:
    if len(listed) == 1:
        filled[key] = hardware.shown(listed[0])
        return
    word = hardware.WORDS[kind]
    why[key] = f"register: {len(listed)} {word}, the file does not say which"
    if not listed:
        why[key] = f"register: no {word} are listed"


def _objective(
    said: str | None, listed: list[hardware.Part], filled: dict[str, str], why: dict[str, str]
) -> None:
    """Fill the only objective, or the only one of the power that the file tells of it."""
    bare = _BARE.fullmatch(said.strip()) if said else None
    if said and bare is None:
        return
    if bare is None:
        _only("Objective", "objectives", listed, filled, why)
        return
    power = float(bare[1])
    same = [part for part in listed if part.get("magnification") == power]
    if len(same) == 1:
        filled["Objective"] = hardware.shown(same[0])


def _unknown(
    image: Image,
    said: Mapping[str, str],
    reasons: Mapping[str, str],
    found: Match,
    at: dt.datetime,
) -> dict[str, Any]:
    told: Mapping[str, str] = image.unknown or {}
    register = {"Microscope": found.why, **reasons}
    unknown: dict[str, Any] = {}
    for key in vocabulary.MACHINE:
        if key in said:
            continue
        own = told.get(key) or SILENT
        unknown[key] = f"{own}; {register[key]}" if key in register else own
    if vocabulary.ACQUIRED in unknown and found.instrument is not None:
        unknown[vocabulary.ACQUIRED] += f"; the register was read as of {at:%Y-%m-%d}"
    if "User" in unknown:
        unknown["User"] += f"; {image.created_by} brought it"
    return unknown
