"""TIFF directories (TIFF 6.0; BigTIFF with 64-bit offsets), little-endian, as bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

BYTE, ASCII, SHORT, LONG, RATIONAL, LONG8 = 1, 2, 3, 4, 5, 16
SIZES = {BYTE: 1, ASCII: 1, SHORT: 2, LONG: 4, RATIONAL: 8, LONG8: 8}
TYPES = {SHORT: "<u2", LONG: "<u4", RATIONAL: "<u4", LONG8: "<u8"}

CLASSIC_ENDS = 1 << 32  # bytes that 32-bit offsets reach

Values = bytes | Sequence[int] | NDArray[Any]


class Elsewhere(int):
    """The number of values that lie elsewhere in the file; `at` says where."""

    at: int

    def __new__(cls, count: int, at: int) -> Elsewhere:
        """Keep both."""
        made = super().__new__(cls, count)
        made.at = at
        return made


Tag = tuple[int, int, Values | Elsewhere]  # code, type, values


def header(big: bool, first: int) -> bytes:
    """Return how the file begins, given where its first directory lies."""
    if big:
        return struct.pack("<2sHHHQ", b"II", 43, 8, 0, first)
    return struct.pack("<2sHL", b"II", 42, first)


def directory(big: bool, at: int, tags: Iterable[Tag], following: int = 0) -> bytes:
    """Return a directory that lies at `at`, its long values behind it, filled up to 8 bytes."""
    ordered = sorted(tags, key=lambda tag: tag[0])
    inline, count = (8, "<Q") if big else (4, "<H")
    place = "<Q" if big else "<L"
    head = struct.pack(count, len(ordered))
    behind = at + len(head) + len(ordered) * (20 if big else 12) + inline
    fields, long = [head], [b""]
    for code, kind, values in ordered:
        number, content = _encoded(kind, values)
        if isinstance(values, Elsewhere):
            content = struct.pack(place, values.at)
        elif len(content) > inline:
            filled = content + bytes(-len(content) % 8)
            long.append(filled)
            content = struct.pack(place, behind + (-behind % 8))
            behind += (-behind % 8) + len(filled)
        start = struct.pack("<HHQ" if big else "<HHL", code, kind, number)
        fields.append(start + content.ljust(inline, b"\0"))
    fields.append(struct.pack(place, following))
    written = b"".join(fields)
    written += bytes(-(at + len(written)) % 8) + b"".join(long)
    return written + bytes(-(at + len(written)) % 8)


def rational(value: float) -> tuple[int, int]:
    """Return a positive number as two of 32 bits, as near to it as they come."""
    most = min(10**6, int((CLASSIC_ENDS - 1) / max(value, 1)))
    near = Fraction(value).limit_denominator(max(most, 1))
    return min(near.numerator, CLASSIC_ENDS - 1), near.denominator


def _encoded(kind: int, values: Values | Elsewhere) -> tuple[int, bytes]:
    if isinstance(values, Elsewhere):
        return int(values), b""
    if isinstance(values, bytes):
        return len(values), values
    content = np.asarray(values, TYPES[kind]).tobytes()
    return len(content) // SIZES[kind], content
