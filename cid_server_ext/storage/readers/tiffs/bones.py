"""What a TIFF claims, held against what it holds: damaged and truncated ones are refused."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tifffile

from ....errors import BadFile

# What an image cannot do without: its description, where its pixels are, what its maker says.
NEEDED = (270, 273, 279, 324, 325, 33628, 33629, 34412, 50838, 50839)
LOST = re.compile(rf"TiffTag (?:{'|'.join(map(str, NEEDED))}) .*invalid value offset")


@contextmanager
def complaints() -> Iterator[list[str]]:
    """Collect what tifffile logs about a damaged page list; it would go on with the rest."""
    found: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage()
            if record.levelno >= logging.ERROR and ("TiffPages" in text or LOST.search(text)):
                found.append(text.rpartition("> ")[2].rstrip("')"))

    listener = Listener()
    logger = logging.getLogger("tifffile")
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(listener)
    try:
        yield found
    finally:
        logger.removeHandler(listener)
        logger.propagate = propagated


def check_pages(series: tifffile.TiffPageSeries, size: int) -> None:
    """Refuse pixels that lie past the end of the file: the reader would give zeros for them."""
    if series.dataoffset is not None:
        short = series.dataoffset + series.nbytes > size
    else:
        planes, held = math.prod(series.shape), len(series) * math.prod(series.keyframe.shape)
        if held < planes and len(series) > 1:
            raise BadFile(
                f"it promises {planes * len(series) // held} planes and holds {len(series)}: it was"
                " cut off, or the acquisition was stopped. Export what there is"
            )
        short = any(page is None or _is_short(page, size) for page in series.pages)
    if short:
        raise BadFile("it is truncated: some of its pixels lie past its end. Copy it again")


def _is_short(page: Any, size: int) -> bool:
    offsets, counts = page.dataoffsets, page.databytecounts
    if len(offsets) != len(counts):
        return True
    if any(
        at < 0 or count < 0 or at + count > size for at, count in zip(offsets, counts, strict=True)
    ):
        return True
    keyframe = page.keyframe
    plain = keyframe.compression == 1 and keyframe.bitspersample % 8 == 0
    if not plain or 0 in counts:  # a segment of 0 bytes is a hole that its writer left on purpose
        return False
    return sum(counts) < math.prod(keyframe.shape) * keyframe.dtype.itemsize
