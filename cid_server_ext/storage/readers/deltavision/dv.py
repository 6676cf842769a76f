"""Reading DeltaVision and Priism: planes in the order that the header gives, panels one by one."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..described import Described, Lit, positive
from ..lazy import Strides, lazy
from ..policy import Tree
from ..source import Source, source
from . import dvheader
from .dvheader import COMPLEX, HEADER, MAGIC, PIXELS, Header, Numbers

NAMESPACE = "deltavision.com/DV"
NO_WAVE = 999  # nanometers: what Priism's programs write for none
# Of each plane: when, at which x, y, z of the stage, exposed how long, lit and seen at which wave.
TIME, STAGE, EXPOSURE, EXCITATION, EMISSION = 1, (2, 3, 4), 8, 10, 11


def is_dv(path: Path, head: bytes) -> bool:
    """Say whether a file is a DeltaVision: its magic at byte 96, and no MRC of today."""
    with path.open("rb") as file:
        data = file.read(HEADER)
    order = MAGIC.get(data[96:98])
    if order is None or len(data) < HEADER or data[208:211] == b"MAP":
        return False
    columns, rows, planes, mode = struct.unpack_from(f"{order}4i", data)
    return min(columns, rows, planes) > 0 and (mode in PIXELS or mode in COMPLEX)


def members(main: str, tree: Tree) -> set[str] | None:
    """Return the log that softWoRx keeps beside a file."""
    beside = set(tree.beside(main))
    return {log for log in (f"{main}.log", f"{main.rpartition('.')[0]}_log.txt") if log in beside}


def open_dv(path: Path) -> list[Source]:
    """Return the image of a DeltaVision, or one of each panel; row 0 is the first in the file."""
    pixels = Strides(path)
    header = dvheader.header(pixels.part(0, HEADER))
    plane = header.columns * header.rows * header.dtype.itemsize
    pixels.require(header.start + plane * header.planes)
    said = Numbers(pixels, header)
    return [_image(pixels, header, said, panel) for panel in range(header.size["p"])]


def _image(pixels: Strides, header: Header, said: Numbers, panel: int) -> Source:
    strides, first = header.strides, panel * header.strides["p"]
    step = header.dtype.itemsize
    line = header.columns * step

    def read(index: tuple[int, ...], rows: slice, columns: slice) -> NDArray[np.generic]:
        number = first + sum(at * strides[axis] for axis, at in zip("tcz", index, strict=True))
        offset = header.start + number * line * header.rows
        return pixels.window(offset, (line, step), header.dtype, rows, columns)

    shape = (*(header.size[axis] for axis in "tcz"), header.rows, header.columns)
    told, reason = _describe(header, said, first)
    if header.size["p"] > 1:
        told.name = f"panel {panel + 1}"
    facts = told.facts("tczyx", shape, header.dtype)
    if reason:
        facts = replace(facts, unknown={**facts.unknown, "Objective": reason})
    return source(facts, "TCZYX", lazy(shape, header.dtype, read))


def _describe(header: Header, said: Numbers, first: int) -> tuple[Described, str]:
    """Return what is said of the panel that begins with plane `first`, and why no objective is."""
    told = Described(taken=header.taken)
    told.scale = {
        axis: float(f"{size:.7g}")
        for axis, size in zip("xyz", header.pixel, strict=True)
        if positive(size)
    }
    times = header.size["t"]
    began = said.of(first, TIME)
    ended = said.of(first + (times - 1) * header.strides["t"], TIME)
    if times > 1 and began is not None and ended is not None:
        told.scale["t"] = positive(float(f"{(ended - began) / (times - 1):.6g}"))
    noted = {f"Title {at + 1}": title for at, title in enumerate(header.titles)}
    for at in range(header.size["c"]):
        plane = first + at * header.strides["c"]
        wave = header.waves[at] if at < len(header.waves) else 0
        seen = positive(wave) or positive(said.of(plane, EMISSION))
        lit = positive(said.of(plane, EXCITATION))
        told.channels.append(
            Lit(
                excitation=None if lit == NO_WAVE else lit,
                emission=None if seen == NO_WAVE else seen,
            )
        )
        if exposed := positive(said.of(plane, EXPOSURE)):
            noted[f"Exposure of channel {at + 1} (s)"] = f"{exposed:.6g}"
    stage = [said.of(first, at) for at in STAGE]
    if any(stage):
        place = ", ".join(f"{at:.6g}" for at in stage if at is not None)
        noted["Stage position x, y, z (µm)"] = place
    reason = _objective(told, header.lens)
    told.notes[NAMESPACE] = noted | {"Lens": str(header.lens)}
    return told, reason


def _objective(told: Described, number: int) -> str:
    """Add the lens of a number; return why none was."""
    from mrc.lenses import D

    lens = D.get(number)
    if lens is None:
        return f"the file names lens {number}, which is in no list" if number > 0 else ""
    told.objective(
        lens.get("name", ""),
        magnification=lens.get("magnification"),
        aperture=lens.get("lensNA"),
        immersion=lens.get("immersion", ""),
    )
    return ""
