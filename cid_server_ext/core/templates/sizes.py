"""Sizes as a manifest writes them: "2 GiB", "500 MB"."""

from __future__ import annotations

import re

UNITS = {"": 1, "MB": 10**6, "GB": 10**9, "TB": 10**12, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def nbytes(size: str | int) -> int:
    """Return "2 GiB", "500 MB" or a plain number as bytes; raise ValueError for anything else."""
    parts = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", str(size))
    if parts is None or parts[2].upper() not in UNITS:
        raise ValueError(f"{size!r} is no size: write it as '2 GiB'")
    return int(float(parts[1]) * UNITS[parts[2].upper()])


def checked(size: str) -> str:
    """Return a size that can be read, or none, as it is written."""
    if size:
        nbytes(size)
    return size
