"""The template segment-cells: its manifest, its method on known objects, its whole notebook."""

from __future__ import annotations

import ast
import io
from pathlib import Path

import httpx
import nbformat
import numpy as np
import pandas as pd
import pytest
import tifffile
from processes import STAFF, deposit
from segment_cells import MANIFEST, functions, notebook, segmented, truth
from skimage import data
from skimage.io import imread, imsave

from cid_server_ext.checking.scoring import f1
from cid_server_ext.core.templates import manifest as manifests

DATA = Path(__file__).parents[3] / "shared" / "data" / "segmentation"
PARAMETERS = MANIFEST["parameters"]


def test_the_manifest_is_one_that_the_catalog_takes():
    read = manifests.read(MANIFEST)
    assert read.template.name == "segment-cells"
    assert read.outputs.labels == ["cells"]


def test_the_parameters_cell_holds_the_manifests_defaults_and_nothing_else():
    (cell,) = (c for c in notebook().cells if "parameters" in c.metadata.get("tags", ()))
    tree = ast.parse(cell.source)
    assert all(isinstance(node, ast.Assign) for node in tree.body)
    written = {node.targets[0].id: ast.literal_eval(node.value) for node in tree.body}
    assert written == {name: one["default"] for name, one in PARAMETERS.items()}
    assert [type(v) for v in written.values()] == [type(p["default"]) for p in PARAMETERS.values()]


def test_the_published_notebook_holds_no_output():
    for cell in notebook().cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("case", MANIFEST["truth"], ids=lambda case: case["name"])
def test_known_objects_are_found(case):
    made = truth(case["script"])
    picture, labels = made.make(case["seed"])
    assert labels.max() == case["objects"]
    found = segmented(picture, proportion=made.PROPORTION)
    assert abs(int(found.max()) - case["objects"]) <= case["tolerance"]
    assert f1(labels, found, case["overlap"]) >= case["f1"]


def test_dark_objects_are_found_as_well_as_bright_ones():
    picture, labels = truth("truth/discs.py").make(3)
    assert f1(labels, segmented(picture.max() - picture)) > 0.9


@pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is absent: real images are not scored")
def test_real_nuclei_are_found(capsys):
    scores = {}
    for path in sorted((DATA / "dsb2018" / "developers").glob("*.png")):
        labels = tifffile.imread(path.with_name(f"{path.stem}_label.tif"))
        scores[path.stem] = f1(labels, segmented(imread(path)[..., :3]))
    crowded = tifffile.imread(DATA / "stardist" / "stardist_img2d.tif")
    other = f1(tifffile.imread(DATA / "stardist" / "stardist_mask2d.tif"), segmented(crowded))
    mean = float(np.mean(list(scores.values())))
    with capsys.disabled():
        print(f"\nF1 at IoU 0.5: dsb2018 {mean:.3f} (12 images), stardist 2D {other:.3f}")
    assert len(scores) == 12
    assert mean >= 0.67
    assert other >= 0.67


@pytest.mark.parametrize("value", [0, 7])
@pytest.mark.parametrize("shape", [(40, 50), (5, 40, 50)])
def test_an_empty_picture_has_no_objects(shape, value):
    assert segmented(np.full(shape, value, np.uint16)).max() == 0


def test_limits_of_size_are_kept_and_labels_stay_without_gaps():
    picture, _ = truth("truth/discs.py").make(1)
    sizes = np.bincount(segmented(picture).ravel())[1:]
    low, high = np.quantile(sizes, (0.25, 0.75)).astype(int)
    kept = np.bincount(segmented(picture, min_area=int(low), max_area=int(high)).ravel())[1:]
    assert 0 < len(kept) < len(sizes)
    assert kept.min() >= low
    assert kept.max() <= high


def test_without_watershed_touching_objects_stay_one():
    picture, labels = truth("truth/discs.py").make(1)
    assert segmented(picture, watershed=False).max() == labels.max() - 10


def test_measurements_are_right_and_in_micrometres():
    made = functions()
    labels = np.zeros((4, 10, 20), np.uint32)
    labels[1:3, 2:6, 4:9], labels[0, 8:, :3] = 1, 2
    pixel_um = {"z": 2.0, "y": 0.5, "x": 0.25}
    table = made["measured"](labels, [("DAPI", labels * 10.0)], "zyx", pixel_um)
    first = table.iloc[0]
    assert (first.volume_px, first.volume_um3) == (40, 40 * 0.25)
    assert (first.centroid_z_px, first.centroid_y_px, first.centroid_x_px) == (1.5, 3.5, 6)
    assert (first.centroid_z_um, first.centroid_y_um, first.centroid_x_um) == (3, 1.75, 1.5)
    assert (first.mean_DAPI, first.min_DAPI, first.max_DAPI) == (10, 10, 10)
    assert table.touches_border.tolist() == [False, True]


def test_without_calibration_there_are_no_micrometres():
    made = functions()
    empty = made["measured"](np.zeros((5, 5), np.uint32), [("0", np.zeros((5, 5)))], "yx", {})
    assert len(empty) == 0
    assert not [column for column in empty if column.endswith(("_um", "_um2"))]
    assert {"label", "area_px", "centroid_y_px", "mean_0", "touches_border"} <= set(empty)


def test_units_are_read_and_unknown_ones_are_no_calibration():
    sizes = functions()["pixel_sizes"]
    assert sizes({"y": 500, "x": 1}, {"y": "nanometer", "x": "furlong"}, "yx") == {"y": 0.5}


def publish(house):
    body = {"manifest": MANIFEST, "notebook": nbformat.writes(notebook())}
    answer = house.service.ask("POST", "templates", STAFF, json=body)
    assert answer.status_code == 201, answer.text


def result(house, uid):
    """Return the labels image record, and the table, of a run that is done."""
    run = house.ended(uid)
    assert run["state"] == "done", run["error"]
    files = {file["kind"]: file["uid"] for file in run["outputs"]["files"]}
    assert {"table", "figure"} <= set(files)
    record = house.service.ask("GET", f"files/{files['table']}", "researcher").json()
    table = httpx.get(house.service.origin + record["url"], timeout=30).content
    (labels,) = run["outputs"]["images"]
    image = house.service.ask("GET", f"images/{labels['uid']}", "researcher").json()
    return run, image, pd.read_parquet(io.BytesIO(table))


def imported(house, path):
    done = deposit(house.service, "researcher", "demo", path)
    assert done.get("state") == "done", done
    return done["images"][0]


def submit(house, image, **parameters):
    body = {"template": "segment-cells", "images": [image], "parameters": parameters}
    answer = house.service.ask("POST", "runs", "researcher", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["runs"][0]["uid"]


def test_whole_runs_on_a_series_of_stacks_and_on_stained_tissue(house, conduct, tmp_path):
    publish(house)
    stack, _ = truth("truth/balls.py").make(7)
    half, rest = stack[:, :100], stack[:, 100:]
    series = np.stack([np.stack([t.max() - t, t], 1) for t in (half, rest)])  # t z c y x
    tifffile.imwrite(
        tmp_path / "series.ome.tif",
        series,
        metadata={
            "axes": "TZCYX",
            "Channel": {"Name": ["phase", "DAPI"]},
            **{f"PhysicalSize{a}": size for a, size in zip("ZYX", (1.5, 0.5, 0.5), strict=True)},
        },
    )
    imsave(tmp_path / "ihc.png", data.immunohistochemistry())
    first = submit(house, imported(house, tmp_path / "series.ome.tif"), channel=1)
    second = submit(house, imported(house, tmp_path / "ihc.png"))
    conduct()

    run, image, table = result(house, first)
    assert (image["kind"], image["axes"], image["shape"]) == ("labels", "tzyx", [2, 24, 100, 200])
    assert image["scale"] == pytest.approx({"z": 1.5, "y": 0.5, "x": 0.5})
    assert run["metrics"] == {"objects": len(table), "signal": "bright"}
    assert table.label.tolist() == list(range(1, len(table) + 1))  # unique over time
    assert set(table.t) == {0, 1}
    assert table.volume_um3.to_numpy() == pytest.approx(table.volume_px * 1.5 * 0.5 * 0.5)
    assert {"mean_phase", "mean_DAPI", "max_DAPI"} <= set(table)
    assert (table.mean_DAPI > 50).all()

    run, image, table = result(house, second)
    assert (image["axes"], image["shape"]) == ("yx", [512, 512])
    assert run["metrics"]["signal"] == "dark"
    assert len(table) > 50
    assert "centroid_x_um" not in table


def test_a_channel_that_is_not_there_is_said_before_anything_starts(house):
    publish(house)
    body = {"template": "segment-cells", "images": [house.image], "parameters": {"channel": 5}}
    answer = house.service.ask("POST", "runs", "researcher", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "BadInput")
    assert "there is no channel 5: counted from 0 it has" in answer.json()["message"]
