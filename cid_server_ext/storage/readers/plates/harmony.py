"""Opera Phenix and Operetta (Harmony): Index.idx.xml lists the planes of a plate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from xml.etree.ElementTree import Element

from ....errors import BadFile
from .. import xmltext
from ..described import Described, Lit
from ..policy import Tree
from ..source import Source
from ..units import micrometers
from . import listed
from .listed import Plate, Shot

LARGEST = 2 << 30  # bytes of the list

Words = Mapping[str, str]


def is_index(path: Path, head: bytes) -> bool:
    """Say whether a file is the list of a plate's planes."""
    return b"<EvaluationInputData" in head


def members(main: str, tree: Tree) -> set[str] | None:
    """Return the planes that a list names; None where it names none that is there."""
    return listed.members(main, tree, _plate(tree.path(main))) or None


def open_plate(path: Path) -> list[Source]:
    """Return one image for each field of the wells, with its channels, times and z."""
    return listed.images(path.parent, _plate(path))


def _plate(path: Path) -> Plate:
    if path.stat().st_size > LARGEST:
        raise BadFile(f"{path.name} is larger than 2 GB: no real one is")
    root = xmltext.parse(path.read_bytes(), path.name)
    about = root.find("Plates/Plate")
    about = root.find("Plate") if about is None else about
    name = "" if about is None else about.findtext("Name") or about.findtext("PlateID") or ""
    start = "" if about is None else about.findtext("MeasurementStartTime") or ""
    of_channel: dict[str, Words] = {}  # newer lists say it once for each channel
    for entry in root.iterfind("Maps/Map/Entry"):
        number = entry.get("ChannelID", "")
        of_channel[number] = {**of_channel.get(number, {}), **_words(entry)}
    first: dict[str, Words] = {}
    plate = Plate(name, {}, lambda: _tell(root, start, first))
    for image in root.iterfind("Images/Image"):
        words = {**of_channel.get(image.findtext("ChannelID") or "", {}), **_words(image)}
        if not words.get("URL"):
            continue  # a plane that failed
        channel = words.get("ChannelID", "")
        if channel not in first:
            first[channel] = words
            plate.channels[channel] = _channel(words)
        plate.add(
            (_whole(words, "Row"), _whole(words, "Col"), _whole(words, "FieldID")),
            Shot(
                time=_whole(words, "TimepointID", least=0),
                channel=channel,
                step=_whole(words, "PlaneID"),
                file=words["URL"],
                z=_micrometers(words, "PositionZ", signed=True),
                taken=_date(words.get("AbsTime", "")),
                seconds=xmltext.number(words.get("MeasurementTimeOffset")),
            ),
        )
    plate.channels = dict(sorted(plate.channels.items(), key=lambda item: str(item[0])))
    return plate


def _tell(root: Element, start: str, first: Mapping[str, Words]) -> Described:
    words = next(iter(first.values()), {})
    made = Described(
        maker="PerkinElmer",
        microscope=root.findtext("InstrumentType") or "",
        software="Harmony",
        user=root.findtext("User") or "",
        taken=_date(start),
        scale={axis: _micrometers(words, f"ImageResolution{axis.upper()}") for axis in "xy"},
    )
    made.objective(
        magnification=words.get("ObjectiveMagnification"), aperture=words.get("ObjectiveNA")
    )
    made.detector(words.get("CameraType", ""))
    return made


def _channel(words: Words) -> Lit:
    return Lit(
        name=words.get("ChannelName") or f"Channel {words.get('ChannelID', '')}",
        excitation=xmltext.number(words.get("MainExcitationWavelength")),
        emission=xmltext.number(words.get("MainEmissionWavelength")),
    )


def _words(element: Element) -> dict[str, str]:
    found = {}
    for child in element:
        if said := (child.text or "").strip():
            found[child.tag] = said
            if unit := child.get("Unit"):
                found[f"{child.tag} unit"] = unit
    return found


def _micrometers(words: Words, key: str, *, signed: bool = False) -> float | None:
    """Return a length; a place may lie below 0."""
    value, unit = xmltext.number(words.get(key)), words.get(f"{key} unit", "m")
    if value is None or (signed and value == 0):
        return value
    size = micrometers(abs(value), unit)
    return -size if size and signed and value < 0 else size


def _whole(words: Words, key: str, least: int = 1) -> int:
    said = words.get(key, "1")
    if not said.isdigit() or not least <= int(said) < 1 << 24:
        raise BadFile(f"it says {said[:20]!r} where {key} belongs: it is damaged")
    return int(said)


def _date(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None
