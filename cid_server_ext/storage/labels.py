"""Label images: whole numbers that name objects, 0 for none, kept as small unsigned integers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import BadFile
from .layout import layouts
from .omezarr import read_ahead
from .readers.source import Source

LARGEST = int(np.iinfo(np.uint32).max)


def as_labels(source: Source) -> tuple[Source, int]:
    """Return (the labels as unsigned integers, the number of different labels that are not 0).

    Signed types become unsigned of the same width, 64 bits become 32 when all labels fit. Reads
    all pixels once, block by block. BadFile: real or negative numbers, or labels beyond 2**32 - 1.
    """
    if source.dtype.kind not in "iu":
        raise BadFile(f"labels must be whole numbers, these are {source.dtype}: save as uint32")
    cut = layouts(source.axes, source.shape, source.dtype.itemsize)[0]
    found = np.zeros(0, source.dtype)
    for _, pixels, _ in read_ahead(source, cut):
        found = np.union1d(found, pixels)
    if int(found.min()) < 0:
        raise BadFile(f"labels must not be negative, but {int(found.min())} is there")
    if int(found.max()) > LARGEST:
        raise BadFile(f"labels must fit in 32 bits, but {int(found.max())} is there: renumber them")
    kept = np.dtype(f"uint{8 * min(4, source.dtype.itemsize)}")
    array = source.array if source.dtype == kept else source.array.astype(kept)
    return replace(source, array=array, channels=()), int(np.count_nonzero(found))
