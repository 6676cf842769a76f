"""OME-Zarr 0.1 to 0.3: no units, axes that are names or not told; plates and labels as later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from cid_server_ext.errors import BadFile
from cid_server_ext.storage.readers import open_images
from cid_server_ext.storage.readers.ngff import inplace

SHAPE = {"t": 2, "c": 3, "z": 4, "y": 6, "x": 8}


def write(
    folder: Path, version: str, axes: str = "tczyx", *, separator: str = "/", **more: Any
) -> np.ndarray:
    """Write an image of two levels as an old version does; return its pixels."""
    shape = tuple(SHAPE[axis] for axis in axes)
    pixels = np.random.default_rng(len(axes)).integers(0, 999, shape).astype("u2")
    group = zarr.open_group(folder, mode="w", zarr_format=2)
    for at in range(2):
        level = pixels[..., :: at + 1, :: at + 1]
        group.create_array(
            str(at),
            data=level,
            chunks=tuple(min(3, length) for length in level.shape),
            chunk_key_encoding={"name": "v2", "separator": separator},
        )
    told: dict[str, Any] = {"datasets": [{"path": "0"}, {"path": "1"}], "name": "an image"}
    if version != "0.1":
        told["version"] = version
    if version == "0.3":
        told["axes"] = list(axes)
    group.attrs.update({"multiscales": [told], **more})
    return pixels


OMERO = {"channels": [{"label": name, "color": "00FF00"} for name in ("DAPI", "GFP", "Cy5")]}


@pytest.mark.parametrize("separator", [".", "/"])
@pytest.mark.parametrize("version", ["0.1", "0.2", "0.3"])
def test_an_old_image_is_read_and_its_calibration_is_unknown(
    tmp_path: Path, only, version, separator
) -> None:
    pixels = write(tmp_path / "x.zarr", version, separator=separator, omero=OMERO)
    image = only(tmp_path / "x.zarr")
    assert (image.axes, image.dtype, image.name) == ("tczyx", np.uint16, "an image")
    assert (image.array.compute() == pixels).all()
    assert (image.scale, image.units) == ({}, {})
    assert [one["name"] for one in image.channels] == ["DAPI", "GFP", "Cy5"]
    assert "Empty chunks" not in {key for key, _, _ in image.tags}


@pytest.mark.parametrize("axes", ["yx", "zyx", "cyx", "tyx", "czyx", "tzcyx"])
def test_the_axes_of_0_3_are_names(tmp_path: Path, only, axes) -> None:
    pixels = write(tmp_path / "x.zarr", "0.3", axes)
    image = only(tmp_path / "x.zarr")
    order = "".join(axis for axis in "tczyx" if axis in axes)
    assert image.axes == order
    assert (image.array.compute() == pixels.transpose([axes.index(one) for one in order])).all()


def test_labels_follow_their_image(tmp_path: Path) -> None:
    write(tmp_path / "x.zarr", "0.1")
    (tmp_path / "x.zarr/labels").mkdir()
    (tmp_path / "x.zarr/labels/.zgroup").write_text('{"zarr_format": 2}')
    (tmp_path / "x.zarr/labels/.zattrs").write_text('{"labels": ["nuclei"]}')
    told = {"image-label": {"version": "0.1", "source": {"image": "../../"}}}
    pixels = write(tmp_path / "x.zarr/labels/nuclei", "0.1", **told)
    image, labels = open_images(tmp_path / "x.zarr")
    assert (image.kind, labels.kind, labels.of, labels.name) == ("image", "labels", 0, "nuclei")
    assert (labels.array.compute() == pixels).all()


def test_the_fields_of_a_plate_are_images(tmp_path: Path) -> None:
    plate = zarr.open_group(tmp_path / "p.zarr", mode="w", zarr_format=2)
    plate.attrs["plate"] = {"version": "0.1", "name": "old", "wells": [{"path": "A/1"}]}
    well = plate.create_group("A/1")
    well.attrs["well"] = {"version": "0.1", "images": [{"path": "0"}, {"path": "1"}]}
    for field in "01":
        write(tmp_path / "p.zarr/A/1" / field, "0.2")
    images = open_images(tmp_path / "p.zarr")
    assert [{key: text for key, text, _ in image.tags} for image in images] == [
        {"Plate": "old", "Well": "A01", "Row": "A", "Column": "1", "Field": field} for field in "01"
    ]


def test_an_old_store_is_not_shown_in_place(tmp_path: Path) -> None:
    for version in ("0.1", "0.3"):
        write(tmp_path / "x.zarr", version)
        with pytest.raises(BadFile, match=r"version 0\.3 or older: import it"):
            list(inplace.described(tmp_path / "x.zarr"))


@pytest.mark.parametrize(
    ("axes", "why"),
    [
        (None, "its pixels another number"),
        ([], "its pixels another number"),
        (["c", "y", "x"], "its pixels another number"),
        (["y", "y"], "CID knows"),
        (["y", "q"], "CID knows"),
        (["y", ""], "CID knows"),
        (["y", "yx"], "CID knows"),
        (["y", {"name": "x"}], "CID knows"),
        (["y", 7], "CID knows"),
        ("yx" * 100_000, "CID knows"),
        ([["y"]], "not valid"),
    ],
)
def test_axes_that_lie_are_refused(tmp_path: Path, refused, axes, why) -> None:
    write(tmp_path / "x.zarr", "0.3", "yx")
    file = tmp_path / "x.zarr/.zattrs"
    said = json.loads(file.read_text())
    said["multiscales"][0]["axes"] = axes
    file.write_text(json.dumps(said))
    assert why in refused(tmp_path / "x.zarr")


def test_chunks_in_folders_that_nothing_tells_of_are_refused(tmp_path: Path, refused) -> None:
    write(tmp_path / "x.zarr", "0.1")
    file = tmp_path / "x.zarr/0/.zarray"
    said = json.loads(file.read_text())
    del said["dimension_separator"]
    file.write_text(json.dumps(said))
    assert '"dimension_separator": "/"' in refused(tmp_path / "x.zarr")


@pytest.mark.parametrize("path", ["../y.zarr/0", "/etc", "", 7])
def test_levels_outside_of_an_old_store_are_refused(tmp_path: Path, refused, path) -> None:
    write(tmp_path / "x.zarr", "0.2", datasets=[{"path": "0"}])
    file = tmp_path / "x.zarr/.zattrs"
    said = json.loads(file.read_text())
    said["multiscales"][0]["datasets"][0]["path"] = path
    file.write_text(json.dumps(said))
    assert "not plain" in refused(tmp_path / "x.zarr")
