"""Halving is exact: the mean of what is there, never of names."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from cid_server_ext.storage.pyramid import halve

WHOLE = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]


def exact_mean(pixels: np.ndarray) -> list[list[int]]:
    """The mean of the pixels of each 2 x 2 square that exist, rounded half up, in exact numbers."""
    rows, columns = pixels.shape
    return [
        [
            int(
                (
                    Fraction(sum(int(v) for v in square.ravel()), square.size) + Fraction(1, 2)
                ).__floor__()
            )
            for x in range(0, columns, 2)
            for square in [pixels[y : y + 2, x : x + 2]]
        ]
        for y in range(0, rows, 2)
    ]


@pytest.mark.parametrize("dtype", WHOLE)
@pytest.mark.parametrize("shape", [(6, 8), (5, 7), (1, 1), (1, 6), (3, 1)])
def test_whole_numbers_are_rounded_half_up_at_their_full_range(
    dtype: str, shape: tuple[int, int]
) -> None:
    limits = np.iinfo(dtype)
    random = np.random.default_rng(5)
    pixels = random.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    pixels.flat[0] = limits.max
    pixels.flat[-1] = limits.min
    halved = halve(pixels, "image")
    assert halved.dtype == dtype
    assert halved.tolist() == exact_mean(pixels)


@pytest.mark.parametrize("dtype", WHOLE)
def test_the_largest_and_smallest_values_do_not_overflow(dtype: str) -> None:
    for value in (np.iinfo(dtype).max, np.iinfo(dtype).min):
        assert (halve(np.full((4, 4), value, dtype), "image") == value).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_real_numbers_keep_their_type_and_do_not_overflow(dtype: str) -> None:
    largest = np.finfo(dtype).max
    assert (halve(np.full((3, 3), largest, dtype), "image") == largest).all()
    halved = halve(np.arange(16, dtype=dtype).reshape(4, 4), "image")
    assert (halved.dtype, halved.tolist()) == (np.dtype(dtype), [[2.5, 4.5], [10.5, 12.5]])


def test_a_missing_value_does_not_eat_its_neighbours() -> None:
    nan = np.nan
    pixels = np.array([[1, nan, nan, nan], [3, 5, nan, nan]], np.float32)
    halved = halve(pixels, "image")
    assert halved[0, 0] == 3
    assert np.isnan(halved[0, 1])


def test_planes_are_halved_each_by_itself() -> None:
    stack = np.random.default_rng(1).integers(0, 9, (2, 3, 5, 6), dtype=np.uint16)
    halved = halve(stack, "image")
    assert halved.shape == (2, 3, 3, 3)
    assert (halved[1, 2] == halve(stack[1, 2], "image")).all()


def test_labels_are_chosen_never_averaged() -> None:
    labels = np.array([[1, 9, 0], [9, 9, 7], [4, 4, 5]], np.uint32)
    assert halve(labels, "labels").tolist() == [[1, 0], [4, 5]]
