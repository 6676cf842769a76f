"""The instrument register as a notebook sees it; staff changes it, everybody reads it."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import display
from ..errors import BadInput, NotFound
from ..history.undoing import Done
from ..records.changing import Changing
from ..records.record import Field, Listing, Record
from ..wire.session import Session
from .controls import Controls, body

Moment = str | dt.datetime
KINDS = ("software", "objectives", "lasers", "filters", "detectors")


@dataclass(frozen=True, slots=True)
class Tier:
    """The tier of 4DN-BINA-OME that a description reaches (0 to 3); `missing` by tier."""

    reached: int
    missing: dict[int, list[str]]

    def _repr_html_(self) -> str:
        lines = [(f"tier {n}", "; ".join(fields)) for n, fields in self.missing.items()]
        return f"<b>4DN-BINA-OME tier {self.reached}</b>{display.facts(lines)}"


@dataclass(frozen=True, slots=True)
class Version:
    """What an instrument was made of from `valid_from` on, and why it was changed."""

    uid: str
    valid_from: dt.datetime
    hardware: dict[str, Any]
    why: str
    person: str
    tier: Tier | None

    def _repr_html_(self) -> str:
        return display.facts(self.facts())

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        parts = [(k, "; ".join(p["name"] for p in self.hardware.get(k, []))) for k in KINDS]
        since = f"{self.valid_from:%Y-%m-%d}"
        tier = None if self.tier is None else self.tier.reached
        return [("from", since), ("why", self.why), *parts, ("tier", tier), ("by", self.person)]


@dataclass(frozen=True, slots=True)
class Recorded(Done):
    """Measurements that were recorded together; `undo()` takes them back."""

    controls: Controls


class Instrument(Changing):
    """A microscope of the facility; `names` are what files and folders call it."""

    collection = "instruments"

    name = Field[str]()
    serial = Field[str]()
    room = Field[str]()
    names = Field[list[str]]()
    retired = Field[bool]()

    @property
    def versions(self) -> Listing[Any]:
        """What it was made of at each time, the newest first."""
        return Listing(_version(told) for told in self.wire("versions"))

    @property
    def hardware(self) -> dict[str, Any]:
        """What it is made of by its newest version; empty where nothing was said yet."""
        return dict(self.versions[0].hardware) if self.versions else {}

    @property
    def tier(self) -> Tier | None:
        """The tier of 4DN-BINA-OME of its newest version; None where no document says it."""
        return self.versions[0].tier if self.versions else None

    def change(
        self,
        *,
        name: str | None = None,
        serial: str | None = None,
        room: str | None = None,
        names: Sequence[str] | None = None,
    ) -> Instrument:
        """Change what is given; `undo()` takes it back. Staff may."""
        told = {"name": name, "serial": serial, "room": room, "names": names and list(names)}
        body = {key: value for key, value in told.items() if value is not None}
        return self._changed("PATCH", body=body)

    def retire(self, retired: bool = True) -> Instrument:
        """Say that it is no longer used; what it took keeps it. Staff may."""
        return self._changed("PATCH", body={"retired": retired})

    def update(
        self,
        description: str | os.PathLike[str] | Mapping[str, Any],
        *,
        valid_from: Moment | None = None,
        why: str = "",
    ) -> Instrument:
        """Say what it is made of from a moment (now) on: hardware, or a file that describes it.

        The file is a Microscope.JSON of the Micro-Meta App, or OME XML with one Instrument. What
        was said for the same moment is corrected; `undo()` takes it back. Staff may.
        """
        body = _described(description) | {"why": why}
        if valid_from is not None:
            body["valid_from"] = _moment(valid_from)
        return self._changed("PUT", "/versions", body)

    def document(self, version: Version | None = None) -> dict[str, Any]:
        """Return the document that a version (the newest) was read from, as it came."""
        if version is None and not self.versions:
            raise NotFound(f"nobody said yet what {self.name} is made of")
        one = version or self.versions[0]
        return dict(self.session.get(f"{self.path}/versions/{one.uid}")["document"])

    @property
    def controls(self) -> Controls:
        """What was measured of it: quality control, the newest first; `controls.series`."""
        return Controls(self.session.get(f"{self.path}/controls"))

    def measured(
        self,
        measurements: Mapping[str, float] | Sequence[Mapping[str, Any]],
        *,
        unit: str = "",
        place: str = "",
        low: float | None = None,
        high: float | None = None,
        at: Moment | None = None,
        evidence: Record | None = None,
        note: str = "",
    ) -> Recorded:
        """Record quality control: `{"Lateral FWHM": 231}`, or rows with their own unit and place.

        `low` and `high` say what a series may be, from now on. `evidence` is the image or run that
        it was read from. `at` is now if not said. `undo()` of what is returned takes it back.
        Staff may.
        """
        rows = body(measurements, unit=unit, place=place, low=low, high=high)
        told: dict[str, Any] = {"measurements": rows, "note": note}
        if at is not None:
            told["measured_at"] = _moment(at)
        if evidence is not None:
            told["evidence"] = evidence.uid
        answer = self.session.tell("POST", f"{self.path}/controls", told)
        return Recorded(answer.entry, self.session, Controls(answer.body))

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        newest = self.versions[0].facts() if self.versions else []
        return [
            ("name", self.name),
            ("room", self.room),
            ("called", ", ".join(self.names)),
            ("serial", self.serial),
            *newest,
            ("retired", "yes" if self.retired else ""),
        ]


class Register:
    """All microscopes of the facility: `catalog.instruments["Confocal 1"]`."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def all(self) -> Listing[Instrument]:
        """Return all of them by name, the retired ones too."""
        answer = self.session.get("instruments")
        return Listing(Instrument(self.session, row) for row in answer["instruments"])

    def __getitem__(self, called: str) -> Instrument:
        """Return the one of this name, uid, serial number or other name, or raise NotFound."""
        wanted = called.casefold()
        found = [one for one in self.all() if called == one.uid or wanted in _calls(one)]
        if len(found) != 1:
            names = ", ".join(one.name for one in found)
            raise NotFound(
                f"{called!r} is {names}: say which" if found else f"no instrument {called!r}"
            )
        return found[0]

    def __iter__(self) -> Any:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self.all())

    def add(
        self, name: str, *, serial: str = "", room: str = "", names: Sequence[str] = ()
    ) -> Instrument:
        """Register a microscope, and say with its `update()` what it is made of. Staff may."""
        body = {"name": name, "serial": serial, "room": room, "names": list(names)}
        return Instrument(self.session, self.session.send("POST", "instruments", body))

    def __repr__(self) -> str:
        return f"<instruments {', '.join(one.name for one in self.all())}>"

    def _repr_html_(self) -> str:
        head = ["name", "room", "called", "objectives", "lasers", "detectors", "tier"]
        rows = [one for one in self.all() if not one.retired]
        return display.table(head, [_line(one, head) for one in rows])


def _line(one: Instrument, head: Sequence[str]) -> list[Any]:
    told = dict(one.facts())
    return [told.get(word) for word in head]


def _calls(one: Instrument) -> set[str]:
    return {text.casefold() for text in (one.name, one.serial, *one.names) if text}


def _version(told: Mapping[str, Any]) -> Version:
    tier = told["tier"] and Tier(
        told["tier"]["reached"], {int(n): fields for n, fields in told["tier"]["missing"].items()}
    )
    since = dt.datetime.fromisoformat(told["valid_from"])
    return Version(told["uid"], since, told["hardware"], told["why"], told["person"], tier)


def _moment(told: Moment) -> str:
    moment = dt.datetime.fromisoformat(told) if isinstance(told, str) else told
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).isoformat()


def _described(description: str | os.PathLike[str] | Mapping[str, Any]) -> dict[str, Any]:
    """Return the body that says it: hardware, or the document that a file holds."""
    if isinstance(description, Mapping):
        kind = "document" if {"components", "xml"} & set(description) else "hardware"
        return {kind: dict(description)}
    return {"document": read(Path(description))}


def read(path: Path) -> dict[str, Any]:
    """Return the document in a file: JSON as it is, OME XML as text."""
    if not path.is_file():
        raise BadInput(f"{path}: no such file")
    try:
        text = path.read_text(encoding="utf-8-sig")
        if text.lstrip().startswith("<"):
            return {"xml": text}
        told = json.loads(text)
    except ValueError as error:
        raise BadInput(f"{path}: neither JSON nor XML: {error}") from None
    if not isinstance(told, dict):
        raise BadInput(f"{path}: no description of a microscope")
    return told
