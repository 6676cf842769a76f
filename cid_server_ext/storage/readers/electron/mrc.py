"""Reading MRC and CCP4: stacks, tilt series, volumes and maps, their rows as they are stored."""

from __future__ import annotations

import datetime as dt
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import BadFile
from ..described import Described, positive
from ..lazy import Strides, lazy
from ..source import MachineTag, Source, source
from ..units import micrometers
from . import extended

HEADER = 1024
NAMESPACE = "ccpem.ac.uk/MRC"
PIXELS = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
OTHERS = {
    3: "complex numbers",
    4: "complex numbers",
    16: "colours",
    101: "numbers of 4 bits",
}
IMOD, SIGNED = 1146047817, 1  # IMOD's stamp, and its flag of bytes that have a sign
PRIISM = (b"\xa0\xc0", b"\xc0\xa0")  # a DeltaVision file, unless it says MAP
STACK, VOLUMES = 0, range(401, 631)  # kinds of images, among the numbers of space groups
DATED = re.compile(r"(\d{1,2}-[A-Za-z]{3}-\d{2,4})\s+(\d{1,2}:\d{2}:\d{2})\s*$")
ANY = 1 << 30  # of a size, when nothing else says which byte order is right


def is_mrc(path: Path, head: bytes) -> bool:
    """Say whether a file is an MRC: MAP in its header, or, of the old kind, sizes that fit."""
    with path.open("rb") as file:
        data = file.read(HEADER)
    if len(data) < HEADER:
        return False
    if data[208:211] == b"MAP":
        return any(_fits(data, order, strict=False) for order in "<>")
    if data[96:98] in PRIISM:
        return False
    return any(_fits(data, order, strict=True) for order in "<>")


def open_mrc(path: Path) -> list[Source]:
    """Return the image of an MRC: sections are z, volumes of a stack of volumes are t.

    Nothing is turned over: row 0 is the first in the file. BadFile: complex pixels, packed ones, or
    fewer than the header promises.
    """
    pixels = Strides(path)
    data = pixels.part(0, HEADER)
    order = _order(data)
    header = _record(data, order)
    mode = int(header["mode"])
    if mode not in PIXELS:
        kind = OTHERS.get(mode, f"a kind (mode {mode}) that is not known")
        raise BadFile(f"its pixels are {kind}: save it as integers or real numbers")
    kind = "u1" if mode == 0 and _unsigned(data, header, order) else PIXELS[mode]
    dtype = np.dtype(f"{order}{kind}")
    columns, rows, sections = (int(header[name]) for name in ("nx", "ny", "nz"))
    plane = columns * rows * dtype.itemsize
    start = HEADER + int(header["nsymbt"])
    pixels.require(start + plane * sections)
    dims, leading = _axes(header, sections)

    def read(index: tuple[int, ...], high: slice, wide: slice) -> NDArray[Any]:
        number = int(np.ravel_multi_index(index, leading))
        steps = (columns * dtype.itemsize, dtype.itemsize)
        return pixels.window(start + number * plane, steps, dtype, high, wide)

    shape = (*leading, rows, columns)
    more = extended.sections(pixels, header, data, order)
    told = _describe(header, more)
    kept = np.dtype("f4") if kind == "f2" else dtype.newbyteorder("=")
    image = source(told.facts(dims, shape, kept), dims.upper(), lazy(shape, kept, read))
    return [replace(image, tags=(*image.tags, *_tilt_tags(more.tilts)))]


# --- the header -------------------------------------------------------------------------------


def _record(data: bytes, order: str) -> Any:
    from mrcfile.dtypes import HEADER_DTYPE

    return np.frombuffer(data, HEADER_DTYPE.newbyteorder(order))[0]


def _order(data: bytes) -> str:
    """Return the byte order in which the sizes make sense; the stamp is wrong in some files."""
    good = [order for order in "<>" if _fits(data, order, strict=True)]
    good = good or [order for order in "<>" if _fits(data, order, strict=False)]
    if len(good) == 1:
        return good[0]
    if not good:
        raise BadFile("its header gives sizes that no image has: it is damaged")
    return ">" if data[212:214] == b"\x11\x11" else "<"


def _fits(data: bytes, order: str, *, strict: bool) -> bool:
    """Say whether a header makes sense; strictly, it also has the axes that all writers give."""
    columns, rows, sections, mode = struct.unpack_from(f"{order}4i", data)
    axes = struct.unpack_from(f"{order}3i", data, 64)
    (more,) = struct.unpack_from(f"{order}i", data, 92)
    sound = min(columns, rows, sections) > 0 and max(columns, rows, sections) < ANY and more >= 0
    known = mode in PIXELS or mode in OTHERS
    return sound and known and (sorted(axes) == [1, 2, 3] or not strict)


def _unsigned(data: bytes, header: Any, order: str) -> bool:
    """Say whether bytes have no sign: IMOD tells, and pixels above 127 are no signed bytes."""
    stamp, flags = struct.unpack_from(f"{order}2i", data, 152)
    if stamp == IMOD:
        return not flags & SIGNED
    return bool(header["dmin"] >= 0 and header["dmax"] > 127)


def _axes(header: Any, sections: int) -> tuple[str, tuple[int, ...]]:
    """Return the axes as they are stored, and the sizes of those before the plane."""
    named = [int(header[name]) for name in ("maps", "mapr", "mapc")]
    dims = "".join("xyz"[at - 1] for at in named) if sorted(named) == [1, 2, 3] else "zyx"
    depth = int(header["mz"])
    if int(header["ispg"]) in VOLUMES and depth > 0 and sections % depth == 0:
        return f"t{dims}", (sections // depth, depth)
    return dims, (sections,)


# --- what it says -----------------------------------------------------------------------------


def _describe(header: Any, more: extended.Sections) -> Described:
    told = Described(microscope=more.microscope, software=more.software)
    told.detector(more.camera)
    told.scale = dict(_scale(header, more))
    labels = list(_labels(header))
    for label in labels:
        if label.startswith("SerialEM:"):  # it writes one where it acquires, others copy it
            told.software = told.software or "SerialEM"
            told.taken = told.taken or _date(label)
    noted = {f"Label {at + 1}": label for at, label in enumerate(labels)}
    noted |= {"Mode": f"{header['mode']}", "Space group": f"{header['ispg']}"}
    if more.tilts:
        noted["Tilt angles (degrees)"] = ", ".join(f"{tilt:g}" for tilt in more.tilts)
    told.notes[NAMESPACE] = noted | more.notes
    return told


def _scale(header: Any, more: extended.Sections) -> Iterator[tuple[str, float]]:
    """Yield pixel sizes in micrometers; pictures of one thing from many sides have no z step."""
    apart = int(header["ispg"]) == STACK and header["mz"] == 1 < header["mx"]
    for axis in "zyx":
        if axis == "z" and (more.tilts or apart):
            continue
        cells, angstrom = int(header[f"m{axis}"]), positive(header["cella"][axis])
        size = micrometers(angstrom / cells, "angstrom") if angstrom and cells > 0 else None
        if size is None and axis in more.pixel:
            size = micrometers(more.pixel[axis], "meter")
        if size is not None:
            yield axis, float(f"{size:.7g}")  # what a number of 4 bytes can tell


def _labels(header: Any) -> Iterator[str]:
    count = int(header["nlabl"])
    for label in header["label"][: count if 0 <= count <= 10 else 10]:
        text = bytes(label).split(b"\0")[0].decode("latin-1").strip()
        if text:
            yield text


def _date(label: str) -> dt.datetime | None:
    found = DATED.search(label)
    for form in ("%d-%b-%Y %H:%M:%S", "%d-%b-%y %H:%M:%S") if found else ():
        with suppress(ValueError):
            return dt.datetime.strptime(f"{found[1]} {found[2]}", form)  # type: ignore[index]
    return None


def _tilt_tags(tilts: tuple[float, ...]) -> Iterator[MachineTag]:
    if tilts:
        span = f"{min(tilts):g} to {max(tilts):g} degrees, {len(tilts)} images"
        yield "Tilt angles", span, None
