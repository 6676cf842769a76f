"""The whole way on the real parts: hub, catalog, conductor, Dask Gateway, papermill, commit."""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import tifffile
from nbformat.v4 import new_code_cell, new_notebook
from processes import wait_until
from spots import CENTRES, ROOM

import cid_client as cid
from cid_server_ext.checking.scoring import f1
from hub_config import checks

DSB = Path(__file__).parents[3] / "shared" / "data" / "segmentation" / "dsb2018" / "developers"
unique = itertools.count()


def publish(staff: cid.Catalog, *cells: str, **resources: int) -> str:
    """Publish a template of these cells and return its name."""
    name = f"probe-{next(unique)}"
    parameters = new_code_cell("level = 1", metadata={"tags": ["parameters"]})
    notebook = new_notebook(cells=[parameters, *map(new_code_cell, cells)])
    manifest = {
        "template": {"name": name, "version": "1.0.0", "title": name},
        "parameters": {"level": {"type": "integer", "default": 1}},
        "resources": resources,
    }
    return staff.publish(manifest, nbformat.writes(notebook)).name


def test_a_run_brings_labels_table_and_notebook_beside_the_image(
    researcher: cid.Catalog, segment: str, picture: cid.Image
) -> None:
    run = researcher.run(segment, picture, sigma=1.5)
    run.wait(timeout=180, progress=False)
    assert (run.state, run.progress, run.metrics["objects"]) == ("done", 1.0, len(CENTRES))

    labels = run.result.labels
    assert labels is not None
    assert (labels.kind, labels.source, labels.dataset) == (
        "labels",
        picture.uid,
        f"day 1/{segment}",
    )
    assert labels.scale == picture.scale
    found = labels.to_xarray().values
    assert sorted(np.unique(found)) == list(range(len(CENTRES) + 1))
    assert {found[r, c] for r, c in CENTRES} == set(range(1, len(CENTRES) + 1))
    assert len(run.result.table("objects")) == len(CENTRES)

    record = run.result.notebook
    kept = record.read()
    assert hashlib.sha256(kept).hexdigest() == record.sha256
    assert record.dataset == labels.dataset
    executed = nbformat.reads(kept.decode(), as_version=4)
    injected = [c for c in executed.cells if "injected-parameters" in c.metadata.get("tags", [])]
    assert "sigma = 1.5" in injected[0].source
    assert labels.uid in [image.uid for image in picture.lineage().children]
    found = researcher.search("Template:segment-cells", project=picture.project)
    assert labels.uid in [image.uid for image in found]


def test_the_cluster_is_closed_after_the_batch(hub: Any) -> None:
    assert list(checks.of_clusters(hub.site)) == []


def test_nuclei_of_a_public_challenge_are_found(
    researcher: cid.Catalog, segment: str, project: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if not DSB.exists():
        pytest.skip(f"needs the nuclei images of dsb2018 in {DSB}")
    pictures = sorted(DSB.glob("*.png"))
    assert len(pictures) == 12
    images = [researcher.upload(path, project, "dsb2018")[0] for path in pictures]
    batch = researcher.run(segment, images)
    batch.wait(timeout=500, progress=False)
    scores = {}
    for path, result in zip(pictures, batch.result, strict=True):
        truth = tifffile.imread(path.with_name(f"{path.stem}_label.tif"))
        scores[path.stem] = f1(truth, result.labels.to_xarray().values)
    mean = float(np.mean(list(scores.values())))
    with capsys.disabled():
        print(f"\ndsb2018: F1 {mean:.3f} at IoU 0.5 over {len(scores)} images")
    assert mean >= 0.67, scores


LOOK = """
import json, os, pathlib
import cid_client as cid
def environ(process):
    said = pathlib.Path(f"/proc/{process}/environ").read_bytes().decode(errors="replace")
    return dict(line.partition("=")[::2] for line in said.split("\\0") if "=" in line)
nursery = os.getppid()
worker = int(pathlib.Path(f"/proc/{nursery}/stat").read_text().rpartition(")")[2].split()[1])
about = {"kernel": dict(os.environ), "nursery": environ(nursery), "worker": environ(worker)}
run = cid.current_run()
for name, held in about.items():
    run.outputs.metric(name, json.dumps(sorted(held)))
values = set().union(*(held.values() for held in about.values()))
run.outputs.metric("values", json.dumps(sorted(values)))
"""


def test_a_worker_holds_neither_hub_token_nor_database_address(
    researcher: cid.Catalog, staff: cid.Catalog, picture: cid.Image, hub: Any
) -> None:
    run = researcher.run(publish(staff, LOOK), picture)
    run.wait(timeout=300, progress=False)
    about = [json.loads(run.metrics[name]) for name in ("kernel", "nursery", "worker")]
    kernel, nursery, worker = about
    assert "CID_RUN_TOKEN" in kernel
    assert "CID_RUN_KEY" in worker
    assert "CID_RUN_KEY" not in nursery
    for names in about:
        assert not [n for n in names if n.startswith("JUPYTERHUB_") or n == "CID_DATABASE"]
        assert "CID_STORAGE" not in names
    assert "CID_RUN_KEY" not in kernel
    values = " ".join(json.loads(run.metrics["values"]))
    assert "sqlite:" not in values
    assert hub.password not in values


REACH = """
import cid_client as cid, json
run = cid.current_run()
catalog = cid.connect()
answers = {}
for path in ("projects", "images", "templates", f"images/{OTHER}"):
    try:
        answers[path] = catalog.session.get(path)
    except cid.CidError as error:
        answers[path] = type(error).__name__
run.outputs.metric("images", len(answers["images"]["images"]))
run.outputs.metric("projects", len(answers["projects"]["projects"]))
run.outputs.metric("templates", answers["templates"])
run.outputs.metric("other", answers[f"images/{OTHER}"])
"""


def test_a_run_reaches_its_input_and_nothing_else(
    researcher: cid.Catalog, staff: cid.Catalog, picture: cid.Image, project: str, tmp_path: Path
) -> None:
    path = tmp_path / "other.tif"
    tifffile.imwrite(path, np.arange(4096, dtype=np.uint8).reshape(64, 64))
    other = researcher.upload(path, project)[0]
    run = researcher.run(publish(staff, f"OTHER = {other.uid!r}", REACH), picture)
    run.wait(timeout=300, progress=False)
    assert run.metrics == {
        "images": 1,
        "projects": 0,
        "templates": "NotAllowed",
        "other": "NotFound",
    }


def test_a_crash_is_a_result(
    researcher: cid.Catalog, staff: cid.Catalog, picture: cid.Image, project: str
) -> None:
    before = researcher.project(project).allocation
    run = researcher.run(publish(staff, "print('before')", "1 / 0", "print('never')"), picture)
    with pytest.raises(cid.RunFailed, match="ZeroDivisionError"):
        run.wait(timeout=300, progress=False)
    assert run.state == "failed"
    assert run.error["error"] == "ZeroDivisionError"
    notebook = nbformat.from_dict(run.result.notebook.json())
    said = [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs]
    assert "before" in json.dumps(said)
    assert "never" not in json.dumps(said)
    after = researcher.project(project).allocation
    assert after.reserved == before.reserved == 0


def test_a_running_run_is_cancelled_and_its_notebook_says_so(
    researcher: cid.Catalog, staff: cid.Catalog, picture: cid.Image
) -> None:
    run = researcher.run(publish(staff, "import time", "while True: time.sleep(0.1)"), picture)
    wait_until(lambda: run.refresh().record["progress"].get("cell", 0) >= 3, 120, "it loops")
    run.cancel()
    wait_until(lambda: run.refresh().state == "cancelled", 60, "the run ends")
    assert "KeyboardInterrupt" in json.dumps(run.result.notebook.json())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sgima": 1.0}, "did you mean sigma"),
        ({"sigma": "wide"}, "takes a number"),
        ({"sigma": -1}, "at least"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_starts(
    researcher: cid.Catalog, segment: str, picture: cid.Image, given: dict[str, Any], said: str
) -> None:
    before = len(researcher.runs(project=picture.project))
    with pytest.raises(cid.BadParameter, match=said):
        researcher.run(segment, picture, **given)
    assert len(researcher.runs(project=picture.project)) == before


def test_a_viewer_neither_imports_nor_runs(
    hub: Any, segment: str, picture: cid.Image, project: str, tmp_path: Path
) -> None:
    guest = cid.connect(hub.service_url, hub.token("guest"))
    assert guest.image(picture.uid).name == picture.name
    with pytest.raises(cid.NotAllowed, match="needs the role contributor"):
        guest.run(segment, guest.image(picture.uid))
    path = tmp_path / "mine.tif"
    tifffile.imwrite(path, np.zeros((8, 8), np.uint8))
    with pytest.raises(cid.NotAllowed, match="needs the role contributor"):
        guest.upload(path, project)


def test_a_full_allocation_refuses_a_run_before_it_starts(
    researcher: cid.Catalog, staff: cid.Catalog, segment: str, picture: cid.Image, project: str
) -> None:
    used = staff.project(project).allocation.used
    staff.session.send("PUT", f"projects/{project}/allocation", {"limit": used + 1000})
    with pytest.raises(cid.OverQuota, match="ask staff"):
        researcher.run(segment, picture)
    staff.session.send("PUT", f"projects/{project}/allocation", {"limit": ROOM})
    assert staff.project(project).allocation.reserved == 0
