"""The instrument register as a notebook sees it; staff changes it, everybody reads it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import display
from ..errors import NotFound
from ..history.undoing import Done
from ..records.changing import Changing
from ..records.record import Field, Listing, Record
from ..wire import given
from ..wire.session import Session
from .controls import Controls
from .controls import body as measurements_of
from .standing import Standings
from .versions import Described, Source, Tier, Version, body, described, version

Moment = str | dt.datetime


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
        return Listing(version(told) for told in self.wire("versions"))

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
        description: Source,
        *,
        valid_from: Moment | None = None,
        why: str = "",
    ) -> Instrument:
        """Say what it is made of from a moment (now) on: hardware, or a file that describes it.

        The file, or its text, is a Microscope.JSON of the Micro-Meta App, or OME XML with one
        Instrument. `catalog.instruments.check()` says what would be otherwise. What
        was said for the same moment is corrected; `undo()` takes it back. Staff may.
        """
        told = body(description) | {"why": why}
        if valid_from is not None:
            told["valid_from"] = _moment(valid_from)
        return self._changed("PUT", "/versions", told)

    def at(self, moment: Moment) -> Version | None:
        """Return what it was made of at a moment; None: before the first version."""
        when = dt.datetime.fromisoformat(_moment(moment))
        return next((one for one in self.versions if one.valid_from <= when), None)

    @property
    def query(self) -> str:
        """The search for what it took: `catalog.search(scope.query)`."""
        return "instrument:" + _quoted(self.name)

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
        every: int | None = None,
        at: Moment | None = None,
        evidence: Record | None = None,
        note: str = "",
    ) -> Recorded:
        """Record quality control: `{"Lateral FWHM": 231}`, or rows with their own unit and place.

        `low` and `high` say what a series may be, `every` in how many days it is to be measured
        again (0: no more), from now on. `evidence` is the image or run that
        it was read from. `at` is now if not said. `undo()` of what is returned takes it back.
        Staff may.
        """
        rows = measurements_of(
            measurements, unit=unit, place=place, low=low, high=high, every=every
        )
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
        wanted = given.text(called, "an instrument's name or uid").casefold()
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

    def check(self, description: Source) -> Described:
        """Return what a description says, as `update` would take it; nothing is changed.

        `catalog.instruments.check("Microscope.JSON").since(scope.versions[0])` is what would be
        otherwise.
        """
        return described(self.session.send("POST", "instruments/check", body(description)))

    def standing(self) -> Standings:
        """Return how each stands: quality control, how many images I see of it, its last use."""
        return Standings(self.session.get("instruments/standing"))

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


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _moment(told: Moment) -> str:
    moment = dt.datetime.fromisoformat(told) if isinstance(told, str) else told
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).isoformat()
