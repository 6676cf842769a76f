"""What a microscope is made of: as it was at each time, and as a description would have it."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import display
from ..errors import BadInput
from . import difference

Source = str | os.PathLike[str] | Mapping[str, Any]
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
class Described:
    """What a description says; `name` is "" where it gives none."""

    name: str
    hardware: dict[str, Any]
    tier: Tier | None

    def since(self, earlier: Version | None) -> list[str]:
        """Return what is otherwise than in an earlier version, a line each."""
        return difference.lines(earlier.hardware if earlier else {}, self.hardware)


@dataclass(frozen=True, slots=True)
class Version:
    """What an instrument was made of from `valid_from` on, and why it was changed."""

    uid: str
    valid_from: dt.datetime
    hardware: dict[str, Any]
    why: str
    person: str
    tier: Tier | None

    def since(self, earlier: Version | None) -> list[str]:
        """Return what is otherwise than in an earlier version, a line each."""
        return difference.lines(earlier.hardware if earlier else {}, self.hardware)

    def _repr_html_(self) -> str:
        return display.facts(self.facts())

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        parts = [(k, "; ".join(p["name"] for p in self.hardware.get(k, []))) for k in KINDS]
        since = f"{self.valid_from:%Y-%m-%d}"
        tier = None if self.tier is None else self.tier.reached
        return [("from", since), ("why", self.why), *parts, ("tier", tier), ("by", self.person)]


def version(told: Mapping[str, Any]) -> Version:
    """Return a version as the catalog tells of it."""
    since = dt.datetime.fromisoformat(told["valid_from"])
    return Version(
        told["uid"], since, told["hardware"], told["why"], told["person"], _tier(told["tier"])
    )


def described(told: Mapping[str, Any]) -> Described:
    """Return what the catalog read in a description."""
    return Described(told["name"], dict(told["hardware"]), _tier(told["tier"]))


def body(description: Source) -> dict[str, Any]:
    """Return what the catalog is told: hardware, or the document in a file or text."""
    if isinstance(description, Mapping):
        kind = "document" if {"components", "xml"} & set(description) else "hardware"
        return {kind: dict(description)}
    if isinstance(description, str) and description.lstrip("\ufeff \r\n\t")[:1] in ("{", "<"):
        return {"document": parse(description, "this text")}
    return {"document": read(Path(description))}


def read(path: Path) -> dict[str, Any]:
    """Return the document in a file: JSON as it is, OME XML as text."""
    if not path.is_file():
        raise BadInput(f"{path}: no such file")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except ValueError as error:
        raise BadInput(f"{path}: neither JSON nor XML: {error}") from None
    return parse(text, str(path))


def parse(text: str, what: str) -> dict[str, Any]:
    """Return the document that a text is; BadInput says of `what` why it is none."""
    text = text.lstrip("\ufeff")
    if text.lstrip().startswith("<"):
        return {"xml": text}
    try:
        told = json.loads(text)
    except ValueError as error:
        raise BadInput(f"{what}: neither JSON nor XML: {error}") from None
    if not isinstance(told, dict):
        raise BadInput(f"{what}: no description of a microscope")
    return told


def _tier(told: Mapping[str, Any] | None) -> Tier | None:
    if told is None:
        return None
    return Tier(told["reached"], {int(n): fields for n, fields in told["missing"].items()})
