"""What a microscope is made of, in the one form that tags are filled from.

{"microscope": text, "software": [part], "objectives": [part], "lasers": [part], "filters": [part],
"detectors": [part]}; a part is {"name", ...}, or its name alone. An objective has `magnification`
and may have `na` and `immersion`, a laser `wavelength` in nm. "none" as the only part says that
there is none: no reason is left to ask.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ...errors import BadInput
from . import typed

# what of the hardware fills which machine tag
TAGS = {
    "Acquisition software": "software",
    "Objective": "objectives",
    "Lasers": "lasers",
    "Filters": "filters",
    "Tube/Detector": "detectors",
}
WORDS = {
    "software": "programs",
    "objectives": "objectives",
    "lasers": "lasers",
    "filters": "filters",
    "detectors": "detectors",
}
MOST = 200  # parts of a kind
_TEXTS = ("manufacturer", "model", "serial", "immersion", "type")
_NUMBERS = ("magnification", "na", "wavelength")

Part = dict[str, Any]


def check(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return hardware in the form that is kept, or raise BadInput that names the field."""
    known = {"microscope", *TAGS.values()}
    for key in told:
        if key not in known:
            raise BadInput(f"hardware.{key[:40]}: one of {', '.join(sorted(known))}")
    found: dict[str, Any] = {}
    if told.get("microscope"):
        found["microscope"] = _text(told["microscope"], "hardware.microscope:")
    for kind in TAGS.values():
        if kind in told:
            found[kind] = _parts(told[kind], f"hardware.{kind}")
    return found


def shown(part: Mapping[str, Any]) -> str:
    """Return a part as a tag says it."""
    return str(part["name"])


def parts(hardware: Mapping[str, Any], kind: str) -> list[Part]:
    """Return the parts of a kind."""
    return list(hardware.get(kind, []))


def _parts(told: Any, what: str) -> list[Part]:
    if not isinstance(told, list) or len(told) > MOST:
        raise BadInput(f"{what}: a list of at most {MOST} parts")
    return [_part(one, f"{what}[{at}]") for at, one in enumerate(told)]


def _part(told: Any, what: str) -> Part:
    if isinstance(told, str):
        return {"name": _text(told, f"{what}:")}
    if not isinstance(told, dict):
        raise BadInput(f"{what}: a name, or {{name, ...}}")
    for key in told:
        if key not in ("name", *_TEXTS, *_NUMBERS):
            allowed = ", ".join(("name", *_TEXTS, *_NUMBERS))
            raise BadInput(f"{what}.{str(key)[:40]}: one of {allowed}")
    if "name" not in told:
        raise BadInput(f"{what}.name: how is it called?")
    found: Part = {"name": _text(told["name"], f"{what}.name:")}
    for key in _TEXTS:
        if told.get(key):
            found[key] = _text(told[key], f"{what}.{key}:")
    for key in _NUMBERS:
        if told.get(key) is not None:
            found[key] = _number(told[key], f"{what}.{key}")
    return found


def _text(told: Any, what: str) -> str:
    if not isinstance(told, str):
        raise BadInput(f"{what} a text")
    return typed.clean(told, what, 200)


def _number(told: Any, what: str) -> float:
    real = isinstance(told, int | float) and not isinstance(told, bool)
    if not real or not math.isfinite(told) or not 0 < told < 1e6:
        raise BadInput(f"{what}: a number above 0")
    return float(told)
