"""The score: objects matched one to one."""

from __future__ import annotations

import numpy as np
import pytest

from cid_server_ext.checking.scoring import f1


@pytest.fixture
def two() -> np.ndarray:
    labels = np.zeros((20, 20), int)
    labels[2:8, 2:8], labels[12:18, 12:18] = 3, 7
    return labels


def test_the_numbers_of_the_labels_do_not_matter(two):
    assert f1(two, np.where(two == 3, 100, two)) == 1


def test_a_missed_and_an_invented_object_cost_the_same(two):
    missed = np.where(two == 3, 0, two)
    assert f1(two, missed) == f1(missed, two) == pytest.approx(2 / 3)


def test_a_merged_pair_counts_as_none_found():
    truth = np.zeros((10, 20), int)
    truth[:, :10], truth[:, 10:] = 1, 2
    assert f1(truth, np.ones((10, 20), int), overlap=0.51) == 0


def test_one_object_is_found_once_only():
    truth = np.ones((10, 10), int)
    halves = np.ones((10, 10), int)
    halves[:, 5:] = 2
    assert f1(truth, halves, overlap=0.5) == pytest.approx(2 / 3)


def test_the_overlap_decides(two):
    moved = np.roll(two, 1, axis=0)  # 30 of 42 pixels in common
    assert (f1(two, moved, 0.7), f1(two, moved, 0.75)) == (1, 0)


def test_nothing_in_nothing_is_right():
    empty = np.zeros((5, 5), int)
    assert f1(empty, empty) == 1
