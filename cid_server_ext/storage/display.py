"""How an image is shown when nobody said: a colour and a contrast window for each channel."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

from .readers.source import RGB, Channel

PERCENTILES = (1.0, 99.8)
# One channel is grey; several take the palette of Viv, in its order.
PALETTE = ("0000FF", "00FF00", "FF00FF", "FFFF00", "00FFFF", "FF8000", "FFFFFF", "FF0000")
PLANES = 32  # looked at for the contrast of one channel
ALPHA = RGB[3]["name"]


def channels(
    told: tuple[Channel, ...], axes: str, coarsest: ts.TensorStore
) -> list[dict[str, Any]]:
    """Return the NGFF `omero` channels: the file's names and colours, windows from the pixels.

    told: one for each c of `axes`. coarsest: the last level, whose planes are <= 256 pixels.
    A colour picture keeps its hue: its channels share one window.
    """
    samples = [_sample(axes, coarsest, at) for at in range(len(told))]
    if told[:3] == RGB[:3]:
        samples = [np.concatenate(samples[:3])] * 3 + samples[3:]
    return [
        {
            "label": channel["name"],
            "color": colour(told, at),
            "window": window(sample),
            "active": channel["name"] != ALPHA,
            "coefficient": 1,
            "family": "linear",
            "inverted": False,
        }
        for at, (channel, sample) in enumerate(zip(told, samples, strict=True))
    ]


def colour(told: tuple[Channel, ...], at: int) -> str:
    """Return RRGGBB: the channel's own colour, or a default."""
    default = "FFFFFF" if len(told) == 1 else PALETTE[at % len(PALETTE)]
    return told[at].get("color", default)


def window(sample: NDArray[Any]) -> dict[str, float]:
    """Return {min, max, start, end}, finite and start < end, whatever the pixels hold."""
    known = sample[np.isfinite(sample)] if sample.dtype.kind == "f" else sample
    if known.size == 0:
        known = np.zeros(1)
    low, high = (float(value) for value in np.percentile(known, PERCENTILES, method="nearest"))
    lowest, highest = float(known.min()), float(known.max())
    if not low < high:
        low, high = lowest, highest
    if not low < high:
        high = low + max(1.0, abs(low) * 1e-6)
    if sample.dtype.kind in "iu" and sample.dtype.itemsize <= 2:
        limits = np.iinfo(sample.dtype)
        lowest, highest = float(limits.min), float(limits.max)
    return {"min": lowest, "max": max(highest, high), "start": low, "end": high}


def _sample(axes: str, coarsest: ts.TensorStore, channel: int) -> NDArray[Any]:
    """Return pixels of one channel: the middle t, and at most 32 planes of z."""
    place: list[Any] = []
    for axis, size in zip(axes, coarsest.shape, strict=True):
        if axis == "c":
            place.append(channel)
        elif axis == "t":
            place.append(size // 2)
        elif axis == "z":
            place.append(slice(0, size, -(-size // PLANES)))
        else:
            place.append(slice(0, size))
    return np.asarray(coarsest[tuple(place)].read().result()).ravel()
