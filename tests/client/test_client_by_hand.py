"""A template's notebook run by hand: inputs from its author, outputs in a folder, tiles here."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xarray as xr
from books import book
from PIL import Image as Pictures

import cid_client as cid
from cid_client.pixels import omezarr
from cid_client.runs import cluster, tiles

NOTEBOOK = """
import cid_client as cid
run = cid.current_run()
run.outputs.labels("cells", run.input.to_xarray() > sigma)
run.outputs.metric("sum", int(run.input.to_xarray().sum()))
"""


@pytest.fixture
def catalogs_environment(tiny, monkeypatch):
    from tiny_catalog import TOKEN

    monkeypatch.setenv("CID_URL", tiny.url)
    monkeypatch.setenv("CID_TOKEN", TOKEN)


def test_arrays_stand_in_for_images_with_their_axes_and_pixel_sizes(tmp_path: Path) -> None:
    x = np.arange(6) * 0.5
    stack = xr.DataArray(
        np.ones((2, 4, 6), "uint16"),
        dims=("c", "y", "x"),
        coords={"c": ["DAPI", "GFP"], "x": ("x", x, {"units": "micrometer"})},
    )
    run = cid.by_hand(image=stack, beads=[np.zeros((3, 4, 6)), np.zeros((4, 6))], folder=tmp_path)
    assert list(run.inputs) == ["image", "beads", "beads 2"]
    image = run.inputs["image"]
    assert (image.axes, image.shape, image.scale) == ("cyx", (2, 4, 6), {"x": 0.5})
    assert [channel["name"] for channel in image.channels] == ["DAPI", "GFP"]
    assert run.inputs["beads"].to_xarray().dims == ("z", "y", "x")
    assert cid.current_run() is run
    run.outputs.labels("cells", np.ones((4, 6), int), source=image)
    told = json.loads((tmp_path / "manifest.json").read_text())
    assert [output["path"] for output in told["outputs"]] == ["cells.ome.zarr"]
    with pytest.raises(cid.BadInput, match="one level"):
        image.to_xarray(1)


@pytest.mark.parametrize("wrong", [3, np.zeros(4), xr.DataArray(np.zeros((2, 2)))])
def test_what_is_no_image_by_hand_is_told(wrong: object, tmp_path: Path) -> None:
    with pytest.raises(cid.BadInput, match=r"image"):
        cid.by_hand(image=wrong, folder=tmp_path)


def test_an_image_is_named_by_its_uid(
    cell: cid.Image, catalogs_environment: None, tmp_path: Path
) -> None:
    run = cid.by_hand(image="cell", folder=tmp_path, parameters={"sigma": 2.0})
    assert run.input == cell
    assert run.parameters == {"sigma": 2.0}
    run.input.session.close()


def papermill(folder: Path, source: str, *more: str) -> subprocess.CompletedProcess[str]:
    (folder / "in.ipynb").write_text(source)
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", "in.ipynb", "out.ipynb"]
    return subprocess.run([*command, *more], cwd=folder, capture_output=True, text=True)


def test_the_same_notebook_runs_with_plain_papermill(
    cell: cid.Image, catalogs_environment: None, tmp_path: Path, pixels: np.ndarray
) -> None:
    source = book(NOTEBOOK, parameters="sigma = 1.0")
    done = papermill(tmp_path, source, "-p", "image", "cell", "-p", "sigma", "2.0")
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads((tmp_path / "outputs" / "manifest.json").read_text())
    assert told["metrics"] == {"sum": int(pixels.sum(dtype="int64"))}
    assert told["outputs"][0]["source"] == "cell"


def test_tiles_by_hand_are_put_together_as_if_it_were_one(tmp_path: Path) -> None:
    from scipy.ndimage import uniform_filter

    image = np.random.default_rng(1).integers(0, 200, (3, 50, 70)).astype("float32")
    run = cid.by_hand(image=image, folder=tmp_path / "outputs")
    pixels = run.input.to_xarray().chunk({"y": 20})
    made = run.map_tiles(smooth, pixels, size=32, overlap=4, width=5)
    np.testing.assert_allclose(made, uniform_filter(image, (1, 5, 5)), rtol=1e-5)
    plain = run.map_tiles(smooth, image, size=32, overlap=4, width=5)
    np.testing.assert_array_equal(plain, made)
    assert not list(tmp_path.glob(".tiles*"))
    with pytest.raises(ValueError, match="it keeps it"):
        run.map_tiles(lambda tile: tile[:, 1:], image, size=32)
    with pytest.raises(cid.BadInput, match="y and x"):
        run.map_tiles(smooth, np.zeros(3))
    run.client().close()


def smooth(tile: np.ndarray, width: int) -> np.ndarray:
    from scipy.ndimage import uniform_filter

    return uniform_filter(tile, (1, width, width))


def test_what_the_page_says_of_the_inside_of_a_notebook_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Path(__file__).parents[2] / "docs" / "user" / "runs.md"
    section = page.read_text(encoding="utf-8").partition("## Inside a notebook")[2]
    body, hand = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("so it was")
    kernel = {
        "cid": cid,
        "array": np.arange(64, dtype="uint16").reshape(8, 8) * 10,
        "segment": lambda tile, level: (tile > level).astype("uint8"),
        "table": {"area": [1]},
        "figure": Pictures.new("L", (2, 2)),
    }
    for snippet in (hand, body):
        exec(compile(snippet, page.name, "exec"), kernel)
    told = json.loads(Path("outputs", "manifest.json").read_text())
    assert [one["kind"] for one in told["outputs"]] == ["labels", "table", "figure", "file"]
    assert told["metrics"] == {"objects": 1}
    kernel["run"].client().close()


def test_tiles_cover_an_array_once() -> None:
    seen = np.zeros((2, 33, 17), int)
    for tile in tiles.tiles(seen.shape, 8, 3):
        seen[tile.kept] += 1
        assert seen[tile.given][tile.inner].shape == seen[tile.kept].shape
    assert (seen == 1).all()


def test_figures_are_of_matplotlib_pillow_or_a_file_and_tables_of_pyarrow(tmp_path: Path) -> None:
    outputs = cid.by_hand(image=np.zeros((4, 4)), folder=tmp_path / "made").outputs
    picture = outputs.figure("overlay", Pictures.new("RGB", (4, 4), "red"))
    with Pictures.open(picture) as opened:
        assert opened.size == (4, 4)
    (tmp_path / "plot.svg").write_text("<svg/>")
    assert outputs.figure("plot", tmp_path / "plot.svg").name == "plot.svg"
    for wrong in (7, tmp_path / "none.png", tmp_path / "made" / "manifest.json"):
        with pytest.raises(cid.BadInput, match="figure"):
            outputs.figure("other", wrong)
    table = outputs.table("objects", pa.table({"area": [1.5, 2.0]}))
    assert pd.read_parquet(table)["area"].tolist() == [1.5, 2.0]


def test_outputs_are_written_here_though_a_client_computes(tmp_path: Path) -> None:
    import dask.array as da

    run = cid.by_hand(image=np.zeros((4, 4)), folder=tmp_path)
    with run.client().as_current():
        assert omezarr._elsewhere()
        run.outputs.image("ones", da.ones((4, 4), chunks=2))
    assert not omezarr._elsewhere()
    assert cluster.client(run.uid, run.scratch) is run.client()
    run.client().close()
