"""Runs from the side of the one who started them: watched, waited for, and what they made."""

from __future__ import annotations

import io
import json
from typing import Any

import pandas as pd
import pytest
from stored_things import look, store
from tiny_catalog import Tiny

import cid_client as cid
from cid_client.wire import waiting

FAILURE = {"error": "ValueError", "message": "no\nnucleus", "cell": 4}
GOING = [look("r1", "queued"), look("r1", "running", 0.5)]


@pytest.fixture
def images(tiny: Tiny, catalog: cid.Catalog) -> list[cid.Image]:
    for uid in ("i1", "i2", "i3"):
        tiny.add_image(uid)
    return [catalog.image(uid) for uid in ("i1", "i2", "i3")]


def run(tiny: Tiny, catalog: cid.Catalog, images: list[cid.Image], *ends: Any) -> cid.Run:
    tiny.runs = {"r1": [*GOING, *ends]}
    return catalog.run("segment-cells", images[0], sigma=1.5)


def test_one_image_makes_a_run_that_is_waited_for(
    tiny: Tiny,
    catalog: cid.Catalog,
    images: list[cid.Image],
    capsys: pytest.CaptureFixture[str],
) -> None:
    started = run(tiny, catalog, images, look("r1", "done", 1.0, metrics={"objects": 42}))
    assert started.wait() is started
    assert (started.state, started.progress) == ("done", 1.0)
    assert started.result.metrics == {"objects": 42}
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["queued", "running", "done"]
    assert "██████████░░░░░░░░░░" in lines[1]


def test_state_and_progress_are_those_of_now(
    tiny: Tiny, catalog: cid.Catalog, images: list[cid.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cid_client.runs.runs.FRESH", 0.0)
    started = run(tiny, catalog, images, look("r1", "done"))
    assert [started.state, started.state, started.progress] == ["queued", "running", 1.0]


def test_a_result_before_the_end_is_refused(
    tiny: Tiny, catalog: cid.Catalog, images: list[cid.Image]
) -> None:
    started = run(tiny, catalog, images)
    with pytest.raises(cid.Conflict, match=r"wait\(\) for it first"):
        _ = started.result


def test_a_failed_run_says_where_why_and_what_to_look_at(
    tiny: Tiny, catalog: cid.Catalog, images: list[cid.Image]
) -> None:
    started = run(tiny, catalog, images, look("r1", "failed", error=FAILURE))
    with pytest.raises(cid.RunFailed) as caught:
        started.wait(progress=False)
    assert str(caught.value) == (
        "run r1 failed in cell 4: ValueError: no nucleus (its notebook is run.result.notebook)"
    )
    assert (caught.value.error, caught.value.cell) == ("ValueError", 4)
    assert started.result.labels is None


def test_waiting_can_end_before_the_run_does(
    tiny: Tiny, catalog: cid.Catalog, images: list[cid.Image]
) -> None:
    started = run(tiny, catalog, images)
    with pytest.raises(TimeoutError, match=r"run r1 has not ended after 0.1 s: it goes on"):
        started.wait(timeout=0.1, progress=False)
    assert started.state == "running"


def test_a_cancelled_run_has_no_results(
    tiny: Tiny, catalog: cid.Catalog, images: list[cid.Image]
) -> None:
    started = run(tiny, catalog, images).cancel()
    assert started.state == "cancelled"
    with pytest.raises(cid.RunFailed, match="was cancelled"):
        started.wait(progress=False)


def test_waiting_outlives_a_restart_of_the_catalog(
    tiny: Tiny, catalog: cid.Catalog, images: list[cid.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    started = run(tiny, catalog, images, look("r1", "done"))
    tiny.outages = 10
    assert started.wait(progress=False).state == "done"
    monkeypatch.setattr(waiting, "PATIENCE", 0.0)
    tiny.outages = 10
    with pytest.raises(cid.Unavailable):
        started.wait(progress=False)
    tiny.outages = 0


def test_several_images_make_a_batch(
    tiny: Tiny, catalog: cid.Catalog, images: list[cid.Image]
) -> None:
    tiny.runs = {
        "r1": [look("r1", "running", 0.5), look("r1", "done")],
        "r2": [look("r2", "queued"), look("r2", "done")],
    }
    batch = catalog.run("segment-cells", images[:2])
    assert [r.uid for r in batch] == ["r1", "r2"]
    assert len(batch) == 2
    batch.wait(progress=False)
    assert (batch.state, batch.progress) == ("done", 1.0)
    assert len(batch.result) == 2
    assert len(tiny.asked("GET", "api/v1/runs?batch=b1")) == 1  # one request for all of them
    assert "image r2" in batch._repr_html_()


def test_a_batch_waits_for_all_and_then_says_how_many_failed(
    tiny: Tiny, catalog: cid.Catalog, images: list[cid.Image]
) -> None:
    tiny.runs = {
        "r1": [look("r1", "failed", error=FAILURE)],
        "r2": [look("r2", "queued"), look("r2", "running", 0.5), look("r2", "done")],
    }
    batch = catalog.run("segment-cells", images[:2])
    with pytest.raises(
        cid.RunFailed, match=r"^1 of 2 runs ended without results; the first: run r1"
    ):
        batch.wait(progress=False)
    assert [r.state for r in batch] == ["failed", "done"]
    assert batch.state == "failed"


def test_cancelling_a_batch_leaves_what_has_ended(
    tiny: Tiny, catalog: cid.Catalog, images: list[cid.Image]
) -> None:
    tiny.runs = {"r1": [look("r1", "done")], "r2": [look("r2", "queued")]}
    batch = catalog.run("segment-cells", images[:2]).cancel()
    assert [r.state for r in batch] == ["done", "cancelled"]
    assert len(tiny.asked("POST", "api/v1/batches/b1/cancel")) == 1


def test_an_empty_selection_is_refused(catalog: cid.Catalog, tiny: Tiny) -> None:
    with pytest.raises(cid.BadInput, match="the selection is empty"):
        catalog.run("segment-cells", catalog.search("nothing"))
    assert tiny.asked("POST", "") == []


def test_a_result_gives_labels_tables_and_the_notebook(
    tiny: Tiny, catalog: cid.Catalog, images: list[cid.Image]
) -> None:
    objects = pd.DataFrame({"label": [1, 2], "area": [10.5, 20.0]})
    parquet = io.BytesIO()
    objects.to_parquet(parquet)
    table = store(tiny, "f1", "objects.parquet", "table", parquet.getvalue())
    notebook = store(tiny, "f2", "run.ipynb", "notebook", json.dumps({"cells": []}).encode())
    tiny.add_image("l1", name="cell cells", kind="labels")
    outputs = {"images": [{"uid": "l1", "name": "cell cells", "kind": "labels"}], "files": [table]}
    end = look("r1", "done", outputs=outputs, notebook=notebook)
    result = run(tiny, catalog, images, end).wait(progress=False).result
    assert result.labels is not None
    assert result.labels.shape == (4, 4)  # a mention becomes the whole record
    pd.testing.assert_frame_equal(result.table("objects"), objects)
    assert result.notebook is not None
    assert result.notebook.json() == {"cells": []}
    with pytest.raises(cid.NotFound, match="it made: objects"):
        result.table("cells")
    assert "cell cells" in result._repr_html_()


def test_a_notebook_s_line_updates_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    import IPython
    from IPython.display import DisplayHandle

    shown: list[tuple[str, str]] = []
    shell = type("Shell", (), {"kernel": object()})()
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    for verb in ("display", "update"):
        show = lambda self, text, raw, verb=verb: shown.append((verb, text["text/plain"]))  # noqa: E731
        monkeypatch.setattr(DisplayHandle, verb, show)
    with waiting.line(True) as tell:
        tell("queued")
        tell("running")
    assert shown == [("display", "queued"), ("update", "running")]


def test_a_search_is_run_as_its_query_without_reading_it_all(
    tiny: Tiny, catalog: cid.Catalog
) -> None:
    for n in range(60):
        tiny.add_image(f"i{n:02}", name="cell")
    tiny.runs = {"r1": [look("r1", "queued")]}
    catalog.run("segment-cells", catalog.search("cell", project="demo", dataset="a/b"))
    assert tiny.submitted[-1]["query"] == 'cell kind:image,labels project:"demo" in:"a/b"'
    assert "images" not in tiny.submitted[-1]
    assert len(tiny.asked("GET", "api/v1/images?")) == 1


def test_a_search_with_an_end_is_run_on_the_images_that_were_seen(
    tiny: Tiny, catalog: cid.Catalog, images: list[cid.Image]
) -> None:
    tiny.runs = {"r1": [look("r1", "queued")]}
    catalog.run("segment-cells", catalog.search(limit=1))
    assert len(tiny.submitted[-1]["images"]) == 1
    seen = catalog.search()
    list(seen)
    catalog.run("segment-cells", seen)
    assert tiny.submitted[-1]["images"] == [image.uid for image in seen]
    assert "query" not in tiny.submitted[-1]
