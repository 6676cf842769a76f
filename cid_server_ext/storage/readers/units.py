"""Lengths in micrometers and times in seconds; a unit that is no length or time is unknown."""

from __future__ import annotations

import math

_MICROMETERS = {
    "pm": 1e-6,
    "picometer": 1e-6,
    "a": 1e-4,
    "å": 1e-4,
    "angstrom": 1e-4,
    "nm": 1e-3,
    "nanometer": 1e-3,
    "µm": 1.0,
    "um": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "mm": 1e3,
    "millimeter": 1e3,
    "cm": 1e4,
    "centimeter": 1e4,
    "m": 1e6,
    "meter": 1e6,
    "in": 25400.0,
    "inch": 25400.0,
    "thou": 25.4,
}
_SECONDS = {
    "ns": 1e-9,
    "nanosecond": 1e-9,
    "µs": 1e-6,
    "us": 1e-6,
    "microsecond": 1e-6,
    "ms": 1e-3,
    "msec": 1e-3,
    "millisecond": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
}


def micrometers(value: object, unit: str | None) -> float | None:
    """Return a length in micrometers; None when it is no positive length in a known unit."""
    return _convert(value, unit, _MICROMETERS)


def seconds(value: object, unit: str | None) -> float | None:
    """Return a duration in seconds; None when it is no positive duration in a known unit."""
    return _convert(value, unit, _SECONDS)


def calibration(
    z: object, y: object, x: object, t: object
) -> tuple[dict[str, float], dict[str, str]]:
    """Return (scale, units) of the axes whose value is known: micrometers for z y x, seconds t."""
    found = {"t": t, "z": z, "y": y, "x": x}
    scale = {axis: float(value) for axis, value in found.items() if isinstance(value, float)}
    return scale, {axis: "second" if axis == "t" else "micrometer" for axis in scale}


def _convert(value: object, unit: str | None, known: dict[str, float]) -> float | None:
    if not isinstance(value, int | float) or unit is None:
        return None
    name = unit.strip().replace("\\u00B5", "µ").replace("μ", "µ").replace("metre", "meter")
    factor = known.get(name.lower())
    if factor is None or not math.isfinite(value) or value <= 0:
        return None
    # 499 nm is 0.499 µm, not 0.49900000000000005: keep the digits that the file gave
    found = float(f"{value * factor:.12g}") if factor != 1 else float(value)
    return found if 0 < found < math.inf else None
