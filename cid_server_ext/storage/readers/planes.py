"""One image out of many TIFF files: each plane is a page of one of them, read when asked for."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import tifffile
import zarr
from numpy.typing import NDArray

from ...errors import BadFile
from .lazy import lazy
from .source import unreadable
from .tiffs.bones import check_pages

OPEN = 32  # files that are kept open at once


@dataclass(frozen=True, slots=True)
class Page:
    """Where a plane is: a page of a TIFF, or a plane of an STK, which has them all in one page."""

    path: Path
    number: int = 0


Place = tuple[int, int, int]  # t, c, z


class Planes:
    """The planes of one image. What is not there is read as 0: who builds it must tell of it."""

    def __init__(self, size: Place, pages: Mapping[Place, Page]) -> None:
        if not pages:
            raise BadFile("none of its planes is there: upload the files together")
        self.size, self.pages = size, pages
        self.files = _Files()
        first = self.files.page(pages[min(pages)])
        self.shape, self.dtype = first.shape, first.dtype
        if len(self.shape) not in {2, 3}:
            raise BadFile(f"its planes have the shape {self.shape}: export them as single planes")

    @property
    def missing(self) -> list[Place]:
        """The planes that no file holds."""
        return lacking(self.size, self.pages)

    def pixels(self) -> tuple[str, da.Array]:
        """Return (axes, lazy pixels); a colour picture has its samples as S."""
        samples = self.shape[2:]
        shape = (*self.size, *samples, *self.shape[:2])
        return "TCZS"[: 3 + len(samples)] + "YX", lazy(shape, self.dtype, self._read)

    def _read(self, index: tuple[int, ...], rows: slice, columns: slice) -> NDArray[Any]:
        t, c, z, *sample = index
        page = self.pages.get((t, c, z))
        if page is None:
            return np.zeros(self.shape[:2], self.dtype)[rows, columns]
        array = self.files.page(page)
        if (array.shape, array.dtype) != (self.shape, self.dtype):
            raise BadFile(
                f"{page.path.name} has planes of {array.shape} {array.dtype}, others of"
                f" {self.shape} {self.dtype}: they are not of one image"
            )
        with blamed(page.path):
            found: NDArray[Any] = array[(rows, columns, *sample)]
        return found


class _Files:
    """The files that were read last stay open; one that nobody reads any more is closed."""

    def __init__(self) -> None:
        self.opened: OrderedDict[Path, tifffile.TiffFile] = OrderedDict()
        self.lock = threading.Lock()

    def page(self, page: Page) -> _Plane:
        """Return a plane as a view, whose tiles or strips are decoded as they are needed."""
        tiff = self._tiff(page.path)
        if tiff.is_stk:
            stack = zarr.open_array(tiff.series[0].aszarr(chunkmode="page"), mode="r")
            flat = stack.ndim == 2
            held, number = (1, None) if flat else (stack.shape[0], page.number)
            if page.number < held:
                return _Plane(tiff, stack, number)
        else:
            with tiff.filehandle.lock:  # other threads read from it; pages are parsed when asked
                held = len(tiff.pages)
                one = tiff.pages[page.number] if page.number < held else None
            if one is not None:
                return _Plane(tiff, zarr.open_array(one.aszarr(), mode="r"))
        raise BadFile(f"{page.path.name} holds {held} planes: one more is named")

    def _tiff(self, path: Path) -> tifffile.TiffFile:
        with self.lock:
            if path not in self.opened:
                self.opened[path] = _checked(path)
                if len(self.opened) > OPEN:
                    self.opened.popitem(last=False)
            self.opened.move_to_end(path)
            return self.opened[path]


def lacking(size: Place, there: Container[Place]) -> list[Place]:
    """Return the places of an image of `size` at which nothing is."""
    times, channels, depths = map(range, size)
    every = ((t, c, z) for t in times for c in channels for z in depths)
    return [place for place in every if place not in there]


@contextmanager
def blamed(path: Path) -> Iterator[None]:
    """Say of what goes wrong inside which of many files it was."""
    try:
        yield
    except Exception as error:
        raise BadFile(f"{path.name[:100]}: {unreadable(error)}") from error


def _checked(path: Path) -> tifffile.TiffFile:
    with blamed(path):
        return _opened(path)


def _opened(path: Path) -> tifffile.TiffFile:
    # pages are asked for by number: what others say of their order must not be parsed
    tiff = tifffile.TiffFile(path, is_mmstack=False, is_ndtiff=False, is_ome=False, is_imagej=False)
    weakref.finalize(tiff, tiff.filehandle.close)
    tiff.filehandle.set_lock(True)  # chunks are read by several threads
    for series in tiff.series:
        check_pages(series, path.stat().st_size)
    return tiff


class _Plane:
    """One plane, perhaps of a stack, to be sliced; its file stays open as long as it lives."""

    def __init__(
        self, tiff: tifffile.TiffFile, array: zarr.Array[Any], number: int | None = None
    ) -> None:
        self.tiff, self.array = tiff, array
        self.before = () if number is None else (number,)
        self.shape, self.dtype = array.shape[len(self.before) :], array.dtype

    def __getitem__(self, place: tuple[Any, ...]) -> Any:
        return self.array[(*self.before, *place)]
