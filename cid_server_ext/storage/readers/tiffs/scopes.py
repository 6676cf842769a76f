"""What programs of light microscopes write into their own TIFFs: FluoView, cellSens, ScanImage."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

import tifffile

from ..described import Described, Lit, positive
from ..source import Facts
from ..units import micrometers, seconds
from ..values import clean, number, text, whole
from .plain import pixel

EPOCH = re.compile(r"^epoch = \[([\d .,]+)\]", re.MULTILINE)  # year month day hour minute second
AXES = {"x": "x", "y": "y", "z": "z", "t": "t", "time": "t"}


def fluoview(tiff: tifffile.TiffFile, axes: str, shape: tuple[int, ...], dtype: Any) -> Facts:
    """Return what a TIFF of Olympus FluoView 300 or 500 says of its axes."""
    told: Mapping[str, Any] = tiff.fluoview_metadata or {}
    made = Described(maker="Olympus", microscope="FluoView", software="FluoView")
    for name, _, _, step, unit in told.get("Dimensions") or ():
        if axis := AXES.get(text(name).strip().lower()):
            made.scale[axis] = (seconds if axis == "t" else micrometers)(number(step), text(unit))
    return made.facts(_axes(axes), shape, dtype)


def sis(tiff: tifffile.TiffFile, axes: str, shape: tuple[int, ...], dtype: Any) -> Facts:
    """Return what a TIFF of Olympus cellSens, analySIS or iTEM says of its pixels."""
    told: Mapping[str, Any] = tiff.sis_metadata or {}
    taken = told.get("datetime")
    made = Described(
        maker="Olympus",
        software=text({tag.name: tag.value for tag in tiff.pages.first.tags}.get("Software")),
        taken=taken if isinstance(taken, dt.datetime) and taken.year > 1970 else None,
        scale={axis: micrometers(number(told.get(f"pixelsize{axis}")), "m") for axis in "xy"},
    )
    made.objective(magnification=told.get("magnification"))
    made.detector(text(told.get("cameraname")))
    return made.facts(_axes(axes), shape, dtype)


def scanimage(tiff: tifffile.TiffFile, axes: str, shape: tuple[int, ...], dtype: Any) -> Facts:
    """Return what a TIFF of ScanImage says; an old one tells no more than its page."""
    told: Mapping[str, Any] = (tiff.scanimage_metadata or {}).get("FrameData") or {}
    page = tiff.pages.first
    tags = {tag.name: tag.value for tag in page.tags}
    unit = {2: "inch", 3: "cm"}.get(whole(tags.get("ResolutionUnit")))
    major, minor = (told.get(f"SI.VERSION_{part}", "") for part in ("MAJOR", "MINOR"))
    made = Described(
        software=f"ScanImage {major}.{minor}".rstrip(". "),
        taken=_epoch(page.description),
        scale={
            axis: micrometers(pixel(tags.get(f"{axis.upper()}Resolution")), unit) for axis in "xy"
        },
    )
    size = dict(zip(_axes(axes), shape, strict=True))
    rate = positive(told.get("SI.hRoiManager.scanFrameRate"))
    if rate and size.get("z", 1) == 1:
        made.scale["t"] = 1 / rate
    made.scale["z"] = micrometers(number(told.get("SI.hStackManager.stackZStepSize")), "um")
    names, saved = told.get("SI.hChannels.channelName"), told.get("SI.hChannels.channelSave")
    if isinstance(names, list) and isinstance(saved, list):
        made.channels = [
            Lit(name=clean(str(names[at - 1]), 120))
            for at in map(whole, saved)
            if 0 < at <= len(names)
        ]
    made.notes["scanimage"] = {
        key: value for key, value in told.items() if isinstance(value, str | int | float)
    }
    return made.facts(_axes(axes), shape, dtype)


def _epoch(description: str) -> dt.datetime | None:
    found = EPOCH.search(description)
    try:
        parts = [float(part) for part in found[1].replace(",", " ").split()] if found else []
        return dt.datetime(*map(int, parts[:6])) if len(parts) == 6 else None  # type: ignore[arg-type]
    except ValueError:
        return None


def _axes(axes: str) -> str:
    """The axes as OME names them; others are told of no more than their length."""
    return axes.lower().replace("s", "c")
