"""Replays and differences from the side of who looks at them: what differs is read and named."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from stored_things import SHAPE, look, store, store_image
from tiny_catalog import Tiny

import cid_client as cid
from cid_client.again import differences, replays
from cid_client.again.replays import Judged

PLAIN = {"uid": "r1", "state": "done", "template": {"name": "t", "version": "1.0.0"}}
DIFFERENCE: dict[str, Any] = {
    "before": PLAIN,
    "after": {**PLAIN, "uid": "r2"},
    "parameters": [{"name": "sigma", "before": 1.0, "after": 2.0}],
    "code": [{"change": "changed", "kind": "code", "before": 1, "after": 1, "lines": ["-<a>"]}],
    "environment": [{"name": "numpy", "before": "2.0", "after": None}],
    "inputs": [{"name": "image", "before": {"uid": "i1", "name": "cell"}, "after": None}],
    "metrics": [],
    "outputs": [],
    "same": False,
}


class Answers:
    """Says what a catalog would."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def get(self, path: str, **query: Any) -> Any:
        return self.answers[path.rpartition("/")[2]]


def run(**answers: Any) -> cid.Run:
    return cid.Run(Answers(**answers), look("r2", "done"))  # type: ignore[arg-type]


def labels(tiny: Tiny, uid: str, pixels: np.ndarray, kind: str = "labels") -> dict[str, Any]:
    store_image(tiny.folder / uid / "image.ome.zarr", pixels)
    told = {"axes": "czyx", "shape": list(SHAPE), "dtype": str(pixels.dtype), "levels": 2}
    return tiny.add_image(uid, kind=kind, name=f"{uid} things", sha256=uid * 8, **told)


def judged(catalog: cid.Catalog, kind: str, before: Any, after: Any) -> Judged:
    pair = {"kind": kind, "name": "things", "same": False, "before": before, "after": after}
    found = differences.RunDiff(catalog.session, DIFFERENCE | {"outputs": [pair]})
    return replays._judged(found.outputs[0])


def test_pixels_decide_where_bytes_differ(tiny: Tiny, catalog: cid.Catalog) -> None:
    pixels = np.zeros(SHAPE, np.uint16)
    pixels[0, 0, 10:20, 10:20] = 1
    pixels[0, 1, 30:40, 10:20] = 2
    one, same = labels(tiny, "a", pixels), labels(tiny, "b", pixels)
    assert judged(catalog, "labels", one, same) == Judged(
        "labels", "things", True, "the same pixels"
    )
    pixels[0, 1] = 0
    pixels[0, 0, 10, 10] = 0
    found = judged(catalog, "labels", one, labels(tiny, "c", pixels))
    assert not found.same
    assert found.told == (
        "2 before, 1 after, 1 matched, 0 split, 0 merged, 1 lost, 0 new, 0.99 mean overlap"
    )
    moved = labels(tiny, "d", pixels + np.uint16(5), kind="image")
    told = judged(catalog, "image", labels(tiny, "e", pixels, kind="image"), moved).told
    assert told == f"{pixels.size} pixels differ, by up to 5"
    assert judged(catalog, "labels", one, None).told == "only the original made it"


def test_tables_are_compared_by_their_values(tiny: Tiny, catalog: cid.Catalog) -> None:
    def table(uid: str, **columns: list[float]) -> dict[str, Any]:
        written = io.BytesIO()
        pd.DataFrame(columns).to_parquet(written)
        return store(tiny, uid, "objects.parquet", "table", written.getvalue())

    one = table("one", area=[1.0, float("nan")], label=[1, 2])
    assert judged(catalog, "table", one, table("two", area=[1.0, float("nan")], label=[1, 2])).same
    found = judged(catalog, "table", one, table("other", area=[1.5, float("nan")], size=[1, 2]))
    assert found.told == (
        "column label in one only, column size in one only, column area: 1 of 2 values differ"
    )
    assert judged(catalog, "table", one, table("short", area=[1.0])).told == "2 rows and 1 rows"


def test_a_replay_that_is_the_same_is_true() -> None:
    output = {"uid": "f", "name": "o.parquet", "sha256": "a"}
    pair = {"kind": "table", "name": "o.parquet", "same": True, "before": output, "after": output}
    told = DIFFERENCE | {"outputs": [pair], "same": True}
    found = run(comparison={"verdict": "same", "text": "", "difference": told}).replay_result()
    assert found
    assert repr(found) == "<ReplayResult the same: 1 outputs>"
    assert "the same bytes" in found._repr_html_()
    told = told | {"metrics": [{"name": "n", "before": 1, "after": 2}]}
    found = run(comparison={"verdict": "differs", "text": "", "difference": told}).replay_result()
    assert not found
    assert repr(found) == "<ReplayResult differs: metric n: 1 and 2>"


def test_what_is_no_replay_or_has_not_ended_is_refused() -> None:
    told = {"verdict": "no replay", "text": "it repeats no other run", "difference": None}
    with pytest.raises(cid.BadInput, match="run r2: it repeats no other run"):
        run(comparison=told).replay_result()
    with pytest.raises(cid.Conflict, match="wait for it"):
        run(comparison={**told, "verdict": "waiting", "text": "wait for it"}).replay_result()


def test_a_difference_is_shown_with_all_that_was_written_escaped() -> None:
    found = cid.diff("r1", run(r2=DIFFERENCE))
    assert found.parameters == {"sigma": (1.0, 2.0)}
    assert found.environment == {"numpy": ("2.0", None)}
    assert repr(found) == "<RunDiff 1 parameters, 1 code, 1 environment, 1 inputs differ>"
    shown = found._repr_html_()
    assert "inputs: image" in shown
    assert "-&lt;a&gt;" in shown
    with pytest.raises(cid.NotFound, match="both runs made no labels"):
        found.picture()
    with pytest.raises(cid.BadInput, match="one of the two is a run"):
        cid.diff("r1", "r2")


@pytest.mark.parametrize(
    ("images", "asked"),
    [
        ("objective:63x", {"images": ["i1"]}),  # all that it finds was read
        (["i1", "i2"], {"images": ["i1", "i2"]}),
    ],
)
def test_the_same_is_applied_to_other_images(
    tiny: Tiny, catalog: cid.Catalog, images: Any, asked: dict[str, Any]
) -> None:
    tiny.add_image("i1", name="objective:63x")
    inputs = [{"uid": uid, "name": uid, "role": role} for uid, role in INPUTS]
    template = {"name": "count", "reference": "demo:count", "version": "1.2.0", "digest": "d"}
    done = look("r1", "done", parameters={"sigma": 2.0, "inputs": 1})
    tiny.runs = {"r1": [done | {"template": template, "inputs": inputs}]}
    made = catalog.runs()[0].apply_to(images)
    assert isinstance(made, cid.Batch)
    assert tiny.submitted == [
        {
            "template": "demo:count@1.2.0",
            "parameters": {"sigma": 2.0, "inputs": 1},
            "inputs": {"beads": ["b1", "b2"], "dark": ["d1"]},
            **asked,
        }
    ]


INPUTS = (("i", "image"), ("b1", "beads"), ("b2", "beads"), ("d1", "dark"))
