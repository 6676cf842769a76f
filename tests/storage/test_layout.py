"""Every pixel is in one block, blocks are whole shards, and all of it stays within its bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cid_server_ext.storage.layout import (
    PLANE_BYTES,
    SHARD_BYTES,
    block_step,
    blocks,
    layouts,
    levels,
    planned_bytes,
    whole_planes,
)

CASES = [
    ("yx", (1, 1), 1, (1, 1)),
    ("yx", (350, 350), 2, (350, 350)),
    ("cyx", (3, 2967, 2220), 1, (3, 2967, 2220)),
    ("tczyx", (7, 2, 33, 513, 700), 2, (1, 1, 1, 513, 700)),
    ("tyx", (1000, 256, 256), 2, (1, 256, 256)),
    ("zyx", (3, 20000, 30000), 2, (1, 1920, 2160)),
    ("cyx", (3, 33000, 46000), 1, (3, 16, 46000)),
    ("zyx", (5, 2048, 2048), 8, (1, 2048, 2048)),
]


def test_levels_halve_until_a_plane_is_a_thumbnail() -> None:
    assert levels("zyx", (9, 1000, 300)) == [(9, 1000, 300), (9, 500, 150), (9, 250, 75)]
    assert levels("yx", (256, 256)) == [(256, 256)]
    assert levels("yx", (257, 3)) == [(257, 3), (129, 2)]


@pytest.mark.parametrize(("axes", "shape", "itemsize", "unit"), CASES)
def test_chunks_divide_shards_and_shards_are_bounded(axes, shape, itemsize, unit) -> None:
    for cut in layouts(axes, shape, itemsize):
        assert all(s % c == 0 for s, c in zip(cut.shard, cut.chunk, strict=True))
        assert max(cut.chunk) <= 512
        depth = [s for axis, s in zip(axes, cut.shard, strict=True) if axis in "tz"]
        plane = cut.shape[-1] * cut.shape[-2] * itemsize
        assert math.prod(depth) == 1 or math.prod(depth) * plane <= SHARD_BYTES


@pytest.mark.parametrize(("axes", "shape", "itemsize", "unit"), CASES)
def test_blocks_cover_every_pixel_once_in_whole_shards_of_every_level(
    axes, shape, itemsize, unit
) -> None:
    cuts = layouts(axes, shape, itemsize)
    found = list(blocks(axes, cuts[0], unit, itemsize))
    assert sum(math.prod(p.stop - p.start for p in block) for block in found) == math.prod(shape)
    assert len({tuple(p.start for p in block) for block in found}) == len(found)
    for block in found:
        for part, shard, size in zip(block, cuts[0].shard, shape, strict=True):
            assert part.start % shard == 0
            assert part.stop % shard == 0 or part.stop == size
    if whole_planes(axes, shape, block_step(axes, cuts[0], unit, itemsize)):
        deep = [at for at, axis in enumerate(axes) if axis in "tcz"]
        for cut in cuts[1:]:
            assert [cut.shard[at] for at in deep] == [cuts[0].shard[at] for at in deep]


@pytest.mark.parametrize(("axes", "shape", "itemsize", "unit"), CASES)
def test_a_block_is_bounded_whatever_the_image(axes, shape, itemsize, unit) -> None:
    step = block_step(axes, layouts(axes, shape, itemsize)[0], unit, itemsize)
    strip = unit[-1] >= shape[-1] and math.prod(shape[-2:]) * itemsize > PLANE_BYTES
    least = math.prod(unit) * (2048 / unit[-2]) * itemsize * 1.05 if strip else 0
    assert math.prod(step) * itemsize <= max(PLANE_BYTES, least)


def test_the_plan_counts_every_level() -> None:
    pixels = sum(math.prod(shape) for shape in levels("zyx", (4, 1000, 1000)))
    planned = planned_bytes("zyx", (4, 1000, 1000), 2)
    assert 2 * pixels < planned < 1.05 * 2 * pixels + 50_000


def test_planning_a_huge_image_takes_no_memory() -> None:
    assert planned_bytes("tyx", (10**6, 10**5, 10**5), 2) > 2 * 10**16
    assert np.prod([10**6, 10**5, 10**5], dtype=float) == 1e16
