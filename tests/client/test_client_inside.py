"""Inside a run's notebook, and in a rehearsal of one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_catalog import RUN_TOKEN, Tiny

import cid_client as cid


@pytest.fixture
def in_run(cell: cid.Image, tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set the environment a run's kernel has; return its scratch folder."""
    monkeypatch.setenv("CID_URL", tiny.url)
    monkeypatch.setenv("CID_RUN", "r1")
    monkeypatch.setenv("CID_RUN_TOKEN", RUN_TOKEN)
    monkeypatch.setenv("CID_SCRATCH", str(tmp_path / "scratch"))
    inputs = [tiny.image("cell", None, {})]
    tiny.work = {"run": "r1", "parameters": {"sigma": 1.5}, "inputs": inputs, "roles": ["image"]}
    return tmp_path / "scratch"


def test_a_run_reads_its_input_and_leaves_its_outputs(
    in_run: Path, tiny: Tiny, pixels: np.ndarray
) -> None:
    run = cid.current_run()
    assert (run.uid, run.parameters) == ("r1", {"sigma": 1.5})
    image = run.input.to_xarray()
    np.testing.assert_array_equal(image.isel(c=0, z=0).values, pixels[0, 0])
    run.outputs.labels("cells", image.isel(c=0) > 100)
    manifest = json.loads((in_run / "outputs" / "manifest.json").read_text())
    assert [output["source"] for output in manifest["outputs"]] == ["cell"]
    shown = {s.headers.get("authorization") for s in tiny.asked("GET", "api/v1/runs/r1/work")}
    assert shown == {f"CID-Run {RUN_TOKEN}"}
    run.input.session.close()


def test_everyone_in_a_kernel_gets_the_same_run(in_run: Path) -> None:
    cid.current_run().outputs.metric("n", 1)
    assert cid.current_run().outputs.manifest["metrics"] == {"n": 1}
    cid.current_run().input.session.close()


def test_inputs_go_by_role_and_a_role_that_comes_again_is_numbered(
    in_run: Path, tiny: Tiny
) -> None:
    record = tiny.work["inputs"][0]
    tiny.work |= {"inputs": [record] * 3, "roles": ["image", "reference", "image"]}
    run = cid.current_run()
    assert list(run.inputs) == ["image", "reference", "image 2"]
    with pytest.raises(cid.BadInput, match=r"choose from .inputs"):
        _ = run.input
    with pytest.raises(cid.BadInput, match="say its axes"):
        run.outputs.labels("cells", np.zeros(3, int))
    run.outputs.table("objects", {"n": [1]})
    assert run.outputs.manifest["outputs"][0]["source"] is None
    run.inputs["image"].session.close()


def test_a_run_without_scratch_is_told(in_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CID_SCRATCH")
    with pytest.raises(cid.NotConfigured, match="CID_SCRATCH"):
        cid.current_run()


def test_outside_of_a_run_it_says_how_to_rehearse() -> None:
    with pytest.raises(cid.NotConfigured, match=r"cid_client.rehearse\(image"):
        cid.current_run()


def test_a_rehearsal_makes_the_same_notebook_work_by_hand(cell: cid.Image) -> None:
    cid.rehearse(cell, sigma=2.0)
    run = cid.current_run()
    assert run.input == cell
    assert run.parameters == {"sigma": 2.0}
    for _ in range(2):  # a cell that is executed again
        path = run.outputs.labels("cells", np.ones((8, 256, 192), "uint8"))
        run.outputs.metric("n", 1)
    assert path.is_dir()
    assert len(run.outputs.manifest["outputs"]) == 1


def test_what_was_rehearsed_goes_with_the_kernel() -> None:
    said = "import cid_client as cid; print(cid.rehearse([]).outputs.folder)"
    kernel = subprocess.run(
        [sys.executable, "-c", said], capture_output=True, text=True, check=True
    )
    scratch = Path(kernel.stdout.strip()).parent
    assert scratch.name.startswith("cid-rehearsal-")
    assert not scratch.exists()


def test_a_rehearsal_left_in_a_template_changes_nothing_in_a_run(
    in_run: Path, cell: cid.Image
) -> None:
    assert cid.rehearse({"other": cell}, sigma=99).uid == "r1"
    assert cid.current_run().parameters == {"sigma": 1.5}
    cid.current_run().input.session.close()
