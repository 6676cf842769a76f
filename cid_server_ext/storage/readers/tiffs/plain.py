"""What plain TIFF and ImageJ files say of their images, in tags and in a few lines of text."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from ..ome.metadata import ACQUIRED, CONVERTERS
from ..source import Channel, Facts, MachineTag
from ..units import calibration, micrometers, seconds
from ..values import clean, number, text, whole

# No print is finer: a resolution tag below this is a microscope's, above it a printer's default.
FINEST_PRINT = 10.0  # micrometers, 2540 dots per inch


def from_imagej(imagej: dict[str, Any], tags: dict[str, Any]) -> Facts:
    """Return what an ImageJ hyperstack says; `tags` are the TIFF tags of its first page."""
    unit = text(imagej.get("unit"))
    scale, units = calibration(
        micrometers(number(imagej.get("spacing")), text(imagej.get("zunit")) or unit),
        micrometers(pixel(tags.get("YResolution")), text(imagej.get("yunit")) or unit),
        micrometers(pixel(tags.get("XResolution")), unit),
        seconds(number(imagej.get("finterval")), text(imagej.get("tunit")) or "sec"),
    )
    return Facts(scale=scale, units=units, channels=_luts(imagej), tags=_tiff_tags(tags))


def from_tiff(tags: dict[str, Any]) -> Facts:
    """Return what the tags of a plain TIFF say. Resolutions a printer could have are not sizes."""
    unit = {2: "inch", 3: "cm"}.get(whole(tags.get("ResolutionUnit")))
    y = micrometers(pixel(tags.get("YResolution")), unit)
    x = micrometers(pixel(tags.get("XResolution")), unit)
    if not (y and x and y < FINEST_PRINT and x < FINEST_PRINT):
        return Facts(tags=_tiff_tags(tags))
    scale, units = calibration(None, y, x, None)
    return Facts(scale=scale, units=units, tags=_tiff_tags(tags))


def _tiff_tags(tags: dict[str, Any]) -> tuple[MachineTag, ...]:
    found: list[MachineTag] = []
    software = clean(text(tags.get("Software")))
    if software and not software.lower().startswith(CONVERTERS):
        found.append(("Acquisition software", software, None))
    try:
        taken = dt.datetime.strptime(text(tags.get("DateTime"))[:19], "%Y:%m:%d %H:%M:%S")
        found.append((ACQUIRED, taken.isoformat(), None))
    except ValueError:
        pass
    return tuple(found)


def _luts(imagej: dict[str, Any]) -> tuple[Channel, ...]:
    """Return the colours of a composite: each channel's look-up table at its bright end."""
    tables = imagej.get("LUTs") if text(imagej.get("mode")) in {"composite", "color"} else None
    if not isinstance(tables, list):
        return ()
    bright = [np.asarray(table)[:, -1] for table in tables if np.shape(table) == (3, 256)]
    return tuple({"color": "".join(f"{int(part):02X}" for part in colour)} for colour in bright)


def pixel(resolution: Any) -> float | None:
    """Return the size of a pixel from a fraction (pixels, units)."""
    try:
        pixels, units = (float(part) for part in resolution)
    except (TypeError, ValueError):
        return None
    return units / pixels if pixels > 0 and units > 0 else None
