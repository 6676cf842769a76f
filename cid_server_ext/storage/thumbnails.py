"""A small picture of a stored image, drawn from its levels."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray
from PIL import Image

from . import stores
from .layout import COARSEST

Array = NDArray[Any]
DEPTH_BYTES = 16 << 20  # how much of a stack is projected at once


def draw(store: Path) -> bytes:
    """Return a PNG, at most 256 pixels on its longer side, of the OME-Zarr at `store`.

    It shows the middle t and the maximum over z, because the middle plane of a thick or tilted
    stack is often out of focus or empty, and a thumbnail must show what there is. Channels are
    stretched by the windows and mixed in the colours of the store's metadata; labels get fixed
    colours on black, so that one object has the same colour in every picture of it.
    """
    ome = stores.group(store)
    axes = "".join(axis["name"] for axis in ome["multiscales"][0]["axes"])
    array = _smallest_that_fills(store, axes, len(ome["multiscales"][0]["datasets"]))
    return as_png(array, axes, None if "image-label" in ome else ome["omero"]["channels"])


def as_png(array: ts.TensorStore, axes: str, channels: list[dict[str, Any]] | None) -> bytes:
    """Return the picture of one level, its channels as they are shown; None: of labels."""
    if channels is None:
        picture = Image.fromarray(label_colours(_flat(array, axes, 0)))
        how = Image.Resampling.NEAREST
    else:
        picture = Image.fromarray(_mix(array, axes, channels))
        how = Image.Resampling.BOX
    if max(picture.size) > COARSEST:
        ratio = COARSEST / max(picture.size)
        width, height = (max(1, round(side * ratio)) for side in picture.size)
        picture = picture.resize((width, height), how)
    file = io.BytesIO()
    # of noise 1 makes less than 4, in half of its time
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def label_colours(labels: Array) -> Array:
    """Return (y, x, 3) uint8: black for 0, else a bright colour that depends on the number only."""
    seed = labels.astype(np.uint64)
    seed = seed * np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing: neighbours fall far apart
    seed ^= seed >> np.uint64(29)
    hue = (seed % np.uint64(1 << 20)).astype(np.float64) / (1 << 20)
    dim = ((seed >> np.uint64(24)) % np.uint64(3)).astype(np.float64) * 0.2
    wave = np.stack([hue, hue + 1 / 3, hue + 2 / 3], axis=-1)
    colours = (0.55 + 0.45 * np.cos(2 * np.pi * wave)) * (1 - dim[..., None])
    colours[labels == 0] = 0
    return np.asarray(np.clip(colours * 255, 0, 255).astype(np.uint8))


def _smallest_that_fills(store: Path, axes: str, count: int) -> ts.TensorStore:
    """Open the coarsest level that need not be enlarged to 256 pixels, or level 0."""
    for level in reversed(range(count)):
        array = stores.open_level(store, level)
        longest = max(n for axis, n in zip(axes, array.shape, strict=True) if axis in "yx")
        if longest >= COARSEST:
            return array
    return stores.open_level(store, 0)


def _flat(array: ts.TensorStore, axes: str, channel: int) -> Array:
    """Return (y, x): the middle t, one c, the maximum over z, NaN only where all of z is NaN."""
    for axis, at in (("t", "middle"), ("c", "channel")):
        if axis in axes:
            where = axes.index(axis)
            index = array.shape[where] // 2 if at == "middle" else channel
            array = array[(slice(None),) * where + (index,)]
            axes = axes.replace(axis, "")
    if "z" not in axes:
        return np.asarray(array.read().result())
    plane = int(np.prod(array.shape[1:])) * array.dtype.numpy_dtype.itemsize
    step = max(1, DEPTH_BYTES // plane)
    highest: Array | None = None
    for start in range(0, array.shape[0], step):
        stack = np.asarray(array[start : min(start + step, array.shape[0])].read().result())
        top = np.fmax.reduce(stack, axis=0)
        highest = top if highest is None else np.fmax(highest, top)
    assert highest is not None
    return highest


def _mix(array: ts.TensorStore, axes: str, channels: list[dict[str, Any]]) -> Array:
    """Return uint8, the sum of the shown channels in their colours: (y, x, 3); of grey (y, x)."""
    inks = {
        at: np.frombuffer(bytes.fromhex(channel["color"]), np.uint8) / 255
        for at, channel in enumerate(channels)
        if channel["active"]
    }
    grey = all((ink == ink[0]).all() for ink in inks.values())
    mixed: Array | None = None
    for at, ink in inks.items():
        level = stretch(_flat(array, axes, at), channels[at]["window"])
        light = level * ink[0] if grey else level[..., None] * ink
        mixed = light if mixed is None else mixed + light
    assert mixed is not None
    return np.asarray((np.clip(mixed, 0, 1) * 255 + 0.5).astype(np.uint8))


def stretch(pixels: Array, window: dict[str, float]) -> Array:
    """Return pixels as 0..1 between the window's start and end; what is no number is 0."""
    start, end = window["start"], window["end"]
    with np.errstate(all="ignore"):
        level = (pixels.astype(np.float64) - start) / (end - start)
    if pixels.dtype.kind == "f":
        level = np.nan_to_num(level, copy=False, nan=0.0, posinf=1.0, neginf=0.0)
    return np.clip(level, 0, 1, out=level)
