"""What the XML of a CZI says of one of its images."""

from __future__ import annotations

import datetime as dt
from typing import Any
from xml.etree.ElementTree import Element

from ..described import Described, Lit, rgb
from ..xmltext import flat, number

NAMESPACE = "zeiss.com/czi/Information"
RGB = (("Red", "FF0000"), ("Green", "00FF00"), ("Blue", "0000FF"))
LIGHTS = {"Laser": "laser", "LightEmittingDiode": "led", "Arc": "arc", "ArcLamp": "arc"} | {
    "Filament": "filament",
    "Halogen": "filament",
}


def describe(
    root: Element | None, scene: str, at: int, waves: list[int], samples: int
) -> Described:
    """Return what is told of scene number `at` and its channels `waves` (with colour samples?)."""
    told = Described(name=scene, maker="Carl Zeiss")
    metadata = root.find("./Metadata") if root is not None else None
    information = metadata.find("./Information") if metadata is not None else None
    if metadata is None or information is None:
        told.channels = _coloured([Lit() for _ in waves], samples)
        return told
    image = information.find("./Image")
    image = image if image is not None else Element("Image")
    instrument = information.find("./Instrument")
    instrument = instrument if instrument is not None else Element("Instrument")
    told.name = _scene_name(image, at) or scene
    told.software = " ".join(_texts(information, "Application/Name", "Application/Version"))
    told.user = _text(information, "Document/UserName", "User/DisplayName")
    told.taken = _date(_text(image, "AcquisitionDateAndTime")) or _date(
        _text(information, "Document/CreationDate")
    )
    told.scale = _scale(metadata, image)
    told.notes[NAMESPACE] = flat(information)
    scope = _referred(instrument, "Microscopes/Microscope", _id(image, "MicroscopeRef"))
    if scope is not None:
        told.microscope = _text(scope, "System", "Manufacturer/Model") or scope.get("Name", "")
    _objective(told, instrument, image)
    told.channels = _coloured(_channels(told, metadata, image, instrument, waves), samples)
    return told


def _channels(
    told: Described, metadata: Element, image: Element, instrument: Element, waves: list[int]
) -> list[Lit]:
    given = image.findall("./Dimensions/Channels/Channel")
    shown = {one.get("Id"): one for one in metadata.findall("./DisplaySetting/Channels/Channel")}
    if len(given) <= max(waves):
        return [Lit() for _ in waves]
    return [
        _channel(told, given[wave], shown.get(given[wave].get("Id")), instrument) for wave in waves
    ]


def _channel(told: Described, node: Element, shown: Element | None, instrument: Element) -> Lit:
    display = shown if shown is not None else Element("Channel")
    fluor = _text(node, "Fluor") or _text(display, "DyeName")
    settings = node.find("./LightSourcesSettings/LightSourceSettings")
    light = wave = ""
    if settings is not None:
        lamp = _referred(instrument, "LightSources/LightSource", _id(settings, "LightSource"))
        wave = _text(settings, "Wavelength")
        light = _light(told, lamp, wave) if lamp is not None else ""
    detector = _referred(instrument, "Detectors/Detector", _id(node, "DetectorSettings/Detector"))
    return Lit(
        name=node.get("Name", "") or _text(display, "ShortName") or fluor,
        color=rgb(_text(node, "Color") or _text(display, "Color")),
        excitation=number(_text(node, "ExcitationWavelength")),
        emission=number(_text(node, "EmissionWavelength")),
        fluor=fluor,
        light=light,
        detector="" if detector is None else _detector(told, detector),
        filters=_filters(told, node, instrument),
        contrast=_text(node, "ContrastMethod"),
        mode=_text(node, "AcquisitionMode"),
    )


def _light(told: Described, lamp: Element, wave: str) -> str:
    kind = next(iter(lamp.findall("./LightSourceType/*")), None)
    word = "" if kind is None else LIGHTS.get(kind.tag, "")
    name = _text(lamp, "Manufacturer/Model") or lamp.get("Name", "").strip()
    told_wave = "" if kind is None else _text(kind, "Wavelength")
    maker = _text(lamp, "Manufacturer/Manufacturer")
    return told.light(word, name, wavelength=number(told_wave or wave), maker=maker)


def _detector(told: Described, node: Element) -> str:
    kind = _text(node, "Type")
    name = _text(node, "Manufacturer/Model") or node.get("Name", "") or kind
    return told.detector(name, kind=kind, maker=_text(node, "Manufacturer/Manufacturer"))


def _filters(told: Described, node: Element, instrument: Element) -> tuple[str, ...]:
    group = None
    for place in ("FilterSetRef", "FilterSet"):
        group = group or _id(node, place)
    chosen = _referred(instrument, "FilterSets/FilterSet", group) if group else None
    if chosen is None:
        return ()
    found = []
    for reference in chosen.iter():
        if not reference.tag.endswith("FilterRef"):
            continue
        part = _referred(instrument, "Filters/Filter", reference.get("Id"))
        if part is not None:
            name = _text(part, "Manufacturer/Model") or part.get("Name", "")
            low, high = (_text(part, f"TransmittanceRange/{cut}") for cut in ("CutIn", "CutOut"))
            made = told.filter(name, low=number(low), high=number(high))
            if made and reference.tag == "EmissionFilterRef":
                found.append(made)
    return tuple(dict.fromkeys(found))


def _objective(told: Described, instrument: Element, image: Element) -> None:
    lens = _referred(
        instrument, "Objectives/Objective", _id(image, "ObjectiveSettings/ObjectiveRef")
    )
    told.refraction = number(_text(image, "ObjectiveSettings/RefractiveIndex"))
    if lens is not None:
        told.objective(
            _text(lens, "Manufacturer/Model") or lens.get("Name", ""),
            magnification=_text(lens, "NominalMagnification"),
            aperture=_text(lens, "LensNA"),
            immersion=_text(lens, "Immersion") or _text(image, "ObjectiveSettings/Medium"),
            working=_text(lens, "WorkingDistance"),
        )


def _scale(metadata: Element, image: Element) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for item in metadata.findall("./Scaling/Items/Distance"):
        meters = number(_text(item, "Value"))
        axis = item.get("Id", "").lower()
        if meters and axis in {"x", "y", "z"}:
            found[axis] = float(f"{meters * 1e6:.12g}")
    times = [number(word) for word in _text(image, "Dimensions/T/Positions/List/Offsets").split()]
    known = [time for time in times if time is not None]
    found["t"] = number(_text(image, "Dimensions/T/Positions/Interval/Increment"))
    if len(known) > 1 and not found["t"]:
        found["t"] = float(f"{(known[-1] - known[0]) / (len(known) - 1):.9g}")
    return found


def _scene_name(image: Element, at: int) -> str:
    scenes = image.findall("./Dimensions/S/Scenes/Scene")
    return scenes[at].get("Name", "") if at < len(scenes) else ""


def _coloured(lit: list[Lit], samples: int) -> list[Lit]:
    if samples == 1:
        return lit
    return [
        Lit(**{**vars(one), "name": f"{one.name} {name}".strip(), "color": color})
        for one in lit
        for name, color in RGB
    ]


def _date(text: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.year > 1990 else None


def _text(node: Element, *places: str) -> str:
    return next(iter(_texts(node, *places)), "")


def _texts(node: Element, *places: str) -> list[str]:
    found = [(node.findtext(place) or "").strip() for place in places]
    return [text for text in found if text]


def _id(node: Element, place: str) -> str | None:
    found = node.find(place)
    return None if found is None else found.get("Id")


def _referred(instrument: Element, place: str, name: str | None) -> Any:
    """Return the part that is referred to; without a reference the only one there is."""
    parts = instrument.findall(place)
    if name is None:
        return parts[0] if len(parts) == 1 else None
    return next((part for part in parts if part.get("Id") == name), None)
