"""What a reader gives: one image with named axes, lazy pixels, and what the file says of itself."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import dask.array as da
import numpy as np

from ...errors import BadFile, CidError, Unavailable

AXES = "tczyx"
# What tensorstore writes, Python reads and no reader can turn into code.
DTYPES = frozenset(
    ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]
)
LARGEST = 1 << 50  # pixels in all levels of all that we take in one image: 1 Pi
LONGEST = 1 << 31  # pixels along one axis

MOST_CHANNELS = 2000  # what is told of each must fit into one message
OUR_WORDS = (TypeError, AttributeError, LookupError, AssertionError, NameError, ArithmeticError)

# {"name", "color": "RRGGBB", "excitation", "emission": nanometers}; all but the name where known
Channel = dict[str, str]
MachineTag = tuple[str, str, float | None]  # key, text, number


def unreadable(error: BaseException) -> CidError:
    """Return what a reader's own exception means to the one who gave the file, mostly BadFile."""
    if isinstance(error, OSError) and error.errno in (errno.EIO, errno.ESTALE):
        return Unavailable("the storage cannot read these bytes: ask staff, then try again")
    if isinstance(error, BadFile):
        return error
    if isinstance(error, MemoryError):
        return BadFile("reading it needs more memory than an import may use: save it as tiled TIFF")
    if isinstance(error, PermissionError):
        where = f" ({PurePath(error.filename).name[:100]})" if error.filename else ""
        return BadFile(f"reading it led out of its own folder{where}, which is refused")
    told = " ".join(str(error).split())[:200] or type(error).__name__
    if isinstance(error, OUR_WORDS):  # a reader stumbled: its words are about its own code
        told = "what its header says does not fit together"
    return BadFile(f"it is damaged, or of a kind that cannot be read: {told}")


@dataclass(frozen=True)
class Facts:
    """What a file says of one image. What it does not say is absent, never guessed.

    scale: physical size of a pixel by axis, in units[axis] ("micrometer" or "second").
    unknown: why each machine tag that is not among `tags` is not.
    """

    name: str = ""
    scale: dict[str, float] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    channels: tuple[Channel, ...] = ()
    ome_xml: str | None = None
    tags: tuple[MachineTag, ...] = ()
    unknown: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """One image of a file. `axes` is a part of "tczyx" in that order, with y and x at least.

    array: lazy pixels in that order; one dask chunk is what the file decodes at once.
    channels: one for each c, or one for an image without c.
    kind: "image" or "labels"; of: the number, in its file, of the image that labels belong to.
    unknown: why each machine tag that is not among `tags` is not.
    """

    name: str
    axes: str
    array: da.Array
    scale: dict[str, float]
    units: dict[str, str]
    channels: tuple[Channel, ...]
    ome_xml: str | None
    tags: tuple[MachineTag, ...]
    kind: str = "image"
    of: int | None = None
    unknown: dict[str, str] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return tuple(int(size) for size in self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type that is stored: native, and one of DTYPES."""
        return np.dtype(self.array.dtype)


def source(facts: Facts, dims: str, pixels: da.Array, *, keep: str = "") -> Source:
    """Return a Source from a reader's `pixels` whose axes are `dims`; BadFile if it cannot be one.

    dims: one letter an axis, as the reader names them (S: samples of a colour pixel). Axes of
    length 1 are dropped unless named in `keep`; an axis with a name that CID does not know
    becomes the first of z, t, c that is free.
    """
    _check_size(pixels.shape)
    names, array = _known_axes(dims.lower(), pixels, keep)
    names, array, samples = _samples_as_channels(names, array)
    for axis in "yx":
        if axis not in names:
            raise BadFile("the file holds no plane of pixels (no y and x axes)")
    axes = "".join(axis for axis in AXES if axis in names)
    array = array.transpose([names.index(axis) for axis in axes])
    if "c" in axes and array.shape[axes.index("c")] > MOST_CHANNELS:
        raise BadFile(f"the image has more than {MOST_CHANNELS} channels: export parts of it")
    return Source(
        name=facts.name,
        axes=axes,
        array=_storable(array),
        scale={axis: facts.scale[axis] for axis in axes if axis in facts.scale},
        units={axis: facts.units[axis] for axis in axes if axis in facts.scale},
        channels=_channels(facts.channels, dict(zip(axes, array.shape, strict=True)), samples),
        ome_xml=facts.ome_xml,
        tags=facts.tags,
        unknown=facts.unknown,
    )


def _check_size(shape: tuple[int, ...]) -> None:
    if not shape or min(shape) < 1:
        raise BadFile(f"the image is empty: its shape is {tuple(shape)}")
    if max(shape) > LONGEST or float(np.prod(shape, dtype=float)) > LARGEST:
        raise BadFile(f"the image claims {tuple(shape)} pixels, more than any real one")


def _known_axes(dims: str, array: da.Array, keep: str) -> tuple[str, da.Array]:
    single = [
        at
        for at, (axis, size) in enumerate(zip(dims, array.shape, strict=True))
        if size == 1 and axis not in "yx" and axis not in keep
    ]
    array = array.squeeze(axis=tuple(single)) if single else array
    names = [axis for at, axis in enumerate(dims) if at not in single]
    for at, axis in enumerate(names):
        if axis not in AXES + "s":
            free = [other for other in "ztc" if other not in names]
            if not free:
                raise BadFile(f"the image has more axes ({dims.upper()}) than t, c, z, y and x")
            names[at] = free[0]
    if len(set(names)) != len(names):
        raise BadFile(f"the image names an axis twice ({dims.upper()})")
    return "".join(names), array


def _samples_as_channels(names: str, array: da.Array) -> tuple[str, da.Array, int]:
    """Merge S into C, channel by channel; return the number of samples (1: none)."""
    if "s" not in names:
        return names, array, 1
    samples = array.shape[names.index("s")]
    if "c" not in names:
        return names.replace("s", "c"), array, samples
    order = [axis for axis in names if axis not in "cs"] + ["c", "s"]
    moved = array.transpose([names.index(axis) for axis in order])
    merged = moved.reshape((*moved.shape[:-2], moved.shape[-2] * samples))
    return "".join(order[:-1]), merged, samples


def _storable(array: da.Array) -> da.Array:
    dtype = np.dtype(array.dtype)
    if dtype.kind == "b":
        return array.astype("uint8")
    if dtype == np.dtype("float16"):
        return array.astype("float32")
    if dtype.name not in DTYPES:
        raise BadFile(f"pixels of type {dtype} cannot be kept: save it as integers or real numbers")
    return array if dtype.isnative else array.astype(dtype.newbyteorder("="))


RGB = (
    {"name": "Red", "color": "FF0000"},
    {"name": "Green", "color": "00FF00"},
    {"name": "Blue", "color": "0000FF"},
    {"name": "Alpha"},
)


def _channels(told: tuple[Channel, ...], size: dict[str, int], samples: int) -> tuple[Channel, ...]:
    count = size.get("c", 1)
    if samples in (3, 4) and count % samples == 0:
        if count == samples:
            return RGB[:samples]
        groups = _named(told, count // samples)
        return tuple(
            {**sample, "name": f"{group['name']} {sample['name']}"}
            for group in groups
            for sample in RGB[:samples]
        )
    return _named(told, count)


def _named(told: tuple[Channel, ...], count: int) -> tuple[Channel, ...]:
    told = told if len(told) == count else ()
    return tuple({"name": f"Channel {at + 1}", **(told[at] if told else {})} for at in range(count))
