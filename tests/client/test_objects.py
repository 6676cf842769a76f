"""Objects of two label images: what became of each, counted without holding them whole."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import cid_client as cid
from cid_client.again import blocks, objects, overlap, picture


def plane(*boxes: tuple[int, slice, slice], shape: tuple[int, int] = (40, 40)) -> np.ndarray:
    labels = np.zeros(shape, np.uint32)
    for label, y, x in boxes:
        labels[y, x] = label
    return labels


def test_objects_are_matched_split_merged_lost_and_new() -> None:
    before = plane(
        (1, slice(0, 10), slice(0, 10)),
        (2, slice(0, 10), slice(20, 40)),
        (3, slice(20, 30), slice(0, 9)),
        (4, slice(20, 30), slice(10, 20)),
        (5, slice(35, 39), slice(35, 39)),
    )
    after = plane(
        (7, slice(1, 10), slice(0, 10)),
        (8, slice(0, 10), slice(20, 30)),
        (9, slice(0, 10), slice(31, 40)),
        (10, slice(20, 30), slice(0, 20)),
        (11, slice(33, 36), slice(0, 3)),
    )
    found = objects.compare(before, after)
    assert found.matched == [(1, 7, 0.9)]
    assert (found.split, found.merged) == ({2: [8, 9]}, {10: [3, 4]})
    assert (found.lost, found.new) == ([5], [11])
    assert str(found) == (
        "5 before, 5 after, 1 matched, 1 split, 1 merged, 1 lost, 1 new, 0.9 mean overlap"
    )
    assert not found.same


def test_a_speck_inside_an_object_does_not_split_it() -> None:
    before = plane((1, slice(0, 20), slice(0, 20)))
    after = plane((1, slice(0, 20), slice(0, 20)), (2, slice(0, 2), slice(0, 2)))
    found = objects.compare(before, after)
    assert (len(found.matched), found.split, found.new) == (1, {}, [2])


def test_other_numbers_for_the_same_objects_are_the_same() -> None:
    before = plane((1, slice(0, 9), slice(0, 9)), (2, slice(20, 29), slice(0, 9)))
    after = np.where(before > 0, before.astype(np.uint64) + 2**40, 0)
    assert objects.compare(before, after).same
    nothing = np.zeros_like(before)
    assert objects.compare(nothing, nothing).facts["mean overlap"] is None


LABELS = arrays.arrays(np.uint8, (7, 9), elements=st.integers(0, 5))


@settings(max_examples=60, deadline=None)
@given(LABELS, LABELS)
def test_every_object_ends_in_one_place(before: np.ndarray, after: np.ndarray) -> None:
    found = objects.compare(before, after)
    ones = [a for a, _, _ in found.matched] + list(found.split) + found.lost
    ones += [part for parts in found.merged.values() for part in parts]
    twos = [b for _, b, _ in found.matched] + list(found.merged) + found.new
    twos += [piece for pieces in found.split.values() for piece in pieces]
    assert sorted(ones) == sorted(set(np.unique(before)) - {0})
    assert sorted(twos) == sorted(set(np.unique(after)) - {0})


@settings(max_examples=30, deadline=None)
@given(LABELS, LABELS)
def test_blocks_add_up_to_the_whole(before: np.ndarray, after: np.ndarray) -> None:
    whole = overlap.counts(before, after)
    pieces = overlap.counts(
        da.from_array(before, chunks=(3, 4)), da.from_array(after, chunks=(7, 2))
    )
    for one, two in zip(whole, pieces, strict=True):
        assert (one == two).all()
    assert whole[2].sum() == before.size


def test_rows_are_added_up_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlap, "MOST", 10)
    monkeypatch.setattr(blocks, "LARGEST", 16)
    noise = np.random.default_rng(1).integers(0, 4, (32, 32))
    one, two, many = overlap.counts(noise, noise)
    assert (one == two).all()
    assert many.tolist() == np.bincount(noise.ravel()).tolist()


def test_what_is_no_pair_of_labels_is_refused() -> None:
    labels = plane()
    with pytest.raises(cid.BadInput, match="whole numbers, this is float64"):
        objects.compare(labels, labels.astype(float))
    with pytest.raises(cid.BadInput, match="their shapes differ: 40 × 40 and 20 × 40"):
        objects.compare(labels, labels[::2])


def test_the_picture_has_a_colour_for_each_change(tmp_path: object) -> None:
    before = plane((1, slice(0, 10), slice(0, 10)), (2, slice(20, 30), slice(0, 10)))
    after = plane((1, slice(0, 10), slice(0, 10)), (3, slice(0, 10), slice(20, 30)))
    drawn = picture.painted(before, after, objects.compare(before, after))
    assert tuple(drawn[5, 5]) == picture.COLOURS["matched"]
    assert tuple(drawn[25, 5]) == picture.COLOURS["lost"]
    assert tuple(drawn[5, 25]) == picture.COLOURS["new"]
    assert not drawn[35, 35].any()

    import io

    from PIL import Image

    with Image.open(io.BytesIO(picture.png(drawn))) as read:
        assert (np.asarray(read) == drawn).all()
