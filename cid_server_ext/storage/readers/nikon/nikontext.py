"""What an ND2 says of one of its images: its own records, and the text that NIS-Elements shows."""

from __future__ import annotations

import datetime as dt
import math
import re
from contextlib import suppress
from typing import Any

from ..described import Described, Lit, positive
from ..values import clean

NAMESPACE = "nikon.com/nd2"
UNIX_DAY = 2440587.5  # of Julian days
RGB = (("Red", "FF0000"), ("Green", "00FF00"), ("Blue", "0000FF"))
MODES = {
    "laserScanConfocal": "LaserScanningConfocalMicroscopy",
    "spinningDiskConfocal": "SpinningDiskConfocal",
    "sweptFieldConfocalPinhole": "SweptFieldConfocal",
    "sweptFieldConfocalSlit": "SlitScanConfocal",
    "SIM": "StructuredIllumination",
    "TIRF": "TotalInternalReflection",
    "multiphoton": "MultiPhotonMicroscopy",
    "brightfield": "BrightField",
    "fluorescence": "WideField",
}
CONTRASTS = {"fluorescence": "Fluorescence", "brightfield": "Brightfield"} | {
    "phaseContrast": "Phase",
    "diContrast": "DIC",
}
# Lines of the text, "{First Filter Cube}: 525/50" or "Camera Name: Nikon A1plus"
FILTERS = re.compile(r"\{(?:[^{}]*(?:Filter Cube|Dichroic|Emission Filter)[^{}]*)\}:\s*([^\r\n]+)")
LASERS = re.compile(r"\{Laser Wavelength\}:\s*([\d.]+)[^\r\n{]*(?:\{Laser Power\}:\s*([\d.]+))?")
TURRETS = re.compile(r"(?:Filter(?:Cube|Block)?|FilterChanger)\([^)]*\):\s*\d*\s*\(([^)\r\n]+)\)")
CAMERA = re.compile(r"Camera Name:\s*([^\r\n]+)")
SCOPE = re.compile(r"Microscope:\s*([^\r\n]+)")
MEDIA = re.compile(r"\b(Oil|WI|Water|Sil|Gly|Dry)\b", re.IGNORECASE)
NOTHING = {"through", "none", "empty", "-", "out"}


def describe(file: Any, place: dict[str, int], count: int, colour: bool) -> Described:
    """Return what is told of the image at `place` (a step of each loop that is not t or z)."""
    told = Described(maker="Nikon")
    texts = {key: str(value) for key, value in dict(file.text_info or {}).items() if value}
    text = "\n".join((texts.get("description", ""), texts.get("capturing", "")))
    told.notes[NAMESPACE] = texts
    told.name = _name(file, place)
    told.user = texts.get("author", "")
    told.software = _software(file)
    told.taken = _taken(file)
    told.microscope = _first(SCOPE, text)
    channels = _channels(file)
    if channels:
        volume = channels[0].volume
        told.scale = {
            axis: positive(size) if known else None
            for axis, size, known in zip(
                "xyz", volume.axesCalibration, volume.axesCalibrated, strict=True
            )
        }
    told.scale["t"] = _interval(file)
    if channels:
        _objective(told, channels[0].microscope, texts.get("optics", ""))
    lasers = {float(wave): power for wave, power in LASERS.findall(text)}
    lights = {
        wave: told.light("laser", wavelength=wave)
        for wave, power in lasers.items()
        if power == "" or float(power) > 0
    }
    records = _records(file)
    wheels = FILTERS.findall(text) + TURRETS.findall(text) + _wheels(records)
    for name in dict.fromkeys(word.strip() for word in wheels):
        if name.lower() not in NOTHING:
            told.filter(name)
    detectors = [told.detector(name) for name in _cameras(records, text)]
    lit = [_channel(one, lights, detectors) for one in channels]
    if colour:
        first = lit or [Lit()]
        several = len(first) > 1
        lit = [
            Lit(**{**vars(one), "name": f"{one.name} {name}" if several else name, "color": code})
            for one in first
            for name, code in RGB
        ]
    told.channels = lit if len(lit) == count else []
    return told


def _channel(one: Any, lights: dict[float, str], detectors: list[str]) -> Lit:
    channel, flags = one.channel, set(one.microscope.modalityFlags or ())
    color = channel.color
    return Lit(
        name=channel.name or "",
        color=f"{color.r:02X}{color.g:02X}{color.b:02X}" if color is not None else "",
        excitation=channel.excitationLambdaNm,
        emission=channel.emissionLambdaNm,
        light=lights.get(float(channel.excitationLambdaNm or 0), ""),
        detector=detectors[0] if len(detectors) == 1 else "",
        pinhole=one.microscope.pinholeDiameterUm,
        mode=next((mode for flag, mode in MODES.items() if flag in flags), ""),
        contrast=next((name for flag, name in CONTRASTS.items() if flag in flags), ""),
    )


def _objective(told: Described, scope: Any, optics: str) -> None:
    name = scope.objectiveName or optics
    medium = MEDIA.search(name)
    word = medium[1].lower() if medium else ""
    told.refraction = scope.immersionRefractiveIndex
    told.objective(
        name,
        magnification=scope.objectiveMagnification,
        aperture=scope.objectiveNumericalAperture,
        immersion={"wi": "water"}.get(word, word),
    )


def _name(file: Any, place: dict[str, int]) -> str:
    words = []
    for axis, at in place.items():
        title = ""
        for loop in file.experiment:
            if axis == "P" and loop.type == "XYPosLoop" and at < len(loop.parameters.points):
                title = clean(loop.parameters.points[at].name or "")
        number = f"position {at + 1}" if axis == "P" else f"{axis} {at + 1}"
        words.append(f"{number} {title}".strip())
    return " ".join(words)


def _software(file: Any) -> str:
    with suppress(Exception):  # a record that older files have not
        told = file.custom_data.get("AppInfo_V1_0") or {}
        words = [told.get("SWNameString") or "", told.get("VersionString") or ""]
        return " ".join(word for word in words if word)
    return ""


def _taken(file: Any) -> dt.datetime | None:
    """Return when the first frame was taken; the clock's text has no zone, the Julian day has."""
    with suppress(Exception):
        day = file.frame_metadata(0).channels[0].time.absoluteJulianDayNumber
        if day > UNIX_DAY:
            return dt.datetime.fromtimestamp((day - UNIX_DAY) * 86400, dt.UTC)
    return None


def _interval(file: Any) -> float | None:
    """Return the mean seconds between two times: as the frames were taken, else as planned."""
    loops = list(file.experiment)
    for at, loop in enumerate(loops):
        if loop.type not in {"TimeLoop", "NETimeLoop"} or loop.count < 2:
            continue
        with suppress(Exception):
            step = math.prod(inner.count for inner in loops[at + 1 :])
            first, last = (
                file.frame_metadata(number).channels[0].time.relativeTimeMs
                for number in (0, step * (loop.count - 1))
            )
            if last > first:
                return float(f"{(last - first) / 1000 / (loop.count - 1):.6g}")
        planned = positive(getattr(loop.parameters, "periodMs", None))
        return float(f"{planned / 1000:.9g}") if planned else None
    return None


def _channels(file: Any) -> list[Any]:
    """Return what is told of the channels; what nd2 cannot make out costs no pixels."""
    with suppress(Exception):
        return list(getattr(file.metadata, "channels", None) or ())
    return []


def _records(file: Any) -> dict[str, Any]:
    """Return what the first frame's record says of planes and settings; older files differ."""
    for name in ("ImageMetadataSeqLV|0", "ImageMetadataSeq|0"):
        with suppress(Exception):
            picture = file.unstructured_metadata(include={name})[name]
            return dict(picture.get("SLxPictureMetadata", picture)["PicturePlanes"])
    return {}


def _wheels(records: dict[str, Any]) -> list[str]:
    """Return the names of the filters in the path of each plane."""
    found = []
    with suppress(AttributeError):
        for plane in (records.get("PlaneNew") or records.get("Plane") or {}).values():
            for part in ((plane.get("FilterPath") or {}).get("Filter") or {}).values():
                found.append(clean(str(part.get("Name") or "")))
    return [name for name in found if name.strip("? ")]


def _cameras(records: dict[str, Any], text: str) -> list[str]:
    found = []
    with suppress(AttributeError):
        for setting in (records.get("SampleSetting") or {}).values():
            camera = setting.get("CameraSetting") or {}
            name = camera.get("CameraFamilyName") or camera.get("CameraUserName")
            found.append(clean(str(name or "")))
    found = [name for name in found if name] or CAMERA.findall(text)
    return list(dict.fromkeys(name.strip() for name in found))


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1].strip() if found else ""
