"""Files of every kind are read as what they are, whatever they are called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage.data
import tifffile
from PIL import Image

from cid_server_ext.storage.readers import open_images

RANDOM = np.random.default_rng(7)
COLOURS = ["Red", "Green", "Blue"]
RICH = ["confocal 488", "widefield 561"]
PROTEINS = ["GFP", "RFP"]
IMAGEJ = "formats/imagej"


@pytest.mark.parametrize(
    ("name", "axes", "shape", "scale", "channels"),
    [
        ("formats/ometiff/4D-series.ome.tiff", "tzyx", (7, 5, 167, 439), "", ["Channel 1"]),
        ("formats/ometiff/qupath_cells-2c.ome.tif", "cyx", (2, 131, 93), "yx", None),
        ("formats/ometiff/pfm_test_image.ome.tif", "cyx", (3, 513, 639), "yx", COLOURS),
        ("crafted/ometiff/pyramid_CMU1.ome.tif", "cyx", (3, 2967, 2220), "yx", COLOURS),
        ("crafted/ometiff/rich_dna_conf_wf.ome.tif", "czyx", (2, 20, 130, 133), "zyx", RICH),
        ("formats/imagej/BIOP_HyperStack-Test.tif", "tczyx", (3, 3, 3, 300, 400), "", None),
        ("formats/imagej/xy_rgb__cells.tif", "cyx", (3, 257, 280), "", COLOURS),
        ("formats/imagej/xyc_16bit__cell_dna_mts_actin.tif", "cyx", (3, 350, 350), "yx", None),
        (f"{IMAGEJ}/xyz_8bit__mitotic_plate_calibrated.tif", "zyx", (6, 263, 263), "zyx", None),
        ("formats/imagej/xyzc_16bit__dna_conf_wf.tif", "czyx", (2, 45, 130, 133), "zyx", None),
        ("formats/imagej/chromosomes.tif", "cyx", (3, 1040, 1388), "", COLOURS),
        ("omezarr/viv/blobs_image_v04.ome.zarr", "cyx", (3, 12, 12), "", None),
        ("omezarr/viv/blobs_image_v05.ome.zarr", "cyx", (3, 12, 12), "", None),
        ("omezarr/ngio_v04/test_image_tczyx.zarr", "tczyx", (4, 2, 10, 64, 64), "tzyx", None),
        ("crafted/omezarr/cluster_5D_v0.5.ome.zarr", "tczyx", (3, 2, 10, 31, 38), "tzyx", PROTEINS),
    ],
)  # fmt: skip
def test_real_files_are_read_as_what_they_are(
    real, name, axes, shape, scale, channels, only
) -> None:
    image = only(real / name)
    assert (image.axes, image.shape, "".join(image.scale)) == (axes, shape, scale)
    if channels:
        assert [channel["name"] for channel in image.channels] == channels


@pytest.mark.parametrize(
    "name",
    [
        "crafted/ometiff/rich_dna_conf_wf.ome.tif",
        "formats/ometiff/4D-series.ome.tiff",
        "formats/imagej/BIOP_HyperStack-Test.tif",
        "formats/imagej/xyzc_16bit__dna_conf_wf.tif",
    ],
)
def test_pixels_are_those_of_the_reference_reader(real: Path, name: str, only) -> None:
    image = only(real / name)
    with tifffile.TiffFile(real / name) as file:
        axes, expected = file.series[0].axes.lower(), file.series[0].asarray()
    order = [axes.index(axis) for axis in image.axes if axis in axes]
    assert (image.array.compute() == expected.transpose(order)).all()


def test_several_scenes_become_several_images(real: Path, tmp_path: Path) -> None:
    plate = open_images(real / "crafted/omezarr/plate_v0.4.ome.zarr")
    assert [image.name.split()[0] for image in plate] == ["B/03/0", "B/03/1", "C/07/0", "C/07/1"]
    with tifffile.TiffWriter(tmp_path / "two.ome.tif") as file:
        file.write(
            RANDOM.integers(0, 9, (3, 20, 30), dtype=np.uint8),
            metadata={"axes": "ZYX", "Name": "a"},
        )
        file.write(
            RANDOM.integers(0, 9, (2, 40, 50), dtype=np.uint16),
            metadata={"axes": "CYX", "Name": "b"},
        )
    found = [
        (image.name, image.axes, image.shape) for image in open_images(tmp_path / "two.ome.tif")
    ]
    assert found == [("a", "zyx", (3, 20, 30)), ("b", "cyx", (2, 40, 50))]


def test_the_label_of_a_slide_is_left_out(real: Path, only) -> None:
    """A slide scanner photographs the label, which names the patient."""
    assert only(real / "formats/slide/CMU-1-Small-Region.svs").shape == (3, 2967, 2220)


@pytest.mark.parametrize(
    ("name", "shape"), [("cell", (660, 550)), ("immunohistochemistry", (512, 512, 3))]
)
@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_the_pictures_of_scikit_image(tmp_path: Path, name, shape, suffix, only) -> None:
    pixels = getattr(skimage.data, name)()
    assert pixels.shape == shape
    if suffix == ".png":
        Image.fromarray(pixels).save(tmp_path / "x.png")
    else:
        tifffile.imwrite(tmp_path / "x.tif", pixels)
    image = only(tmp_path / f"x{suffix}")
    assert image.scale == {}
    found = image.array.compute()
    assert (found == (pixels if pixels.ndim == 2 else pixels.transpose(2, 0, 1))).all()


def test_the_bytes_decide_not_the_suffix(tmp_path: Path, only) -> None:
    pixels = RANDOM.integers(0, 255, (20, 30), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    (tmp_path / "x.png").rename(tmp_path / "really a png.tif")
    assert (only(tmp_path / "really a png.tif").array.compute() == pixels).all()


def test_what_is_no_image_is_refused_with_a_way_out(tmp_path: Path, refused) -> None:
    (tmp_path / "notes.tif").write_text("not a picture\n" * 10)
    assert "deposit it as a file" in refused(tmp_path / "notes.tif")
    (tmp_path / "empty.tif").touch()
    assert "empty" in refused(tmp_path / "empty.tif")
    (tmp_path / "folder").mkdir()
    assert "one by one" in refused(tmp_path / "folder")
    (tmp_path / "link.tif").symlink_to("/etc/passwd")
    assert "link" in refused(tmp_path / "link.tif")
