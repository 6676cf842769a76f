"""Reading SimFCS R64 and REF: intensity, and phase and modulation of two harmonics, as channels."""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import BadFile
from ..described import Described, Lit
from ..lazy import lazy
from ..source import Source, source

PLANES = (
    "Intensity (DC)",
    "Phase of harmonic 1 (degrees)",
    "Modulation of harmonic 1",
    "Phase of harmonic 2 (degrees)",
    "Modulation of harmonic 2",
)
LARGEST = 4096  # pixels of a side
NAMESPACE = "lfd.uci.edu/SimFCS"


def is_r64(path: Path, head: bytes) -> bool:
    """Say whether a file is an R64: deflated, its first number the side of a square."""
    if path.suffix.lower() != ".r64" or head[:1] != b"\x78":
        return False
    with path.open("rb") as file:
        start = zlib.decompressobj().decompress(file.read(4096), 4)
    return 2 <= _side(start) <= LARGEST


def is_ref(path: Path, head: bytes) -> bool:
    """Say whether a file is a REF: nothing but five squares of real numbers, so its name counts."""
    side = math.isqrt(path.stat().st_size // 20)
    return path.suffix.lower() == ".ref" and 2 <= side <= LARGEST and _is_squares(path, side)


def open_simfcs(path: Path) -> list[Source]:
    """Return the image of an R64 or REF, float32, NaN where SimFCS had no value."""
    if path.suffix.lower() == ".ref":
        side = math.isqrt(path.stat().st_size // 20)
        if not _is_squares(path, side) or side > LARGEST:
            raise BadFile("its size is not that of five square images: it is truncated or damaged")
        data = path.read_bytes()
    else:
        side, data = _inflated(path)
    pixels = np.frombuffer(data, "<f4", 5 * side * side).reshape(5, side, side)

    def read(index: tuple[int, ...], rows: slice, columns: slice) -> NDArray[Any]:
        found: NDArray[Any] = pixels[index[0], rows, columns]
        return found

    told = Described(software="SimFCS", channels=[Lit(name=name) for name in PLANES])
    told.notes[NAMESPACE] = {f"Channel {at + 1}": name for at, name in enumerate(PLANES)}
    shape = pixels.shape
    facts = told.facts("cyx", shape, pixels.dtype)
    return [source(facts, "CYX", lazy(shape, pixels.dtype, read))]


def _inflated(path: Path) -> tuple[int, bytes]:
    """Return (side, pixels); not a byte more than a square of the side that it tells can hold."""
    packed = path.read_bytes() if path.stat().st_size <= 20 * LARGEST**2 else b""
    engine = zlib.decompressobj()
    try:
        side = _side(engine.decompress(packed, 4))
        if not 2 <= side <= LARGEST:
            raise BadFile(f"it claims to be a square of {side} pixels: it is damaged")
        wanted = 20 * side * side
        data = engine.decompress(engine.unconsumed_tail, wanted)
        while len(data) < wanted and engine.unconsumed_tail:
            data += engine.decompress(engine.unconsumed_tail, wanted - len(data))
        rest = engine.decompress(engine.unconsumed_tail, 4 * wanted)
    except zlib.error as error:
        raise BadFile(f"it is damaged: {error}. Copy it again") from None
    if len(data) < wanted or not engine.eof or len(rest) % (4 * side * side):
        raise BadFile("it is truncated or damaged: its five images are not whole. Copy it again")
    return side, data


def _side(head: bytes) -> int:
    return int(struct.unpack("<i", head)[0]) if len(head) == 4 else 0


def _is_squares(path: Path, side: int) -> bool:
    return path.stat().st_size == 20 * side * side
