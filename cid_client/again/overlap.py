"""How many pixels each object of one label image shares with each of another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import blocks

Table = NDArray[Any]
MOST = 1 << 21  # rows that are kept before they are added up


def counts(before: Any, after: Any) -> tuple[Table, Table, NDArray[np.int64]]:
    """Return label before, label after and their common pixels, each pair once; 0 is ground."""
    kept: list[tuple[Table, Table, NDArray[np.int64]]] = []
    rows = 0
    for one, two in blocks.pairs(before, after):
        kept.append(_of_block(one, two))
        rows += len(kept[-1][2])
        if rows > MOST:
            kept = [_added(kept)]
            rows = len(kept[0][2])
    return _added(kept)


def _of_block(one: Table, two: Table) -> tuple[Table, Table, NDArray[np.int64]]:
    first, at_first = np.unique(one, return_inverse=True)
    second, at_second = np.unique(two, return_inverse=True)
    codes = at_first.reshape(-1).astype(np.int64) * len(second) + at_second.reshape(-1)
    found, many = np.unique(codes, return_counts=True)
    return first[found // len(second)], second[found % len(second)], many.astype(np.int64)


def _added(
    kept: list[tuple[Table, Table, NDArray[np.int64]]],
) -> tuple[Table, Table, NDArray[np.int64]]:
    """Return the same with each pair once, its pixels added up, in order."""
    one, two, many = (np.concatenate(part) for part in zip(*kept, strict=True))
    order = np.lexsort((two, one))
    one, two, many = one[order], two[order], many[order]
    begins = np.flatnonzero(np.r_[True, (one[1:] != one[:-1]) | (two[1:] != two[:-1])])
    return one[begins], two[begins], np.add.reduceat(many, begins)
