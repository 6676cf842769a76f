"""Whole runs of templates that promise outputs, take beads, or were changed behind our back."""

from __future__ import annotations

from typing import Any

import pytest
from books import book
from house import OUTPUTS, House
from processes import STAFF
from sqlalchemy import text

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

TABLE = """
import cid_client
run = cid_client.current_run()
run.outputs.table("half", {"a": [1]})
print("as far as here")
"""
BEADS = """
beads = run.inputs["beads"]
assert run.images("beads") == [beads] and run.input.uid != beads.uid
run.outputs.metric("brightest", int(beads.to_xarray().values.max()))
"""


def published(house: House, name: str, *cells: str, **more: Any) -> str:
    about = {"name": name, "version": "1.0.0", "title": name}
    manifest = {"template": about, "parameters": {"n": {"type": "integer", "default": 0}}, **more}
    body = {"manifest": manifest, "notebook": book(*cells, parameters="n = 0")}
    answer = house.service.ask("POST", "templates", STAFF, json=body)
    assert answer.status_code == 201, answer.text
    return name


def submitted(house: House, template: str, **more: Any) -> str:
    body = {"template": template, "images": [house.image], **more}
    answer = house.service.ask("POST", "runs", "researcher", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["runs"][0]["uid"]


def test_promises_are_kept_beads_are_there_and_a_changed_template_is_not_run(house, conduct):
    promise = {"labels": ["things"], "metrics": ["things"]}
    less = submitted(house, published(house, "writes-less", TABLE, outputs=promise))
    also = {"also": [{"role": "beads"}]}
    kept = {"labels": ["things"], "metrics": ["things", "brightest"], "dataset": "with beads"}
    name = published(house, "takes-beads", OUTPUTS, BEADS, inputs=also, outputs=kept)
    (beads,) = house.more(1)
    whole = submitted(house, name, inputs={"beads": [beads]})
    changed = submitted(house, published(house, "changed-later", OUTPUTS))
    with house.sessions.kw["bind"].begin() as connection:
        other = {"notebook": book("import os", parameters="n = 0"), "name": "changed-later"}
        connection.execute(
            text("UPDATE template SET notebook = :notebook WHERE name = :name"), other
        )
    conduct()

    run = house.ended(less)
    assert (run["state"], run["error"]["error"]) == ("failed", "PromiseBroken")
    assert run["error"]["message"] == (
        "it did not write labels 'things', the metric 'things',"
        " which template.toml of writes-less 1.0.0 promises"
    )
    assert run["outputs"]["images"] == []
    assert "half" not in [file["name"] for file in run["outputs"]["files"]]
    assert "as far as here" in house.notebook(run)

    run = house.ended(whole)
    assert (run["state"], run["error"]) == ("done", None)
    assert run["metrics"] == {"things": 1, "brightest": 200}
    assert [one["role"] for one in run["inputs"]] == ["image", "beads"]
    assert run["dataset"] == "with beads"
    assert [image["kind"] for image in run["outputs"]["images"]] == ["labels"]

    run = house.ended(changed)
    assert run["state"] == "failed"
    assert "changed-later 1.0.0 is not what was published" in run["error"]["message"]
    assert run["notebook"] is None
