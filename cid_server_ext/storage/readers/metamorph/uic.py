"""What MetaMorph and MetaXpress write beside the pixels of a TIFF or STK."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import tifffile

from ....errors import BadFile
from .. import xmltext
from ..described import Described, Lit, positive
from ..source import Facts
from ..units import micrometers
from ..values import clean, whole

NAMESPACE = "metamorph"
MAGNIFICATION = re.compile(r"(\d+(?:\.\d+)?)\s*x", re.IGNORECASE)
UNITS = {"u": "um", "micron": "um", "microns": "um", "mm": "mm", "nm": "nm"}


class Told:
    """The properties of one plane: those of its XML or text, and those of the UIC tags."""

    def __init__(self, tiff: tifffile.TiffFile) -> None:
        stack = tiff.stk_metadata if tiff.is_stk else None
        self.stack: Mapping[str, Any] = stack or {}
        descriptions = self.stack.get("PlaneDescriptions") or [tiff.pages.first.description]
        self.plane = properties(str(descriptions[0]))

    def get(self, *keys: str) -> str:
        """Return the first property that is told."""
        return next((self.plane[key] for key in keys if self.plane.get(key)), "")

    @property
    def channel(self) -> str:
        """The illumination setting, which names the channel."""
        return clean(self.get("_IllumSetting_"), 120)

    @property
    def taken(self) -> dt.datetime | None:
        """When the first plane was taken."""
        found = date(self.get("acquisition-time-local"))
        created = self.stack.get("DatetimeCreated")
        if found is None and created is not None and len(created):
            told = np.datetime64(created[0], "us").astype(dt.datetime)
            found = told if isinstance(told, dt.datetime) and told.year > 1970 else None
        return found

    @property
    def scale(self) -> dict[str, float | None]:
        """The size of a pixel in micrometers, where the plane is calibrated."""
        if self.get("spatial-calibration-state").lower() in {"on", "true", "1"}:
            unit = self.get("spatial-calibration-units")
            return {
                axis: micrometers(xmltext.number(self.get(f"spatial-calibration-{axis}")), unit)
                for axis in "xy"
            }
        unit = str(self.stack.get("CalibrationUnits", "")).strip("\0 ").lower()
        calibrated = whole(self.stack.get("SpatialCalibration"))
        found: dict[str, float | None] = {"z": self._step()}
        for axis in "xy":
            size = self.stack.get(f"{axis.upper()}Calibration")
            found[axis] = micrometers(size, UNITS.get(unit, unit)) if calibrated else None
        return found

    @property
    def interval(self) -> float | None:
        """The mean time between the planes of a STK, in seconds."""
        created = np.asarray(self.stack.get("DatetimeCreated", ()))
        if len(created) < 2 or created.dtype.kind != "M":
            return None
        lasted = float((created[-1] - created[0]) / np.timedelta64(1, "s"))
        return positive(lasted / (len(created) - 1))

    def _step(self) -> float | None:
        told = np.asarray(self.stack.get("ZDistance", ()), float)
        if len(told) < 2 or not np.isfinite(told).all():
            return None
        steps = told if np.allclose(told, told[0]) and told[0] else np.diff(told)
        return abs(float(steps[0])) or None if np.allclose(steps, steps[0]) else None

    def describe(self) -> Described:
        """Return what is told of the instrument and of the date."""
        made = Described(software=self._software(), taken=self.taken, scale=self.scale)
        if any(key.startswith("ImageXpress Micro") for key in self.plane):
            made.maker, made.microscope = "Molecular Devices", "ImageXpress Micro"
            made.serial = self.get("Instrument Serial Number")
        name = self.get("_MagSetting_", "ImageXpress Micro Objective")
        power = MAGNIFICATION.search(name)
        made.objective(name, magnification=power and power[1], aperture=self.get("_MagNA_"))
        made.refraction = xmltext.number(self.get("_MagRI_"))
        made.detector(self.get("Acquired from", "camera", "Camera"))
        for key, value in self.plane.items():
            if key.endswith(("Emission Wheel", "Dichroic Wheel", "Filter Cube")):
                made.filter(f"{key}: {value}")
            elif key.endswith(" Shutter") and value == "Open":
                made.light("other", key.removesuffix(" Shutter"))
        made.notes[NAMESPACE] = {
            key: value for key, value in self.plane.items() if key != "Description"
        }
        return made

    def _software(self) -> str:
        return self.get("Software Version") or " ".join(
            filter(None, [self.get("ApplicationName"), self.get("ApplicationVersion")])
        )


def is_plane(tiff: tifffile.TiffFile) -> bool:
    """Say whether MetaMorph or MetaXpress wrote what it knows of the plane into a TIFF."""
    return bool(tiff.pages.first.description.lstrip().startswith("<MetaData>"))


def properties(description: str) -> dict[str, str]:
    """Return the properties in the description of a plane: XML, or lines of "Key: value"."""
    found: dict[str, str] = {}
    text = description.strip("\0 \r\n\t")
    if text.startswith("<MetaData"):
        try:
            root = xmltext.parse(text, "MetaMorph XML")
        except BadFile:
            return {}
        for element in root.iter():
            key, value = element.get("id"), element.get("value")
            if key and value is not None:
                found[key] = value
        text = found.get("Description", "")
    for line in text.splitlines()[:500]:
        key, colon, value = line.partition(":")
        if not colon:
            key, middle, value = line.partition(" from ")
            key = f"{key}{middle}".rstrip()
        if value.strip() and len(key) < 100:
            found.setdefault(key.strip(), value.strip())
    return found


def date(text: str) -> dt.datetime | None:
    """Return a date as MetaMorph writes it, "20240417 14:03:21.125"."""
    for pattern in ("%Y%m%d %H:%M:%S.%f", "%Y%m%d %H:%M:%S"):
        try:
            return dt.datetime.strptime(text.strip(), pattern)
        except ValueError:
            continue
    return None


def facts_of(tiff: tifffile.TiffFile, axes: str, shape: tuple[int, ...], dtype: Any) -> Facts:
    """Return what a TIFF or STK that stands alone says of its pixels."""
    told = Told(tiff)
    made = told.describe()
    made.name = clean(str(told.stack.get("Name", "")), 255)
    if "T" in axes:
        made.scale["t"] = told.interval
    if told.channel and "C" not in axes:
        made.channels = [Lit(name=told.channel)]
    return made.facts(axes.lower(), shape, dtype)
