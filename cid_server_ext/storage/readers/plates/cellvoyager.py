"""Yokogawa CellVoyager (CQ1, CV7000, CV8000): MeasurementData.mlf lists the planes of a plate."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from xml.etree.ElementTree import Element

from ....errors import BadFile
from .. import xmltext
from ..described import Described, Lit, rgb
from ..policy import Tree
from ..source import Source
from . import listed
from .listed import Plate, Shot

LARGEST = 1 << 30  # bytes of the list
DETAIL = "MeasurementDetail.mrf"
BESIDE = (".mrf", ".mes", ".wpi", ".wpp", ".xml")


def is_list(path: Path, head: bytes) -> bool:
    """Say whether a file lists the planes of a measurement."""
    return b"<bts:MeasurementData" in head


def members(main: str, tree: Tree) -> set[str] | None:
    """Return the planes that a list names, and what else the measurement wrote beside it."""
    found = listed.members(main, tree, _plate(tree.path(main)))
    beside = tree.beside(main)
    words = {file for file in beside if file.lower().endswith(BESIDE)}
    return found | words | {file for file in beside if _is_correction(file)} if found else None


def open_plate(path: Path) -> list[Source]:
    """Return one image for each field of the wells, with its channels, times and z."""
    return listed.images(path.parent, _plate(path))


def _is_correction(file: str) -> bool:
    """Say whether a file is the dark or flat field of a camera."""
    return file.rpartition("/")[2].startswith(("DC_", "SC_"))


def _plate(path: Path) -> Plate:
    root = _read(path)
    if root is None:
        raise BadFile("it lists no planes")
    detail = _read(path.with_name(DETAIL))
    named = Path(_get(detail, "MeasurementSettingFileName") or "none.mes").name
    settings = _Settings(_read(path.with_name(named)))
    used: set[str] = set()
    name = _get(detail, "Title") or path.parent.name
    plate = Plate(name, {}, lambda: _tell(detail, settings, used))
    for record in root.iter("MeasurementRecord"):
        file = (record.text or "").strip()
        if _get(record, "Type") != "IMG" or not file:
            continue  # a plane that failed
        number = _get(record, "Ch")
        used.add(number)
        channel = tuple(_get(record, part) for part in ("Ch", "TimelineIndex", "ActionIndex"))
        plate.channels.setdefault(channel, settings.channel(number))
        shot = Shot(
            time=_whole(record, "TimePoint"),
            channel=channel,
            step=_whole(record, "ZIndex"),
            file=file,
            z=xmltext.number(_get(record, "Z")),
            taken=_date(_get(record, "Time")),
        )
        where = _whole(record, "Row"), _whole(record, "Column"), _whole(record, "FieldIndex")
        plate.add(where, shot)
    plate.channels = dict(sorted(plate.channels.items(), key=lambda item: str(item[0])))
    return plate


class _Settings:
    """What was set up to be acquired: channels and light sources, where the file is there."""

    def __init__(self, root: Element | None) -> None:
        found = [] if root is None else list(root.iter())
        self.channels = {_get(one, "Ch"): one for one in found if one.tag == "Channel"}
        self.lights = {_get(one, "Name"): one for one in found if one.tag == "LightSource"}

    def lasers(self, number: str) -> list[str]:
        """Return the wavelengths of the lasers that a channel uses."""
        names = self.channels[number].iter("LightSourceName") if number in self.channels else ()
        lights = [self.lights.get((name.text or "").strip()) for name in names]
        return [_get(one, "WaveLength") for one in lights if _get(one, "Type") == "Laser"]

    def channel(self, number: str) -> Lit:
        """Return what is known of a channel."""
        told, lasers = self.channels.get(number), self.lasers(number)
        emission = _get(told, "Acquisition")
        return Lit(
            name=_get(told, "Fluorophore") or emission or f"Ch {number}",
            color=rgb(_get(told, "Color")),
            excitation=xmltext.number(lasers[0]) if len(lasers) == 1 else None,
            emission=_centre(emission),
        )


def _tell(detail: Element | None, settings: _Settings, used: set[str]) -> Described:
    system = _get(detail, "TargetSystem")
    made = Described(
        maker="Yokogawa",
        microscope=system or "CellVoyager",
        software=f"{system} {_get(detail, 'ReleaseNumber')}".strip(),
        user=_get(detail, "OperatorName"),
        taken=_date(_get(detail, "BeginTime")),
    )
    pixel = None if detail is None else detail.find("MeasurementChannel")
    made.scale["x"] = xmltext.number(_get(pixel, "HorizontalPixelDimension"))
    made.scale["y"] = xmltext.number(_get(pixel, "VerticalPixelDimension"))
    told = [settings.channels[number] for number in sorted(used) if number in settings.channels]
    if told:
        made.objective(_get(told[0], "Objective"), magnification=_get(told[0], "Magnification"))
    for channel in told:
        made.filter(_get(channel, "Acquisition"))
        for wave in settings.lasers(_get(channel, "Ch")):
            made.light("laser", f"{wave} nm", wavelength=wave)
    return made


def _centre(band: str) -> float | None:
    """Return the middle of a band pass, 445 of "BP445/45"."""
    return xmltext.number(band[2:].partition("/")[0]) if band.startswith("BP") else None


def _read(path: Path) -> Element | None:
    """Return the root of an XML file; None where there is none."""
    if not path.is_file() or path.is_symlink():
        return None
    if path.stat().st_size > LARGEST:
        raise BadFile(f"{path.name} is larger than 1 GB: no real one is")
    return xmltext.parse(path.read_bytes(), path.name)


def _get(element: Element | None, key: str) -> str:
    return "" if element is None else element.get(f"bts:{key}", "")


def _whole(element: Element, key: str) -> int:
    said = _get(element, key)
    if not said.isdigit() or not 0 < int(said) < 1 << 24:
        raise BadFile(f"it says {said[:20]!r} where a number belongs: it is damaged")
    return int(said)


def _date(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None
