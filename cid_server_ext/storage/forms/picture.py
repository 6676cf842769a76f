"""What a stored OME-Zarr is, read from its metadata alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
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
Watch = Callable[[int, Sequence[tuple[int, int]]], None]


@dataclass(frozen=True, slots=True)
class Channel:
    """How one channel is called and shown."""

    name: str
    colour: str  # RRGGBB
    window: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Picture:
    """One stored image; `paths` and `shapes` have one for each level, in the order of `axes`.

    scale: micrometers or seconds by axis, where they are known. watch: told after pixels were read
    which part of which level that was, before they are given to anybody.
    """

    store: Path
    axes: str
    paths: tuple[str, ...]
    shapes: tuple[Shape, ...]
    dtype: np.dtype[Any]
    scale: dict[str, float]
    channels: tuple[Channel, ...]
    watch: Watch = field(default=lambda level, box: None, compare=False)

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
    if any(part in {"", ".", ".."} for path in paths for part in path.split("/")):
        raise ValueError(paths)
    levels = _pyramid([stores.Array.of(store / path) for path in paths], axes)
    shapes, dtype = tuple(level.shape for level in levels), levels[0].dtype
    ordered = axes == "".join(axis for axis in AXES if axis in axes) and axes.endswith("yx")
    fitting = all(len(shape) == len(axes) and min(shape) > 0 for shape in shapes)
    if not (ordered and fitting and dtype.name in DTYPES):
        raise ValueError(axes)
    for level in levels:
        if float(np.prod(level.piece, dtype=float)) * dtype.itemsize > LARGEST_PIECE:
            raise BadInput("its pixels are kept in pieces that are too large: take it as ome-zarr")
    units = {axis["name"]: axis.get("unit") for axis in multiscale["axes"]}
    scales = multiscale["datasets"][0]["coordinateTransformations"][0]["scale"]
    known = {axis: float(s) for axis, s in zip(axes, scales, strict=True) if units[axis] in UNITS}
    scale = {axis: size for axis, size in known.items() if np.isfinite(size) and size > 0}
    told = ome.get("omero", {}).get("channels", [])
    channels = tuple(_channel(one) for one in told)
    return Picture(store, axes, tuple(paths[: len(levels)]), shapes, dtype, scale, channels)


def _pyramid(levels: list[stores.Array], axes: str) -> list[stores.Array]:
    """Return the levels that halve y and x, and nothing else, as ours do: some have others."""
    found = levels[:1]
    for level in levels[1:]:
        before = found[-1].shape
        if level.dtype != found[0].dtype or len(level.shape) != len(axes):
            break
        pairs = list(zip(axes, before, level.shape, strict=True))
        if not all(n in (was // 2, -(-was // 2)) if a in "yx" else n == was for a, was, n in pairs):
            break
        found.append(level)
    return found


def _channel(told: dict[str, Any]) -> Channel:
    window = told.get("window") or {}
    shown = float(window.get("start", 0)), float(window.get("end", 255))
    return Channel(str(told.get("label", "")), str(told.get("color", "FFFFFF")), shown)
