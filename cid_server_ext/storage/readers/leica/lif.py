"""Reading Leica LIF and LOF: every image that the file's XML names, its pixels where XML says."""

from __future__ import annotations

import itertools
import math
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from ....errors import BadFile
from .. import xmltext
from ..lazy import PIECE, Strides, lazy
from ..source import Source, source
from . import leicaxml

MOST_IMAGES = 2000
# Where each axis of Leica goes, in the order of preference; else its steps are images each.
PLACES = {"T": "t", "Q": "t", "L": "t", "N": "t", "Z": "z", "Y": "z", "X": "z", "A": "z"}
SPECTRAL = "λΛ"


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of the pixels: Leica's letter, how many, and the bytes between two."""

    letter: str
    size: int
    step: int


def is_lif(path: Path, head: bytes) -> bool:
    """Say whether a file is a LIF or a LOF."""
    return head[:4] == b"\x70\0\0\0" and head[8:9] == b"\x2a"


def open_lif(path: Path) -> list[Source]:
    """Return every image of a LIF; tiles of a mosaic are images each, under their own numbers.

    The two fastest spatial axes are the plane: an XZ scan keeps its rows, which are depths, as y.
    """
    import liffile

    pixels = Strides(path)
    _check_header(path)
    file = liffile.LifFile(path)
    weakref.finalize(pixels, file.close)
    found: list[Source] = []
    for place, element in _elements(file.xml_element):
        if element.find("./Data/Image") is None:
            continue
        image = liffile.LifImage(file, element, place)
        _check_block(image)
        if image.memory_block.frames:
            raise BadFile("its pixels lie in other files: import the LIF that LAS X exports")
        found += _images(pixels, image)
        if len(found) > MOST_IMAGES:
            raise BadFile(f"it holds more than {MOST_IMAGES} images: export parts of it")
    if not found:
        raise BadFile("it holds no image that can be read (raw FLIM photons: export them in LAS X)")
    return found


def _check_header(path: Path) -> None:
    """Look at the XML before the reader does, which would follow whatever it declares."""
    with path.open("rb") as file:
        head = file.read(13)
        nbytes = 2 * int.from_bytes(head[9:13], "little")
        if nbytes > 2 * xmltext.LARGEST:
            raise BadFile("its header is larger than any real one: it is damaged")
        text = file.read(nbytes).decode("utf-16-le", errors="replace")
        if text == "LMS_Object_File":  # a LOF: the XML comes after the pixels
            file.seek(54)  # past the name, two versions and the mark of the pixels
            file.seek(int.from_bytes(file.read(8), "little"), 1)
            size = 2 * int.from_bytes(file.read(13)[9:13], "little")
            text = file.read(min(size, 2 * xmltext.LARGEST)).decode("utf-16-le", errors="replace")
    xmltext.parse(text, "header")


def _elements(root: Element, above: str = "") -> Iterator[tuple[str, Element]]:
    """Yield each element of the tree that the user saw in LAS, with its path."""
    for element in (*root.findall("./Element"), *root.findall("./Children/Element")):
        name = element.get("Name", "")
        yield (place := f"{above}/{name}".strip("/")), element
        yield from _elements(element, place if above or root.tag == "Element" else "")


def _check_block(image: Any) -> None:
    memory = image.xml_element.find("./Memory")
    known = image.parent.memory_blocks
    named = memory is not None and memory.get("MemoryBlockID")
    if not named or (image.parent.type.name == "LIF" and named not in known):
        raise BadFile(
            f"it is truncated: the pixels of {image.path[:60]!r} are not there. Copy it again"
        )


def _images(pixels: Strides, image: Any) -> Iterator[Source]:
    block, channels = image.memory_block, image._channels
    if block.size == 0:  # an image that was planned and never taken
        return
    axes = [Axis(one.label, one.number_elements, one.bytes_inc) for one in image._dimensions]
    dtypes = {channel.dtype for channel in channels}
    if len(dtypes) != 1:
        raise BadFile("its channels have different types of pixels: export them one by one")
    dtype = dtypes.pop()
    _check(axes, [channel.bytes_inc for channel in channels], dtype, block, pixels.size)
    plane, spectral, named, split = _sorted(axes)
    told = leicaxml.describe(image.xml_element, image.path, image._dimensions, plane)
    lit = leicaxml.channels(told, image.xml_element, len(channels))
    told.channels = list(leicaxml.spectral(lit, spectral, image._dimensions))
    dims = "".join(named) + "cyx"
    steps = [*(axis.step for axis in named.values())]
    waves = [
        channel.bytes_inc + sum(at * axis.step for at, axis in zip(place, spectral, strict=True))
        for channel in channels
        for place in itertools.product(*(range(axis.size) for axis in spectral))
    ]
    rows, columns = plane
    shape = (*(axis.size for axis in named.values()), len(waves), rows.size, columns.size)
    for place in itertools.product(*(range(axis.size) for axis in split)):
        start = block.offset + sum(at * one.step for at, one in zip(place, split, strict=True))

        def read(
            index: tuple[int, ...], high: slice, wide: slice, start: int = start
        ) -> np.ndarray[Any, Any]:
            *leading, wave = index
            offset = start + waves[wave]
            offset += sum(at * step for at, step in zip(leading, steps, strict=True))
            return pixels.window(offset, (rows.step, columns.step), dtype, high, wide)

        told.name = _title(image.path, split, place)
        facts = told.facts(dims, shape, dtype)
        yield source(facts, dims.upper(), lazy(shape, dtype, read))


def _sorted(
    axes: list[Axis],
) -> tuple[tuple[Axis, Axis], list[Axis], dict[str, Axis], list[Axis]]:
    """Return (rows and columns, spectral axes, axes by our letter, axes that are images each)."""
    fastest = sorted((axis for axis in axes if axis.size > 1), key=lambda axis: axis.step)
    spatial = [axis for axis in fastest if axis.letter not in SPECTRAL + "M"]
    columns = spatial[0] if spatial else Axis("X", 1, 0)
    rows = spatial[1] if len(spatial) > 1 else Axis("Y", 1, 0)
    spectral = [axis for axis in fastest if axis.letter in SPECTRAL]
    named: dict[str, Axis] = {}
    split: list[Axis] = []
    for axis in spatial[2:]:
        place = PLACES.get(axis.letter)
        if place and place not in named:
            named[place] = axis
        else:
            split.append(axis)
    split += [axis for axis in fastest if axis.letter == "M"]
    return (rows, columns), spectral, named, split


def _title(path: str, split: list[Axis], place: tuple[int, ...]) -> str:
    words = {"M": "tile"}
    steps = zip(split, place, strict=True)
    return " ".join((path, *(f"{words.get(one.letter, one.letter)} {at + 1}" for one, at in steps)))


def _check(axes: list[Axis], starts: list[int], dtype: Any, block: Any, size: int) -> None:
    """Refuse pixels past the end of the file or of their block, and axes that overlap."""
    if block.offset < 0 or block.offset + block.size > size:
        raise BadFile("it is truncated: some of its pixels lie past its end. Copy it again")
    if any(axis.size < 1 or axis.step < 0 for axis in axes) or min(starts, default=0) < 0:
        raise BadFile("its header gives axes that no image has: it is damaged")
    last = max(starts) + sum((axis.size - 1) * axis.step for axis in axes) + dtype.itemsize
    promised = math.prod(axis.size for axis in axes) * len(starts) * dtype.itemsize
    if last > block.size or promised > block.size or len(set(starts)) != len(starts):
        raise BadFile("its header promises more pixels than the file holds: it is damaged")
    row = min((axis.step * axis.size for axis in axes if axis.size > 1), default=0)
    if row > PIECE:
        raise BadFile("its header gives lines longer than any real one: it is damaged")
