"""How good an image is, told from its stored pixels: one dict a store, the same each time.

`measure` reads little of a large image (`sample`), in bounded memory, and never fails for what the
pixels are: what cannot be told is None. What each number means: docs/user/quality.md.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from .. import stores
from . import detectors
from .background import background
from .focus import focus
from .levels import levels
from .noise import Detector, Noise, noise_of
from .outline import Glance, Stack, glances
from .planes import odd, sharpest
from .sample import tiles

__all__ = ["MEASURES", "VERSION", "Detector", "measure"]

MOST_CHANNELS = 64  # are measured, the first ones; a spectrum has more
AT_ONCE = 2  # channels, so that the memory does not grow with the machine
VERSION = 1  # of the measures: images with an older one can be measured again
MEASURES = (
    *("snr", "reason", "gain", "saturated", "range", "bits", "bits_from", "lowest", "highest"),
    *("focus", "sharpest", "background", "unevenness", "nan", "infinite"),
)


def measure(store: Path, detector: Mapping[int, Detector] | None = None) -> dict[str, Any] | None:
    """Return the quality of the OME-Zarr at `store` as JSON; None for labels, which have none.

    detector: what is known of the detector of a channel, by its number.
    {version, channels: [{name, snr, reason, gain, saturated, range, bits, lowest, highest, focus,
    sharpest, background, unevenness, nan, infinite}], planes: {looked, empty, empty_at, duplicate,
    duplicate_at}}.
    """
    ome = stores.group(store)
    if "image-label" in ome:
        return None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        stack = Stack.of(store)
        seen = glances(stack)
        told = (ome.get("omero") or {}).get("channels") or []
        names = [str(channel.get("label") or "") for channel in told]
        said = detectors.said(store, stack.channels)

        def one(at: int) -> dict[str, Any]:
            name = names[at] if at < len(names) else ""
            return {"name": name, **_tried(stack, at, seen, said, (detector or {}).get(at))}

        several = range(min(stack.channels, MOST_CHANNELS))
        if len(several) == 1:
            channels = [one(0)]
        else:
            with ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1)) as pool:
                channels = list(pool.map(one, several))
        return {"version": VERSION, "channels": channels, "planes": odd(stack, seen)}


def _tried(
    stack: Stack, channel: int, seen: list[Glance], said: detectors.Said, detector: Detector | None
) -> dict[str, Any]:
    """Return the measures of a channel; pixels that we did not think of must not end an import."""
    try:
        with np.errstate(all="ignore"):  # it is each thread's own
            return _channel(stack, channel, seen, said, detector)
    except Exception as error:
        nothing = dict.fromkeys(MEASURES)
        return {**nothing, "reason": f"it could not be measured ({type(error).__name__})"}


def _channel(
    stack: Stack,
    channel: int,
    seen: list[Glance],
    said: detectors.Said,
    detector: Detector | None,
) -> dict[str, Any]:
    mine = [glance for glance in seen if stack.channel(glance.plane) == channel]
    looked = tiles(stack, mine)
    found = levels(looked, stack.dtype, said.bits)
    pixels = [tile.pixels for tile in looked]
    told = noise_of(pixels, found.step, found.ceiling, detector)
    if detector is None and detectors.agree(said.of(channel), told.gain):
        told = noise_of(pixels, found.step, found.ceiling, said.of(channel))
    ground = background(looked, stack.shape)
    return {
        "snr": _round(told.snr),
        "reason": told.reason,
        "gain": _round(told.gain),
        "saturated": _round(found.saturated),
        "range": _round(found.used),
        "bits": found.bits,
        "bits_from": found.told,
        "lowest": _round(found.lowest, 6),
        "highest": _round(found.highest, 6),
        "focus": _round(focus(pixels, told.variance, found.ceiling)),
        "sharpest": sharpest(stack, looked, told.variance, found.ceiling),
        "background": _round(ground and ground[0]),
        "unevenness": _round(_unevenness(ground, told)),
        "nan": found.nan,
        "infinite": found.infinite,
    }


def _unevenness(ground: tuple[float, float] | None, told: Noise) -> float | None:
    """Return how far the background varies, as a part of what the bright region is above it."""
    if ground is None or told.bright is None or not told.bright > ground[0]:
        return None
    return ground[1] / (told.bright - ground[0])


def _round(value: float | None, digits: int = 4) -> float | None:
    """Return a number to a few digits, None for what is no number: JSON knows no NaN."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{float(value):.{digits}g}")
