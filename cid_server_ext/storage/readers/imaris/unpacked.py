"""Chunks of HDF5, unpacked to no more than they promised; the last ones are kept."""

from __future__ import annotations

import threading
import weakref
import zlib
from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import BadFile
from .guarded import DEFLATE, FLETCHER, LZ4, Data, Index

KEPT = 160 << 20  # bytes of unpacked chunks that are kept: a chunk is of many planes


class Unpacked:
    """Windows of pixels; the chunks that were unpacked last are kept for the planes beside them."""

    def __init__(self, file: Any) -> None:
        weakref.finalize(self, file.close)
        self.lock = threading.Lock()
        self.kept: OrderedDict[Any, NDArray[Any]] = OrderedDict()
        self.nbytes = 0

    def window(self, data: Data, z: int, rows: slice, columns: slice) -> NDArray[Any]:
        """Return rows and columns of one plane."""
        with self.lock:
            if data.chunk is None:
                return _lying(data, z, rows, columns)
            _, high, wide = data.chunk
            found = np.empty((rows.stop - rows.start, columns.stop - columns.start), data.dtype)
            for top in range(rows.start // high * high, rows.stop, high):
                for left in range(columns.start // wide * wide, columns.stop, wide):
                    chunk = self._chunk(data, (z - z % data.chunk[0], top, left))
                    y, x = max(top, rows.start), max(left, columns.start)
                    part = chunk[
                        z % data.chunk[0],
                        y - top : min(rows.stop - top, high),
                        x - left : min(columns.stop - left, wide),
                    ]
                    down, right = y - rows.start, x - columns.start
                    found[down : down + part.shape[0], right : right + part.shape[1]] = part
        return found[:: rows.step or 1, :: columns.step or 1]

    def _chunk(self, data: Data, corner: Index) -> NDArray[Any]:
        key = (id(data), corner)
        if key not in self.kept:
            self.kept[key] = chunk = _unpack(data, corner)
            self.nbytes += chunk.nbytes
            while self.nbytes > KEPT and len(self.kept) > 1:
                self.nbytes -= self.kept.popitem(last=False)[1].nbytes
        self.kept.move_to_end(key)
        return self.kept[key]


def _lying(data: Data, z: int, rows: slice, columns: slice) -> NDArray[Any]:
    import h5py

    if not data.held.get_storage_size():
        return _unwritten(data, data.shape[1:])[rows, columns]
    found: NDArray[Any] = h5py.Dataset(data.held)[z, rows, columns]
    return found


def _unwritten(data: Data, shape: Index) -> NDArray[Any]:
    if not data.zero:
        raise BadFile("a part of it was never written: save it again in Imaris")
    return np.zeros(shape, data.dtype)


def _unpack(data: Data, corner: Index) -> NDArray[Any]:
    """Return a chunk. What HDF5 would do itself, but for the limit to what a chunk unpacks to."""
    chunk = data.chunk or data.shape
    wanted = int(np.prod(chunk)) * data.dtype.itemsize
    try:
        place = data.held.get_chunk_info_by_coord(corner) if data.held.get_num_chunks() else None
        if place is None or place.byte_offset is None:
            return _unwritten(data, chunk)
        if place.size > wanted + wanted // 64 + 4096:
            raise BadFile("a chunk of it is larger than its pixels: it is damaged")
        skipped, packed = data.held.read_direct_chunk(corner)
    except (OSError, RuntimeError, ValueError):
        raise BadFile("a chunk of it cannot be found: it is damaged. Copy it again") from None
    for at in reversed(range(len(data.filters))):
        if skipped >> at & 1:
            continue
        number, values = data.filters[at]
        if number == DEFLATE:
            packed = _inflated(packed, wanted + 64)  # checksums may have been packed with it
        elif number == LZ4:
            packed = _expanded(packed, wanted + 64)
        elif number == FLETCHER:
            packed = _checked(packed)
        else:
            packed = _sorted(packed, values[0] if values else data.dtype.itemsize)
    if len(packed) != wanted:
        raise BadFile("a chunk of it does not hold as many pixels as promised: copy it again")
    return np.frombuffer(packed, data.dtype).reshape(chunk)


def _inflated(packed: bytes, most: int) -> bytes:
    engine = zlib.decompressobj()
    try:
        found = engine.decompress(packed, most)
    except zlib.error as error:
        raise BadFile(f"a chunk of it is damaged ({error}). Copy it again") from None
    if not engine.eof:
        raise BadFile("a chunk of it does not unpack to what it promised: copy it again")
    return found


def _expanded(packed: bytes, most: int) -> bytes:
    """Undo LZ4 as HDF5 keeps it: eight bytes say how many there were."""
    import imagecodecs

    told = int.from_bytes(packed[:8], "big")
    if told > most:
        raise BadFile("a chunk of it does not unpack to what it promised: copy it again")
    try:
        return bytes(imagecodecs.lz4h5_decode(packed, out=told))
    except Exception as error:
        raise BadFile(f"a chunk of it is damaged ({error}). Copy it again") from None


def _sorted(packed: bytes, width: int) -> bytes:
    """Undo the shuffle, which keeps the first bytes of all numbers together, then the second."""
    count = len(packed) // width if 0 < width <= 64 else 0
    whole = np.frombuffer(packed, np.uint8, count * width).reshape(width, count)
    return whole.T.tobytes() + packed[count * width :]


def _checked(packed: bytes) -> bytes:
    """Return what Fletcher's sum at the end is of."""
    if len(packed) < 4:
        raise BadFile("a chunk of it is empty: it is damaged. Copy it again")
    held, told = packed[:-4], packed[-4:]
    words = np.frombuffer(held + b"\0" * (len(held) % 2), ">u2").astype(np.uint64)
    weights = np.arange(len(words), 0, -1, dtype=np.uint64) % 65535
    sums = (int((words * weights).sum()) % 65535, int(words.sum()) % 65535)
    # the second is how HDF5 wrote it once
    read = [tuple(np.frombuffer(told, kind) % 65535) for kind in ("<u2", ">u2")]
    if sums not in [(high, low) for low, high in read]:
        raise BadFile("a chunk of it has a wrong checksum: it is damaged. Copy it again")
    return held
