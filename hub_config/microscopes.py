"""The demo's register: two microscopes that do not exist, with a year of quality control.

The simulated nuclei say by their settings that they were taken with one of them.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

WIDEFIELD, CONFOCAL = "Demo widefield", "Demo confocal"
STEP = 60  # days between two sessions of quality control

# a Microscope.JSON of the Micro-Meta App
MICROSCOPE: dict[str, Any] = {
    "Name": WIDEFIELD,
    "Schema_ID": "Instrument.json",
    "ID": "demo-widefield",
    "MicroscopeStand": {
        "Schema_ID": "InvertedMicroscopeStand.json",
        "Name": "Stand",
        "Manufacturer": "Acme",
        "Model": "Inverted 7",
    },
    "components": [
        {
            "Schema_ID": "Objective.json",
            "ID": "objective-60",
            "Name": "60x oil",
            "Manufacturer": "Acme",
            "Model": "Plan-Apo",
            "NominalMagnification": 60,
            "LensNA": 1.4,
            "Correction": "Plan apochromat",
            "NominalImmersionMedium": "Oil",
        },
        {
            "Schema_ID": "Objective.json",
            "ID": "objective-20",
            "Name": "20x air",
            "Manufacturer": "Acme",
            "Model": "Plan-Fluor",
            "NominalMagnification": 20,
            "LensNA": 0.75,
            "Correction": "Plan fluorite",
            "NominalImmersionMedium": "Air",
        },
        {
            "Schema_ID": "LightEmittingDiode.json",
            "ID": "lamp",
            "Name": "Lamp",
            "Manufacturer": "Lux",
            "Model": "Four colours",
        },
        {
            "Schema_ID": "FilterCube.json",
            "ID": "cube",
            "Name": "Quad cube",
            "Manufacturer": "Chromatic",
            "Model": "Quad 1",
        },
        {
            "Schema_ID": "CMOS.json",
            "ID": "camera",
            "Name": "Camera",
            "Manufacturer": "Acme",
            "Model": "Flash 4",
        },
    ],
}
# what the nuclei were "taken" with: a Settings.JSON of the same app
SETTINGS: dict[str, Any] = {
    "Name": "nuclei",
    "Schema_ID": "Image.json",
    "InstrumentName": WIDEFIELD,
    "ObjectiveSettings": {"Component_ID": "objective-60"},
    "Channels": [
        {
            "Name": name,
            "LightPath": {
                "ComponentSettings": {
                    "EmissionFilter": {"Component_ID": "cube"},
                    "Detector": {"Component_ID": "camera"},
                }
            },
        }
        for name in ("DAPI", "GFP")
    ],
}
HARDWARE: dict[str, Any] = {
    "microscope": "Acme Confocal 9",
    "software": ["AcmeCapture 3.1"],
    "objectives": [
        {"name": "Plan-Apo 63x/1.4 Oil", "magnification": 63, "na": 1.4, "immersion": "Oil"},
        {"name": "Plan-Apo 10x/0.45", "magnification": 10, "na": 0.45},
    ],
    "lasers": [
        {"name": "Argon 488 nm", "wavelength": 488},
        {"name": "DPSS 561 nm", "wavelength": 561},
    ],
    "filters": ["none"],
    "detectors": ["GaAsP tube"],
}
NEWER = HARDWARE | {"detectors": ["GaAsP tube 2", "Transmission tube"]}


def register(staff: Any) -> None:
    """Register the microscopes and what was measured of them, where they are not there yet."""
    known = {one.name for one in staff.instruments}
    today = dt.datetime.now(dt.UTC).replace(microsecond=0)
    if WIDEFIELD not in known:
        scope = staff.instruments.add(WIDEFIELD, room="C 3")
        scope.update(MICROSCOPE, valid_from=_before(today, 700), why="as installed")
        power = {"unit": "mW", "place": "470 nm", "low": 3, "every": 120}
        _series(scope, "Power", [4.6, 4.4, 4.3], _before(today, 150), **power)
    if CONFOCAL not in known:
        scope = staff.instruments.add(CONFOCAL, serial="2502-77", room="B 12", names=["Demo LSM"])
        scope.update(HARDWARE, valid_from=_before(today, 700), why="as installed")
        scope.update(NEWER, valid_from=_before(today, 200), why="the first tube died")
        last = _before(today, 10)
        width = {"unit": "nm", "place": "63x", "high": 260, "every": 120}
        _series(scope, "Lateral FWHM", [228, 231, 229, 235, 233, 248, 267], last, **width)
        light = {"unit": "mW", "place": "488 nm", "low": 2.4, "every": 120}
        _series(scope, "Power", [2.6, 2.55, 2.5, 2.45, 2.61, 2.6, 2.57], last, **light)
        flat = {"place": "10x", "low": 0.8, "every": 120}
        _series(scope, "Field uniformity", [0.93, 0.92, 0.91, 0.92, 0.9, 0.91, 0.9], last, **flat)


def say_taken(image: Any, folder: Path) -> None:
    """Apply the settings to an image, unless its microscope is known; `folder` keeps the file."""
    if image.instrument is None:
        path = folder / "nuclei.settings.json"
        path.write_text(json.dumps(SETTINGS, indent=1), encoding="utf-8")
        image.apply_settings(path)


def _series(scope: Any, metric: str, values: list[float], last: dt.datetime, **told: Any) -> None:
    """Record numbers that were measured every so often until `last`."""
    for age, value in enumerate(reversed(values)):
        scope.measured({metric: value}, at=_before(last, age * STEP), **told)


def _before(moment: dt.datetime, days: int) -> dt.datetime:
    return moment - dt.timedelta(days=days)
