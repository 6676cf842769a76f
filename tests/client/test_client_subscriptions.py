"""A template that runs by itself, from the side of who subscribed, on the real service."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import world
from processes import STAFF, Service, wait_until

import cid_client as cid

Connect = Callable[[str], cid.Catalog]
PAGE = Path(__file__).parents[2] / "docs" / "user" / "process-on-import.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
PROJECT = "night-screen"


@pytest.fixture(scope="module")
def furnished(service: Service) -> None:
    """A project that nia contributes to and nils manages, and the template count-things."""
    members = {"nia": "contributor", "nils": "manager"}
    body = {"name": PROJECT, "team": "night", "limit": 10**12, "members": members}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    template = {"manifest": world.MANIFEST, "notebook": world.NOTEBOOK}
    assert service.ask("POST", "templates", STAFF, json=template).is_success


@pytest.fixture
def nia(speak: Connect, furnished: None) -> cid.Catalog:
    return speak("nia")


def bring(catalog: cid.Catalog, folder: Path, name: str) -> cid.Image:
    tifffile.imwrite(folder / f"{name}.tif", np.arange(64, dtype="uint8").reshape(8, 8))
    (image,) = catalog.upload(folder / f"{name}.tif", PROJECT, again=True)
    return image


def test_the_page_runs(
    nia: cid.Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    old = bring(nia, tmp_path, "old stack")
    monkeypatch.setattr(cid, "connect", lambda: nia)
    kernel: dict[str, object] = {}
    for snippet in SNIPPETS:
        exec(compile(snippet, PAGE.name, "exec"), kernel)
    assert "1 image matches now: 1 would be run; would reserve 4.0 MB" in capsys.readouterr().out
    nightly = kernel["nightly"]
    assert isinstance(nightly, cid.Subscription)
    assert (nightly.state, nightly.person, nightly.search) == ("active", "nia", "new stacks")
    assert nightly.budget == {"runs": 5000, "runs_a_day": None, "nbytes": 80 * 10**9}
    new = bring(nia, tmp_path, "new stack")
    bring(nia, tmp_path, "overview")
    wait_until(lambda: nightly.refresh().spent["runs"] == 2, what="a run for each")
    matches = nightly.matches()
    assert {match.uid for match in matches} == {old.uid, new.uid}
    assert {match.run for match in matches} == {run.uid for run in nia.runs(project=PROJECT)}
    assert "count-things 1.0.0</td>" in nightly._repr_html_()
    runs = nia.runs(project=PROJECT)
    assert {run.inputs[0]["name"] for run in runs} == {"old stack", "new stack"}
    told = [entry.action for entry in nia.history(PROJECT)]
    assert told.count("submit run") == 2
    nightly.end()
    assert nia.subscriptions(PROJECT) == []
    assert [one.state for one in nia.subscriptions(PROJECT, ended=True)] == ["ended"]


def test_others_see_it_and_managers_take_it_over(
    nia: cid.Catalog, speak: Connect, tmp_path: Path
) -> None:
    project = nia.project(PROJECT)
    project.make_dataset("later stacks", query="name:later")
    mine = project.subscribe("count-things", "later stacks", runs=1).refresh()
    nils = speak("nils")
    (seen,) = [one for one in nils.subscriptions(PROJECT) if one == mine]
    assert seen.pause().reason == "paused by nils"
    with pytest.raises(cid.Conflict, match="pause subscription"):
        mine.change(runs=2)
    mine.refresh().resume()
    bring(nils, tmp_path, "later 1")
    nils.project(PROJECT).add_member("nia", "viewer")
    bring(nils, tmp_path, "later 2")
    wait_until(lambda: nils.subscription(mine.uid).state == "paused", what="it pauses")
    taken = nils.subscription(mine.uid)
    assert taken.reason is not None
    with pytest.raises(cid.NotAllowed):
        mine.refresh().resume()
    taken = taken.resume()
    wait_until(lambda: taken.refresh().counts["running"] + taken.counts["waiting"] == 2)
    nils.project(PROJECT).add_member("nia", "contributor")
    taken.end()


def test_what_is_wrong_is_named(nia: cid.Catalog) -> None:
    project = nia.project(PROJECT)
    with pytest.raises(cid.NotFound, match="no saved search 'nowhere'"):
        project.subscribe("count-things", "nowhere", runs=1)
    project.make_dataset("some stacks", query="name:some")
    with pytest.raises(cid.BadInput, match="budget: say how many"):
        project.subscribe("count-things", "some stacks")
    with pytest.raises(cid.BadInput, match="write a number and its unit"):
        project.subscribe("count-things", "some stacks", nbytes="80")
