"""ImageJ hyperstack: one directory that describes all planes, which follow it without a gap.

Planes come as c, z, t: c first. Little-endian. Below 4 GiB there is a directory for each plane too,
behind the pixels, for programs that look for one; beyond, only the first, as ImageJ writes it
itself: it finds the planes by counting, and 64-bit directories it does not read.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import BadInput
from .directory import (
    ASCII,
    BYTE,
    CLASSIC_ENDS,
    LONG,
    RATIONAL,
    SHORT,
    Tag,
    directory,
    header,
    rational,
)
from .picture import Picture
from .pieces import Pieces, constant, repeated
from .planes import Planes
from .said import Said

# what ImageJ has, or what each value is in it exactly
KEPT = {"uint8": "u1", "uint16": "<u2", "float32": "<f4", "int8": "<f4", "int16": "<f4"}
LARGEST = (1 << 31) - 1  # pixels of a plane
COMPOSED = 7  # channels that ImageJ shows as one picture
LABELLED = 2000  # planes whose channel is named
FLOAT = 3


def as_imagej(picture: Picture, said: Said) -> Pieces:
    """Return the bytes of an image as ImageJ's TIFF. BadInput: ImageJ could not read it."""
    if picture.dtype.name not in KEPT:
        raise BadInput(f"ImageJ has no {picture.dtype.name}: take it as ome-tiff")
    if picture.size("y") * picture.size("x") > LARGEST:
        raise BadInput("ImageJ takes no plane of 2^31 pixels or more: take it as ome-tiff")
    outer = "tz" if picture.rgb else "tzc"
    pixels = Planes(picture, 0, outer, np.dtype(KEPT[picture.dtype.name]))
    start = header(False, 8)
    told = _description(picture, said, pixels.count)
    length = len(directory(False, 8, [*told, *_tags(pixels, 0)]))
    at = 8 + length
    each = len(directory(False, 0, _tags(pixels, 0)))
    behind = at + pixels.nbytes + -pixels.nbytes % 8
    rest = pixels.count - 1
    if behind + rest * each >= CLASSIC_ENDS:
        rest = 0

    def following(plane: int) -> int:
        return behind + plane * each if plane < rest else 0

    def another(index: int) -> bytes:
        tags = _tags(pixels, at + (index + 1) * pixels.plane_bytes)
        return directory(False, following(index), tags, following(index + 1))

    first = directory(False, 8, [*told, *_tags(pixels, at)], following(0))
    fill = constant(bytes(-pixels.nbytes % 8 if rest else 0))
    others = repeated(rest, each, another)
    return Pieces([constant(start + first), (pixels.nbytes, pixels.read), fill, others])


def _tags(pixels: Planes, at: int) -> list[Tag]:
    samples, dtype = pixels.samples, pixels.dtype
    tags: list[Tag] = [
        (254, LONG, [0]),
        (256, LONG, [pixels.width]),
        (257, LONG, [pixels.height]),
        (258, SHORT, [8 * dtype.itemsize] * samples),
        (259, SHORT, [1]),
        (262, SHORT, [2 if samples == 3 else 1]),
        (273, LONG, [at]),
        (277, SHORT, [samples]),
        (278, LONG, [pixels.height]),
        (279, LONG, [min(pixels.plane_bytes, CLASSIC_ENDS - 1)]),
        (284, SHORT, [1]),
    ]
    if dtype.kind == "f":
        tags.append((339, SHORT, [FLOAT]))
    scale = pixels.picture.scale
    if {"y", "x"} <= scale.keys():  # per unit of the description
        tags += [(282, RATIONAL, rational(1 / scale["x"])), (296, SHORT, [1])]
        tags.append((283, RATIONAL, rational(1 / scale["y"])))
    return tags


def _description(picture: Picture, said: Said, planes: int) -> list[Tag]:
    """Return what ImageJ's own library writes of a stack: sizes, units, colours, the tags."""
    from tifffile import imagej_description, imagej_metadata_tag  # for those who need it

    sizes = [picture.size(axis) for axis in "tzcyx"]
    shape = [*sizes[:2], *sizes[3:], 3] if picture.rgb else sizes
    more: dict[str, Any] = {}
    if {"y", "x"} <= picture.scale.keys():
        more["unit"] = "micron"
        if "z" in picture.scale:
            more["spacing"] = picture.scale["z"]
    if "t" in picture.scale:
        more["finterval"] = picture.scale["t"]
    channels = picture.channels if len(picture.channels) == picture.size("c") else ()
    shown: dict[str, Any] = {"Info": _info(said)}
    if channels and not picture.rgb:
        if len(channels) > 1:
            more["mode"] = "composite" if len(channels) <= COMPOSED else "color"
        low, high = channels[0].window
        more |= {"min": low, "max": high}
        shown["Ranges"] = tuple(limit for channel in channels for limit in channel.window)
        shown["LUTs"] = [_palette(channel.colour) for channel in channels]
        if len(channels) > 1 and planes <= LABELLED:
            shown["Labels"] = [channels[at % len(channels)].name for at in range(planes)]
    axes = "TZYXS" if picture.rgb else "TZCYX"
    text = imagej_description(shape, axes=axes, rgb=picture.rgb, **more).encode() + b"\0"
    extra = [(code, kind, value) for code, kind, _, value, _ in imagej_metadata_tag(shown, "<")]
    return [(270, ASCII, text), *((code, *_as(kind, value)) for code, kind, value in extra)]


def _as(kind: int, value: bytes) -> tuple[int, Any]:
    return (LONG, np.frombuffer(value, "<u4")) if kind == LONG else (BYTE, value)


def _info(said: Said) -> str:
    lines = [said.name, f"CID = {said.uid}", *(f"{key} = {value}" for key, value in said.tags)]
    return "\n".join(lines) + "\n"


def _palette(colour: str) -> Any:
    """Return 256 steps from black to a colour."""
    ramp = np.arange(256)
    parts = [int(colour[at : at + 2], 16) for at in (0, 2, 4)]
    return np.stack([ramp * part // 255 for part in parts]).astype("u1")
