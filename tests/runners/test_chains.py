"""One template after the other, through the real service: the page docs/user/chains.md."""

from __future__ import annotations

import json
import re
import shlex
from contextlib import closing
from pathlib import Path

import pytest
from books import book
from processes import STAFF
from speaking import connected

import cid_client as cid
from cid_client import cli
from cid_client.commands import run
from cid_client.wire import waiting

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

PAGE = Path(__file__).parents[2] / "docs" / "user" / "chains.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
FIND = """
import cid_client
run = cid_client.current_run()
labels = (run.input.to_xarray().values > 100).astype("uint32")
run.outputs.labels("buds", labels, source=run.input)
"""
MEASURE = """
import cid_client
run = cid_client.current_run()
buds, raw = (run.inputs[role].to_xarray().values for role in ("buds", "raw"))
run.outputs.metric("brightest", int(raw[buds > 0].max()))
run.outputs.metric("large", int((buds > 0).sum() >= least))
"""
BROKEN = """
import pathlib
assert pathlib.Path({folder!r}, "mended").exists()
"""
FINDS = {
    "template": {"name": "find-buds", "version": "1.0.0", "title": "Find buds"},
    "outputs": {"labels": ["buds"]},
}
MEASURES = {
    "template": {"name": "measure-buds", "version": "1.0.0", "title": "Measure buds"},
    "parameters": {"least": {"type": "integer", "default": 1}},
    "inputs": {"kind": "labels", "roles": ["buds"], "also": [{"role": "raw"}]},
}

# made once: cells have ids of their own, and a version has one content
FIND_BOOK, MEASURE_BOOK = book(FIND, parameters=""), book(MEASURE, parameters="least = 1")


def publish(house, manifest, notebook):
    answer = house.service.ask(
        "POST", "templates", STAFF, json={"manifest": manifest, "notebook": notebook}
    )
    assert answer.status_code == 201, answer.text


@pytest.fixture
def templates(house, tmp_path):
    publish(house, FINDS, FIND_BOOK)
    publish(house, MEASURES, MEASURE_BOOK)


def test_the_page_runs(house, conduct, templates, monkeypatch):
    monkeypatch.setattr(waiting, "SLOWEST", 0.5)
    conduct()
    with closing(connected(house.service, "researcher")) as catalog:
        kernel = {"cid": cid, "catalog": catalog, "image": catalog.image(house.image)}
        exec(compile("\n".join(SNIPPETS), str(PAGE), "exec"), kernel)
        assert kernel["measured"][0].metrics == {"brightest": 200, "large": 1}
        following = kernel["following"]
        assert following.parameters == {"least": 20}
        assert following.after.uid == kernel["run"].uid
        assert [given["role"] for given in following.inputs] == ["buds", "raw"]
        step = cid.Step("measure-buds", {"buds": "labels:bads", "raw": "input"})
        with pytest.raises(cid.BadInput, match="find-buds promises no 'labels:bads'"):
            catalog.run("find-buds", house.image, then=step)


def test_a_step_that_failed_goes_on_alone(house, conduct, templates, tmp_path):
    broken = {"name": "break-buds", "version": "1.0.0", "title": "Break buds"}
    publish(
        house,
        {**MEASURES, "template": broken, "outputs": {"labels": []}, "parameters": {}},
        book(BROKEN.format(folder=str(tmp_path)), parameters=""),
    )
    conduct()
    with closing(connected(house.service, "researcher")) as catalog:
        raw = {"raw": "input"}
        then = [
            cid.Step("break-buds", raw),
            cid.Step("measure-buds", {"buds": "input", "raw": "input:raw"}),
        ]
        first = catalog.run("find-buds", house.image, then=then)
        first.wait(timeout=180, progress=False)
        middle = first.next
        with pytest.raises(cid.RunFailed, match="AssertionError"):
            middle.wait(timeout=180, progress=False)
        assert middle.next is None
        (tmp_path / "mended").touch()
        middle.retry().wait(timeout=180, progress=False)
        last = middle.next
        assert last.wait(timeout=180, progress=False).metrics["brightest"] == 200
        assert first.refresh().record["attempt"] == 1


def test_the_command_of_the_page_begins_a_chain(house, conduct, templates, monkeypatch, capsys):
    conduct()
    monkeypatch.setattr(run, "connect", lambda *asked: connected(house.service, "researcher"))
    (line,) = re.findall(r"^cid (run find-buds .*)$", PAGE.read_text("utf-8"), re.MULTILINE)
    words = shlex.split(line.replace('--in "Objective:63x"', f"--image {house.image}"))
    assert cli.main([*words, "--wait", "--json"]) == 0
    batch = json.loads(capsys.readouterr().out)["uid"]
    (last,) = house.service.ask("GET", f"runs?batch={batch}", "researcher").json()["runs"]
    assert (last["state"], last["metrics"]["brightest"]) == ("done", 200)
    assert house.run(last["after"])["then"] == [
        {
            "template": "measure-buds@1.0.0",
            "parameters": {"least": 20},
            "take": {"buds": "labels:buds", "raw": "input"},
        }
    ]
    assert cli.main(["run", "find-buds", "--image", house.image, "--then", "measure-buds x", "-y"])
    assert "'x': write NAME=VALUE" in capsys.readouterr().err
    wrong = ["measure-buds leest=20 raw=input", ""]
    for step in wrong:
        assert cli.main(["run", "find-buds", "--image", house.image, "--then", step, "-y"])
    said = capsys.readouterr().err
    assert "it has no role 'leest'; it takes buds, raw" in said
    assert "a template's name" in said
