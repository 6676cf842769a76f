"""What an OME-TIFF says of the files that belong to it: its first ImageDescription."""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from pathlib import Path

from .places import at

DESCRIPTION, ASCII = 270, 2
MOST = 64 << 20  # bytes of a description
MOST_TAGS = 4096
NAMES = re.compile(rb"""(?:FileName|MetadataFile)\s*=\s*["']([^"']+)["']""")


def named(path: Path, nbytes: int, mtime: int) -> frozenset[str]:
    """Return the names of files that an OME-TIFF or its companion names; none if it is unreadable.

    nbytes and mtime: how it was when it was listed, so that each state is read once.
    """
    try:
        return _named(Path(at(path)), nbytes, mtime)
    except (OSError, struct.error, ValueError):  # not for ever: a program may have it open
        return frozenset()


@lru_cache(maxsize=4096)
def _named(path: Path, nbytes: int, mtime: int) -> frozenset[str]:
    if path.name.lower().endswith(".companion.ome"):
        text = path.read_bytes() if nbytes <= MOST else b""
    else:
        text = _description(path)
    found = (name.decode("utf-8", "replace") for name in NAMES.findall(text))
    return frozenset(name for name in found if "/" not in name and "\\" not in name)


def _description(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(16)
        order = {b"II": "<", b"MM": ">"}.get(head[:2])
        if order is None:
            return b""
        big = struct.unpack_from(f"{order}H", head, 2)[0] == 43
        start = (
            struct.unpack_from(f"{order}Q", head, 8)
            if big
            else struct.unpack_from(f"{order}I", head, 4)
        )
        file.seek(start[0])
        counted, size, entry = ("Q", 8, "HHQQ") if big else ("H", 2, "HHII")
        count = struct.unpack(f"{order}{counted}", file.read(size))[0]
        width = struct.calcsize(f"{order}{entry}")
        tags = file.read(width * min(count, MOST_TAGS))
        for at in range(0, len(tags) - width + 1, width):
            tag, kind, length, where = struct.unpack_from(f"{order}{entry}", tags, at)
            if tag == DESCRIPTION and kind == ASCII and size <= length <= MOST:
                file.seek(where)
                return file.read(length)
    return b""
