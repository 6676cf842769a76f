"""What slide scanners say of a slide. Labels, bar codes and titles name patients: never taken."""

from __future__ import annotations

import datetime as dt
from typing import Any
from xml.etree.ElementTree import Element

import tifffile

from .. import xmltext
from ..described import Described, Lit, rgb
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


def perkinelmer(tiff: tifffile.TiffFile, axes: str, shape: tuple[int, ...], dtype: Any) -> Facts:
    """Return what a QPTIFF of PerkinElmer or Akoya says: a page for each stain."""
    count = shape[axes.index("C")] if "C" in axes else 1
    told = [xmltext.parse(page.description, "QPTIFF XML") for page in tiff.pages[:count]]
    tags = {tag.name: tag.value for tag in tiff.pages.first.tags}
    unit = {2: "inch", 3: "cm"}.get(whole(tags.get("ResolutionUnit")))
    made = Described(
        maker="PerkinElmer",
        software=told[0].findtext("AcquisitionSoftware") or "",
        taken=_date(text(tags.get("DateTime"))),
        scale={
            axis: micrometers(pixel(tags.get(f"{axis.upper()}Resolution")), unit) for axis in "xy"
        },
    )
    power = told[0].findtext("Objective") or ""
    made.objective(power, magnification=power.rstrip("xX"))
    made.detector(told[0].findtext("CameraName") or "")
    if "S" not in axes:
        made.channels = [_stain(one) for one in told]
    return made.facts(_axes(axes), shape, dtype)


def leica(
    tiff: tifffile.TiffFile, name: str, axes: str, shape: tuple[int, ...], dtype: Any
) -> Facts:
    """Return what a Leica SCN says of its image of this name."""
    image = next(one for one in _scn(tiff).iter("image") if one.get("name") == name)
    view, pixels = image.find("view"), image.find("pixels")
    device = image.find("device")
    made = Described(
        name=name,
        maker="Leica",
        microscope="" if device is None else device.get("model", "").partition(";")[0],
        software="" if device is None else device.get("version", ""),
        taken=_iso(image.findtext("creationDate") or ""),
    )
    if view is not None and pixels is not None:
        for axis in "xy":
            length, count = (
                xmltext.number(part.get(f"size{axis.upper()}")) for part in (view, pixels)
            )
            made.scale[axis] = micrometers(length / count, "nm") if length and count else None
        made.scale["z"] = micrometers(xmltext.number(view.get("spacingZ")), "nm")
    made.objective(
        magnification=image.findtext(".//objective"),
        aperture=image.findtext(".//numericalAperture"),
    )
    stains = sorted(image.iter("channel"), key=lambda one: int(one.get("index", 0)))
    made.channels = [Lit(name=one.get("name", ""), color=rgb(one.get("rgb", ""))) for one in stains]
    return made.facts(_axes(axes), shape, dtype)


def scans(tiff: tifffile.TiffFile, series: list[Any]) -> list[Any]:
    """Return the images of a Leica SCN, without those of the whole slide, which show its label."""
    kept = set()
    for collection in _scn(tiff).iter("collection"):
        size = collection.get("sizeX"), collection.get("sizeY")
        for image in collection.iter("image"):
            view = image.find("view")
            whole_slide = view is not None and (view.get("sizeX"), view.get("sizeY")) == size
            if not whole_slide:
                kept.add(image.get("name"))
    return [part for part in series if part.name in kept]


def _scn(tiff: tifffile.TiffFile) -> Element:
    return xmltext.parse(tiff.pages.first.description, "SCN XML")


def _stain(told: Element) -> Lit:
    colour = (told.findtext("Color") or "").split(",")
    numbers = [int(part) for part in colour if part.strip().isdigit()]
    code = "".join(f"{part & 255:02X}" for part in numbers) if len(numbers) == 3 else ""
    return Lit(name=told.findtext("Name") or told.findtext("Biomarker") or "", color=code)


def _iso(date: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(date)
    except ValueError:
        return None


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
