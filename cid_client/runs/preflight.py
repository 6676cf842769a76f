"""What would become of a run, image by image, before anything is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from .. import display

DOTS = {"red": "#d32f2f", "amber": "#f9a825", "green": "#388e3c"}
WORDS = {"red": "cannot run", "amber": "look", "green": "ready"}  # nobody has to see colours


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to know: `light` red stops it, amber does not; `fix` says what to do."""

    light: str
    about: str
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.message}; {self.fix}"


@dataclass(frozen=True, slots=True)
class Seen:
    """One image: `light` is green, amber or red; `name` is None where you see no such image."""

    uid: str
    name: str | None
    light: str
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What it would take, as the template's earlier runs tell; `history` says how many those are.

    `seconds` are (low, likely, high): the last image is done within that time four times of five.
    Without history only `high` is known: after it what still runs is ended. `price` includes VAT.
    """

    seconds: tuple[float | None, float | None, float]
    nbytes: int
    gpu_minutes: float | None
    price: Decimal | None
    currency: str | None
    history: int
    says: str

    def __str__(self) -> str:
        return self.says


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a template would do with some images: `bool` says whether it would be taken.

    `notes` are about parameters and room; `nbytes` would be reserved for the images that are not
    red, and `estimate` says what they would take; `channels` are the names that all of them have.
    `record` is the answer as it came.
    """

    template: str
    version: str
    images: list[Seen]
    notes: list[Note]
    nbytes: int
    channels: list[str]
    estimate: Estimate
    record: dict[str, Any] = field(repr=False)

    @property
    def red(self) -> list[Seen]:
        """The images that it does not take."""
        return [image for image in self.images if image.light == "red"]

    @property
    def fit(self) -> list[str]:
        """The uids of the images that it takes, amber ones too."""
        return [image.uid for image in self.images if image.light != "red"]

    def __bool__(self) -> bool:
        return not self.red and all(note.light != "red" for note in self.notes)

    def __str__(self) -> str:
        counts = {light: sum(one.light == light for one in self.images) for light in DOTS}
        told = [f"{count} {light} ({WORDS[light]})" for light, count in counts.items() if count]
        lines = [f"{self.template} {self.version}: {', '.join(told)}", str(self.estimate)]
        lines += [str(note) for note in self.notes]
        lines += [f"{one.name or one.uid}: {note}" for one in self.images for note in one.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        worst = sorted(self.images, key=lambda one: list(DOTS).index(one.light))
        lines = [
            f"<tr><td>{_dot(one.light)}</td><td>{display.cell(one.name or one.uid)}</td>"
            f"<td style='text-align:left'>{_html(one.notes)}</td></tr>"
            for one in worst
        ]
        notes = "".join(f"<p>{_dot(one.light)} {display.cell(one)}</p>" for one in self.notes)
        takes = f"<p>{display.cell(self.estimate)}</p>"
        return f"{notes}<table>{''.join(lines)}</table>{takes}"


def read(answer: Mapping[str, Any]) -> Preflight:
    """Return the service's answer as an object."""
    told = answer["template"]
    return Preflight(
        template=told["name"],
        version=told["version"],
        images=[
            Seen(one["uid"], one["name"], one["light"], _notes(one["notes"]))
            for one in answer["images"]
        ],
        notes=list(_notes(answer["notes"])),
        nbytes=answer["nbytes"],
        channels=list(answer["channels"]),
        estimate=_estimate(answer["estimate"]),
        record=dict(answer),
    )


def _estimate(told: Mapping[str, Any]) -> Estimate:
    seconds = told["seconds"]
    return Estimate(
        seconds=(seconds["low"], seconds["likely"], seconds["high"]),
        nbytes=told["bytes"],
        gpu_minutes=told["gpu_minutes"],
        price=None if told["price"] is None else Decimal(told["price"]),
        currency=told["currency"],
        history=told["history"],
        says=told["says"],
    )


def _notes(told: list[dict[str, Any]]) -> tuple[Note, ...]:
    return tuple(Note(**one) for one in told)


def _html(notes: tuple[Note, ...]) -> str:
    return "<br>".join(display.cell(note) for note in notes)


def _dot(light: str) -> str:
    return f"<span style='color:{DOTS[light]}'>●</span> {WORDS[light]}"
