"""The list of tiles at the end of an ETS: how many planes it really holds."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from ....errors import BadFile

MAGIC = b"SIS\0"
MOST_AXES = 16
MOST_TILES = 1 << 24


def planes(path: Path) -> set[int]:
    """Return how many planes the tiles of an ETS can make; BadFile: it is cut.

    An entry is a number, a coordinate on each axis (x and y first), the place and size of the
    tile, and another number. The last axis is the level of the pyramid, where there is one.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(48)
        if len(head) < 48 or head[:4] != MAGIC:
            raise BadFile(f"{path.name} beside it is damaged: copy it again")
        (axes,) = struct.unpack("<I", head[12:16])
        place, count = struct.unpack("<QI", head[32:44])
        entry = 4 + 4 * axes + 8 + 4 + 4
        if not 3 <= axes <= MOST_AXES or count > MOST_TILES or place + entry * count > size:
            raise BadFile(f"{path.name} beside it is truncated or damaged: copy it again")
        file.seek(place)
        table = np.frombuffer(file.read(entry * count), np.uint8).reshape(count, entry)
    numbers = np.ascontiguousarray(table[:, 4 : 4 + 4 * axes]).view("<i4")
    offsets = np.ascontiguousarray(table[:, 4 + 4 * axes : 12 + 4 * axes]).view("<u8")[:, 0]
    lengths = np.ascontiguousarray(table[:, 12 + 4 * axes : 16 + 4 * axes]).view("<u4")[:, 0]
    if (offsets.astype(float) + lengths > size).any():
        raise BadFile(f"{path.name} beside it is truncated: copy it again")
    at_full_size = numbers[numbers[:, -1] == 0, 2:-1].tolist()
    return {len(set(map(tuple, rows))) for rows in (at_full_size, numbers[:, 2:].tolist())}
