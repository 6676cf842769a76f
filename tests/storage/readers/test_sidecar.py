"""Every image has OME-XML of its own and, for each machine tag it lacks, the reason why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import ome_types
import pytest
import tifffile
from PIL import Image

from cid_server_ext.storage.readers import open_images, sidecar
from cid_server_ext.storage.readers.ome.metadata import MACHINE


def test_every_real_image_has_a_model_and_each_machine_tag_or_a_reason(real: Path) -> None:
    names = [
        "formats/imagej/xyzc_16bit__dna_conf_wf.tif",
        "formats/imagej/xy_rgb__cells.tif",
        "formats/ometiff/4D-series.ome.tiff",
        "crafted/metamorph/nd_stk/dna.nd",
        "hcs/imagexpress_1well/2024-04-22/1697",
        "hcs/BBBC022_IXMtest_A02_s9.tif",
        "crafted/omezarr/plate_v0.4.ome.zarr",
        "omezarr/viv/blobs_image_v05.ome.zarr",
        "segmentation/dsb2018/developers/fluo_256x256_243443ae30.png",
        "beads/psf.tif",
    ]
    for name in names:
        for image in open_images(real / name):
            (described,) = ome_types.from_xml(str(image.ome_xml)).images
            pixels = described.pixels
            size = dict(zip(image.axes, image.shape, strict=True))
            assert [getattr(pixels, f"size_{axis}") for axis in "tczyx"] == [
                size.get(axis, 1) for axis in "tczyx"
            ], name
            known = {key for key, _, _ in image.tags} & set(MACHINE)
            assert known | set(image.unknown) == set(MACHINE), name
            assert not known & set(image.unknown)
            assert all(image.unknown.values())


def test_a_plain_tiff_is_described_by_what_is_known(tmp_path: Path, only) -> None:
    tifffile.imwrite(
        tmp_path / "x.tif",
        np.zeros((3, 2, 8, 9), np.uint16),
        imagej=True,
        resolution=(10.0, 10.0),
        metadata={"axes": "ZCYX", "unit": "um", "spacing": 0.5},
        datetime="2024:05:06 07:08:09",
        software="Micro-Manager 2",
    )
    image = only(tmp_path / "x.tif")
    ome = ome_types.from_xml(str(image.ome_xml))
    pixels = ome.images[0].pixels
    assert (pixels.size_z, pixels.size_c, pixels.physical_size_z) == (3, 2, 0.5)
    assert pixels.physical_size_x == pytest.approx(0.1)
    assert [channel.name for channel in pixels.channels] == ["Channel 1", "Channel 2"]
    assert ome.images[0].acquisition_date.isoformat() == "2024-05-06T07:08:09"
    (note,) = ome.structured_annotations
    assert {pair.k: pair.value for pair in note.value.ms} == {
        "Acquisition software": "Micro-Manager 2"
    }


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [("uint8", "uint8"), ("float64", "double"), ("int64", "int32"), ("float32", "float")],
)
def test_pixel_types_are_named_as_ome_names_them(make, dtype: str, kind: str) -> None:
    described = sidecar.describe(make(np.zeros((4, 5), dtype), "yx"))
    pixels = ome_types.from_xml(described).images[0].pixels
    assert (pixels.type.value, pixels.significant_bits) == (kind, np.dtype(dtype).itemsize * 8)


def test_a_picture_says_nothing_and_that_is_told(tmp_path: Path, only) -> None:
    Image.fromarray(np.zeros((8, 9), np.uint8)).save(tmp_path / "x.png")
    image = only(tmp_path / "x.png")
    assert image.unknown == dict.fromkeys(MACHINE, "the file does not say (PNG)")


def test_a_converters_name_is_no_acquisition_software(real: Path, only) -> None:
    image = only(real / "formats/ometiff/qupath_cells-2c.ome.tif")
    assert image.unknown["Acquisition software"] == (
        "the file names only the program that wrote it: OME Bio-Formats 6.8.0"
    )
