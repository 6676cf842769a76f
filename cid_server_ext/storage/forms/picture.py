"""What a stored OME-Zarr is, read from its metadata alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import BadInput
from .. import stores
from ..readers.source import AXES, DTYPES, RGB

LARGEST_PIECE = 128 << 20  # bytes that are decoded at once; ours have half a megabyte
UNITS = {"micrometer", "second"}
COLOURS = [channel["name"] for channel in RGB[:3]]

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Channel:
    """How one channel is called and shown."""

    name: str
    colour: str  # RRGGBB
    window: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Picture:
    """One image in our storage; `shapes` has one shape for each level, in the order of `axes`.

    scale: micrometers or seconds by axis, where they are known.
    """

    store: Path
    axes: str
    shapes: tuple[Shape, ...]
    dtype: np.dtype[Any]
    scale: dict[str, float]
    channels: tuple[Channel, ...]

    def size(self, axis: str, level: int = 0) -> int:
        """The length of an axis, 1 for one that it does not have."""
        return self.shapes[level][self.axes.index(axis)] if axis in self.axes else 1

    @property
    def rgb(self) -> bool:
        """Whether its channels are the three of a colour picture."""
        named = [channel.name for channel in self.channels]
        return self.dtype == np.uint8 and self.size("c") == 3 and named == COLOURS


def picture(store: Path) -> Picture:
    """Return what lies at `store`. BadInput: it is no OME-Zarr as we write them."""
    try:
        return _picture(store)
    except (FileNotFoundError, NotADirectoryError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput("its pixels are not kept as ours are: take it as ome-zarr") from None


def _picture(store: Path) -> Picture:
    ome = stores.group(store)
    multiscale = ome["multiscales"][0]
    axes = "".join(axis["name"] for axis in multiscale["axes"])
    paths = [one["path"] for one in multiscale["datasets"]]
    levels = [json.loads((store / path / "zarr.json").read_bytes()) for path in paths]
    shapes = tuple(tuple(int(n) for n in level["shape"]) for level in levels)
    dtype = np.dtype(levels[0]["data_type"])
    ordered = axes == "".join(axis for axis in AXES if axis in axes) and axes.endswith("yx")
    fitting = all(len(shape) == len(axes) and min(shape) > 0 for shape in shapes)
    plain = paths == [str(at) for at in range(len(paths))] and dtype.name in DTYPES
    if not (ordered and fitting and plain):
        raise ValueError(axes)
    for level in levels:
        piece = _chunk(level)
        if float(np.prod(piece, dtype=float)) * dtype.itemsize > LARGEST_PIECE:
            raise BadInput("its pixels are kept in pieces that are too large: take it as ome-zarr")
    units = {axis["name"]: axis.get("unit") for axis in multiscale["axes"]}
    scales = multiscale["datasets"][0]["coordinateTransformations"][0]["scale"]
    known = {axis: float(s) for axis, s in zip(axes, scales, strict=True) if units[axis] in UNITS}
    scale = {axis: size for axis, size in known.items() if np.isfinite(size) and size > 0}
    told = ome.get("omero", {}).get("channels", [])
    channels = tuple(_channel(one) for one in told)
    return Picture(store, axes, shapes, dtype, scale, channels)


def _chunk(level: dict[str, Any]) -> list[int]:
    first = level["codecs"][0]
    if first["name"] == "sharding_indexed":
        return list(first["configuration"]["chunk_shape"])
    return list(level["chunk_grid"]["configuration"]["chunk_shape"])


def _channel(told: dict[str, Any]) -> Channel:
    window = told.get("window") or {}
    shown = float(window.get("start", 0)), float(window.get("end", 255))
    return Channel(str(told.get("label", "")), str(told.get("color", "FFFFFF")), shown)
