"""Reading Olympus OIB and OIF: a TIFF for each plane, in a compound file or in a folder beside."""

from __future__ import annotations

import io
import math
import re
import struct
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from ....errors import BadFile
from ..lazy import latest, lazy
from ..policy import Tree
from ..source import Source, source
from ..tiffs.bones import check_pages
from . import olympustext

OIB = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # of any compound file
TEXT = b"\xff\xfe[\0"
LARGEST = 1 << 30  # bytes of one plane's file, which is read as a whole
FOLDER = ".files"
INDEX = re.compile(r"([A-Z])(\d{3,})")


@dataclass(frozen=True)
class Archive:
    """The files of one acquisition by their plain names, and how one is read."""

    main: dict[str, Any]  # settings by section
    names: tuple[str, ...]
    read: Callable[[str], bytes]


def is_oif(path: Path, head: bytes) -> bool:
    """Say whether a file is the main file of an OIF."""
    return head.startswith((TEXT, b"[")) and path.suffix.lower() == ".oif"


def is_oib(path: Path, head: bytes) -> bool:
    """Say whether a file is an OIB, not another compound file."""
    if not head.startswith(OIB):
        return False
    with path.open("rb") as file:
        return path.suffix.lower() == ".oib" or b"O\0i\0b\0I\0n\0f\0o\0" in file.read(1 << 20)


def members(main: str, tree: Tree) -> set[str] | None:
    """Return the files of the folder that belongs to an OIF."""
    return set(tree.below(f"{main}{FOLDER}")) if main.lower().endswith(".oif") else set()


def open_olympus(path: Path) -> list[Source]:
    """Return the image of an OIB, or of an OIF with its folder `<name>.oif.files` beside it.

    Times that were planned and not finished are left out; any other plane that is not there is a
    BadFile.
    """
    with path.open("rb") as file:
        compound = file.read(8) == OIB
    archive = _compound(path) if compound else _folder(path)
    axes = olympustext.axes(archive.main)
    planes = _planes(archive.names)
    first = _decode(archive, planes[min(planes)])
    height, width = first.shape
    loops = _loops(axes, planes)
    dims = "".join(letter for letter, _ in loops)
    shape = (*(len(steps) for _, steps in loops), height, width)
    order = _letters(planes)

    @latest
    def plane(name: str) -> NDArray[Any]:
        pixels = _decode(archive, name)
        if pixels.shape != first.shape or pixels.dtype != first.dtype:
            raise BadFile(f"its plane {name[:40]!r} is not like the others: it is damaged")
        return pixels

    def read(index: tuple[int, ...], rows: slice, columns: slice) -> NDArray[Any]:
        at = {letter: steps[one] for (letter, steps), one in zip(loops, index, strict=True)}
        key = tuple((letter, at.get(letter, 1)) for letter in order)
        return plane(planes[key])[rows, columns]

    array = lazy(shape, first.dtype, read, whole=True)
    return [_image(archive, axes, dims, shape, array)]


def _image(
    archive: Archive, axes: list[Any], dims: str, shape: tuple[int, ...], array: Any
) -> Source:
    told = olympustext.describe(archive, axes)
    size = dict(zip(dims + "YX", shape, strict=True))
    told.channels = olympustext.channels(told, archive, size.get("C", 1), size.get("L", 1))
    spectral = [letter for letter in dims if letter in "CL"]
    others = [letter for letter in dims if letter not in "CL"]
    order = [*others, *spectral, "Y", "X"]
    array = array.transpose([(dims + "YX").index(letter) for letter in order])
    if len(spectral) == 2:  # a spectrum of each channel: channels of their own
        lead = array.shape[: len(others)]
        array = array.reshape((*lead, -1, *array.shape[-2:]), merge_chunks=False)
    names = "".join(letter if letter in "ZT" else "Q" for letter in others)
    names += ("C" if spectral else "") + "YX"
    facts = told.facts(names.lower(), array.shape, np.dtype(array.dtype))
    image = source(facts, names, array)
    planned = next((axis.size for axis in axes[2:] if axis.letter == "T"), 1)
    if (held := size.get("T", 1)) < planned:
        told_so = f"t {held + 1} to {planned} of {planned}: stopped before its end"
        tag = ("Missing time points", told_so, float(planned - held))
        image = replace(image, tags=(*image.tags, tag))
    return image


# --- where planes are -------------------------------------------------------------------------

Key = tuple[tuple[str, int], ...]


def _planes(names: tuple[str, ...]) -> dict[Key, str]:
    """Return the file of each plane by its place, "s_C001Z002.tif"; pictures of reference not."""
    found: dict[Key, str] = {}
    for name in names:
        stem, _, suffix = name.rpartition(".")
        if suffix.lower() not in {"tif", "tiff"} or "-R" in stem or "Thumb" in stem:
            continue
        place = tuple(sorted((letter, int(at)) for letter, at in INDEX.findall(stem)))
        found[place] = name
    if not found:
        raise BadFile("none of its planes is there: upload the file with its folder of TIFFs")
    if len({tuple(letter for letter, _ in place) for place in found}) > 1:
        raise BadFile("its planes are named in different ways: export it again")
    return found


def _letters(planes: dict[Key, str]) -> tuple[str, ...]:
    return tuple(letter for letter, _ in next(iter(planes)))


def _loops(axes: list[Any], planes: dict[Key, str]) -> list[tuple[str, list[int]]]:
    """Return (letter, numbers of its steps) of each loop; BadFile when a plane is missing."""
    letters = _letters(planes)
    promised = {axis.letter: axis.size for axis in axes}
    steps = {}
    for letter in letters:
        last = max(dict(key)[letter] for key in planes)
        steps[letter] = list(range(1, max(promised.get(letter, 0), last) + 1))
    if "T" in steps:
        each = math.prod(len(steps[letter]) for letter in letters if letter != "T")
        held = Counter(dict(key)["T"] for key in planes)
        whole = next((at for at in steps["T"] if held[at] < each), len(steps["T"]) + 1)
        steps["T"] = list(range(1, whole))
    wanted = math.prod(len(numbers) for numbers in steps.values())
    ends = {letter: len(numbers) for letter, numbers in steps.items()}
    known = sum(all(at <= ends[letter] for letter, at in key) for key in planes)
    if known < wanted or not wanted:
        raise BadFile(
            f"{max(wanted - known, 1)} of its planes are missing: upload the whole folder beside it"
        )
    return [(letter, numbers) for letter, numbers in steps.items() if len(numbers) > 1]


# --- what holds them --------------------------------------------------------------------------


def _decode(archive: Archive, name: str) -> NDArray[Any]:
    data = archive.read(name)
    with tifffile.TiffFile(io.BytesIO(data), name=name) as tiff:
        series = tiff.series[0]
        check_pages(series, len(data))
        pixels = series.asarray()
    if pixels.ndim != 2 or pixels.nbytes > LARGEST:
        raise BadFile(f"its plane {name[:40]!r} has the shape {pixels.shape}: it is damaged")
    return np.asarray(pixels)


def _compound(path: Path) -> Archive:
    import oiffile

    try:
        file = oiffile.OibFileSystem(path)
    except (struct.error, LookupError, ValueError, OSError, NotImplementedError) as error:
        told = " ".join(str(error).split())[:80]
        raise BadFile(f"it is truncated or damaged, copy it again ({told})") from None
    flat = {name.replace("\\", "/").rpartition("/")[2]: name for name in file.files()}

    def read(name: str) -> bytes:
        stream = file.com._files[file._files[flat[name]]]
        if stream.stream_size > min(LARGEST, path.stat().st_size):
            raise BadFile("a part of it claims to be larger than the file: it is damaged")
        with file.open_file(flat[name]) as opened:
            data: bytes = opened.read()
        if len(data) != stream.stream_size:
            raise BadFile("it is truncated: some of its pixels lie past its end. Copy it again")
        return data

    archive = Archive(file.settings, tuple(flat), read)
    weakref.finalize(archive, file.close)
    return archive


def _folder(path: Path) -> Archive:
    import oiffile

    folder = path.parent / f"{path.name}{FOLDER}"
    if not folder.is_dir() or folder.is_symlink():
        raise BadFile(f"its folder {folder.name[:80]!r} is not beside it: upload both together")
    names = tuple(sorted(one.name for one in folder.iterdir()))

    def read(name: str) -> bytes:
        file = folder / name
        if file.is_symlink() or not file.is_file() or file.stat().st_size > LARGEST:
            raise BadFile(f"{name[:60]!r} of its folder is no plain file of a plane")
        return file.read_bytes()

    if path.stat().st_size > LARGEST >> 4:
        raise BadFile("its main file is larger than any real one: it is damaged")
    return Archive(oiffile.SettingsFile(path), names, read)
