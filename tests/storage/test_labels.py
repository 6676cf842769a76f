"""Labels are whole numbers, small, unsigned, and counted."""

from __future__ import annotations

import numpy as np
import pytest

from cid_server_ext.errors import BadFile
from cid_server_ext.storage.labels import as_labels


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("uint8", "uint8"),
        ("int8", "uint8"),
        ("int16", "uint16"),
        ("uint32", "uint32"),
        ("int32", "uint32"),
        ("int64", "uint32"),
        ("uint64", "uint32"),
        ("bool", "uint8"),
    ],
)
def test_labels_become_small_and_unsigned(make, given: str, kept: str) -> None:
    labels, objects = as_labels(make(np.array([[0, 1], [1, 1]], given), "yx"))
    assert (labels.dtype, objects) == (np.dtype(kept), 1)
    assert labels.array.compute().tolist() == [[0, 1], [1, 1]]
    assert labels.channels == ()


def test_objects_are_counted_over_all_blocks(make) -> None:
    stack = np.arange(5 * 30 * 40, dtype=np.int64).reshape(5, 30, 40) // 7
    _, objects = as_labels(make(stack, "zyx", chunks=(1, 30, 40)))
    assert objects == len(np.unique(stack)) - 1


def test_an_image_without_objects_has_none(make) -> None:
    assert as_labels(make(np.zeros((5, 5), np.uint16), "yx"))[1] == 0


@pytest.mark.parametrize(
    ("pixels", "why"),
    [
        (np.zeros((2, 2), np.float32), "whole numbers"),
        (np.full((2, 2), -1, np.int16), "negative"),
        (np.full((2, 2), 2**32, np.int64), "32 bits"),
    ],
)
def test_what_cannot_be_labels_is_refused(make, pixels: np.ndarray, why: str) -> None:
    with pytest.raises(BadFile, match=why):
        as_labels(make(pixels, "yx"))
