"""What slide scanners say of a slide. Labels, bar codes and titles name patients: never taken."""

from __future__ import annotations

import datetime as dt
from typing import Any

import tifffile

from ..described import Described, Lit
from ..source import Facts
from ..units import micrometers
from ..values import text, whole
from .plain import pixel

# What is kept of an Aperio description; the rest can name the patient, the file or the person.
APERIO = ("AppMag", "MPP", "ScanScope ID", "StripeWidth", "Exposure Time", "Exposure Scale")


def aperio(tiff: tifffile.TiffFile, axes: str, shape: tuple[int, ...], dtype: Any) -> Facts:
    """Return what an Aperio SVS says of its pixels."""
    told = tifffile.tifffile.svs_description_metadata(tiff.pages.first.description)
    size = micrometers(_number(told.get("MPP")), "um")
    made = Described(
        maker="Aperio",
        microscope=str(told.get("ScanScope ID", "")),
        software=str(told.get("Header", "")).partition("\n")[0].strip(),
        taken=_american(f"{told.get('Date', '')} {told.get('Time', '')}"),
        scale={"x": size, "y": size},
    )
    made.objective(magnification=told.get("AppMag"))
    made.notes["aperio.svs"] = {key: told[key] for key in APERIO if key in told}
    return made.facts(_axes(axes), shape, dtype)


def hamamatsu(tiff: tifffile.TiffFile, axes: str, shape: tuple[int, ...], dtype: Any) -> Facts:
    """Return what a Hamamatsu NDPI says of its pixels."""
    page = tiff.pages.first
    told = {tag.name: tag.value for tag in page.tags}
    more: dict[str, Any] = getattr(page, "ndpi_tags", None) or {}
    unit = {2: "inch", 3: "cm"}.get(whole(told.get("ResolutionUnit")))
    made = Described(
        maker=text(told.get("Make")),
        microscope=text(told.get("Model")),
        serial=str(more.get("ScannerSerialNumber", "")),
        software=text(told.get("Software")),
        taken=_date(text(told.get("DateTime"))),
        scale={
            axis: micrometers(pixel(told.get(f"{axis.upper()}Resolution")), unit) for axis in "xy"
        },
    )
    made.objective(magnification=more.get("Magnification"))
    if cube := text(more.get("Fluorescence")):
        made.filter(cube)
        made.channels = [Lit(name=cube, emission=_number(more.get("Wavelength")))]
    return made.facts(_axes(axes), shape, dtype)


def _axes(axes: str) -> str:
    """The samples of a colour picture are its channels."""
    return axes.lower().replace("s", "c")


def _american(date: str) -> dt.datetime | None:
    for pattern in ("%m/%d/%y %H:%M:%S", "%m/%d/%Y %H:%M:%S"):
        try:
            return dt.datetime.strptime(date.strip(), pattern)
        except ValueError:
            continue
    return None


def _date(date: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(date[:19].replace("/", ":"), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
