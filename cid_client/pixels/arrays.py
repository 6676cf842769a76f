"""An image's pixels as a lazy xarray: named axes, physical coordinates where they are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import dask.array as da
import numpy as np
import xarray as xr
import zarr

from ..errors import BadFile, BadInput, NotFound
from .chunks import grown
from .store import TicketStore, open_store

if TYPE_CHECKING:
    from ..records.images import Image

Written = Literal[2, 3]


def to_xarray(image: Image, level: int = 0) -> xr.DataArray:
    """Return level `level` of the image; see `Image.to_xarray`."""
    if not 0 <= level < image.levels:
        raise BadInput(f"{image.name} has levels 0 to {image.levels - 1}; not {level}")
    store = open_store(image.session, image.path, image.record)
    levels, written = _levels(image, store)
    array = zarr.open_array(store, path=levels[level]["path"], mode="r", zarr_format=written)
    return xr.DataArray(
        lazy(array, f"cid-{image.uid}-{level}"),
        dims=tuple(image.axes),
        coords=_coordinates(image, array.shape, levels, level),
        name=image.name,
        attrs={
            "uid": image.uid,
            "name": image.name,
            "calibrated": "".join(axis for axis in image.axes if axis in image.scale),
        },
    )


def lazy(array: zarr.Array[Any], name: str) -> da.Array:
    """Return a dask array over a zarr array, cut along its shards.

    Its name is the same each time: what was computed once can be recognised.
    """
    block = array.shards or array.chunks
    chunks = grown(array.shape, block, array.dtype.itemsize)
    meta = np.empty((0,) * array.ndim, dtype=array.dtype)
    from_array: Callable[..., da.Array] = da.from_array  # dask is not typed
    return from_array(array, chunks=chunks, name=name, meta=meta)


def _levels(image: Image, store: TicketStore) -> tuple[list[dict[str, Any]], Written]:
    """Return what the store says of its levels, and the version of zarr that it is written in.

    One that stays where it was may be an OME-Zarr 0.4.
    """
    written: Written
    for written in (3, 2):
        try:
            group = zarr.open_group(store, mode="r", zarr_format=written, use_consolidated=False)
            attrs: dict[str, Any] = dict(group.attrs)
            levels = (attrs["ome"] if written == 3 else attrs)["multiscales"][0]["datasets"]
        except FileNotFoundError:
            continue
        except (KeyError, IndexError, TypeError):
            raise BadFile(f"the store of {image.name} is no OME-Zarr image") from None
        return levels, written
    raise NotFound(f"the pixels of {image.name} are not in storage")


def _coordinates(
    image: Image, shape: Sequence[int], levels: Sequence[Mapping[str, Any]], level: int
) -> dict[str, Any]:
    """Return a coordinate for each calibrated axis, and the channels' names.

    The catalog says how large a pixel is at level 0, the store how much larger it is at `level`
    and where its first one lies (NGFF scale and translation, in the units of the axes).
    """
    here, top = _transform(levels[level], "scale"), _transform(levels[0], "scale")
    shift = _transform(levels[level], "translation")
    coordinates: dict[str, Any] = {}
    for i, axis in enumerate(image.axes):
        if axis in image.scale:
            larger = here[i] / top[i] if here and top else 1.0
            first = shift[i] if shift else 0.0
            values = first + np.arange(shape[i]) * (image.scale[axis] * larger)
            attrs = {"units": image.units[axis]} if axis in image.units else {}
            coordinates[axis] = (axis, values, attrs)
        elif axis == "c" and len(image.channels) == shape[i]:
            names = [c.get("name") or f"channel {n}" for n, c in enumerate(image.channels)]
            coordinates[axis] = (axis, names)
    return coordinates


def _transform(level: Mapping[str, Any], kind: str) -> list[float] | None:
    for transform in level.get("coordinateTransformations", ()):
        if transform.get("type") == kind:
            values: list[float] = transform[kind]
            return values
    return None
