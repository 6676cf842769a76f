"""Reading TIFF, OME-TIFF and ImageJ hyperstacks through bioio, after a look at their bones."""

from __future__ import annotations

import logging
import math
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import bioio_ome_tiff
import bioio_tifffile
import dask.array as da
import ome_types
import tifffile
import zarr
from bioio_base.exceptions import UnsupportedFileFormatError

from ...errors import BadFile
from . import metadata, omexml
from .source import Facts, Source, source

WHOLE_PAGE = 64 << 20  # bytes; a larger page is read by its tiles or strips
READ_SIDE = 2048  # pixels; tiles are read in groups of about this side
MOST_IMAGES = 1000
logging.getLogger("bioio_tifffile").setLevel(logging.ERROR)  # it warns of every name in .ome.tif
# Kinds whose further series are previews, macro pictures and slide labels (which name patients).
FIRST_ONLY = frozenset({"svs", "ndpi", "lsm", "scn", "bif", "philips"})


def open_tiff(path: Path) -> list[Source]:
    """Return the images of a TIFF. BadFile: damaged, truncated, or lying about its size."""
    with _complaints() as complaints:
        tiff = tifffile.TiffFile(path, is_mmstack=False)
        weakref.finalize(tiff, tiff.filehandle.close)
        outline, xml = _ome_outline(tiff, path)
        _check_promise(tiff, outline)
        series = [part for part in tiff.series if part.shape]
    if not series:
        raise BadFile("the TIFF holds no image")
    if complaints:
        raise BadFile(f"the list of its pages is damaged, as in a truncated file: {complaints[0]}")
    if tiff.is_imagej and series[0].kind != "imagej":
        raise BadFile("its ImageJ header promises more planes than the file holds: truncated?")
    if series[0].kind in FIRST_ONLY:
        series = series[:1]
    if len(series) > MOST_IMAGES:
        raise BadFile(f"the TIFF holds {len(series)} images, more than {MOST_IMAGES}")
    for part in series:
        _check_pages(part, path.stat().st_size)
    reader, ome = _reader(path, tiff, xml)
    return [_image(reader, tiff, ome, xml, at) for at in range(len(series))]


def _image(
    reader: Any, tiff: tifffile.TiffFile, ome: ome_types.OME | None, xml: str, at: int
) -> Source:
    reader.set_scene(at)
    data = reader.xarray_dask_data
    page = tiff.series[at].keyframe
    tags = {tag.name: tag.value for tag in page.tags}
    if ome is not None and at < len(ome.images):
        facts = metadata.from_ome(ome, at, xml)
    elif tiff.is_imagej:
        facts = metadata.from_imagej(tiff.imagej_metadata or {}, tags)
    else:
        facts = metadata.from_tiff(tags)
    return source(_with_software(facts, tags), "".join(map(str, data.dims)), data.data)


def _with_software(facts: Facts, tags: dict[str, Any]) -> Facts:
    """The page's own tags complete what OME-XML leaves out."""
    known = {key for key, _, _ in facts.tags}
    more = tuple(tag for tag in metadata.from_tiff(tags).tags if tag[0] not in known)
    if facts.ome_xml is None or not more:
        return facts
    return Facts(**{**vars(facts), "tags": (*facts.tags, *more)})


# --- the reader -------------------------------------------------------------------------------


class _OpenOnce:
    """bioio's TIFF readers, but the file is opened once and read by page or tile.

    They would open it again for every volume, and hold a whole volume in memory.
    """

    opened: tifffile.TiffFile
    current_scene_index: int

    def _create_dask_array(self, tiff: tifffile.TiffFile, dims: list[str]) -> da.Array:
        """Return the lazy pixels of the current scene, in the order of the file's axes."""
        return _lazy(self.opened, self.opened.series[self.current_scene_index])


class _OmeTiff(_OpenOnce, bioio_ome_tiff.Reader):
    """OME-TIFF: axes and channels as OME-XML names them."""


class _AnyTiff(_OpenOnce, bioio_tifffile.Reader):
    """Any other TIFF, ImageJ's included."""


def _reader(
    path: Path, tiff: tifffile.TiffFile, xml: str
) -> tuple[_OpenOnce, ome_types.OME | None]:
    """Return the reader for this TIFF; bad OME-XML costs the metadata, not the pixels."""
    reader: Any
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the readers' own deprecations, of no use to a caller
        if xml:
            with suppress(UnsupportedFileFormatError, ValueError, TypeError, KeyError):
                reader = _OmeTiff(path)
                reader.opened = tiff
                return reader, ome_types.from_xml(xml)
        reader = _AnyTiff(path)
        reader.opened = tiff
        return reader, None


def _lazy(tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries) -> da.Array:
    """Return dask pixels whose chunk is what is cheap to read at once."""
    page = series.keyframe
    whole = page.nbytes <= WHOLE_PAGE
    store = series.aszarr(level=0, chunkmode="page" if whole else None)
    pixels = _Pixels(tiff, zarr.open_array(store, mode="r"))
    unit = list(pixels.array.chunks)
    if not whole:
        for axis in (series.axes.index("Y"), series.axes.index("X")):
            if unit[axis] < pixels.shape[axis]:
                unit[axis] *= max(1, READ_SIDE // unit[axis])
    return da.from_array(pixels, chunks=tuple(unit), asarray=True, name=False)


class _Pixels:
    """A zarr view of a series that keeps its file open as long as it lives itself."""

    def __init__(self, tiff: tifffile.TiffFile, array: zarr.Array[Any]) -> None:
        self.tiff = tiff
        self.array = array
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, place: Any) -> Any:
        return self.array[place]


# --- the bones --------------------------------------------------------------------------------


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what tifffile logs about a damaged page list; it would go on with the rest."""
    found: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage()
            if record.levelno >= logging.ERROR and "TiffPages" in text:
                found.append(text.rpartition("> ")[2])

    listener = Listener()
    logger = logging.getLogger("tifffile")
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(listener)
    try:
        yield found
    finally:
        logger.removeHandler(listener)
        logger.propagate = propagated


def _ome_outline(tiff: tifffile.TiffFile, path: Path) -> tuple[omexml.Outline | None, str]:
    """Return (outline, OME-XML), or (None, "") for another TIFF or XML that is none."""
    text = tiff.pages.first.description if len(tiff.pages) else ""
    if not omexml.looks_like_ome(text):
        return None, ""
    try:
        outline = omexml.inspect(text, path.name)
    except omexml.Malformed:
        return None, ""
    return (outline, text) if outline.is_ome else (None, "")


def _check_promise(tiff: tifffile.TiffFile, outline: omexml.Outline | None) -> None:
    if outline is None:
        return
    if outline.binary_only or outline.others:
        named = f" ({outline.others[0][:60]!r})" if outline.others else ""
        raise BadFile(
            f"it is one of several files of one image{named}: export it as a single OME-TIFF"
        )
    held = len(tiff.pages) * max(1, tiff.pages.first.samplesperpixel)
    if sum(outline.planes) > held:
        raise BadFile(
            f"its OME-XML promises {sum(outline.planes)} planes, the file holds {held}: truncated?"
        )


def _check_pages(series: tifffile.TiffPageSeries, size: int) -> None:
    """Refuse pixels that lie past the end of the file: the reader would give zeros for them."""
    if series.dataoffset is not None:
        short = series.dataoffset + series.nbytes > size
    else:
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
