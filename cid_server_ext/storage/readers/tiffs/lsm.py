"""What a Zeiss LSM says of its pixels: optics, and the bands of a lambda scan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import numpy as np
import tifffile

from ..described import Described, Lit, positive
from ..source import Facts
from ..values import clean, text

SPECTRAL = 2  # numbers of a band: where it begins and ends, in meters
DAY_0 = dt.datetime(1899, 12, 30)


def facts_of(tiff: tifffile.TiffFile, axes: str, shape: tuple[int, ...], dtype: Any) -> Facts:
    """Return what an LSM says of its pixels."""
    told: dict[str, Any] = tiff.lsm_metadata or {}
    scan: dict[str, Any] = told.get("ScanInformation") or {}
    made = Described(
        name=clean(text(scan.get("Name")), 255),
        maker="Zeiss",
        microscope="LSM",
        user=text(scan.get("User")),
        taken=_date(scan.get("Sample0time")),
        scale={axis: _micrometers(told.get(f"VoxelSize{axis.upper()}")) for axis in "xyz"},
    )
    made.scale["t"] = _interval(told)
    lens = text(scan.get("Objective"))
    made.objective(
        lens,
        magnification=_before(lens, "x"),
        aperture=_after(lens, "/"),
        immersion=lens.partition("/")[2].partition(" ")[2].partition(" ")[0],
    )
    for laser in _used(scan.get("Lasers")):
        made.light("laser", text(laser.get("Name")))
    for track in _used(scan.get("Tracks")):
        _optics(made, track)
    made.channels = list(_channels(told, axes, shape))
    made.notes["zeiss.lsm"] = {
        key: value for key, value in scan.items() if isinstance(value, str | int | float)
    }
    return made.facts(axes.lower(), shape, dtype)


def _optics(made: Described, track: dict[str, Any]) -> None:
    for splitter in track.get("BeamSplitters") or []:
        name = text(splitter.get("Filter"))
        if name and not name.startswith("None"):
            made.filter(name)
    for channel in _used(track.get("DetectionChannels")):
        made.detector(text(channel.get("PointDetectorName")) or text(channel.get("ChannelName")))
        name = text(channel.get("FilterName"))
        if name and not name.startswith("None"):
            made.filter(name)


def _channels(told: dict[str, Any], axes: str, shape: tuple[int, ...]) -> Iterator[Lit]:
    colours = told.get("ChannelColors") or {}
    names = colours.get("ColorNames") or []
    codes = colours.get("Colors") or []
    bands = np.asarray(told.get("ChannelWavelength", ()), float)
    count = shape[axes.index("C")] if "C" in axes else 1
    for at in range(count):
        one = Lit(name=clean(str(names[at]), 120) if at < len(names) else "")
        if at < len(codes) and tuple(codes[at][:3]) != (255, 255, 255):
            one.color = "".join(f"{int(part) & 255:02X}" for part in codes[at][:3])
        if bands.shape == (count, SPECTRAL) and (bands[at] > 0).all():
            one.emission = round(float(bands[at].mean()) * 1e9, 1)
        yield one


def _used(items: Any) -> Iterator[dict[str, Any]]:
    """Yield the parts that took part in the acquisition."""
    for item in items or []:
        if isinstance(item, dict) and item.get("Acquire", 1):
            yield item


def _interval(told: dict[str, Any]) -> float | None:
    times = np.asarray(told.get("TimeStamps", ()), float)
    if len(times) > 1:
        return positive((times[-1] - times[0]) / (len(times) - 1))
    return positive(told.get("TimeIntervall"))


def _micrometers(meters: Any) -> float | None:
    found = positive(meters)
    return float(f"{found * 1e6:.12g}") if found and found > 1e-12 else None


def _date(days: Any) -> dt.datetime | None:
    found = positive(days)
    if not found or found > 100_000:
        return None
    return (DAY_0 + dt.timedelta(days=found)).replace(microsecond=0)


def _before(lens: str, sign: str) -> str | None:
    """Return the number before a sign, 63 of "Plan-Apochromat 63x/1.4 Oil"."""
    words = lens.partition(f"{sign}/")[0].split()
    return words[-1] if words else None


def _after(lens: str, sign: str) -> str | None:
    words = lens.partition(sign)[2].split()
    return words[0] if words else None
