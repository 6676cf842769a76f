"""What a run's notebook makes is written whole, and calibrated only where that is true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dask.array as da
import matplotlib
import numpy as np
import ome_zarr_models.v05 as models
import pandas as pd
import pytest
import xarray as xr
import zarr

import cid_client as cid
from cid_client.pixels import chunks, omezarr
from cid_client.runs.outputs import Outputs

matplotlib.use("agg")


@pytest.fixture
def outputs(cell: cid.Image, tmp_path: Path) -> Outputs:
    return Outputs(tmp_path / "outputs", {"image": cell})


def stored(path: Path) -> tuple[zarr.Array[Any], dict[str, Any]]:
    group = zarr.open_group(path, mode="r", zarr_format=3)
    return group["0"], dict(group.attrs)["ome"]


def calibration(path: Path) -> dict[str, tuple[float, str | None]]:
    """Return {axis: (scale, unit or None)} as it was written."""
    scales = stored(path)[1]["multiscales"][0]
    [transform] = scales["datasets"][0]["coordinateTransformations"]
    pairs = zip(scales["axes"], transform["scale"], strict=True)
    return {axis["name"]: (scale, axis.get("unit")) for axis, scale in pairs}


LABELS = np.arange(8 * 256 * 192, dtype="int32").reshape(8, 256, 192)


def test_labels_carry_the_source_s_axes_and_calibration(outputs: Outputs) -> None:
    path = outputs.labels("cells", LABELS)
    array, ome = stored(path)
    np.testing.assert_array_equal(array[...], LABELS)
    assert array.metadata.dimension_names == ("z", "y", "x")
    assert "image-label" in ome
    um = "micrometer"
    assert calibration(path) == {"z": (0.5, um), "y": (0.1, um), "x": (0.1, um)}


def test_xarray_labels_without_coordinates_are_calibrated_by_their_source(
    outputs: Outputs,
) -> None:
    path = outputs.labels("cells", xr.DataArray(LABELS, dims=["z", "y", "x"]))
    assert [n for n, _ in calibration(path).values()] == [0.5, 0.1, 0.1]


def test_xarray_labels_of_a_smaller_level_are_calibrated_by_their_coordinates(
    outputs: Outputs, cell: cid.Image
) -> None:
    half = cell.to_xarray(level=1).isel(c=0) > 30_000
    path = outputs.labels("cells", half)
    assert stored(path)[0].dtype == "uint8"
    assert [n for n, _ in calibration(path).values()] == pytest.approx([0.5, 0.2, 0.2])


def test_an_array_of_another_size_is_not_called_calibrated(outputs: Outputs) -> None:
    path = outputs.labels("cells", LABELS[:, ::2, ::2])
    assert calibration(path) == {"z": (0.5, "micrometer"), "y": (1.0, None), "x": (1.0, None)}


def test_dask_labels_are_computed_piece_by_piece(
    outputs: Outputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "PIECE_BYTES", 1 << 18)
    monkeypatch.setattr(omezarr, "LARGE", 1 << 20)
    monkeypatch.setattr(omezarr, "TILE", 64)
    monkeypatch.setattr(omezarr, "SHARD_TILES", 2)
    path = outputs.labels("cells", da.from_array(LABELS.astype("int64"), chunks=(3, 100, 192)))
    array, _ = stored(path)
    np.testing.assert_array_equal(array[...], LABELS)
    assert (array.dtype, array.chunks, array.shards) == ("int32", (1, 64, 64), (8, 128, 128))


def test_dask_labels_are_written_here_when_a_cluster_computes_them(
    outputs: Outputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.delattr(da, "store")  # it would write from the workers
    with distributed.Client(processes=False, n_workers=1, dashboard_address=":0") as _:
        path = outputs.labels("cells", da.from_array(LABELS, chunks=(2, 256, 192)))
    np.testing.assert_array_equal(stored(path)[0][...], LABELS)


def test_a_small_store_has_no_shards_and_a_large_one_has(
    outputs: Outputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stored(outputs.labels("small", LABELS))[0].shards is None
    monkeypatch.setattr(omezarr, "LARGE", 1 << 20)
    large, _ = stored(outputs.labels("large", LABELS))
    assert (large.chunks, large.shards) == ((1, 256, 192), (8, 256, 192))
    np.testing.assert_array_equal(large[...], LABELS)


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (LABELS.astype("float32"), r"make them whole"),
        (np.full((8, 256, 192), 2**40), "hold numbers beyond int32"),
        (LABELS[0, 0], "say its axes"),
        ([[1, 2]], "takes an array, not list"),
    ],
)
def test_what_is_no_label_image_is_refused(outputs: Outputs, array: Any, why: str) -> None:
    with pytest.raises(cid.BadInput, match=why):
        outputs.labels("cells", array)
    assert outputs.manifest["outputs"] == []


def test_dask_labels_that_do_not_fit_are_not_listed(outputs: Outputs) -> None:
    with pytest.raises(cid.BadInput, match="hold numbers beyond int32"):
        outputs.labels("cells", da.full((8, 256, 192), 2**40, dtype="int64", chunks=-1))
    assert outputs.manifest["outputs"] == []


def test_axes_can_be_said_and_are_put_in_order(outputs: Outputs) -> None:
    path = outputs.labels("cells", LABELS.transpose(2, 1, 0), axes="xyz")
    array, _ = stored(path)
    assert array.metadata.dimension_names == ("z", "y", "x")
    np.testing.assert_array_equal(array[...], LABELS)
    for axes in ("yx", "zzx", "zyq"):
        with pytest.raises(cid.BadInput):
            outputs.labels("more", LABELS, axes=axes)


def test_one_plane_of_a_stack_is_y_and_x(outputs: Outputs) -> None:
    path = outputs.labels("flat", LABELS[0])
    assert list(calibration(path)) == ["y", "x"]


def test_an_image_has_its_source_s_channels_where_they_fit(
    outputs: Outputs, pixels: np.ndarray
) -> None:
    _, ome = stored(outputs.image("smooth", pixels.astype("float32")))
    assert [(c["label"], c["color"]) for c in ome["omero"]["channels"]] == [
        ("DAPI", "0000FF"),
        ("GFP", "00FF00"),
    ]
    named = outputs.image("other", pixels, channels=["GFP", "ratio"])
    channels = stored(named)[1]["omero"]["channels"]
    assert [(c["label"], c["color"]) for c in channels] == [("GFP", "00FF00"), ("ratio", "FFFFFF")]
    with pytest.raises(cid.BadInput, match="2 channels, 1 names"):
        outputs.image("wrong", pixels, channels=["one"])


def test_an_image_of_truth_values_is_refused(outputs: Outputs) -> None:
    with pytest.raises(cid.BadInput, match="astype"):
        outputs.image("mask", LABELS > 3)


def test_what_is_written_is_valid_ome_zarr(outputs: Outputs, pixels: np.ndarray) -> None:
    labels = zarr.open_group(outputs.labels("cells", LABELS), mode="r")
    assert models.ImageLabel.from_zarr(labels).ome_attributes.version == "0.5"
    image = zarr.open_group(outputs.image("smooth", pixels), mode="r")
    assert models.Image.from_zarr(image).ome_attributes.omero is not None


def test_the_manifest_says_what_each_thing_is(outputs: Outputs, tmp_path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1, 2])
    (tmp_path / "notes.txt").write_text("hello")
    outputs.labels("cells", LABELS)
    outputs.table("objects", {"label": [1, 2], "area": [1.5, 2.5]})
    outputs.figure("overlay", figure)
    outputs.file(tmp_path / "notes.txt")
    outputs.metric("objects", np.int64(2))
    outputs.metric("threshold method", "otsu")
    outputs.metric("empty", False)
    plt.close(figure)
    manifest = json.loads((tmp_path / "outputs" / "manifest.json").read_text())
    assert manifest["metrics"] == {"objects": 2, "threshold method": "otsu", "empty": False}
    assert [tuple(output.values()) for output in manifest["outputs"]] == [
        ("labels", "cells", "cells.ome.zarr", "cell"),
        ("table", "objects", "objects.parquet", "cell"),
        ("figure", "overlay", "overlay.png", "cell"),
        ("file", "notes.txt", "notes.txt", "cell"),
    ]
    written = pd.read_parquet(tmp_path / "outputs" / "objects.parquet")
    assert written.to_dict("list") == {"label": [1, 2], "area": [1.5, 2.5]}
    assert (tmp_path / "outputs" / "overlay.png").read_bytes().startswith(b"\x89PNG")
    left = {path.name for path in (tmp_path / "outputs").iterdir()}
    assert left == {output["path"] for output in manifest["outputs"]} | {"manifest.json"}


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "tab\t", "x" * 200, "é", "end "])
def test_names_that_are_no_names_are_refused(outputs: Outputs, name: str) -> None:
    for write in (lambda: outputs.table(name, {"a": [1]}), lambda: outputs.metric(name, 1)):
        with pytest.raises(cid.BadInput, match="use letters, digits"):
            write()


def test_a_name_is_used_once(outputs: Outputs, tmp_path: Path) -> None:
    outputs.table("objects", {"a": [1]})
    with pytest.raises(cid.Conflict, match=r"Objects.parquet"):
        outputs.table("Objects", {"a": [2]})
    outputs.metric("n", 1)
    with pytest.raises(cid.Conflict, match="recorded already"):
        outputs.metric("n", 2)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(cid.Conflict):
        outputs.file(tmp_path / "manifest.json")


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), np.float64("inf"), None, [1]])
def test_a_metric_is_one_finite_value(outputs: Outputs, value: Any) -> None:
    with pytest.raises(cid.BadInput, match="metric 'n' is"):
        outputs.metric("n", value)
