"""What the settings of an OIB or OIF say: FluoView writes them as sections of keys and values."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..described import Described, Lit, positive
from ..units import micrometers, seconds

NAMESPACE = "olympus.com/FluoView"
MOST_NOTES = 3000
MEDIA = re.compile(r"\b(OIL|O|WATER|W|SIL|S|GLY|DRY)\b")
NOTHING = {"", "none", "(null)", "mirror", "glass", "empty", "through"}


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis that was scanned; `step` in micrometers, seconds or (L) nanometers."""

    letter: str
    size: int
    step: float | None
    start: float


def axes(main: dict[str, Any]) -> list[Axis]:
    """Return the axes in the order of the scan, the fastest first."""
    order = str(main.get("Axis Parameter Common", {}).get("AxisOrder", "XY"))
    known = {
        section.get("AxisCode"): section
        for name, section in main.items()
        if re.fullmatch(r"Axis \d Parameters Common", name)
    }
    return [_axis(letter, known[letter]) for letter in order if letter in known]


def describe(archive: Any, scanned: list[Axis]) -> Described:
    """Return what is told of the image whose plane is spanned by the first two axes."""
    main = archive.main
    told = Described(maker="Olympus")
    acquired, info = main.get("Acquisition Parameters Common", {}), main.get("File Info", {})
    version = main.get("Version Info", {})
    told.software = _joined(version.get("SystemName"), version.get("SystemVersion"))
    told.microscope = str(version.get("SystemName") or acquired.get("Acquisition Device") or "")
    told.user = str(info.get("UserName") or "")
    told.taken = _date(acquired.get("ImageCaputreDate"), acquired.get("ImageCaputreDate+MilliSec"))
    told.notes[NAMESPACE] = dict(_flat(main))
    columns, rows = (*(axis.letter for axis in scanned[:2]), "X", "Y")[:2]
    steps = {axis.letter: axis.step for axis in scanned}
    reference = main.get("Reference Image Parameter", {})
    width = micrometers(reference.get("WidthConvertValue"), str(reference.get("WidthUnit")))
    height = micrometers(reference.get("HeightConvertValue"), str(reference.get("HeightUnit")))
    told.scale = {
        "x": width or steps.get(columns),
        "y": height or (steps.get(rows) if rows in "XYZ" else None),
        "z": steps.get("Z") if "Z" not in (columns, rows) else None,
        "t": steps.get("T") if "T" not in (columns, rows) else None,
    }
    plane = _settings(archive, ".pty").get("Acquisition Parameters Common", {})
    name = " ".join(str(plane.get("ObjectiveLens Name") or "").split())
    medium = MEDIA.search(name.upper())
    told.objective(
        name,
        magnification=plane.get("Magnification"),
        aperture=plane.get("ObjectiveLens NAValue"),
        immersion={"O": "Oil", "W": "Water", "S": "Sil"}.get(medium[1], medium[1])
        if medium
        else "",
        working=_below(plane.get("ObjectiveLens WDValue"), 9999),
    )
    return told


def channels(told: Described, archive: Any, count: int, waves: int) -> list[Lit]:
    """Return what is told of each channel, one for each wavelength of a spectrum."""
    main = archive.main
    lasers = {
        positive(section.get("LaserWavelength")): told.light(
            "laser", wavelength=section.get("LaserWavelength")
        )
        for name, section in main.items()
        if re.fullmatch(r"Laser \d+ Parameters", name) and section.get("Laser Enable") == 1
    }
    lit = []
    for number in range(1, count + 1):
        section = main.get(f"Channel {number} Parameters")
        lit.append(Lit() if section is None else _channel(told, section, lasers))
        lit[-1].color = _color(archive, number)
    if waves == 1:
        return lit
    spectrum = next((axis for axis in axes(main) if axis.letter == "L"), None)
    return [_wave(one, at, spectrum) for one in lit for at in range(waves)]


def _channel(told: Described, section: dict[str, Any], lasers: dict[Any, str]) -> Lit:
    dye = _some(section.get("DyeName"))
    counting = section.get("PMTDetectingMode") == 1
    voltage = section.get("CountingPMTVoltage" if counting else "AnalogPMTVoltage")
    detector = told.detector(
        f"PMT {section.get('CH Name', '')}", kind="PMT", voltage=positive(voltage)
    )
    fluorescent = str(section.get("LightType", "")).lower() == "fluorescence"
    emission = told.filter(_some(section.get("BF Name")))
    for key in ("ExcitationDM Name", "EmissionDM Name"):
        told.filter(_some(section.get(key)))
    wave = positive(section.get("ExcitationWavelength"))
    return Lit(
        name=dye or str(section.get("CH Name") or ""),
        fluor=dye,
        excitation=wave,
        emission=positive(section.get("EmissionWavelength")),
        light=lasers.get(wave, ""),
        detector=detector,
        filters=(emission,) if emission else (),
        contrast="Fluorescence" if fluorescent else "",
        mode="LaserScanningConfocalMicroscopy" if section.get("Confocal") == "ON" else "",
    )


def _wave(one: Lit, at: int, spectrum: Axis | None) -> Lit:
    wave = spectrum.start + at * spectrum.step if spectrum and spectrum.step else None
    title = f"{wave:g} nm" if wave else str(at + 1)
    return Lit(**{**vars(one), "name": f"{one.name} {title}".strip(), "emission": wave})


def _color(archive: Any, number: int) -> str:
    """Return the bright end of a channel's look-up table, which is kept blue first."""
    table = _settings(archive, f"LUT{number}.lut").get("ColorLUTData")
    if table is None or len(table) < 2:
        return ""
    blue, green, red = (int(part) for part in table[-1][:3])
    return f"{red:02X}{green:02X}{blue:02X}" if red or green or blue else ""


def _settings(archive: Any, ending: str) -> dict[str, Any]:
    """Return the first settings file whose name ends so; the thumbnail's is another's."""
    import oiffile

    for name in sorted(archive.names):
        if name.lower().endswith(ending.lower()) and "Thumb" not in name:
            with suppress(ValueError, LookupError):  # a damaged one costs what it would have told
                found: dict[str, Any] = oiffile.SettingsFile(io.BytesIO(archive.read(name)), name)
                return found
    return {}


def _axis(letter: str, section: dict[str, Any]) -> Axis:
    size = int(section.get("MaxSize") or 0)
    start, end = (float(section.get(f"{edge}Position") or 0) for edge in ("Start", "End"))
    step = float(section.get("Interval") or 0) if letter in "ZTL" else 0.0
    if not step and size > 1:
        step = abs(end - start) / (size if letter in "XY" else size - 1)
    unit = str(section.get("UnitName") or section.get("PixUnit") or "")
    if letter == "L":
        return Axis(letter, size, positive(step), start)
    known = seconds(abs(step), unit) if letter == "T" else micrometers(abs(step), unit)
    return Axis(letter, size, known, start)


def _flat(main: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    count = 0
    for section, values in main.items():
        if not isinstance(values, dict) or section.startswith("Sequential Group"):
            continue
        for key, value in values.items():
            count += 1
            if count <= MOST_NOTES:
                yield f"{section}/{key}", value


def _date(text: Any, milliseconds: Any) -> dt.datetime | None:
    with suppress(ValueError, TypeError):
        found = dt.datetime.strptime(str(text).strip(), "%Y-%m-%d %H:%M:%S")
        return found + dt.timedelta(milliseconds=int(milliseconds or 0))
    return None


def _some(value: Any) -> str:
    text = str(value or "").strip()
    return "" if text.lower() in NOTHING else text


def _below(value: Any, limit: float) -> float | None:
    found = positive(value)
    return found if found and found < limit else None


def _joined(*words: Any) -> str:
    return " ".join(str(word) for word in words if word)
