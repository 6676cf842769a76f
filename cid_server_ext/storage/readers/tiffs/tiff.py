"""Reading TIFF, OME-TIFF and ImageJ hyperstacks, page by page or tile by tile."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import dask.array as da
import ome_types
import tifffile
import zarr

from ....errors import BadFile
from ..metamorph import uic
from ..ome import metadata, ome_files, omemodel, omexml
from ..source import Facts, Source, source
from . import lsm, plain, slides
from .bones import check_pages, complaints

WHOLE_PAGE = 64 << 20  # bytes; a larger page is read by its tiles or strips
READ_SIDE = 2048  # pixels; tiles are read in groups of about this side
MOST_IMAGES = 1000
LABELS = frozenset({"label image", "macro image"})  # as Bio-Formats calls them in OME-TIFF
# Kinds whose further series are previews, macro pictures and slide labels (which name patients).
FIRST_ONLY = frozenset({"svs", "ndpi", "lsm", "scn", "bif", "philips"})


# What makers' own TIFFs say of their pixels.
MAKERS: dict[str, Callable[[tifffile.TiffFile, str, tuple[int, ...], Any], Facts]] = {
    "lsm": lsm.facts_of,
    "ndpi": slides.hamamatsu,
    "stk": uic.facts_of,
    "svs": slides.aperio,
}


def open_tiff(path: Path) -> list[Source]:
    """Return the images of a TIFF. BadFile: damaged, truncated, or lying about its size."""
    with complaints() as complained:
        tiff = tifffile.TiffFile(path, is_mmstack=False)
        weakref.finalize(tiff, tiff.filehandle.close)
        outline, xml = ome_files.outline_of(tiff, path)
        if outline.binary_only or outline.others:
            tiff.close()
            return ome_files.open_set(path)
        _check_promise(tiff, outline)
        series = [part for part in tiff.series if part.shape]
    if not series:
        raise BadFile("the TIFF holds no image")
    if complained:
        raise BadFile(f"the list of its pages is damaged, as in a truncated file: {complained[0]}")
    if tiff.is_imagej and series[0].kind != "imagej":
        raise BadFile("its ImageJ header promises more planes than the file holds: truncated?")
    if series[0].kind in FIRST_ONLY:
        series = series[:1]
    if len(series) > MOST_IMAGES:
        raise BadFile(f"the TIFF holds {len(series)} images, more than {MOST_IMAGES}")
    for part in series:
        check_pages(part, path.stat().st_size)
    ome = _model(xml)
    taken = [at for at in range(len(series)) if not _is_label(ome, at)]
    if not taken:
        raise BadFile("it holds only pictures of a slide's label, which can name a patient")
    return [_image(tiff, ome, xml, at) for at in taken]


def _is_label(ome: ome_types.OME | None, at: int) -> bool:
    """Say whether an image is a slide's label or the picture of the whole slide, with its label."""
    name = ome.images[at].name if ome is not None and at < len(ome.images) else ""
    return (name or "").lower() in LABELS


def _model(xml: str) -> ome_types.OME | None:
    """Return the model of OME-XML; where it is not valid that costs metadata, not the pixels."""
    if xml:
        with suppress(ValueError, TypeError, KeyError):
            return omemodel.from_xml(xml)
    return None


def _image(tiff: tifffile.TiffFile, ome: ome_types.OME | None, xml: str, at: int) -> Source:
    series = tiff.series[at]
    tags = {tag.name: tag.value for tag in series.keyframe.tags}
    if ome is not None and at < len(ome.images):
        facts = metadata.from_ome(ome, at, xml)
    elif series.kind in MAKERS or uic.is_plane(tiff):
        said = MAKERS.get(series.kind, uic.facts_of)
        facts = said(tiff, series.axes, series.shape, series.dtype)
    elif tiff.is_imagej:
        facts = plain.from_imagej(tiff.imagej_metadata or {}, tags)
    else:
        facts = plain.from_tiff(tags)
    return source(_with_software(facts, tags), series.axes, _lazy(tiff, series))


def _with_software(facts: Facts, tags: dict[str, Any]) -> Facts:
    """The page's own tags complete what OME-XML leaves out."""
    known = {key for key, _, _ in facts.tags}
    more = tuple(tag for tag in plain.from_tiff(tags).tags if tag[0] not in known)
    if facts.ome_xml is None or not more:
        return facts
    return Facts(**{**vars(facts), "tags": (*facts.tags, *more)})


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


def _check_promise(tiff: tifffile.TiffFile, outline: omexml.Outline) -> None:
    held = len(tiff.pages) * max(1, tiff.pages.first.samplesperpixel if len(tiff.pages) else 1)
    if sum(outline.planes) > held:
        raise BadFile(
            f"its OME-XML promises {sum(outline.planes)} planes, the file holds {held}: truncated?"
        )
