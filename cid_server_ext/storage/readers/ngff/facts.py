"""What the metadata of an OME-Zarr says of its images."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..source import Facts
from ..units import calibration, micrometers, seconds
from ..values import as_channel, clean, text


def from_ngff(multiscale: dict[str, Any], omero: dict[str, Any]) -> Facts:
    """Return what NGFF metadata says of level 0: an axis without a unit is not calibrated."""
    axes = [axis for axis in multiscale["axes"] if isinstance(axis, dict)]
    sizes = np.ones(len(axes))
    for holder in (multiscale, multiscale["datasets"][0]):
        for transform in holder.get("coordinateTransformations") or []:
            if transform.get("type") == "scale":
                sizes = sizes * np.asarray(transform["scale"], float)
    known: dict[str, float | None] = dict.fromkeys("tzyx")
    for axis, size in zip(axes, sizes, strict=True):
        if axis["name"] in known:
            convert = seconds if axis["name"] == "t" else micrometers
            known[axis["name"]] = convert(float(size), text(axis.get("unit")) or None)
    scale, units = calibration(known["z"], known["y"], known["x"], known["t"])
    channels = tuple(
        as_channel(told.get("label"), told.get("color")) for told in omero.get("channels", [])
    )
    name = clean(text(multiscale.get("name")) or text(omero.get("name")), 255)
    return Facts(name=name, scale=scale, units=units, channels=channels)
