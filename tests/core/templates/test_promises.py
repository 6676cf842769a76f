"""What a template promises to write is what its run must write."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import world

from cid_server_ext.core.templates import manifest, promises
from cid_server_ext.errors import BadInput

OUTPUTS = {
    "labels": ["cells"],
    "tables": ["objects"],
    "figures": ["overlay"],
    "metrics": ["objects"],
    "optional": ["overlay"],
}
WRITTEN = [
    {"kind": "labels", "name": "cells", "path": "cells.ome.zarr"},
    {"kind": "table", "name": "objects", "path": "objects.parquet"},
]


def template(**more: Any) -> Any:
    read = manifest.read({**world.MANIFEST, "outputs": OUTPUTS})
    told = {"name": "count-things", "version": "1.0.0", "seal": "x"}
    return SimpleNamespace(**told | {"manifest": read.model_dump(mode="json")} | more)


def run(**more: Any) -> dict[str, Any]:
    return {"state": "done", "outputs": WRITTEN, "metrics": {"objects": 3}} | more


@pytest.mark.parametrize(
    ("wrote", "said"),
    [
        (run(), ""),
        (run(outputs=WRITTEN[:1]), "it did not write table 'objects', which template.toml of"),
        (run(outputs=[WRITTEN[0], {"kind": "file", "name": "objects"}]), "table 'objects'"),
        (run(outputs=[]), "labels 'cells', table 'objects'"),
        (run(metrics={}), "the metric 'objects'"),
        (run(outputs=None, metrics=None), "labels 'cells', table 'objects', the metric 'objects'"),
        (run(state="failed", outputs=[]), ""),
        (run(metrics={"objects": 3, "more": "x"}), ""),
    ],
)
def test_what_is_missing_is_named(wrote: dict[str, Any], said: str) -> None:
    told = promises.complaint(template(), wrote)
    assert (said in told) if said else (told == "")


def test_what_an_older_release_published_promised_nothing() -> None:
    assert promises.complaint(template(seal=None), run(outputs=[])) == ""


def test_only_an_output_can_be_optional() -> None:
    with pytest.raises(BadInput, match="optional names 'nothing', which is no output"):
        manifest.read({**world.MANIFEST, "outputs": {"optional": ["nothing"]}})
