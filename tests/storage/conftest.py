"""A folder as root, small images with a seed, and the real files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest

from cid_server_ext.errors import BadFile
from cid_server_ext.storage.layout import layouts
from cid_server_ext.storage.omezarr import read_ahead
from cid_server_ext.storage.readers import open_images
from cid_server_ext.storage.readers.source import Facts, Source, source
from cid_server_ext.storage.roots import Folder


@pytest.fixture
def root(tmp_path: Path) -> Folder:
    (tmp_path / "root").mkdir()
    return Folder(tmp_path / "root")


@pytest.fixture
def make() -> Callable[..., Source]:
    """Return a Source over an array: make(pixels, "czyx", scale={"x": 0.1})."""

    def make(pixels: Any, axes: str, chunks: Any = "auto", **told: Any) -> Source:
        units = {axis: "second" if axis == "t" else "micrometer" for axis in told.get("scale", {})}
        facts = Facts(name="made", units=units, **told)
        lazy = da.from_array(np.asarray(pixels), chunks=chunks)
        return source(facts, axes.upper(), lazy, keep=axes)

    return make


@pytest.fixture
def real() -> Path:
    folder = Path(__file__).parents[3] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the real microscopy files of ../shared/data, which are not here")
    return folder


def read_whole(path: Path) -> None:
    """Open a file and read every pixel, as a conversion does."""
    for image in open_images(path):
        cut = layouts(image.axes, image.shape, image.dtype.itemsize)[0]
        for _ in read_ahead(image, cut):
            pass


@pytest.fixture
def only() -> Callable[[Path], Source]:
    """Return the one image of a file, without its labels."""

    def only(path: Path) -> Source:
        (found,) = (image for image in open_images(path) if image.kind == "image")
        return found

    return only


@pytest.fixture
def refused() -> Callable[[Path], str]:
    """Return the one line that a bad file is refused with."""

    def refused(path: Path) -> str:
        with pytest.raises(BadFile) as error:
            read_whole(path)
        assert "\n" not in str(error.value)
        return str(error.value)

    return refused
