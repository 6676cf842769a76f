"""Hardware out of OME XML: the Instrument that a microscope's program or a facility wrote down."""

from __future__ import annotations

import xml.parsers.expat
from collections.abc import Mapping
from typing import Any

from ...errors import BadInput

LARGEST = 1 << 20  # characters
MOST = 2000  # elements of an instrument

# element -> (kind of hardware, what of it is a number)
PARTS: dict[str, tuple[str, dict[str, str]]] = {
    "Objective": ("objectives", {"magnification": "NominalMagnification", "na": "LensNA"}),
    "Laser": ("lasers", {"wavelength": "Wavelength"}),
    "FilterSet": ("filters", {}),
    "Filter": ("filters", {}),
    "Dichroic": ("filters", {}),
    "Detector": ("detectors", {}),
}
FORMS = {"magnification": "{:g}x", "na": "NA {:g}", "wavelength": "{:g} nm"}


def hardware(text: str) -> dict[str, Any]:
    """Return hardware (see `hardware.check`) of the only Instrument in OME XML, or BadInput.

    Declarations of a DTD or entities are refused: they could read files or grow without end.
    """
    if len(text) > LARGEST:
        raise BadInput(f"document.xml: at most {LARGEST} characters; the Instrument is enough")
    reader = _Reader()
    parser = xml.parsers.expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = reader.refuse
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    try:
        parser.Parse(text, True)
    except xml.parsers.expat.ExpatError as error:
        raise BadInput(f"document.xml: no XML: {error}") from None
    if reader.instruments != 1:
        raise BadInput(f"document.xml: one Instrument is needed, here are {reader.instruments}")
    return reader.found


class _Reader:
    def __init__(self) -> None:
        self.found: dict[str, Any] = {}
        self.instruments = 0
        self.inside = False
        self.elements = 0

    def refuse(self, *_: object) -> None:
        raise BadInput("document.xml: without a DTD and entities")

    def start(self, tag: str, told: Mapping[str, str]) -> None:
        name = tag.rpartition(" ")[2]
        if name == "Instrument":
            self.instruments += 1
            self.inside = True
        if not self.inside:
            return
        self.elements += 1
        if self.elements > MOST:
            raise BadInput(f"document.xml: more than {MOST} elements in an Instrument")
        if name == "Microscope":
            self.found["microscope"] = _joined(told) or "microscope"
        elif name in PARTS:
            kind, numbers = PARTS[name]
            self.found.setdefault(kind, []).append(_part(name, told, numbers))

    def end(self, tag: str) -> None:
        if tag.rpartition(" ")[2] == "Instrument":
            self.inside = False


def _part(name: str, told: Mapping[str, str], numbers: Mapping[str, str]) -> dict[str, Any]:
    text = _joined(told)
    part: dict[str, Any] = {}
    for key, attribute in numbers.items():
        number = _number(told.get(attribute, ""))
        if number is not None:
            part[key] = number
            if f"{number:g}" not in text:
                text = f"{text} {FORMS[key].format(number)}".strip()
    if told.get("Immersion") and name == "Objective":
        part["immersion"] = told["Immersion"][:200]
    for key in ("Manufacturer", "Model"):
        if told.get(key, "").strip():
            part[key.lower()] = told[key][:200]
    return part | {"name": (text or told.get("ID") or name)[:200]}


def _joined(told: Mapping[str, str]) -> str:
    return " ".join(" ".join(told.get(k, "").split()) for k in ("Manufacturer", "Model")).strip()


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 < number < 1e6 else None
