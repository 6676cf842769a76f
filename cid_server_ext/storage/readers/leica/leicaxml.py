"""What the XML of a Leica file says of one image: LAS X, and LAS AF before it."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from ..described import Described, Lit, rgb
from ..units import micrometers, seconds
from ..values import clean
from ..xmltext import flat, number

NAMESPACE = "leica-microsystems.com/HardwareSetting"
EPOCH = dt.datetime(1601, 1, 1, tzinfo=dt.UTC)
TAGS = {1: "Red", 2: "Green", 3: "Blue"}  # ChannelTag of a colour camera
LIGHTS = {"led": "led", "lamp": "arc", "hal": "filament"}
NOTHING = {"", "none", "empty", "-", "?", "unknown"}
NOBODY = {"", "usermanagementfeatureinactive", "unknown"}


def describe(
    element: Element, place: str, dimensions: Sequence[Any], plane: tuple[Any, Any]
) -> Described:
    """Return what the file says of one image; `plane` are the axes of its rows and columns."""
    told = Described(name=place, maker="Leica Microsystems")
    told.taken = _taken(element)
    sizes = {one.label: _size(one) for one in dimensions}
    rows, columns = plane
    told.scale = {"x": sizes.get(columns.letter), "y": sizes.get(rows.letter)}
    told.scale["t"] = sizes.get("T") if "T" not in (rows.letter, columns.letter) else None
    slow = next((axis for axis in "ZYX" if axis not in (rows.letter, columns.letter)), "Z")
    told.scale["z"] = sizes.get(slow)
    setting = _setting(element)
    if setting is None:
        return told
    told.software = setting.get("Software", "")
    told.microscope = _scope(setting)
    told.notes[NAMESPACE] = flat(setting)
    told.user = _user(element)
    for node in _definitions(setting)[:1]:
        told.serial = node.get("SystemSerialNumber", "")
        told.refraction = number(node.get("RefractionIndex"))
        told.objective(
            " ".join(node.get("ObjectiveName", "").split()),
            magnification=node.get("Magnification"),
            aperture=node.get("NumericalAperture"),
            immersion=node.get("Immersion", ""),
            serial=node.get("ObjectiveNumber", ""),
        )
    if not told.instrument.objectives:
        _old_objective(told, setting)
    return told


def channels(told: Described, element: Element, count: int) -> list[Lit]:
    """Return what is told of each of `count` channels; lights, filters, detectors go to `told`."""
    given = element.findall("./Data/Image/ImageDescription/Channels/ChannelDescription")
    given.sort(key=lambda one: int(one.get("BytesInc", "0")))  # as their pixels lie
    setting = _setting(element)
    definitions = _definitions(setting) if setting is not None else []
    lit = list(itertools.chain.from_iterable(_confocal(told, one) for one in definitions))
    lit += itertools.chain.from_iterable(_camera(told, one) for one in definitions)
    if not lit and setting is not None:
        _old_lights(told, setting)
    lit = lit if len(lit) == count else [Lit() for _ in range(count)]
    for one, channel in zip(lit, given, strict=True):
        tag = TAGS.get(int(channel.get("ChannelTag", "0")), "")
        properties = {
            pair.findtext("Key", ""): pair.findtext("Value", "")
            for pair in channel.findall("ChannelProperty")
        }
        one.fluor = one.fluor or _dye(properties.get("DyeName", ""))
        one.name = tag or one.fluor or one.name or properties.get("DetectorName", "")
        one.color = rgb(tag or channel.get("LUTName", ""))
    return lit


def spectral(lit: list[Lit], axes: Sequence[Any], dimensions: Sequence[Any]) -> Iterator[Lit]:
    """Yield a channel for each wavelength of each channel, named after both."""
    if not axes:
        yield from lit
        return
    known = {one.label: one for one in dimensions}
    for one in lit:
        for place in itertools.product(*(range(axis.size) for axis in axes)):
            waves = [_wave(known[axis.letter], at) for axis, at in zip(axes, place, strict=True)]
            letters = [axis.letter for axis in axes]
            title = " ".join(f"{wave:g} nm" for wave in waves if wave) or f"{place[0] + 1}"
            both = dict(zip(letters, waves, strict=True))
            yield Lit(
                name=f"{one.name} {title}".strip(),
                emission=both.get("λ"),
                excitation=both.get("Λ") or one.excitation,
                light=one.light,
                detector=one.detector,
                mode=one.mode,
            )


# --- LAS X ------------------------------------------------------------------------------------


def _setting(element: Element) -> Element | None:
    image = element.find("./Data/Image")
    for attachment in image.findall("Attachment") if image is not None else ():
        if attachment.get("Name") in ("HardwareSetting", "HardwareSettingList"):
            return attachment
    return None


def _definitions(setting: Element) -> list[Element]:
    """Return the settings of each sequence of the scan, or the one that holds for all."""
    kinds = ("ATLConfocalSettingDefinition", "ATLCameraSettingDefinition")
    for kind in kinds:
        for place in (".//LDM_Block_Sequential_List", "."):
            found = [node for top in setting.findall(place) for node in top.findall(kind)]
            if found:
                return found
    return []


def _confocal(told: Described, node: Element) -> Iterator[Lit]:
    lights = [
        (told.light("laser", line[0], wavelength=line[1], maker=""), line[1])
        for line in _lines(node)
    ]
    one_light = lights[0] if len(lights) == 1 else ("", None)
    bands = {band.get("Channel"): band for band in node.findall("./Spectro/MultiBand")}
    airy, pinhole = node.get("PinholeAiry"), number(node.get("Pinhole"))
    for detector in node.findall("./DetectorList/Detector"):
        if detector.get("IsActive") != "1":
            continue
        band = bands.get(detector.get("Channel"))
        transmitted = detector.get("ScanType", "") == "External" and band is None
        told_filter = "" if band is None else _band(told, band)
        yield Lit(
            name=detector.get("Name", ""),
            fluor="" if band is None else _dye(band.get("DyeName", "")),
            detector=told.detector(
                detector.get("Name", ""),
                kind=detector.get("Type", ""),
                gain=number(detector.get("Gain")),
            ),
            light=one_light[0],
            excitation=one_light[1],
            filters=(told_filter,) if told_filter else (),
            pinhole=pinhole * 1e6 if pinhole and airy and not transmitted else None,
            mode="LaserScanningConfocalMicroscopy",
        )


def _lines(node: Element) -> Iterator[tuple[str, float]]:
    """Yield (laser, nanometers) of each line that lets light through."""
    names = {laser.get("LightSourceName"): laser for laser in node.findall("./LaserArray/Laser")}
    for aotf in node.findall("./AotfList/Aotf"):
        laser = names.get(aotf.get("LightSourceName"))
        name = laser.get("LaserName", "") if laser is not None else ""
        for line in aotf.findall("LaserLineSetting"):
            wave = number(line.get("LaserLine"))
            if wave and (number(line.get("IntensityDev")) or 0) > 0:
                yield name or aotf.get("LightSourceName", ""), wave


def _band(told: Described, band: Element) -> str:
    low = number(band.get("TargetWaveLengthBegin") or band.get("LeftWorld"))
    high = number(band.get("TargetWaveLengthEnd") or band.get("RightWorld"))
    name = f"Spectral band {low:.0f}-{high:.0f} nm" if low and high else ""
    return told.filter(name, low=low, high=high)


def _camera(told: Described, node: Element) -> Iterator[Lit]:
    for top in node.findall("WideFieldChannelConfigurator"):
        camera = top.get("CameraName", "").strip()
        for info in top.findall("WideFieldChannelInfo"):
            cube = _some(info.get("FluoCubeName", ""))
            kind = info.get("IlluminationTypeName", "") or info.get("LightSourceName", "")
            found = (name for start, name in LIGHTS.items() if start in kind.lower())
            light = told.light(next(found, ""), _some(kind)) if _some(kind) else ""
            named = told.filter(cube) if cube else ""
            fluorescent = "fluo" in info.get("ContrastingMethodName", "").lower()
            yield Lit(
                name=_some(info.get("UserDefName", "")) or cube,
                excitation=number(info.get("WaveLength")),
                emission=number(info.get("EmissionWavelength")),
                detector=told.detector(camera, kind="CCD" if "DFC" in camera else ""),
                light=light,
                filters=(named,) if named else (),
                contrast="Fluorescence" if fluorescent else "",
                mode="WideField",
            )


# --- LAS AF -----------------------------------------------------------------------------------


def _records(setting: Element) -> Iterator[dict[str, str]]:
    for record in setting.iter("FilterSettingRecord"):
        yield {key: value.strip() for key, value in record.attrib.items()}


def _old_objective(told: Described, setting: Element) -> None:
    values = {
        record.get("Attribute", ""): record.get("Variant", "")
        for record in _records(setting)
        if record.get("ClassName") == "CTurret"
    }
    name = values.get("Objective", "")
    power = re.search(r"(\d+(?:\.\d+)?)\s*x", name, re.IGNORECASE)
    medium = re.search(r"\b(OIL|DRY|WATER|W|GLYC|IMM)\b", name, re.IGNORECASE)
    told.objective(
        " ".join(name.split()),
        magnification=power[1] if power else None,
        aperture=values.get("NumericalAperture"),
        immersion=medium[1] if medium else "",
        serial=values.get("OrderNumber", ""),
    )
    told.refraction = number(values.get("RefractionIndex"))


def _old_lights(told: Described, setting: Element) -> None:
    for record in _records(setting):
        kind, attribute = record.get("ClassName"), record.get("Attribute")
        value = number(record.get("Variant"))
        if kind == "CAotf" and attribute == "Intensity" and value:
            wave = re.search(r"\((\d{3,4})", record.get("Description", ""))
            wavelength = wave[1] if wave else record.get("Data")
            told.light("laser", record.get("ObjectName", ""), wavelength=wavelength)
        if kind == "CDetectionUnit" and record.get("Variant") == "Active":
            told.detector(record.get("ObjectName", ""), kind=record.get("ObjectName", "")[:3])


def _scope(setting: Element) -> str:
    system = setting.get("SystemTypeName", "")
    for record in setting.iter("ScannerSettingRecord"):
        if record.get("Identifier") == "SystemType":
            system = system or record.get("Variant", "")
    stand = next((node.get("MicroscopeModel", "") for node in _definitions(setting)), "")
    for part in _records(setting):
        if part.get("ClassName") == "CMicroscopeStand" and part.get("Attribute") == "Model":
            stand = stand or part.get("Variant", "")
    return clean(f"{system} {stand}")


# --- values -----------------------------------------------------------------------------------


def _user(element: Element) -> str:
    for node in element.iter():
        for key in ("UserManagementUserName", "UserName", "Operator"):
            if node.get(key, "").strip().lower() not in NOBODY:
                return node.get(key, "")
    return ""


def _taken(element: Element) -> dt.datetime | None:
    """Return the time of the first plane: 100 ns steps since 1601, UTC."""
    stamps = element.find("./Data/Image/TimeStampList")
    if stamps is None:
        return None
    first = stamps.find("TimeStamp")
    try:
        if first is not None:
            ticks = (int(first.get("HighInteger", "")) << 32) + int(first.get("LowInteger", ""))
        else:
            ticks = int((stamps.text or "").split(maxsplit=1)[0], 16)
        found = EPOCH + dt.timedelta(microseconds=ticks // 10)
    except (ValueError, IndexError, OverflowError):
        return None
    return found if found.year > 1990 else None


def _size(one: Any) -> float | None:
    """Return micrometers or seconds between two: Leica gives the way from the first to the last."""
    if one.number_elements < 2 or not one.length:
        return None
    step = abs(one.length) / (one.number_elements - 1)
    convert = seconds if one.label == "T" else micrometers
    return convert(step, one.unit or None)


def _wave(one: Any, at: int) -> float | None:
    if one.number_elements < 2:
        return None
    value = one.origin + at * one.length / (one.number_elements - 1)
    found = micrometers(value, one.unit or "m")
    return round(found * 1000, 3) if found else None


def _dye(name: str) -> str:
    return name.rpartition("/")[2].strip()


def _some(text: str) -> str:
    return "" if text.strip().lower() in NOTHING else text.strip()
