"""A small picture of an OME-Zarr that others wrote and that stays where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorstore as ts

from . import display, stores, thumbnails
from .layout import COARSEST

MOST = 4 * COARSEST  # pixels of y and x that are looked at; of what is larger, some


def draw(store: Path) -> bytes:
    """Return a PNG as `thumbnails.draw` does, whatever levels and contrast the store has."""
    ome = stores.group(store)
    axes = "".join(axis["name"] for axis in ome["multiscales"][0]["axes"])
    array = _small(store, axes, len(ome["multiscales"][0]["datasets"]))
    if "image-label" in ome:
        return thumbnails.as_png(array, axes, None)
    count = array.shape[axes.index("c")] if "c" in axes else 1
    told = (ome.get("omero") or {}).get("channels") or []
    return thumbnails.as_png(array, axes, _shown(told, axes, array, count))


def _small(store: Path, axes: str, count: int) -> ts.TensorStore:
    """Open the coarsest level that need not be enlarged; of a large one every nth pixel."""
    for level in reversed(range(count)):
        array = stores.open_in_place(store, level)
        longest = max(n for axis, n in zip(axes, array.shape, strict=True) if axis in "yx")
        if longest >= COARSEST or level == 0:
            break
    step = max(1, longest // MOST)
    return array[tuple(slice(None, None, step if axis in "yx" else None) for axis in axes)]


def _shown(
    told: list[dict[str, Any]], axes: str, array: ts.TensorStore, count: int
) -> list[dict[str, Any]]:
    """Return channels as the store says they are shown, or as ours are where it does not say."""
    fine = len(told) == count and all(_whole(channel) for channel in told)
    if fine and any(channel["active"] for channel in told):
        return told
    named = tuple({"name": str(at)} for at in range(count))
    return display.channels(named, axes, array)


def _whole(channel: dict[str, Any]) -> bool:
    try:
        window = channel["window"]
        bytes.fromhex(channel["color"])
        return bool(float(window["start"]) < float(window["end"]) and "active" in channel)
    except (KeyError, TypeError, ValueError):
        return False
