"""How an image is cut: levels, chunks, shards, and the blocks it is streamed in. Arithmetic only.

A chunk is what a viewer fetches (one plane, 512 x 512 pixels at most); a shard is one file of many
chunks (a plane of 2048 x 2048 pixels at most, then as many z and t as fit in 32 MiB); a block is
what is held in memory at once: whole shards, and whole planes as long as a plane fits.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CHUNK = 512  # pixels
SHARD = 2048  # pixels
SHARD_BYTES = 32 << 20
PLANE_BYTES = 128 << 20  # a larger plane is streamed in pieces
BLOCK_BYTES = 1 << 30  # what one block may take: more cannot be streamed in bounded memory
COARSEST = 256  # pixels: the last level fits in a thumbnail

Shape = tuple[int, ...]
Block = tuple[slice, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The cut of one level. All tuples are in the order of the image's axes."""

    shape: Shape
    chunk: Shape
    shard: Shape


def levels(axes: str, shape: Shape) -> list[Shape]:
    """Return the shape of each level: y and x halved, rounded up, until both are <= 256."""
    found = [shape]
    while max(size for axis, size in zip(axes, found[-1], strict=True) if axis in "yx") > COARSEST:
        found.append(
            tuple(
                -(-size // 2) if axis in "yx" else size
                for axis, size in zip(axes, found[-1], strict=True)
            )
        )
    return found


def layouts(axes: str, shape: Shape, itemsize: int) -> list[Layout]:
    """Return how each level is cut. All levels have the shard depth (t, z) of level 0, so that a
    block written at level 0 fills whole shards of every other level.
    """
    depth = _depth(axes, shape, itemsize)
    return [_cut(axes, level, depth) for level in levels(axes, shape)]


def _depth(axes: str, shape: Shape, itemsize: int) -> dict[str, int]:
    size = dict(zip(axes, shape, strict=True))
    room = max(1, SHARD_BYTES // (itemsize * size["y"] * size["x"]))
    depth = {}
    for axis in "zt":
        if axis in size:
            depth[axis] = min(size[axis], room)
            room //= depth[axis]
    return depth


def _cut(axes: str, shape: Shape, depth: dict[str, int]) -> Layout:
    size = dict(zip(axes, shape, strict=True))
    side = min(CHUNK, 1 << (max(size["y"], size["x"]) - 1).bit_length())
    chunk = {axis: side if axis in "yx" else 1 for axis in axes}
    shard = {
        axis: side * min(SHARD // side, -(-size[axis] // side))
        if axis in "yx"
        else depth.get(axis, 1)
        for axis in axes
    }
    return Layout(shape, tuple(chunk.values()), tuple(shard.values()))


def blocks(axes: str, cut: Layout, unit: Sequence[int], itemsize: int) -> Iterator[Block]:
    """Yield the blocks of a level in order: whole shards, and whole read `unit`s of the source.

    unit: what the source decodes at once (a page, a tile, a strip), in the order of the axes.
    """
    step = block_step(axes, cut, unit, itemsize)
    starts = [range(0, size, width) for size, width in zip(cut.shape, step, strict=True)]
    for corner in itertools.product(*starts):
        yield tuple(
            slice(at, min(at + width, size))
            for at, width, size in zip(corner, step, cut.shape, strict=True)
        )


def block_step(axes: str, cut: Layout, unit: Sequence[int], itemsize: int) -> Shape:
    """Return the shape of a block. Its bytes are at most about 128 MiB unless `unit` is larger."""
    step = dict(zip(axes, cut.shard, strict=True))
    size = dict(zip(axes, cut.shape, strict=True))
    for axis, least in zip(axes, unit, strict=True):
        if axis in "cyx":
            step[axis] = min(_padded(least, step[axis]), _padded(size[axis], step[axis]))
    plane = {**step, "y": size["y"], "x": size["x"]}
    if math.prod(plane.values()) * itemsize <= PLANE_BYTES:
        step = plane
    return tuple(step[axis] for axis in axes)


def whole_planes(axes: str, shape: Shape, step: Shape) -> bool:
    """Say whether a block of this step spans the level in y and x."""
    pairs = zip(axes, shape, step, strict=True)
    return all(width >= size for axis, size, width in pairs if axis in "yx")


def planned_bytes(axes: str, shape: Shape, itemsize: int) -> int:
    """Return the bytes that all levels can take at most: pixels that do not compress, indexes,
    headers, and the zeros that pad chunks at the edge (which compress to less than 1/64).
    """
    total = 0
    for cut in layouts(axes, shape, itemsize):
        chunks = math.prod(-(-n // c) for n, c in zip(cut.shape, cut.chunk, strict=True))
        shards = math.prod(-(-n // s) for n, s in zip(cut.shape, cut.shard, strict=True))
        in_shard = math.prod(s // c for s, c in zip(cut.shard, cut.chunk, strict=True))
        pixels = math.prod(cut.shape) * itemsize
        padding = chunks * math.prod(cut.chunk) * itemsize - pixels
        total += pixels + padding // 64 + 64 * chunks + shards * (16 * in_shard + 64)
        total += 8192  # the level's metadata
    return total


def _padded(size: int, step: int) -> int:
    return -(-size // step) * step
