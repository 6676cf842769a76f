"""What a child tells of an image that it wrote, taken as the words of a stranger."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.catalog.commits import NewImage
from ..errors import BadFile
from ..storage.roots import files_below, image_prefix

QUALITY = 100_000  # characters of an image's quality
PLAIN = {str, int, float, type(None)}


@dataclass(frozen=True, slots=True)
class Converted:
    """One image that was written and verified. Axes, shape, scale and units as in the catalog.

    folder: `<target>/<n>`, holding image.ome.zarr/ and thumbnail.png, `nbytes` in all.
    objects: the number of different labels other than 0; None for an image. of: the number of the
    image that labels belong to. unknown: why each machine tag that is missing is.
    quality: what was measured of its pixels; None for labels.
    """

    name: str
    axes: str
    shape: tuple[int, ...]
    dtype: str
    levels: int
    scale: dict[str, float]
    units: dict[str, str]
    channels: list[dict[str, str]]
    tags: list[tuple[str, str, float | None]]
    unknown: dict[str, str]
    folder: Path
    nbytes: int
    objects: int | None
    of: int | None = None
    quality: dict[str, Any] | None = None

    @property
    def kind(self) -> str:
        """Image or labels."""
        return "image" if self.objects is None else "labels"

    def row(self, uid: str, sha256: str, **more: Any) -> NewImage:
        """Return what the catalog keeps of it; `more` is what is known beside, or better."""
        known: dict[str, Any] = {
            "name": self.name[:200],
            "kind": self.kind,
            "axes": self.axes,
            "shape": self.shape,
            "dtype": self.dtype,
            "levels": self.levels,
            "scale": self.scale,
            "units": self.units,
            "channels": self.channels,
            "tags": self.tags,
            "unknown": self.unknown,
            "quality": self.quality,
            "prefix": image_prefix(uid),
            "nbytes": self.nbytes,
        }
        return NewImage(uid=uid, sha256=sha256, **(known | more))


def taken(told: dict[str, Any], folder: Path) -> Converted:
    """Take what a child tells value by value; sizes are looked at, not believed.

    A number that is none, as files may say it, is left out: no database and no JSON keeps it.
    """
    entries = list(folder.rglob("*"))
    if any(entry.is_symlink() or not (entry.is_file() or entry.is_dir()) for entry in entries):
        raise BadFile("reading it made the import write links: it is hostile")
    try:
        return Converted(
            name=str(told["name"])[:255],
            axes=str(told["axes"]),
            shape=tuple(whole(size) for size in told["shape"]),
            dtype=str(told["dtype"]),
            levels=whole(told["levels"]),
            scale={
                str(axis): float(size)
                for axis, size in told["scale"].items()
                if math.isfinite(float(size))
            },
            units={str(axis): str(unit) for axis, unit in told["units"].items()},
            channels=[
                {str(key): str(value) for key, value in channel.items()}
                for channel in told["channels"]
            ],
            tags=[(str(key), str(text), _number(number)) for key, text, number in told["tags"]],
            unknown={str(key): str(reason)[:300] for key, reason in told["unknown"].items()},
            folder=folder,
            nbytes=sum(path.stat().st_size for _, path in files_below(folder)),
            objects=None if told["objects"] is None else whole(told["objects"]),
            of=None if told["of"] is None else whole(told["of"]),
            quality=measured(told["quality"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise astray() from None


def measured(told: Any) -> dict[str, Any] | None:
    """Take an image's quality: small, plain JSON with a version, whatever the child has read."""
    if told is None:
        return None
    try:
        version, channels = whole(told["version"]), told["channels"]
        if not isinstance(told["planes"], dict):
            raise astray()
        for channel in channels:
            plain = set(map(type, channel.values())) <= PLAIN
            if not (isinstance(channel["name"], str) and plain):
                raise astray()
        text = json.dumps(told, allow_nan=False)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise astray() from None
    if len(text) > QUALITY or not version:
        raise astray()
    return dict(json.loads(text))


def _number(told: Any) -> float | None:
    number = None if told is None else float(told)
    return number if number is None or math.isfinite(number) else None


def whole(value: Any) -> int:
    """Return a number that a child tells, or raise BadFile."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise astray()
    return value


def astray() -> BadFile:
    """Return the error for a child that no longer does what we wrote."""
    return BadFile("reading it led the import astray: it may be hostile")
