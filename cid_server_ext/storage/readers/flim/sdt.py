"""Reading Becker & Hickl SDT: photon counts, each time bin of the decay a channel."""

from __future__ import annotations

import datetime as dt
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import BadFile
from ..described import Described, Lit, positive
from ..lazy import Strides, latest, lazy
from ..source import Source, source

NAMESPACE = "becker-hickl.com/SDT"
MAGIC, VALID = b"\xaa\x55", b"\x55\x55"  # the ends of the header
LARGEST = 1 << 30  # bytes of one block, which is decoded as a whole
MOST_BLOCKS = 1024
MOST_CHANNELS = 2000  # more time bins than that become an image for each detector
DATES = ("%m-%d-%Y", "%m:%d:%Y", "%m/%d/%Y", "%Y-%m-%d")  # SPCM gives the month first


@dataclass(frozen=True)
class Block:
    """Counts of one or several detectors: (detectors, y, x, bins)."""

    shape: tuple[int, int, int, int]
    dtype: np.dtype[Any]
    start: int
    nbytes: int
    packed: bool
    step: float | None  # nanoseconds of a bin
    detector: int
    measured: Any  # the record that describes its measurement


def is_sdt(path: Path, head: bytes) -> bool:
    """Say whether a file is an SDT."""
    return head[40:42] == MAGIC and head[32:34] in (VALID, b"\x11\x11")


def open_sdt(path: Path) -> list[Source]:
    """Return the images of an SDT; blocks of one shape are the detectors of one image.

    c is time bin by time bin, detector by detector, named "Channel 1 0.05 ns". BadFile: it holds
    decay or correlation curves only.
    """
    pixels = Strides(path)
    header, info, module = _header(pixels)
    blocks = list(_blocks(pixels, header))
    if not blocks:
        raise BadFile("it holds curves and no image: deposit it as a file")
    groups: dict[Any, list[Block]] = {}
    for block in blocks:
        groups.setdefault((block.shape[1:], block.dtype.str, block.step), []).append(block)
    found = []
    for number, group in enumerate(groups.values(), 1):
        count = sum(block.shape[0] for block in group)
        parts = [group] if count * group[0].shape[3] <= MOST_CHANNELS else [[one] for one in group]
        for at, part in enumerate(parts, 1):
            names = [f"measurement {number}"] if len(groups) > 1 else []
            names += [f"detector {at}"] if len(parts) > 1 else []
            found.append(_image(pixels, part, info, module, " ".join(names)))
    return found


def _image(
    pixels: Strides, blocks: list[Block], info: dict[str, str], module: str, name: str
) -> Source:
    _, height, width, bins = blocks[0].shape
    places = [(block, at) for block in blocks for at in range(block.shape[0])]
    dtype = blocks[0].dtype

    @latest
    def counts(number: int) -> NDArray[Any]:
        block, at = places[number]
        found: NDArray[Any] = _decode(pixels, block)[at]
        return found

    def read(index: tuple[int, ...], rows: slice, columns: slice) -> NDArray[Any]:
        detector, at = divmod(index[0], bins)
        found: NDArray[Any] = counts(detector)[rows, columns, at]
        return found

    told = _describe(blocks[0], info, module, name)
    several = len(places) > 1
    for number in range(len(places)):
        first = f"Channel {number + 1}" if several else ""
        title = _titles(bins, blocks[0].step) if bins > 1 else [""]
        told.channels += [Lit(name=f"{first} {one}".strip()) for one in title]
    shape = (len(places) * bins, height, width)
    return source(told.facts("cyx", shape, dtype), "CYX", lazy(shape, dtype, read))


def _titles(bins: int, step: float | None) -> list[str]:
    if not step:
        return [f"bin {at + 1}" for at in range(bins)]
    digits = 2 if step >= 0.01 else 4
    return [f"{at * step:.{digits}f} ns" for at in range(bins)]


def _describe(block: Block, info: dict[str, str], module: str, name: str) -> Described:
    told = Described(name=name, software=info.get("software", ""))
    author = info.get("author", "")
    told.user = "" if author.lower() in {"unknown", "none"} else author
    with suppress(ValueError):
        clock = info.get("time", "")
        for form in DATES:
            with suppress(ValueError):
                day = dt.datetime.strptime(info.get("date", ""), form)
                told.taken = dt.datetime.combine(day, dt.time.fromisoformat(clock))
    measured = block.measured
    names = measured.dtype.names or ()
    told.notes[NAMESPACE] = {**info, "module": module} | {
        field: _plain(measured[field])
        for field in names
        if measured[field].dtype.names is None and measured[field].dtype.kind in "iufS"
    }
    told.detector(f"{module} TCSPC" if module != "Unknown" else "")
    if "minfo_ext" in names:
        more = measured["minfo_ext"]
        told.microscope = _plain(more["scope_name"])
        told.objective(_plain(more["lens_name"]), magnification=positive(more["lens_magnifier"]))
    return told


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return value.split(b"\0")[0].decode("windows-1250", errors="replace").strip()
    return str(value)


# --- the file ---------------------------------------------------------------------------------


def _header(pixels: Strides) -> tuple[Any, dict[str, str], str]:
    """Return (header, what the file info says, the module that counted)."""
    from sdtfile import sdtfile as sdt

    header = _records(pixels, 0, sdt.FILE_HEADER)
    if header["chksum"] != 0x55AA:
        raise BadFile("its header is damaged: copy it again")
    text = _bytes(pixels, int(header["info_offs"]), int(header["info_length"]))
    if b"*IDENTIFICATION" not in text:
        raise BadFile("its header leads nowhere: it is truncated or damaged")
    info = {}
    for line in text.decode("windows-1250", errors="replace").splitlines():
        key, colon, value = line.partition(":")
        if colon:
            info[key.strip().lower()] = value.strip()
    return header, info, sdt.FileRevision(int(header["revision"])).module


def _blocks(pixels: Strides, header: Any) -> Iterator[Block]:
    """Yield the blocks that are images; curves have a single point."""
    from sdtfile import sdtfile as sdt

    count = int(header["no_of_data_blocks"])
    count = int(header["reserved1"]) if count == 0x7FFF else count
    if not 0 <= count <= MOST_BLOCKS:
        raise BadFile(f"it claims {count} blocks of data: it is damaged")
    recent = sdt.FileRevision(int(header["revision"])).revision >= 15
    place = int(header["data_block_offs"])
    for _ in range(count):
        head = _records(pixels, place, sdt.BLOCK_HEADER if recent else sdt.BLOCK_HEADER_OLD)
        start, following = int(head["data_offs"]), int(head["next_block_offs"])
        if recent:  # the high bytes of both places
            start += int(head["data_offs_ext"]) << 32
            following += int(head["next_block_offs_ext"]) << 32
        block = _block(pixels, header, head, start, following)
        if block is not None:
            yield block
        if following <= place and following:
            raise BadFile("its blocks of data lead in a circle: it is damaged")
        place = following


def _block(pixels: Strides, header: Any, head: Any, start: int, following: int) -> Block | None:
    from sdtfile import sdtfile as sdt

    number, length = int(head["meas_desc_block_no"]), int(header["meas_desc_block_length"])
    if not 0 <= number < int(header["no_of_meas_desc_blocks"]) or length < 1:
        raise BadFile("its data has no description: it is damaged")
    kind = sdt.record_dtype(sdt.MEASURE_INFO, length)
    measured = _records(pixels, int(header["meas_desc_block_offs"]) + number * length, kind)
    about = sdt.BlockType(int(head["block_type"]))
    if about.contents not in {"DECAY_BLOCK", "PAGE_BLOCK", "IMG_BLOCK", "IMG_INT_BLOCK"}:
        return None
    held = int(head["block_length"])
    shape = _shape(measured, held // about.dtype.itemsize)
    if shape is None:
        return None
    packed = following - start if about.compress else held
    if held > LARGEST or packed < 0:
        raise BadFile(f"a block of it takes {held >> 20} MiB: export its detectors one by one")
    if start < 0 or start + packed > pixels.size:
        raise BadFile("it is truncated: some of its pixels lie past its end. Copy it again")
    gain, bins = float(measured["tac_g"]), int(measured["adc_re"]) or 65536
    step = positive(float(measured["tac_r"]) / (gain * bins) * 1e9) if gain else None
    detector = int(head["lblock_no"]) & 0xFF
    return Block(shape, about.dtype, start, packed, about.compress, step, detector, measured)


def _shape(measured: Any, points: int) -> tuple[int, int, int, int] | None:
    """Return (detectors, y, x, bins) of `points` counts; None for a curve."""
    names = measured.dtype.names or ()
    bins = int(measured["adc_re"]) or 65536
    for kind in ("scan", "image"):
        if f"{kind}_ry" not in names:
            continue
        x, y, rx, ry = (int(measured[f"{kind}_{axis}"]) for axis in ("x", "y", "rx", "ry"))
        if x < 1 or y < 1 or x * y < 2:
            continue
        for depth in (bins, 1):
            for detectors in (1, max(rx, 1) * max(ry, 1)):
                if detectors * y * x * depth == points:
                    return detectors, y, x, depth
    return None


def _decode(pixels: Strides, block: Block) -> NDArray[Any]:
    data = _bytes(pixels, block.start, block.nbytes)
    wanted = int(np.prod(block.shape)) * block.dtype.itemsize
    if block.packed:
        try:
            with (
                zipfile.ZipFile(BytesIO(data)) as archive,
                archive.open(archive.infolist()[0]) as file,
            ):
                data = file.read(wanted)
        except (zipfile.BadZipFile, zlib.error, EOFError, IndexError) as error:
            raise BadFile(f"a block of it is damaged: {error}. Copy it again") from None
    if len(data) < wanted:
        raise BadFile("a block of it is shorter than promised: it is truncated. Copy it again")
    return np.frombuffer(data, block.dtype, wanted // block.dtype.itemsize).reshape(block.shape)


def _records(pixels: Strides, place: int, kind: Any) -> Any:
    dtype = np.dtype(kind).newbyteorder("<")
    return np.frombuffer(_bytes(pixels, place, dtype.itemsize), dtype)[0]


def _bytes(pixels: Strides, place: int, count: int) -> bytes:
    data = os.pread(pixels.file.fileno(), count, place) if place >= 0 and count > 0 else b""
    if len(data) != count or not count:
        raise BadFile("it is truncated: a part of its header lies past its end. Copy it again")
    return data
