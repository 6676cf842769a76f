"""A picture of what became of objects: grey for what is the same, a colour for each change."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .objects import Objects

if TYPE_CHECKING:
    from ..records.images import Image

WIDEST = 1024  # pixels of the picture's longer side
COLOURS = {
    "matched": (110, 110, 110),
    "split": (230, 159, 0),
    "merged": (204, 121, 167),
    "lost": (213, 94, 0),
    "new": (0, 158, 115),
}
"""Told apart also by the colour-blind (Okabe and Ito 2008)."""


def draw(before: Image, after: Image, found: Objects) -> bytes:
    """Return a PNG of the plane on which most differs, from a level small enough to be read."""
    level = next(
        (n for n in range(before.levels) if max(_size(before, n)) <= WIDEST), before.levels - 1
    )
    one, two = (np.asarray(image.to_xarray(level).data) for image in (before, after))
    one, two = (array.reshape(-1, *array.shape[-2:]) for array in (one, two))
    plane = int(np.argmax((one != two).sum(axis=(1, 2))))
    return png(painted(one[plane], two[plane], found))


def painted(before: NDArray[Any], after: NDArray[Any], found: Objects) -> NDArray[np.uint8]:
    """Return two planes of labels as one picture in colours, y x 3."""
    picture = np.zeros((*before.shape, 3), np.uint8)
    picture[(before > 0) | (after > 0)] = COLOURS["matched"]
    for plane, word, labels in (
        (before, "lost", found.lost),
        (before, "split", list(found.split)),
        (after, "merged", list(found.merged)),
        (after, "new", found.new),
    ):
        picture[np.isin(plane, labels)] = COLOURS[word]
    return picture


def png(picture: NDArray[np.uint8]) -> bytes:
    """Return a picture, y x 3, as PNG."""
    height, width = picture.shape[:2]
    lines = np.concatenate([np.zeros((height, 1), np.uint8), picture.reshape(height, -1)], axis=1)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_part(name, body) for name, body in parts)


def _part(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _size(image: Image, level: int) -> tuple[int, ...]:
    return tuple(image.to_xarray(level).shape[-2:])
