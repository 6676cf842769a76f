"""The header of a DeltaVision: sizes, the order of planes, and the numbers kept of each plane."""

from __future__ import annotations

import datetime as dt
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ....errors import BadFile
from ..lazy import Strides
from ..source import MOST_CHANNELS

HEADER = 1024
MAGIC = {b"\xa0\xc0": "<", b"\xc0\xa0": ">"}  # -16224 at byte 96
PIXELS = {0: "u1", 1: "i2", 2: "f4", 5: "i2", 6: "u2", 7: "i4"}
COMPLEX = (3, 4)
MOST_PANELS = 2000
# The order of planes, the fastest first, by number: Z, wave (C), time and panel.
ORDERS = (
    *("ztcp", "cztp", "zctp", "zpct", "zcpt", "czpt", "cptz", "pctz", "ptcz", "pzct", "pczt"),
    *("cpzt", "ctpz", "tcpz", "tpcz"),
)
RECENT = 100  # the kind of image whose header tells of panels, a date and more than 5 waves


@dataclass(frozen=True)
class Header:
    """What the header says. size: of t, c, z and p (panels); strides: the planes between two."""

    order: str  # of bytes
    rows: int
    columns: int
    planes: int
    dtype: np.dtype[np.generic]
    start: int
    size: dict[str, int]
    strides: dict[str, int]
    pixel: tuple[float, float, float]  # x, y, z in micrometers
    waves: tuple[int, ...]
    lens: int
    titles: tuple[str, ...]
    taken: dt.datetime | None
    numbers: tuple[int, int]  # whole and real ones that are kept of each plane


def header(data: bytes) -> Header:
    """Return what the first bytes of a file say; BadFile for what no image has."""
    order = MAGIC[data[96:98]]
    columns, rows, planes, mode = struct.unpack_from(f"{order}4i", data)
    (more,) = struct.unpack_from(f"{order}i", data, 92)
    kind, lens = struct.unpack_from(f"{order}2h", data, 160)
    times, sequence = struct.unpack_from(f"{order}2H", data, 180)
    count, *waves = struct.unpack_from(f"{order}6h", data, 196)
    if mode in COMPLEX:
        raise BadFile("its pixels are complex numbers: save it as integers or real numbers")
    if (
        mode not in PIXELS
        or min(columns, rows, planes) < 1
        or more < 0
        or not 0 <= count <= MOST_CHANNELS
    ):
        raise BadFile("its header gives sizes that no image has: it is damaged")
    size = {"t": times or 1, "c": count or 1, "p": 1}
    taken, titles = None, 10
    if kind == RECENT:
        taken, size, recent = _recent(data, order, size, planes)
        titles = 4 if recent else titles
        waves += struct.unpack_from(f"{order}7h", data, 676) if recent else ()
    each = math.prod(size.values())
    if planes % each:
        raise BadFile(
            f"its {planes} planes are not those of {size['t']} times and {size['c']} waves:"
            " it is damaged, or its acquisition was stopped; save it again in softWoRx"
        )
    size["z"] = planes // each
    numbers = struct.unpack_from(f"{order}2h", data, 128)
    return Header(
        order=order,
        rows=rows,
        columns=columns,
        planes=planes,
        dtype=np.dtype(f"{order}{PIXELS[mode]}"),
        start=HEADER + more,
        size=size,
        strides=_strides(sequence, size),
        pixel=struct.unpack_from(f"{order}3f", data, 40),
        waves=tuple(waves),
        lens=lens,
        titles=tuple(_titles(data, titles)),
        taken=taken,
        numbers=(max(numbers[0], 0), max(numbers[1], 0)),
    )


def _recent(
    data: bytes, order: str, size: dict[str, int], planes: int
) -> tuple[dt.datetime | None, dict[str, int], bool]:
    """Return date and sizes of the newer header, and whether it is one: programs that know only
    the older write titles over it.
    """
    seconds, times = struct.unpack_from(f"{order}di", data, 844)
    (panels,) = struct.unpack_from(f"{order}i", data, 880)
    found = dict(size)
    (older,) = struct.unpack_from(f"{order}H", data, 180)
    if times > 0 and older in (0, 0xFFFF):  # more than the 16 bits of the older can hold
        found["t"] = times
    found["p"] = panels or 1
    if not 0 <= panels <= MOST_PANELS or planes % math.prod(found.values()):
        return None, size, False
    taken = None
    if 0 < seconds < 1 << 32:
        taken = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return taken, found, True


def _strides(sequence: int, size: dict[str, int]) -> dict[str, int]:
    if sequence >= len(ORDERS) and sum(count > 1 for count in size.values()) > 1:
        raise BadFile(f"the order of its planes ({sequence}) is not known: save it in softWoRx")
    found, step = {}, 1
    for axis in ORDERS[sequence if sequence < len(ORDERS) else 0]:
        found[axis] = step
        step *= size[axis]
    return found


def _titles(data: bytes, count: int) -> Iterator[str]:
    for at in range(count):
        text = data[224 + 80 * at : 304 + 80 * at].split(b"\0")[0].decode("latin-1").strip()
        if text:
            yield text


class Numbers:
    """The real numbers that the extended header keeps of each plane, read when asked for."""

    def __init__(self, pixels: Strides, header: Header) -> None:
        self.pixels, self.order, self.end = pixels, header.order, header.start
        self.whole, self.real = header.numbers

    def of(self, plane: int, at: int) -> float | None:
        """Return a real number of a plane; None for one that is not there."""
        place = HEADER + 4 * (plane * (self.whole + self.real) + self.whole + at)
        if at >= self.real or place + 4 > self.end:
            return None
        found = float(struct.unpack(f"{self.order}f", self.pixels.part(place, 4))[0])
        return found if math.isfinite(found) else None
