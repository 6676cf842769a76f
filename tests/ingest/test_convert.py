"""A foreign file becomes images of ours, or nothing at all."""

from __future__ import annotations

import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import tifffile
import zarr
from PIL import Image

from cid_server_ext.errors import BadFile, BadInput, Conflict, OverQuota
from cid_server_ext.ingest.convert import Converted, convert


def one(path: Path, target: Path, **more) -> Converted:
    (found,) = convert(path, target, **more)
    return found


def level0(image: Converted) -> np.ndarray:
    return zarr.open_array(image.folder / "image.ome.zarr" / "0", mode="r")[:]


def test_an_image_is_written_described_and_drawn(cells: Path, tmp_path: Path) -> None:
    image = one(cells, tmp_path / "out")
    assert (image.name, image.axes, image.shape) == ("cells", "czyx", (2, 3, 70, 80))
    assert (image.dtype, image.levels, image.objects) == ("uint16", 1, None)
    assert image.scale == pytest.approx({"z": 0.5, "y": 0.1, "x": 0.1})
    assert image.units == dict.fromkeys("zyx", "micrometer")
    assert [channel["name"] for channel in image.channels] == ["Channel 1", "Channel 2"]
    assert image.folder == tmp_path / "out" / "0"
    expected = tifffile.imread(cells).transpose(1, 0, 2, 3)
    assert (level0(image) == expected).all()
    with Image.open(image.folder / "thumbnail.png") as thumbnail:
        assert thumbnail.size == (80, 70)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert image.nbytes == sum(path.stat().st_size for path in files)


def test_the_plan_comes_first_and_is_kept(cells: Path, tmp_path: Path) -> None:
    seen = []

    def on_plan(nbytes: int) -> None:
        seen.append((nbytes, (tmp_path / "out" / "0").exists()))

    image = one(cells, tmp_path / "out", on_plan=on_plan)
    ((planned, written_before),) = seen
    assert not written_before
    assert image.nbytes <= planned


def test_progress_is_told_and_never_goes_back(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((40, 1500, 1500), np.uint16))
    told: list[tuple[float, str]] = []
    one(tmp_path / "x.tif", tmp_path / "out", on_progress=lambda *what: told.append(what))
    fractions = [fraction for fraction, _ in told]
    assert len(told) > 1
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] <= fractions[-1] <= 1
    assert {text for _, text in told} == {"writing x"}


def test_a_plan_that_does_not_fit_leaves_nothing(cells: Path, tmp_path: Path) -> None:
    def refuse(nbytes: int) -> None:
        raise OverQuota(f"{nbytes} bytes do not fit")

    with pytest.raises(OverQuota):
        convert(cells, tmp_path / "out", on_plan=refuse)
    assert not (tmp_path / "out").exists()


def test_a_target_that_exists_is_not_touched(cells: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").touch()
    with pytest.raises(Conflict):
        convert(cells, tmp_path / "out")
    assert (tmp_path / "out" / "precious").exists()


def test_several_scenes_have_names_of_their_own(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "two.ome.tif") as file:
        for name in ("", ""):
            file.write(np.zeros((9, 9), np.uint8), metadata={"axes": "YX", "Name": name})
    found = convert(tmp_path / "two.ome.tif", tmp_path / "out")
    assert [image.name for image in found] == ["two [1]", "two [2]"]
    assert [image.folder.name for image in found] == ["0", "1"]


def test_labels_are_counted_and_narrowed(tmp_path: Path) -> None:
    labels = np.zeros((600, 600), np.int64)
    labels[100:200, 100:200], labels[400:500, 50:60] = 1, 70000
    tifffile.imwrite(tmp_path / "cells.tif", labels)
    image = one(tmp_path / "cells.tif", tmp_path / "out", kind="labels")
    assert (image.dtype, image.objects, image.channels) == ("uint32", 2, [])
    assert (level0(image) == labels).all()
    thumbnail = np.asarray(Image.open(io.BytesIO((image.folder / "thumbnail.png").read_bytes())))
    assert (thumbnail[0, 0] == 0).all()
    assert thumbnail.any()


def test_labels_must_be_whole_numbers(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((5, 5), np.float32))
    with pytest.raises(BadFile, match="whole numbers"):
        convert(tmp_path / "x.tif", tmp_path / "out", kind="labels")
    with pytest.raises(BadInput, match="kind"):
        convert(tmp_path / "x.tif", tmp_path / "out", kind="movie")


@pytest.mark.parametrize("name", ["cell", "immunohistochemistry"])
def test_the_pictures_of_scikit_image(tmp_path: Path, name: str) -> None:
    pixels = getattr(skimage.data, name)()
    tifffile.imwrite(tmp_path / f"{name}.tif", pixels)
    image = one(tmp_path / f"{name}.tif", tmp_path / "out")
    assert (level0(image) == (pixels if pixels.ndim == 2 else pixels.transpose(2, 0, 1))).all()
    thumbnail = Image.open(io.BytesIO((image.folder / "thumbnail.png").read_bytes()))
    assert 128 <= max(thumbnail.size) <= 256


def test_two_at_once_do_not_meet(cells: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(one, cells, tmp_path / f"out{n}") for n in range(4)]
        shapes = {future.result().shape for future in done}
    assert shapes == {(2, 3, 70, 80)}


@pytest.mark.parametrize(
    ("folder", "least"),
    [
        ("formats/ometiff", 4),
        ("formats/imagej", 6),
        ("crafted/ometiff", 2),
        ("segmentation/dsb2018/developers", 24),
    ],
)
def test_real_folders_import_whole(real: Path, tmp_path: Path, folder: str, least: int) -> None:
    files = [p for p in sorted((real / folder).iterdir()) if p.suffix in {".tif", ".tiff", ".png"}]
    for at, path in enumerate(files):
        kind = "labels" if path.stem.endswith("_label") else "image"
        image = one(path, tmp_path / str(at), kind=kind)
        assert (image.folder / "image.ome.zarr" / "zarr.json").is_file()
        if kind == "labels":
            assert image.objects == len(np.unique(tifffile.imread(path))) - 1
    assert len(files) >= least


@pytest.mark.parametrize(
    "name",
    [
        "omezarr/viv/blobs_image_v04.ome.zarr",
        "omezarr/viv/blobs_image_v05.ome.zarr",
        "omezarr/ngio_v04/test_image_tczyx.zarr",
        "omezarr/examples_v04/valid/image-03.zarr",
        "crafted/omezarr/cluster_5D_v0.5.ome.zarr",
        "crafted/omezarr/plate_v0.4.ome.zarr",
    ],
)
def test_real_ome_zarr_is_rewritten(real: Path, tmp_path: Path, name: str) -> None:
    for image in convert(real / name, tmp_path / "out"):
        assert level0(image).shape == image.shape


def test_the_service_loads_no_reader() -> None:
    """What parses foreign bytes is never in the process that holds the database."""
    heavy = {"bioio", "tifffile", "tensorstore", "zarr", "dask", "PIL", "numpy", "imagecodecs"}
    code = f"import sys, cid_server_ext.ingest.convert; print(*{heavy!r} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
