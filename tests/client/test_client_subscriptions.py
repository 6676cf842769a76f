"""A template that runs by itself, from the side of who subscribed, on the real service."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import world
from processes import STAFF, Service, wait_until

import cid_client as cid
from cid_client import cli
from cid_client.commands import subscription

Connect = Callable[[str], cid.Catalog]
PAGE = Path(__file__).parents[2] / "docs" / "user" / "process-on-import.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
[SHELL] = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
PROJECT = "night-screen"
WAYS, STATES = ("pause", "resume", "end"), ["paused", "active", "ended"]


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


def test_the_command_line_says_the_same(
    nia: cid.Catalog,
    speak: Connect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bring(nia, tmp_path, "shell stack")
    nia.project(PROJECT).make_dataset("new stacks", query="name:stack")
    monkeypatch.setattr(subscription, "connect", lambda url, token: speak("nia"))
    said: dict[str, str] = {}
    uid = ""
    for line in SHELL.splitlines():
        argv = [uid if word == "UID" else word for word in shlex.split(line)]
        assert cli.main(argv[1:]) == 0
        said[argv[2]] = capsys.readouterr().out
        uid = uid or "".join(re.findall(r"^uid +(\S+)$", said.get("add", ""), re.MULTILINE))
    assert "images match now" in said["count"] or "1 image matches now" in said["count"]
    assert f"{uid}  {PROJECT}  count-things 1.0.0 on new stacks  active" in said["list"]
    assert re.search(r"^with +sigma 4\.0, mode fast$", said["show"], re.MULTILINE)
    assert re.search(r"^runs +0 of 5000\n(?!runs today).*80\.0 GB$", said["change"], re.MULTILINE)
    assert "mode good" in said["change"]
    assert [re.findall(r"^state +(.*)$", said[way], re.MULTILINE)[0] for way in WAYS] == STATES
    for wrong, told in (
        (["change", uid], "say --runs, --runs-a-day, --nbytes or --set"),
        (["change", uid, "--runs", "9"], "this subscription has ended"),
        (["add", "count-things", "-p", PROJECT, "--on", "nowhere", "--runs", "1"], "no saved"),
    ):
        assert cli.main(["subscription", *wrong]) == 1
        assert told in capsys.readouterr().err
    for asked in (["--set", "sigma"], ["--runs", "few"]):
        with pytest.raises(SystemExit):
            cli.main(["subscription", "change", uid, *asked])
        assert "write" in capsys.readouterr().err


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
