"""Planes that are empty, planes that are there twice, and the sharpest plane of a stack."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .focus import energies
from .outline import Glance, Index, Stack
from .sample import Tile, spread

Array = NDArray[Any]
LISTED = 100  # planes that are named; all are counted
PROVED = 1 << 29  # bytes of level 0 that are read to prove what the last level suggests
FOCUSED = 8  # planes of a stack that are compared first


def odd(stack: Stack, seen: list[Glance]) -> dict[str, Any]:
    """Return which planes are empty (all pixels alike) and which repeat an earlier one.

    Equal planes are equal on the last level too, so only those few are compared pixel by pixel.
    """
    budget = PROVED // max(1, int(np.prod(stack.shape[-2:])) * stack.dtype.itemsize)
    empty: list[Index] = []
    for glance in (one for one in seen if one.constant):
        if budget <= 0:
            break
        budget -= 1
        if _constant(stack.plane(glance.plane)):
            empty.append(glance.plane)
    hollow = set(empty)
    alike: dict[bytes, list[Index]] = defaultdict(list)
    for glance in seen:
        if glance.plane not in hollow:
            alike[glance.digest].append(glance.plane)
    twice: list[dict[str, Any]] = []
    for same in alike.values():
        if len(same) < 2 or budget <= len(same):
            continue
        budget -= len(same)
        first = stack.plane(same[0]).tobytes()
        repeats = [plane for plane in same[1:] if stack.plane(plane).tobytes() == first]
        twice += [{**named(stack, p), "of": named(stack, same[0])} for p in repeats]
    return {
        "looked": len(seen),
        "empty": len(empty),
        "empty_at": [named(stack, plane) for plane in empty[:LISTED]],
        "duplicate": len(twice),
        "duplicate_at": twice[:LISTED],
    }


def named(stack: Stack, plane: Index) -> dict[str, int]:
    """Return the index of a plane by the names of its axes."""
    return dict(zip(stack.axes, plane, strict=False))


def sharpest(stack: Stack, tiles: list[Tile], variance: float | None, ceiling: float) -> int | None:
    """Return the z at which the brightest tile of a channel has the most gradient, or None.

    Eight planes are compared first, then those between the best and its neighbours.
    """
    if "z" not in stack.axes[:-2] or not tiles:
        return None
    at = stack.axes.index("z")
    depth = stack.shape[at]
    if depth < 3:
        return None
    place = max(tiles, key=_brightness)

    def energy(z: int) -> float:
        plane = (*place.plane[:at], z, *place.plane[at + 1 :])
        pixels = np.asarray(stack.read(plane, place.corner).result())
        return energies([pixels], variance or 0.0, ceiling)[0]

    return _highest(energy, depth)


def _highest(energy: Callable[[int], float], depth: int) -> int | None:
    known = {z: energy(z) for z in spread(depth, FOCUSED)}
    step = max(1, depth // FOCUSED)
    while True:
        best = max(known, key=lambda z: (known[z], -z))
        if step <= 1:
            break
        step = -(-step // 2) if step > 2 else 1
        for z in (best - step, best + step):
            if 0 <= z < depth and z not in known:
                known[z] = energy(z)
    return best if known[best] > 0 else None


def _constant(pixels: Array) -> bool:
    bits = np.ascontiguousarray(pixels).view(np.uint8).reshape(-1, pixels.itemsize)
    return bool((bits == bits[0]).all())


def _brightness(tile: Tile) -> float:
    known = tile.pixels[np.isfinite(tile.pixels)]
    return float(np.quantile(known, 0.99)) if known.size else -np.inf
