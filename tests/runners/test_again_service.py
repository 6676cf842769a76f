"""Runs once more, through the real service: the page docs/user/again.md, snippet by snippet."""

from __future__ import annotations

import re
import tomllib
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from books import book
from processes import STAFF
from speaking import connected

import cid_client as cid
from cid_client.wire import waiting

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

PAGE = Path(__file__).parents[2] / "docs" / "user" / "again.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
CELL = """
import cid_client, numpy as np
run = cid_client.current_run()
labels = (run.input.to_xarray().values > 100).astype("uint32")
if sigma > 2:  # two objects that the other runs do not make
    labels[40, :30] = 4
    labels[50, :30] = 5
run.outputs.labels("cells", labels, source=run.input)
run.outputs.table("objects", {"label": [1], "area": [int((labels == 1).sum())]})
run.outputs.metric("cells", 1)
"""
MANIFEST = {
    "template": {"name": "find-cells", "version": "1.0.0", "title": "Find cells"},
    "parameters": {"sigma": {"type": "number", "default": 1.0}},
}


def publish(house, manifest, notebook):
    body = {"manifest": manifest, "notebook": notebook}
    answer = house.service.ask("POST", "templates", STAFF, json=body)
    assert answer.status_code == 201, answer.text


def test_the_page_runs_and_what_was_recorded_is_published(house, conduct, tmp_path, monkeypatch):
    """A replay is the same, another value gives other objects, a recording runs to the same."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(waiting, "SLOWEST", 0.5)
    publish(house, MANIFEST, book(CELL, parameters="sigma = 1.0"))
    conduct()
    with closing(connected(house.service, "researcher")) as catalog:
        kernel = {"cid": cid, "catalog": catalog, "image": catalog.image(house.image)}
        page = tmp_path / "snippets.py"
        page.write_text("\n".join(SNIPPETS), "utf-8")  # a recording reads its own source
        exec(compile(page.read_text("utf-8"), str(page), "exec"), kernel)

        run, again, result = (kernel[name] for name in ("run", "again", "result"))
        assert (again.replay_of, again.parameters) == (run.uid, {"sigma": 1.5})
        assert {(one.name, one.told) for one in result.outputs} == {
            ("cells", "the same bytes"),
            ("objects.parquet", "the same bytes"),
        }
        assert not result.difference.environment
        assert again.refresh().dataset == f"{run.refresh().dataset}/replay"
        with pytest.raises(cid.BadInput, match="repeats no other run"):
            run.replay_result()

        [applied] = kernel["batch"]
        assert (applied.template, applied.parameters) == (run.template, {"sigma": 1.5})
        found = kernel["found"]
        assert found.parameters == {"sigma": (1.5, 3.0)}
        assert (found.code, found.inputs, found.metrics) == ([], {}, {})
        assert (found.objects["cells"].matched, found.objects["cells"].new) == (
            [(1, 1, 1.0)],
            [4, 5],
        )
        assert "data:image/png" in found._repr_html_()

        folder = kernel["folder"]
        manifest = tomllib.loads((folder / "template.toml").read_text("utf-8"))
        publish(house, manifest, (folder / "template.ipynb").read_text("utf-8"))
        recorded = catalog.run(folder.name, house.image).wait(180, progress=False)
        assert recorded.parameters == {"sigma": 1.0, "threshold": 90}
        assert recorded.result.metrics == {"objects": kernel["count"]}
        pixels = recorded.result.labels.to_xarray().values.squeeze()
        np.testing.assert_array_equal(pixels, kernel["labels"])
