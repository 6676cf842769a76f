"""Tables and subscriptions with further inputs and a priority, in Python and as commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import world
from processes import STAFF, Service

import cid_client as cid
from cid_client import cli
from cid_client.commands import run, subscription

Connect = Callable[[str], cid.Catalog]
PROJECT = "plates-with-beads"
TEMPLATE = "count-beside-beads"


@pytest.fixture(scope="module")
def furnished(service: Service) -> None:
    """A project that berta contributes to and carl reads, and a template that asks for beads."""
    members = {"berta": "contributor", "carl": "viewer"}
    for name, people in ((PROJECT, members), (f"{PROJECT}-lent", {"berta": "contributor"})):
        body = {"name": name, "team": f"team-{name}", "limit": 10**12, "members": people}
        assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    about = {**world.MANIFEST["template"], "name": TEMPLATE}
    manifest = {**world.MANIFEST, "template": about, "inputs": {"also": [{"role": "beads"}]}}
    told = {"manifest": manifest, "notebook": world.NOTEBOOK}
    assert service.ask("POST", "templates", STAFF, json=told).is_success


@pytest.fixture
def berta(speak: Connect, furnished: None, monkeypatch: pytest.MonkeyPatch) -> cid.Catalog:
    for module in (run, subscription):
        monkeypatch.setattr(module, "connect", lambda url, token: speak("berta"))
    return speak("berta")


def bring(catalog: cid.Catalog, folder: Path, name: str, project: str = PROJECT) -> cid.Image:
    tifffile.imwrite(folder / f"{name}.tif", np.arange(64, dtype="uint8").reshape(8, 8))
    (image,) = catalog.upload(folder / f"{name}.tif", project, again=True)
    return image


def given(batch: cid.Batch) -> list[list[str]]:
    return [[one["name"] for one in each.inputs] for each in batch]


def test_a_table_says_them_by_row_or_for_all(
    berta: cid.Catalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("A01", "A02", "monday"):
        bring(berta, tmp_path, name)
    far = bring(berta, tmp_path, "far", f"{PROJECT}-lent")
    csv = "name,beads\nA01,monday\nA02,\n"
    assert not berta.preview_table(TEMPLATE, csv, PROJECT)
    assert berta.preview_table(TEMPLATE, csv, PROJECT, inputs={"beads": far})
    batch = berta.run_table(TEMPLATE, csv, PROJECT, inputs={"beads": far}, priority=-2, sigma=2)
    assert given(batch) == [["A01", "monday"], ["A02", "far"]]
    assert [each.parameters["sigma"] for each in batch] == [2.0, 2.0]
    with pytest.raises(cid.NotAllowed):
        berta.run_table(TEMPLATE, csv, PROJECT, inputs={"beads": far}, priority=1)
    table = tmp_path / "plate.csv"
    table.write_text(csv)
    line = ["run", TEMPLATE, "--csv", str(table), "--project", PROJECT, "--yes"]
    assert cli.main(line) == 1
    assert "row 3, beads: it needs" in capsys.readouterr().err
    assert cli.main([*line, "--role", f"beads={far.uid}", "--priority", "-1"]) == 0
    said = capsys.readouterr().out
    assert given(berta.batch(said.split()[0])) == [["A01", "monday"], ["A02", "far"]]


def test_a_subscription_keeps_them_and_shows_what_one_may_see(
    berta: cid.Catalog, speak: Connect, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beads = bring(berta, tmp_path, "tuesday", f"{PROJECT}-lent")
    project = berta.project(PROJECT)
    project.make_dataset("later plates", query="name:later")
    asked = [TEMPLATE, "-p", PROJECT, "--on", "later plates"]
    assert cli.main(["subscription", "count", *asked]) == 1
    assert "it needs an image in the role 'beads'" in capsys.readouterr().err
    role = ["--role", f"beads={beads.uid}"]
    assert cli.main(["subscription", "count", *asked, *role]) == 0
    assert cli.main(["subscription", "add", *asked, *role, "--priority", "-3", "--runs", "5"]) == 0
    assert "beside         beads" in capsys.readouterr().out
    [mine] = project.subscriptions
    assert (mine.inputs, mine.priority) == ({"beads": [beads.uid]}, -3)
    [seen] = speak("carl").subscriptions(PROJECT)
    assert (seen.uid, seen.inputs) == (mine.uid, {"beads": []})
    mine.end()
    again = project.subscribe(TEMPLATE, "later plates", inputs={"beads": beads}, runs=1)
    assert again.end().state == "ended"
