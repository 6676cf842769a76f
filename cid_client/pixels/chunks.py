"""How large a piece of an array is worth one request, one task or one file."""

from __future__ import annotations

import math
from collections.abc import Sequence

PIECE_BYTES = 16 << 20


def grown(shape: Sequence[int], block: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """Return whole multiples of `block` up to PIECE_BYTES, the last axes first; at least one."""
    piece = [max(1, min(n, b)) for n, b in zip(shape, block, strict=True)]
    for axis in reversed(range(len(piece))):
        room = PIECE_BYTES // (math.prod(piece) * itemsize)
        if room > 1:
            piece[axis] = min(max(shape[axis], 1), piece[axis] * room)
    return tuple(piece)
