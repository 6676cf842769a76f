"""TIFF by tile, strip and page; damaged, truncated and lying ones are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from cid_server_ext.storage.readers.tiffs import tiff

RANDOM = np.random.default_rng(7)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("how", [{"tile": (64, 64)}, {"rowsperstrip": 16}, {"compression": "zlib"}])
def test_tiles_and_strips_give_the_same_pixels(
    tmp_path, monkeypatch, how, large: bool, only
) -> None:
    if large:
        monkeypatch.setattr(tiff, "WHOLE_PAGE", 1000)
        monkeypatch.setattr(tiff, "READ_SIDE", 100)
    pixels = RANDOM.integers(0, 60000, (3, 300, 333), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "x.ome.tif", pixels, metadata={"axes": "ZYX"}, **how)
    image = only(tmp_path / "x.ome.tif")
    if large:
        assert max(image.array.chunksize) < 333 or "tile" not in how
    assert (image.array.compute() == pixels).all()
    assert (image.array[1, 100:200, 7:300].compute() == pixels[1, 100:200, 7:300]).all()


def picture_of(folder: Path, kind: str) -> Path:
    pixels = RANDOM.integers(0, 60000, (4, 70, 80), dtype=np.uint16)
    path = folder / f"x.{kind}"
    if kind == "ome.tif":
        tifffile.imwrite(path, pixels, metadata={"axes": "CYX"})
    elif kind == "imagej.tif":
        tifffile.imwrite(path, pixels, imagej=True, metadata={"axes": "ZYX"})
    elif kind == "zlib.tif":
        tifffile.imwrite(path, pixels, compression="zlib", photometric="minisblack")
    elif kind == "tiles.tif":
        tifffile.imwrite(path, pixels, tile=(32, 32), photometric="minisblack")
    else:
        Image.fromarray((pixels[0] >> 8).astype(np.uint8)).save(path)
    return path


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("shape", [(33, 47), (5, 33, 47), (2, 3, 33, 47)])
def test_planes_that_follow_each_other_are_read_one_by_one(
    tmp_path: Path, only, byteorder: str, shape: tuple[int, ...]
) -> None:
    pixels = np.random.default_rng(3).integers(0, 60000, shape, dtype=np.uint16)
    path = tmp_path / "stack.tif"
    how = {"photometric": "minisblack", "metadata": {"axes": "TCYX"[-len(shape) :]}}
    tifffile.imwrite(path, pixels, byteorder=byteorder, **how)
    found = only(path).array
    assert found.chunksize == (*(1 for _ in shape[:-2]), 33, 47)
    assert (found.compute() == pixels).all()
    assert (found[..., 4:9:2, 40:].compute() == pixels[..., 4:9:2, 40:]).all()


@pytest.mark.parametrize("kind", ["ome.tif", "imagej.tif", "zlib.tif", "tiles.tif", "png", "jpg"])
@pytest.mark.parametrize("sixteenths", range(16))
def test_a_file_cut_anywhere_is_refused(
    tmp_path: Path, kind: str, sixteenths: int, only, refused
) -> None:
    path = picture_of(tmp_path, kind)
    only(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * sixteenths // 16])
    refused(path)


def test_the_last_byte_is_missed(tmp_path: Path, refused) -> None:
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, RANDOM.integers(0, 9, (70, 80), dtype=np.uint16))
    path.write_bytes(path.read_bytes()[:-1])
    assert "truncated" in refused(path)


def test_metadata_that_was_cut_off_is_missed(tmp_path: Path, refused) -> None:
    path = tmp_path / "x.ome.tif"
    tifffile.imwrite(path, np.ones((2, 3, 8, 8), np.uint8), metadata={"axes": "TZYX"})
    tifffile.tiffcomment(path, tifffile.tiffcomment(path) + " " * 500)  # moves to the end
    path.write_bytes(path.read_bytes()[:-1])
    assert "truncated" in refused(path)
    path.write_bytes(b"II*\0\x00\x50\0\0" + bytes(200))  # so are its pages
    assert "truncated: the list of its pages" in refused(path)


def test_complex_pixels_are_refused(tmp_path: Path, refused) -> None:
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((5, 5), np.complex64))
    assert "complex64" in refused(tmp_path / "x.tif")


def test_one_of_several_files_of_an_image_is_refused(real: Path, refused) -> None:
    assert "multifile.companion.ome" in refused(
        real / "formats/ometiff/multifile/multifile-Z1.ome.tiff"
    )


def test_an_ome_tiff_never_opens_another_file(tmp_path: Path, refused) -> None:
    (tmp_path / "other").mkdir()
    tifffile.imwrite(tmp_path / "other" / "secret.tif", np.full((8, 8), 99, np.uint8))
    path = tmp_path / "x.ome.tif"
    tifffile.imwrite(path, np.zeros((8, 8), np.uint8), metadata={"axes": "YX"})
    with tifffile.TiffFile(path) as file:
        text = file.pages.first.description
    trick = '<TiffData IFD="0"><UUID FileName="other/secret.tif">urn:uuid:9</UUID></TiffData>'
    start = text.index("<TiffData")
    tifffile.tiffcomment(path, text[:start] + trick + text[text.index("</Pixels>") :])
    assert "other/secret.tif" in refused(path)
