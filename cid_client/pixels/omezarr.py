"""Writes one array as a single-level OME-Zarr 0.5, as a run hands it to the catalog.

The catalog reads it once, makes the pyramid and keeps its own copy. Specification:
https://ngff.openmicroscopy.org/0.5/ (multiscales, omero, image-label).
"""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec

from ..errors import BadInput
from .chunks import grown
from .frames import ORDER, Frame

TILE = 512  # pixels of y and x in a chunk
SHARD_TILES = 4  # chunks of y and x in a shard
SHARD_PLANES = 8  # planes of z in a shard
LARGE = 64 << 20  # bytes from which chunks are gathered in shards
TYPES = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}


def write(path: Path, array: Any, frame: Frame, *, name: str, labels: bool) -> None:
    """Write a numpy, dask or xarray array to `path`, its axes in the order t c z y x.

    A dask array is computed piece by piece by the scheduler that is active. An axis whose pixel
    size is unknown is written with scale 1 and without unit.
    """
    data = getattr(array, "data", array) if hasattr(array, "dims") else array
    order = "".join(axis for axis in ORDER if axis in frame.axes)
    data = data.transpose([frame.axes.index(axis) for axis in order])
    data = _narrowed(data, name) if labels else data
    shutil.rmtree(path, ignore_errors=True)
    attributes: dict[str, Any] = {"ome": _metadata(order, frame, data.dtype, name, labels)}
    group = zarr.open_group(path, mode="w", zarr_format=3, attributes=attributes)
    chunks, shards = _layout(order, data.shape, data.dtype.itemsize)
    target = group.create_array(
        "0",
        shape=data.shape,
        chunks=chunks,
        shards=shards,
        dtype=data.dtype,
        compressors=BloscCodec(cname="zstd", clevel=1, shuffle="bitshuffle"),
        dimension_names=list(order),
        fill_value=0,
    )
    _fill(target, data, shards or chunks)


def _fill(target: Any, data: Any, block: Sequence[int]) -> None:
    if not hasattr(data, "dask"):
        target[...] = np.asarray(data)
        return
    import dask.array as da
    from dask.array.core import slices_from_chunks

    pieces = data.rechunk(grown(data.shape, block, data.dtype.itemsize))
    if not _elsewhere():
        da.store(pieces, target, lock=False)
        return
    kept = pieces.persist()  # workers cannot write here: they compute, this process writes
    for region in slices_from_chunks(kept.chunks):  # type: ignore[no-untyped-call]
        target[region] = kept[region].compute()


def _elsewhere() -> bool:
    """Tell whether Dask computes on workers now, by its settings or within a client's block."""
    import dask

    if dask.config.get("scheduler", None) in ("distributed", "dask.distributed"):
        return True
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return False
    try:
        return distributed.Client.current() is not None
    except ValueError:  # there is no client
        return False


def _layout(
    order: str, shape: Sequence[int], itemsize: int
) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    """Return chunks of one plane's tiles, and shards where the array is large."""
    chunks = tuple(
        max(1, min(TILE, n)) if a in "yx" else 1 for a, n in zip(order, shape, strict=True)
    )
    if math.prod(shape) * itemsize < LARGE:
        return chunks, None
    most = {"y": SHARD_TILES, "x": SHARD_TILES, "z": SHARD_PLANES}
    shards = tuple(
        c * min(most.get(a, 1), math.ceil(n / c))
        for a, n, c in zip(order, shape, chunks, strict=True)
    )
    return chunks, shards


def _metadata(
    order: str, frame: Frame, dtype: np.dtype[Any], name: str, labels: bool
) -> dict[str, Any]:
    axes: list[dict[str, str]] = []
    for axis in order:
        unit = {"unit": frame.units[axis]} if axis in frame.units else {}
        axes.append({"name": axis, "type": TYPES[axis], **unit})
    scale = [float(frame.scale.get(axis, 1.0)) for axis in order]
    level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}
    ome: dict[str, Any] = {
        "version": "0.5",
        "multiscales": [{"name": name, "axes": axes, "datasets": [level]}],
    }
    if labels:
        ome["image-label"] = {"version": "0.5"}
    elif frame.channels:
        window = _window(dtype)
        ome["omero"] = {
            "channels": [
                {"label": c["name"], "color": c["color"], "active": True, "window": window}
                for c in frame.channels
            ]
        }
    return ome


def _window(dtype: np.dtype[Any]) -> dict[str, float]:
    low, high = (np.iinfo(dtype).min, np.iinfo(dtype).max) if dtype.kind in "iu" else (0, 1)
    return {"min": float(low), "max": float(high), "start": float(low), "end": float(high)}


def _narrowed(data: Any, name: str) -> Any:
    """Return labels in a type that viewers draw: bool as uint8, 64 bits as 32 where they fit."""
    if data.dtype == bool:
        return data.astype(np.uint8)
    if data.dtype.kind not in "iu":
        raise BadInput(f'labels {name!r} are {data.dtype}: make them whole, .astype("uint32")')
    if data.dtype.itemsize < 8:
        return data
    small = np.dtype(np.int32 if data.dtype.kind == "i" else np.uint32)

    def fits(block: Any) -> Any:
        limits = np.iinfo(small)
        if block.size and (block.min() < limits.min or block.max() > limits.max):
            raise BadInput(f"labels {name!r} hold numbers beyond {small}: relabel them from 1")
        return block.astype(small)

    return data.map_blocks(fits, dtype=small) if hasattr(data, "dask") else fits(data)
