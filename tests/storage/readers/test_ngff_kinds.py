"""An OME-Zarr gives its images, each with its labels; plates and series give many."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import ome_types
import pytest
import zarr

from cid_server_ext.storage.readers import open_images

NUCLEI = "crafted/omezarr/nuclei_labels_v0.4.ome.zarr"
PLATE = "crafted/omezarr/plate_v0.4.ome.zarr"


@pytest.fixture
def store(real: Path, tmp_path: Path):
    """Return a copy of a real store that may be changed."""

    def store(name: str) -> Path:
        return Path(shutil.copytree(real / name, tmp_path / Path(name).name))

    return store


def attributes(group: Path, **changes) -> None:
    path = group / ".zattrs"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_labels_follow_their_image_and_name_it(real: Path) -> None:
    image, labels = open_images(real / NUCLEI)
    assert (image.kind, image.of, image.axes, image.shape) == ("image", None, "cyx", (1, 512, 512))
    assert image.channels == ({"name": "DAPI", "color": "00FF00"},)
    assert (labels.kind, labels.of, labels.axes) == ("labels", 0, "yx")
    assert (labels.name, labels.scale) == ("nuclei", {"y": 0.5, "x": 0.5})
    expected = zarr.open_array(real / NUCLEI / "labels/nuclei/0", mode="r")[0]
    assert (labels.array.compute() == expected).all()


@pytest.mark.parametrize(
    ("name", "axes", "shape"),
    [
        ("czyx", "zyx", (10, 64, 64)),
        ("tczyx", "tzyx", (4, 10, 64, 64)),
    ],
)
def test_real_labels_have_the_axes_of_their_image(real: Path, name, axes, shape) -> None:
    image, labels = open_images(real / f"omezarr/ngio_v04/test_image_{name}.zarr")
    assert (image.axes, labels.axes, labels.shape, labels.of) == (name, axes, shape, 0)


def test_each_field_of_a_plate_is_an_image_with_its_place(real: Path) -> None:
    images = open_images(real / PLATE)
    assert [{key: text for key, text, _ in image.tags} for image in images] == [
        {"Plate": "1697", "Well": f"{row}{column}", "Row": row, "Column": column, "Field": field}
        for row, column in (("B", "03"), ("C", "07"))
        for field in ("0", "1")
    ]
    for image, place in zip(images, ("B/03/0", "B/03/1", "C/07/0", "C/07/1"), strict=True):
        assert [channel["name"] for channel in image.channels] == ["FITC", "Cy3", "Texas Red"]
        expected = zarr.open_array(real / PLATE / place / "0", mode="r")[:]
        assert (image.array.compute() == expected).all()


def test_the_wells_of_a_plate_are_written_alike(real: Path) -> None:
    images = open_images(real / "omezarr/examples_v04/valid/plate-01.zarr")
    assert [{key: text for key, text, _ in image.tags}["Well"] for image in images] == [
        "A01",
        "A02",
        "B01",
        "B02",
    ]


def test_labels_in_a_plate_name_their_field(real: Path, store) -> None:
    plate = store(PLATE)
    field = plate / "C/07/0"
    shutil.copytree(real / NUCLEI / "labels", field / "labels")
    found = open_images(plate)
    assert [(image.kind, image.of) for image in found] == [
        ("image", None),
        ("image", None),
        ("image", None),
        ("labels", 2),
        ("image", None),
    ]


@pytest.mark.parametrize("version", [2, 3])
def test_a_series_is_described_by_the_ome_xml_of_the_store(tmp_path: Path, version: int) -> None:
    path = tmp_path / "x.zarr"
    root = zarr.open_group(path, mode="w", zarr_format=version)
    root.attrs["bioformats2raw.layout"] = 3
    axes = [{"name": name, "type": "space"} for name in "yx"]
    for number in range(2):
        group = root.create_group(str(number))
        group.create_array("0", shape=(8, 9), chunks=(8, 9), dtype="u2")[:] = number
        level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 1]}]}
        said = {"axes": axes, "datasets": [level]}
        if version == 2:
            group.attrs["multiscales"] = [{"version": "0.4", **said}]
        else:
            group.attrs["ome"] = {"version": "0.5", "multiscales": [said]}
    (path / "OME").mkdir()
    images = "".join(
        f'<Image ID="Image:{n}" Name="i{n}"><AcquisitionDate>2024-01-0{n + 1}T00:00:00'
        f'</AcquisitionDate><Pixels ID="Pixels:{n}" DimensionOrder="XYZCT" Type="uint16" SizeX="9"'
        f' SizeY="8" SizeZ="1" SizeC="1" SizeT="1" PhysicalSizeX="0.{n + 1}" PhysicalSizeY="0.5">'
        f'<Channel ID="Channel:{n}:0" Name="c{n}"/><MetadataOnly/></Pixels></Image>'
        for n in range(2)
    )
    (path / "OME" / "METADATA.ome.xml").write_text(
        f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{images}</OME>'
    )
    first, second = open_images(path)
    assert (first.scale, second.scale) == ({"y": 0.5, "x": 0.1}, {"y": 0.5, "x": 0.2})
    assert second.channels == ({"name": "c1"},)
    assert second.tags == (("Acquisition date", "2024-01-02T00:00:00", None),)
    (kept,) = ome_types.from_xml(str(second.ome_xml)).images
    assert kept.name == "i1", "the sidecar of an image is of this image only"


@pytest.mark.parametrize("name", ["image-01.zarr", "image-02.zarr"])
def test_invalid_stores_are_refused_with_the_reason(real: Path, name: str, refused) -> None:
    assert "no multiscales" in refused(real / "omezarr/examples_v04/invalid" / name)


@pytest.mark.parametrize("place", ["../../secret", "/etc", "..", "a/../../b", "", 7])
def test_paths_that_lead_out_of_the_store_are_refused(store, place, refused) -> None:
    plate = store(PLATE)
    shutil.copytree(plate / "B/03/0", plate.parent / "secret")
    attributes(plate / "B/03", well={"images": [{"path": place}]})
    assert "not plain" in refused(plate)
    attributes(plate, plate={"wells": [{"path": place}]})
    assert "not plain" in refused(plate)
    attributes(plate, plate={"wells": []}, multiscales=None)
    assert "no multiscales" in refused(plate)


@pytest.mark.parametrize("place", ["../../secret", "/etc", "..", "a/../../b", "", 7])
def test_labels_that_lead_out_of_the_store_are_refused(store, place, refused) -> None:
    image = store(NUCLEI)
    attributes(image / "labels", labels=[place])
    assert "not plain" in refused(image)


def test_a_label_that_is_not_there_costs_nothing(store) -> None:
    image = store(NUCLEI)
    attributes(image / "labels", labels=["nuclei", "absent"])
    assert [found.kind for found in open_images(image)] == ["image", "labels"]


def test_a_store_of_labels_alone_is_labels(real: Path) -> None:
    (labels,) = open_images(real / NUCLEI / "labels" / "nuclei")
    assert (labels.kind, labels.of) == ("labels", None)
    assert len(np.unique(labels.array.compute())) > 1
