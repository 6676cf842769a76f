"""Hardware out of the Micro-Meta App's Microscope.JSON, and the tier of 4DN-BINA-OME it reaches.

The form is that of Micro-Meta App 1.x (Rigano et al. 2021, doi:10.1038/s41592-021-01315-z): a
Microscope with its MicroscopeStand and a list of components, each with its Schema_ID. Which field
belongs to which tier is in the model's own schemas (github.com/WU-BIMAC/MicroMetaApp-React,
schemas/fullSchema.json; Hammer et al. 2021, doi:10.1038/s41592-021-01327-9); of a component that
the model asks for from tier 2 on, tier 1 asks nothing. VERSION counts the tables below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import BadInput

VERSION = 1
TIERS = (1, 2, 3)
MOST = 1000  # components

# Schema_ID without ".json" -> what it is to us
KINDS = {
    "Objective": "objective",
    "Laser": "laser",
    **dict.fromkeys(
        ("LightEmittingDiode", "Arc", "Filament", "GenericExcitationSource", "MultiLaserEngine"),
        "lamp",
    ),
    **dict.fromkeys(("ExcitationFilter", "EmissionFilter", "GenericFilter"), "filter"),
    **dict.fromkeys(
        ("AdditionalFilter", "StandardDichroic", "Dichroic", "GenericDichroic"), "filter"
    ),
    **dict.fromkeys(("FilterSet", "FilterCube"), "set"),
    **dict.fromkeys(
        ("CCD", "CMOS", "IntensifiedCCD", "IntensifiedCamera", "AnalogVideo"), "camera"
    ),
    **dict.fromkeys(
        ("PhotoMultiplier", "PhotoMultiplierTube", "PhotoDiode", "HybridPhotoDetector"), "tube"
    ),
    "GenericDetector": "tube",
    **dict.fromkeys(("AcquisitionSoftware", "ImagingSoftware", "Software"), "software"),
}
PLACES = {
    "objective": "objectives",
    "laser": "lasers",
    "set": "filters",
    "filter": "filters",
    "camera": "detectors",
    "tube": "detectors",
    "software": "software",
}

# what each tier asks of each, on top of the one below
_LAMP = {1: ("Name", "Manufacturer"), 2: (), 3: ("Model", "NominalPower")}
_PASSIVE = {1: (), 2: ("Name", "Manufacturer"), 3: ("Model",)}
ASKED: dict[str, dict[int, tuple[str, ...]]] = {
    "microscope": {1: ("Name", "Manufacturer"), 2: (), 3: ("Model",)},
    "objective": {
        1: ("Name", "Manufacturer", "NominalMagnification", "LensNA"),
        2: ("Correction", "NominalImmersionMedium"),
        3: ("Model", "WorkingDistance"),
    },
    "laser": _LAMP | {2: ("Wavelength",)},
    "lamp": _LAMP,
    "filter": _PASSIVE,
    "set": _PASSIVE,
    "camera": _PASSIVE | {3: ("Model", "Gain", "ArrayWidth", "PixelWidth")},
    "tube": _PASSIVE | {3: ("Model", "Gain")},
}
# older and newer releases of the model call the same field otherwise
ALIASES = {
    "NominalMagnification": ("Magnification",),
    "NominalImmersionMedium": ("ImmersionType", "Immersion"),
    "Name": ("Model",),
}
# what there must be one of at least, and from which tier on
PRESENT = {
    "an objective": (1, ("objective",)),
    "a light source": (1, ("laser", "lamp")),
    "a detector": (2, ("camera", "tube")),
}


@dataclass(frozen=True, slots=True)
class Tier:
    """The highest tier whose fields are all there (0: none), and what each tier still lacks."""

    reached: int
    missing: dict[int, list[str]]


def is_microscope(document: Mapping[str, Any]) -> bool:
    """Say whether a document is a Microscope.JSON."""
    return isinstance(document.get("components"), list | dict) and _kind_of(document) in (
        "Instrument",
        "Microscope",
    )


def hardware(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return hardware (see `hardware.check`) out of a Microscope.JSON, or raise BadInput."""
    if not is_microscope(document):
        raise BadInput("document: no Microscope.JSON of the Micro-Meta App: no components in it")
    found: dict[str, Any] = {"microscope": _joined(_stand(document)) or _text(document, "Name")}
    known = list(components(document))
    sets = any(kind == "set" for kind, _ in known)
    for kind, one in known:
        if kind in PLACES and not (sets and kind == "filter"):  # a set's filters are in the set
            found.setdefault(PLACES[kind], []).append(part(kind, one))
    if "lasers" not in found and any(kind == "lamp" for kind, _ in known):
        found["lasers"] = [{"name": "none"}]  # all light sources are listed, none is a laser
    return {key: value for key, value in found.items() if value}


def tier(document: Mapping[str, Any]) -> Tier:
    """Return the tier of 4DN-BINA-OME that a Microscope.JSON reaches, by our tables."""
    known = [("microscope", {**document, **_stand(document)}), *components(document)]
    kinds = {kind for kind, _ in known}
    missing: dict[int, list[str]] = {}
    for level in TIERS:
        lacks = [
            what
            for what, (since, any_of) in PRESENT.items()
            if since == level and kinds.isdisjoint(any_of)
        ]
        for kind, one in known:
            asked = ASKED.get(kind, {}).get(level, ())
            name = _text(one, "Name") or kind
            lacks += [f"{name}: {field}" for field in asked if not field_of(one, field)]
        if lacks:
            missing[level] = lacks
    reached = next((level - 1 for level in TIERS if level in missing), TIERS[-1])
    return Tier(reached, missing)


def components(document: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Yield (kind, component) of those that we know."""
    listed = document.get("components") or []
    rows = list(listed.values()) if isinstance(listed, dict) else listed
    if len(rows) > MOST:
        raise BadInput(f"document: at most {MOST} components")
    for one in rows:
        if isinstance(one, dict) and (kind := KINDS.get(_kind_of(one))):
            yield kind, one


def part(kind: str, one: Mapping[str, Any]) -> dict[str, Any]:
    """Return a component as a part of hardware."""
    found: dict[str, Any] = {"name": called(kind, one)}
    for key, field in (("manufacturer", "Manufacturer"), ("model", "Model")):
        if text := _text(one, field):
            found[key] = text[:200]
    numbers = {"magnification": "NominalMagnification", "na": "LensNA", "wavelength": "Wavelength"}
    for key, field in numbers.items():
        if number := _number(field_of(one, field)):
            found[key] = number
    if medium := field_of(one, "NominalImmersionMedium"):
        found["immersion"] = str(medium)[:200]
    return found


def called(kind: str, one: Mapping[str, Any]) -> str:
    """Return how a tag names a component: maker and model, with what tells it from others."""
    text = _joined(one) or _text(one, "Name") or kind
    more = {
        "objective": (("NominalMagnification", "{:g}x"), ("LensNA", "NA {:g}")),
        "laser": (("Wavelength", "{:g} nm"),),
    }
    for field, form in more.get(kind, ()):
        number = _number(field_of(one, field))
        if number and f"{number:g}" not in text:
            text += " " + form.format(number)
    medium = field_of(one, "NominalImmersionMedium") if kind == "objective" else None
    if medium and str(medium).lower() not in text.lower():
        text += f" {medium}"
    return text[:200]


def field_of(one: Mapping[str, Any], field: str) -> Any:
    """Return a field by whichever name it goes; None where it is empty."""
    for name in (field, *ALIASES.get(field, ())):
        if one.get(name) not in (None, "", [], {}):
            return one[name]
    return None


def _stand(document: Mapping[str, Any]) -> Mapping[str, Any]:
    stand = document.get("MicroscopeStand")
    return stand if isinstance(stand, dict) else document


def _kind_of(one: Mapping[str, Any]) -> str:
    return _text(one, "Schema_ID").removesuffix(".json")


def _joined(one: Mapping[str, Any]) -> str:
    maker, model = _text(one, "Manufacturer"), _text(one, "Model")
    return model if maker and model.startswith(maker) else " ".join(w for w in (maker, model) if w)


def _text(one: Mapping[str, Any], field: str) -> str:
    value = one.get(field)
    return " ".join(value.split()) if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    """Return a number above 0; the model's own files have numbers as text, too."""
    try:
        number = float(value) if isinstance(value, str | int | float) else 0.0
    except ValueError:
        return None
    return number if 0 < number < 1e6 else None
