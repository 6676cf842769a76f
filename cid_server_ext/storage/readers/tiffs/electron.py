"""What electron microscopes write into their TIFFs: Zeiss (SmartSEM, Atlas) and FEI, Thermo."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import tifffile

from ..described import Described
from ..source import Facts
from ..units import micrometers
from ..values import number, text

FEI_NOTES = ("Beam", "EBeam", "Scan", "Stage", "Vacuum")


def zeiss(tiff: tifffile.TiffFile, axes: str, shape: tuple[int, ...], dtype: Any) -> Facts:
    """Return what a TIFF of a Zeiss electron microscope says: {"ap_mag": ("Mag", 5.0, "K X")}."""
    told: Mapping[str, Any] = tiff.sem_metadata or {}
    said = {key: list(value[1:]) for key, value in told.items() if key and len(value) > 1}

    def word(*keys: str) -> str:
        return next((" ".join(map(str, said[key])) for key in keys if key in said), "")

    size, unit = (*said.get("ap_image_pixel_size", said.get("ap_pixel_size", ())), None, None)[:2]
    side = micrometers(number(size), text(unit))
    made = Described(
        maker="Zeiss",
        microscope=word("dp_sem", "sv_instrument") or "SEM",
        serial=word("sv_serial_number"),
        software=word("sv_version"),
        user=word("sv_user_name"),
        taken=_date(f"{word('ap_date')} {word('ap_time')}", "%d %b %Y %H:%M:%S"),
        scale={"x": side, "y": side},
    )
    made.detector(word("dp_detector_channel", "dp_detector_type"))
    made.notes["zeiss.sem"] = {key: word(key) for key in said}
    return made.facts(axes.lower().replace("s", "c"), shape, dtype)


def fei(tiff: tifffile.TiffFile, axes: str, shape: tuple[int, ...], dtype: Any) -> Facts:
    """Return what a TIFF of a FEI or Thermo electron microscope says, section by section."""
    told: Mapping[str, Any] = tiff.fei_metadata or {}
    parts = {key: part for key, part in told.items() if isinstance(part, Mapping)}

    def word(part: str, key: str) -> Any:
        return parts.get(part, {}).get(key)

    date = f"{word('User', 'Date')} {word('User', 'Time')}"
    made = Described(
        maker="FEI",
        microscope=f"{word('System', 'SystemType') or word('System', 'Type') or 'SEM'}",
        serial=str(word("System", "Dnumber") or ""),
        software=str(word("System", "Software") or ""),
        user=str(word("User", "User") or ""),
        taken=_date(date, "%m/%d/%Y %I:%M:%S %p") or _date(date, "%m/%d/%Y %H:%M:%S"),
        scale={
            axis: micrometers(number(word("Scan", f"Pixel{side}")), "m")
            for axis, side in (("x", "Width"), ("y", "Height"))
        },
    )
    made.detector(str(word("Detectors", "Name") or ""))
    made.notes["fei"] = {
        f"{part} {key}": value for part in FEI_NOTES for key, value in parts.get(part, {}).items()
    }
    return made.facts(axes.lower().replace("s", "c"), shape, dtype)


def _date(date: str, pattern: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(date.strip(), pattern)
    except ValueError:
        return None
