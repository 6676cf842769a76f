"""Reading TIFF, OME-TIFF and ImageJ hyperstacks, page by page or tile by tile."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import ome_types
import tifffile
import zarr
from numpy.typing import NDArray

from ....errors import BadFile
from ..lazy import Strides, lazy
from ..metamorph import uic
from ..ome import metadata, ome_files, omemodel, omexml
from ..source import Facts, Source, source
from . import electron, lsm, plain, scopes, slides
from .bones import check_pages, complaints

WHOLE_PAGE = 64 << 20  # bytes; a larger page is read by its tiles or strips
READ_SIDE = 2048  # pixels; tiles are read in groups of about this side
MOST_IMAGES = 1000
LABELS = frozenset({"label image", "macro image"})  # as Bio-Formats calls them in OME-TIFF
# Kinds whose further series are previews, macro pictures and slide labels (which name patients).
PREVIEWS = frozenset({"Label", "Macro", "Thumbnail", "Map"})
FIRST_ONLY = frozenset({"svs", "ndpi", "lsm", "bif", "philips", "qpi", "avs"})

# What makers' own TIFFs say of their pixels.
Teller = Callable[[tifffile.TiffFile, str, tuple[int, ...], Any], Facts]
MAKERS: dict[str, Teller] = {
    "fluoview": scopes.fluoview,
    "lsm": lsm.facts_of,
    "ndpi": slides.hamamatsu,
    "qpi": slides.perkinelmer,
    "scanimage": scopes.scanimage,
    "sis": scopes.sis,
    "stk": uic.facts_of,
    "svs": slides.aperio,
}


def open_tiff(path: Path) -> list[Source]:
    """Return the images of a TIFF. BadFile: damaged, truncated, or lying about its size."""
    with complaints() as complained:
        tiff = tifffile.TiffFile(path, is_mmstack=False, is_ndtiff=False)
        weakref.finalize(tiff, tiff.filehandle.close)
        outline, xml = ome_files.outline_of(tiff, path)
        if outline.binary_only or outline.others:
            tiff.close()
            return ome_files.open_set(path)
        _check_promise(tiff, outline)
        series = [part for part in tiff.series if part.shape]
    if not tiff.pages:
        raise BadFile("it is truncated: the list of its pages lies past its end. Copy it again")
    if not series:
        raise BadFile("the TIFF holds no image")
    if complained:
        raise BadFile(f"the list of its pages is damaged, as in a truncated file: {complained[0]}")
    if tiff.is_imagej and series[0].kind != "imagej":
        raise BadFile("its ImageJ header promises more planes than the file holds: truncated?")
    if series[0].kind in FIRST_ONLY:
        series = [part for part in series[:1] if part.name not in PREVIEWS]
    if series and series[0].kind == "scn":
        series = slides.scans(tiff, series)
    if len(series) > MOST_IMAGES:
        raise BadFile(f"the TIFF holds {len(series)} images, more than {MOST_IMAGES}")
    for part in series:
        check_pages(part, path.stat().st_size)
    ome = _model(xml)
    taken = [(at, part) for at, part in enumerate(series) if not _is_label(ome, at)]
    if not taken:
        raise BadFile("it holds only pictures of a slide's label, which can name a patient")
    return [_image(tiff, _described(ome, xml, at), part) for at, part in taken]


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


def _described(ome: ome_types.OME | None, xml: str, at: int) -> Facts | None:
    """Return what OME-XML says of an image, where it says anything."""
    return metadata.from_ome(ome, at, xml) if ome is not None and at < len(ome.images) else None


def _image(tiff: tifffile.TiffFile, facts: Facts | None, series: tifffile.TiffPageSeries) -> Source:
    tags = {tag.name: tag.value for tag in series.keyframe.tags}
    shown = series.axes, series.shape, series.dtype
    if facts is not None:
        pass
    elif series.kind == "scn":
        facts = slides.leica(tiff, series.name, *shown)
    elif teller := _teller(tiff, series):
        facts = teller(tiff, *shown)
    elif tiff.is_imagej:
        facts = plain.from_imagej(tiff.imagej_metadata or {}, tags)
    else:
        facts = plain.from_tiff(tags)
    return source(_with_software(facts, tags), series.axes, _lazy(tiff, series))


def _teller(tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries) -> Teller | None:
    """Return what reads the words of the program that wrote the TIFF."""
    if series.kind in MAKERS:
        return MAKERS[series.kind]
    if uic.is_plane(tiff):
        return uic.facts_of
    if tiff.pages.first.is_sem:
        return electron.zeiss
    return electron.fei if tiff.pages.first.is_fei else None


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
    if whole and series.dataoffset is not None and series.axes.endswith("YX"):
        return _in_order(tiff, series, series.dataoffset)
    store = series.aszarr(level=0, chunkmode="page" if whole else None)
    pixels = _Pixels(tiff, zarr.open_array(store, mode="r"))
    unit = list(pixels.array.chunks)
    if not whole:
        for axis in (series.axes.index("Y"), series.axes.index("X")):
            if unit[axis] < pixels.shape[axis]:
                unit[axis] *= max(1, READ_SIDE // unit[axis])
    return da.from_array(pixels, chunks=tuple(unit), asarray=True, name=False)


def _in_order(tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries, start: int) -> da.Array:
    """Return planes that follow each other as they are: each is read in one step."""
    file = Strides(Path(tiff.filehandle.path))
    dtype = series.dtype.newbyteorder(tiff.byteorder)
    *above, height, width = series.shape
    steps = (width * dtype.itemsize, dtype.itemsize)

    def read(index: tuple[int, ...], rows: slice, columns: slice) -> NDArray[Any]:
        plane = int(np.ravel_multi_index(index, above)) if index else 0
        return file.window(start + plane * height * steps[0], steps, dtype, rows, columns)

    return lazy(tuple(series.shape), dtype, read, whole=True)


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
