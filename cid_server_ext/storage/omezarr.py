"""Writing one image as OME-Zarr 0.5, block by block, each proved while it is in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

from ..errors import BadFile
from . import display, stores
from .layout import (
    BLOCK_BYTES,
    Block,
    Layout,
    block_step,
    blocks,
    layouts,
    whole_planes,
)
from .proof import Proof
from .pyramid import halve
from .readers.source import Source, unreadable

Array = NDArray[Any]
Report = Callable[[float], None]
Check = Callable[[Block, Array], None]
TYPES = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}


def _silent(fraction: float) -> None:
    """Report nothing."""


def write(
    source: Source,
    store: Path,
    kind: str = "image",
    report: Report = _silent,
    *,
    prove: bool = False,
) -> None:
    """Write `source` below `store`: sharded zarr v3 levels, NGFF metadata, OME-XML if it has one.

    Level 0 is the source; each next level halves y and x (`pyramid.halve`). Memory is bounded by
    the block, not by the image; a source that must be decoded in larger pieces is a BadFile.
    `prove`: each block is read back from disk and compared with what the source gave, which is
    what `verify` does with a second reading of the source.
    """
    cuts = layouts(source.axes, source.shape, source.dtype.itemsize)
    arrays = [
        stores.create_level(store, at, source.axes, cut, source.dtype)
        for at, cut in enumerate(cuts)
    ]
    whole = whole_planes(source.axes, source.shape, _step(source, cuts[0]))
    flow = _Flow(Proof(store, source.axes, cuts[0]).check if prove else None)
    for block, pixels, fraction in read_ahead(source, cuts[0]):
        flow.turn()
        flow.write(arrays[0], block, pixels)
        if whole:  # the coarser levels of these planes can be made while they are in memory
            for array in arrays[1:]:
                pixels = halve(pixels, kind)
                flow.write(array, _same_planes(source.axes, block), pixels)
        report(fraction * (1.0 if whole else 0.8))
    flow.finish()
    if not whole:
        for finer, array, cut in zip(arrays[:-1], arrays[1:], cuts[1:], strict=True):
            _halve_store(source.axes, finer, array, cut, kind)
    if source.ome_xml:
        (store / "OME").mkdir()
        (store / "OME" / "METADATA.ome.xml").write_text(source.ome_xml, encoding="utf-8")
    stores.write_group(store, _ome(source, len(cuts), arrays[-1], kind))
    report(1.0)


def verify(store: Path, source: Source, report: Report = _silent) -> None:
    """Read level 0 back and compare it with the source, bit for bit; BadFile if it differs."""
    array = stores.open_level(store, 0)
    cut = layouts(source.axes, source.shape, source.dtype.itemsize)[0]
    if tuple(array.shape) != source.shape or array.dtype.numpy_dtype != source.dtype:
        raise BadFile("the written image has another shape or type than the file")
    proof = Proof(store, source.axes, cut)
    for block, pixels, fraction in read_ahead(source, cut):
        proof.check(block, pixels)
        report(fraction)


def read_ahead(source: Source, cut: Layout) -> Iterator[tuple[Block, Array, float]]:
    """Yield (block, pixels, fraction done) of level 0, reading the next while one is in use."""
    step = _step(source, cut)
    nbytes = int(np.prod(step, dtype=float)) * source.dtype.itemsize
    if nbytes > BLOCK_BYTES:
        raise BadFile(
            f"the file keeps {nbytes >> 20} MiB of pixels in one piece: save it as a tiled TIFF"
        )
    todo = list(blocks(source.axes, cut, source.array.chunksize, source.dtype.itemsize))
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(_read, source, todo[0])
        for at, block in enumerate(todo):
            pixels = coming.result()
            if at + 1 < len(todo):
                coming = reader.submit(_read, source, todo[at + 1])
            yield block, pixels, (at + 1) / len(todo)


def _read(source: Source, block: Block) -> Array:
    try:
        pixels = _computed(source.array[block])
    except Exception as error:  # a decoder met what its header did not tell
        raise unreadable(error) from error
    expected = tuple(part.stop - part.start for part in block)
    if pixels.shape != expected:
        raise BadFile(f"the file gave {pixels.shape} pixels where it promised {expected}")
    return pixels


def _computed(pixels: da.Array) -> Array:
    """Return pixels from dask; what is one piece is not copied once more, as `compute` would."""
    if pixels.npartitions > 1:
        return np.asarray(pixels.compute(scheduler=dask.get))
    (piece,) = dask.optimize(pixels)
    return np.asarray(dask.get(piece.dask, (pixels.name, *(0 for _ in pixels.shape))))


def _step(source: Source, cut: Layout) -> tuple[int, ...]:
    return block_step(source.axes, cut, source.array.chunksize, source.dtype.itemsize)


class _Flow:
    """Writes that overlap: one block is on its way to disk while the next is prepared.

    check: what is done with the first part of each turn, while its pixels are in memory, once all
    of the turn is written.
    """

    def __init__(self, check: Check | None = None) -> None:
        self._turns: deque[list[tuple[ts.WriteFutures, Block, Array]]] = deque()
        self._check = check

    def turn(self) -> None:
        """Begin a turn; wait until only the one before it is still being written."""
        while len(self._turns) > 1:
            self._wait()
        self._turns.append([])

    def write(self, array: ts.TensorStore, block: Block, pixels: Array) -> None:
        """Start to write a part of the current turn."""
        future = array[block].write(pixels, can_reference_source_data_indefinitely=True)
        self._turns[-1].append((future, block, pixels))

    def finish(self) -> None:
        """Wait for all that is still being written."""
        while self._turns:
            self._wait()

    def _wait(self) -> None:
        turn = self._turns.popleft()
        for future, _, _ in turn:
            future.result()
        if self._check is not None:
            _, block, pixels = turn[0]
            self._check(block, pixels)


def _same_planes(axes: str, block: Block) -> Block:
    return tuple(
        slice(None) if axis in "yx" else part for axis, part in zip(axes, block, strict=True)
    )


def _halve_store(
    axes: str, finer: ts.TensorStore, array: ts.TensorStore, cut: Layout, kind: str
) -> None:
    """Make one level from the one before, reading back what was written."""
    flow = _Flow()
    itemsize = array.dtype.numpy_dtype.itemsize
    for block in blocks(axes, cut, (1,) * len(axes), itemsize):
        wider = tuple(
            slice(2 * part.start, min(2 * part.stop, size)) if axis in "yx" else part
            for axis, part, size in zip(axes, block, finer.shape, strict=True)
        )
        flow.turn()
        flow.write(array, block, halve(finer[wider].read().result(), kind))
    flow.finish()


def _ome(source: Source, count: int, coarsest: ts.TensorStore, kind: str) -> dict[str, Any]:
    multiscale = {
        "name": source.name,
        "axes": [_axis(source, axis) for axis in source.axes],
        "datasets": [
            {"path": str(at), "coordinateTransformations": _transforms(source, at, kind)}
            for at in range(count)
        ],
        "type": "mean" if kind == "image" else "nearest",
    }
    ome: dict[str, Any] = {"version": "0.5", "multiscales": [multiscale]}
    if kind == "labels":
        return {**ome, "image-label": {"version": "0.5"}}
    channels = display.channels(source.channels, source.axes, coarsest)
    return {**ome, "omero": {"channels": channels, "rdefs": {"model": "color"}}}


def _axis(source: Source, axis: str) -> dict[str, str]:
    """An axis without a unit is not calibrated, whatever scale NGFF asks us to write for it."""
    named = {"name": axis, "type": TYPES[axis]}
    return {**named, "unit": source.units[axis]} if axis in source.units else named


def _transforms(source: Source, level: int, kind: str) -> list[dict[str, Any]]:
    """Scale; and for means the shift of the first pixel's centre, half of what it grew by."""
    grown = [2**level if axis in "yx" else 1 for axis in source.axes]
    size = [source.scale.get(axis, 1.0) for axis in source.axes]
    scale = {"type": "scale", "scale": [s * g for s, g in zip(size, grown, strict=True)]}
    shift = [s * (g - 1) / 2 for s, g in zip(size, grown, strict=True)]
    if kind == "labels" or level == 0:
        return [scale]
    return [scale, {"type": "translation", "translation": shift}]
