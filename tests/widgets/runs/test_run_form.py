from __future__ import annotations

import pretend
import pytest
from stage import Wire, heard

from cid_widgets import RunForm

pytestmark = pytest.mark.usefixtures("bundle")


def test_parameters_reach_the_catalog_and_the_runs_are_followed(catalog: pretend.Catalog) -> None:
    form = RunForm(catalog, "segment-cells", ["i1", "i2"])
    wire = Wire()
    form.comm = wire
    heard(form, method="custom", content={"ask": "start", "parameters": {"sigma": 2.5}})
    assert ("run", "segment-cells", ["i1", "i2"], {"sigma": 2.5}) in catalog.asked
    assert [run["input"]["name"] for run in form.runs] == ["nuclei A02", "nuclei A03"]
    assert form.watching
    told = [sent["content"] for sent in wire.taken() if sent["method"] == "custom"]
    assert told == [{"tell": "started", "batch": "b1", "count": 2}]
    form.close()


def test_a_refusal_is_told_and_nothing_is_followed(catalog: pretend.Catalog) -> None:
    form = RunForm(catalog, "segment-cells", ["i1"])
    wire = Wire()
    form.comm = wire
    catalog.trouble = pretend.Refused("demo has no room for 12 MB: ask your team leader")
    heard(form, method="custom", content={"ask": "start", "parameters": {}})
    told = [sent["content"] for sent in wire.taken() if sent["method"] == "custom"]
    assert told == [
        {"tell": "refused", "message": "demo has no room for 12 MB: ask your team leader"}
    ]
    assert form.runs == []
    assert not form.watching


def test_an_unknown_template_names_those_there_are(catalog: pretend.Catalog) -> None:
    with pytest.raises(LookupError, match="there are: segment-cells, project-z"):
        RunForm(catalog, "segment-cell", ["i1"])


def test_bounds_that_the_manifest_leaves_open_are_left_out(catalog: pretend.Catalog) -> None:
    form = RunForm(catalog, "segment-cells", ["i1"])
    assert "maximum" not in form.template["parameters"]["min_size"]
    assert form.template["parameters"]["sigma"]["minimum"] == 0.0
    assert form.template["parameters"]["split"]["default"] is True
