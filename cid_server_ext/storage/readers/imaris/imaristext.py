"""What Imaris says of an image: texts in the folder DataSetInfo, one for each image and channel."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PureWindowsPath
from typing import Any

from ..described import Described, Lit, positive
from ..units import micrometers
from ..values import clean
from . import guarded

NAMESPACE = "imaris.oxinst.com/IMS"
MOST_NOTES = 1000
UNSAID = "not specified)"  # the end of what Imaris writes for a name that nobody gave
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def describe(info: Any, shape: tuple[int, ...]) -> tuple[Described, dict[str, str]]:
    """Return what is said of an image (t, c, z, y, x), and why a machine tag is not."""
    image = _folder(info, "Image")
    told = Described(name=PureWindowsPath(_said(image, "Name")).name)
    told.scale = dict(_scale(image, shape))
    told.channels = [_channel(_folder(info, f"Channel {at}")) for at in range(shape[1])]
    told.objective(
        magnification=_number(image, "LensPower"), aperture=_number(image, "NumericalAperture")
    )
    times = _folder(info, "TimeInfo")
    first, last = (_date(_said(times, f"TimePoint{at}")) for at in (1, shape[0]))
    told.taken = _date(_said(image, "RecordingDate")) or first
    if shape[0] > 1 and first and last:
        seconds = (last - first).total_seconds() / (shape[0] - 1)
        told.scale["t"] = positive(float(f"{seconds:.9g}"))
    named = ["Image", *(f"Channel {at}" for at in range(shape[1]))]
    noted = ((f"{name} {key}", text) for name in named for key, text in _all(_folder(info, name)))
    told.notes[NAMESPACE] = dict(itertools.islice(noted, MOST_NOTES))
    writer = _folder(info, "ImarisDataSet")
    program = clean(f"{_said(writer, 'Creator')} {_said(writer, 'Version')}", 80)
    unknown = {}
    if program:
        unknown["Acquisition software"] = (
            f"the file names only the program that wrote it: {program}"
        )
    return told, unknown


def _channel(folder: Any) -> Lit:
    return Lit(
        name=_said(folder, "Name"),
        color=_colour(folder),
        excitation=_number(folder, "LSMExcitationWavelength"),
        emission=_number(folder, "LSMEmissionWavelength"),
    )


def _colour(folder: Any) -> str:
    """Return the colour of a channel that has one, and no table of many."""
    parts = [float(part) for part in NUMBER.findall(_said(folder, "Color"))]
    if len(parts) != 3 or "table" in _said(folder, "ColorMode").lower():
        return ""
    return "".join(f"{round(255 * min(max(part, 0.0), 1.0)):02X}" for part in parts)


def _scale(image: Any, shape: tuple[int, ...]) -> Iterator[tuple[str, float]]:
    """Yield the size of a pixel by axis. Imaris counts in micrometers where no unit is named."""
    unit = _said(image, "Unit") or "um"
    for at, axis in enumerate("xyz"):
        ends = [_real(_said(image, f"Ext{end}{at}")) for end in ("Min", "Max")]
        if ends[0] is not None and ends[1] is not None:
            size = micrometers(abs(ends[1] - ends[0]) / shape[4 - at], unit)
            if size is not None:
                yield axis, float(f"{size:.7g}")


def _folder(info: Any, name: str) -> Any:
    return None if info is None else guarded.child(info, name)


def _said(folder: Any, name: str) -> str:
    text = "" if folder is None else guarded.attribute(folder, name)
    return "" if text.endswith(UNSAID) else text


def _all(folder: Any) -> Iterator[tuple[str, str]]:
    for name in () if folder is None else folder.attrs:
        if text := _said(folder, name):
            yield name, text


def _number(folder: Any, name: str) -> float | None:
    found = NUMBER.search(_said(folder, name))  # "561 nm", "63x"
    return positive(found[0]) if found else None


def _real(text: str) -> float | None:
    found = NUMBER.fullmatch(text.strip())
    return float(found[0]) if found else None


def _date(text: str) -> dt.datetime | None:
    with suppress(ValueError):
        return dt.datetime.fromisoformat(text)
    return None
