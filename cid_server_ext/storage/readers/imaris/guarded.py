"""HDF5 with its doors shut: no link and no data lead out, and no filter is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import BadFile
from ..values import clean

SIGNATURE = b"\x89HDF\r\n\x1a\n"
LARGEST = 64 << 20  # bytes of one chunk, which is unpacked as a whole
ATTRIBUTE = 1 << 20  # bytes
DEFLATE, SHUFFLE, FLETCHER, LZ4 = 1, 2, 3, 32004
NAMES = {4: "szip", 5: "nbit", 6: "scale-offset", 32000: "LZF", 32001: "Blosc"} | {
    32008: "bitshuffle",
    32013: "ZFP",
    32015: "Zstandard",
    32026: "Blosc2",
}
Index = tuple[int, ...]


def open_file(path: Path) -> Any:
    """Return an HDF5 file, to be read by this process; no filter is ever loaded from a folder."""
    import h5py

    while h5py.h5pl.size():
        h5py.h5pl.remove(0)
    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        told = " ".join(str(error).split())
        if "truncated" in told:
            raise BadFile("it is truncated: its end is missing. Copy it again") from None
        raise BadFile(f"it is damaged, copy it again ({told[:80]})") from None


def child(group: Any, name: str) -> Any:
    """Return what is so named in a group, or None; BadFile for a link to somewhere else."""
    import h5py

    links, key = group.id.links, name.encode()
    if not links.exists(key):
        return None
    if links.get_info(key).type != h5py.h5l.TYPE_HARD:
        raise BadFile(f"{name!r} in it is a link to somewhere else, which is refused")
    return group[name]


def attribute(item: Any, name: str) -> str:
    """Return an attribute as text, "" for none; Imaris writes each letter as one element."""
    import h5py

    if not h5py.h5a.exists(item.id, name.encode()):
        return ""
    held = h5py.h5a.open(item.id, name.encode())
    kind, count = held.get_type(), held.get_space().get_simple_extent_npoints()
    known = kind.get_class() in (h5py.h5t.STRING, h5py.h5t.INTEGER, h5py.h5t.FLOAT)
    if not known or not 0 < count * kind.get_size() <= ATTRIBUTE:
        return ""
    try:
        value = item.attrs[name]
    except (OSError, TypeError, ValueError, RuntimeError):  # one that is damaged says nothing
        return ""
    if isinstance(value, np.ndarray) and value.dtype.kind == "S" and value.dtype.itemsize == 1:
        value = value.tobytes()
    if isinstance(value, np.ndarray):
        value = value.flat[0] if value.size == 1 else ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    return str(value).strip("\0 \r\n\t")


@dataclass(frozen=True)
class Data:
    """Pixels (z, y, x) in a file: how they are cut and packed. chunk: None when they lie in one."""

    held: Any  # h5py's own; the file is open as long as it lives
    shape: Index
    dtype: np.dtype[Any]
    chunk: Index | None
    filters: tuple[tuple[int, tuple[int, ...]], ...]  # (number, its values), as they were packed
    zero: bool  # what was never written is 0


def data(group: Any, name: str) -> Data | None:
    """Return the pixels that are so named, or None; BadFile when they are elsewhere, or packed in a
    way that CID does not read. Nothing of them is read yet.
    """
    import h5py

    if not group.id.links.exists(name.encode()):
        return None
    found = child(group, name)
    if not isinstance(found, h5py.Dataset):
        raise BadFile(f"{name!r} in it holds no pixels: it is damaged")
    plan = found.id.get_create_plist()
    layout = plan.get_layout()
    if layout == h5py.h5d.VIRTUAL or plan.get_external_count():
        raise BadFile("its pixels lie in other files, which is refused: save it as one file")
    dtype = found.dtype
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise BadFile(f"pixels of type {str(dtype)[:40]} cannot be kept: save it as integers")
    filters = tuple(_filter(plan, at) for at in range(plan.get_nfilters()))
    chunk = plan.get_chunk() if layout == h5py.h5d.CHUNKED else None
    if chunk is not None and float(np.prod(chunk, dtype=float)) * dtype.itemsize > LARGEST:
        raise BadFile(f"it claims chunks of {chunk} pixels, more than any real one")
    # HDF5 is not asked for another value: it crashes on one that is damaged
    zero = plan.fill_value_defined() != h5py.h5d.FILL_VALUE_USER_DEFINED
    return Data(found.id, found.shape, dtype, chunk, filters, zero)


def _filter(plan: Any, at: int) -> tuple[int, tuple[int, ...]]:
    number, _, values, name = plan.get_filter(at)
    if number not in (DEFLATE, SHUFFLE, FLETCHER, LZ4):
        told = NAMES.get(number) or clean(name.decode("latin-1"), 40) or "an unknown filter"
        raise BadFile(
            f"its pixels are packed with {told} (HDF5 filter {number}), which CID does not read:"
            " save it with gzip compression"
        )
    return number, tuple(values)
