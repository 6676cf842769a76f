"""Templates in a notebook and on the command line: published, compared, withdrawn, given beads."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import world
from processes import STAFF, Service

import cid_client as cid
from cid_client import cli
from cid_client.commands import template as command
from cid_client.runs import roles

Connect = Callable[[str], cid.Catalog]
PROJECT = "optics"
PAGE = (Path(__file__).parents[2] / "docs" / "staff" / "templates.md").read_text("utf-8")
MANIFEST, TRUTH = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
[COMMANDS] = re.findall(r"```sh\n(cid .*?)```", PAGE, re.DOTALL)
FOLDER = Path(__file__).parents[2] / "notebooks" / "templates" / "measure-psf"


@pytest.fixture(scope="module")
def furnished(service: Service) -> None:
    """A project that orla contributes to and otto manages."""
    members = {"orla": "contributor", "otto": "manager", "olga": "viewer"}
    body = {"name": PROJECT, "team": "optics", "limit": 10**12, "members": members}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201


@pytest.fixture
def orla(speak: Connect, furnished: None) -> cid.Catalog:
    return speak("orla")


def raw(name: str, version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    return world.called(name, version=version) | more


def folder_of(path: Path, version: str) -> None:
    """The folder of the page's template, as its author has it."""
    path.mkdir(exist_ok=True)
    told = MANIFEST.replace('version = "1.0.0"', f'version = "{version}"')
    (path / "template.toml").write_text(told, "utf-8")
    assert tomllib.loads(told)["template"]["version"] == version
    notebook = world.NOTEBOOK.replace("sigma = 1.0\\nmode = 'fast'", "sigma = 1.5")
    (path / "template.ipynb").write_text(notebook, "utf-8")


def test_its_author_publishes_compares_and_withdraws_it(orla: cid.Catalog, speak: Connect) -> None:
    first = orla.publish(raw("spots"), world.NOTEBOOK, project=PROJECT)
    assert (first.reference, first.project) == ("optics:spots", PROJECT)
    changed = world.NOTEBOOK.replace("sigma = 1.0", "sigma = 1.0  # pixels")
    with pytest.raises(cid.BadInput, match="changelog"):
        orla.publish(raw("spots", "1.1.0"), changed, project=PROJECT)
    orla.publish(raw("spots", "1.1.0"), changed, project=PROJECT, changelog="It says the unit.")
    newest = orla.template("optics:spots")
    assert (newest.version, newest.changelog) == ("1.1.0", "It says the unit.")
    assert [one.version for one in newest.versions()] == ["1.1.0", "1.0.0"]
    told = first.diff()
    assert told
    assert "+sigma = 1.0  # pixels" in str(told)
    assert "manifest template.version changed: '1.0.0' -> '1.1.0'" in str(told)
    assert "+sigma = 1.0  # pixels" in told._repr_html_()
    assert not newest.diff()
    assert json.loads(newest.notebook) == json.loads(changed)
    assert newest.schema["properties"]["sigma"]["maximum"] == 10
    newest.withdraw("The unit is wrong.")
    assert newest.withdrawn["by"] == "orla"
    assert "The unit is wrong." in newest._repr_html_()
    assert orla.template("optics:spots").version == "1.0.0"
    assert [one.reference for one in orla.templates(PROJECT)] == ["optics:spots"]
    stranger = speak("oscar")
    for ask in (
        lambda: stranger.template("optics:spots"),
        lambda: stranger.templates(PROJECT),
        lambda: first.__class__(stranger.session, first.record).versions(),
        lambda: first.__class__(stranger.session, first.record).schema,
        lambda: first.__class__(stranger.session, first.record).diff(),
    ):
        with pytest.raises(cid.NotFound):
            ask()
    assert "optics:spots" not in [one.reference for one in stranger.templates()]


def test_beads_are_given_once_for_a_batch(orla: cid.Catalog, tmp_path: Path) -> None:
    inputs = {"also": [{"role": "beads", "axes": "zyx"}]}
    orla.publish(raw("deblur", inputs=inputs), world.NOTEBOOK, project=PROJECT)
    tifffile.imwrite(tmp_path / "cells.tif", np.arange(64, dtype="uint8").reshape(8, 8))
    beads = np.arange(128, dtype="uint8").reshape(2, 8, 8)
    tifffile.imwrite(tmp_path / "beads.tif", beads, imagej=True, metadata={"axes": "ZYX"})
    came = {image.name: image for image in orla.upload(tmp_path, PROJECT, "for beads")}
    cells = came["cells"]
    looked = orla.preflight("optics:deblur", cells)
    assert not looked
    assert [note.about for note in looked.notes] == ["beads"]
    assert orla.preflight("optics:deblur", cells, inputs={"beads": came["beads"]})
    with pytest.raises(cid.BadInput, match="'cells': it needs axis z"):
        orla.run("optics:deblur", cells, inputs={"beads": cells})
    run = orla.run("optics:deblur", cells, inputs={"beads": [came["beads"].uid]}, sigma=2)
    assert [(one["role"], one["name"]) for one in run.inputs] == [
        ("image", "cells"),
        ("beads", "beads"),
    ]
    assert run.template["reference"] == "optics:deblur"
    run.cancel()


def test_the_main_image_is_the_one_the_run_is_about() -> None:
    one, two, three = object(), object(), object()
    assert roles.main({"image": one, "beads": two}) is one
    assert roles.main({"image": one, "image 2": two, "beads": three}) is None
    assert roles.main({}) is None
    assert roles.several({"image": one, "dark": two, "dark 2": three}, "dark") == [two, three]


def test_the_commands_of_the_page_run(
    orla: cid.Catalog,
    speak: Connect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "connect", lambda url, token: orla)

    def cid_(line: str) -> tuple[int, str]:
        program, *given = shlex.split(line)
        assert program == "cid"
        code = cli.main(given)
        said = capsys.readouterr()
        return code, said.out + said.err

    publish, changed, listing, schema, diff, withdraw, promote = COMMANDS.strip().splitlines()
    folder_of(tmp_path / "count-spots", "1.0.0")
    code, said = cid_(publish)
    assert (code, said.split()[:2]) == (0, ["optics:count-spots", "1.0.0"])
    folder_of(tmp_path / "count-spots", "1.1.0")
    assert cid_(publish) == (1, "cid: changelog: say what changed since 1.0.0\n")
    assert cid_(changed)[0] == 0
    assert "optics:count-spots  1.1.0  Count spots" in cid_(listing)[1]
    assert json.loads(cid_(schema)[1])["properties"]["sigma"]["x-unit"] == "pixel"
    assert "template.version changed: '1.0.0' -> '1.1.0'" in cid_(diff)[1]
    told = cid_("cid template show optics:count-spots")[1]
    assert "Dim spots are found, too." in told
    code, said = cid_("cid template withdraw optics:count-spots --reason x")
    assert (code, said) == (1, "cid: say which version: optics:count-spots@1.1.0\n")
    assert cid_(withdraw)[0] == 0
    assert "withdrawn: It counted spots twice." in cid_("cid template show optics:count-spots")[1]
    assert cid_(promote)[0] == 1
    monkeypatch.setattr(command, "connect", lambda url, token: speak(STAFF))
    assert cid_(promote)[1].split()[:2] == ["count-spots", "1.1.0"]
    assert "No such file" in cid_("cid template publish nothing")[1]


def test_the_facilitys_bead_template_can_be_published(service: Service, speak: Connect) -> None:
    staff = speak(STAFF)
    manifest = tomllib.loads((FOLDER / "template.toml").read_text("utf-8"))
    notebook = (FOLDER / "template.ipynb").read_text("utf-8")
    made = staff.publish(manifest, notebook)
    assert (made.reference, made.project) == ("measure-psf", None)
    assert made.schema["properties"]["distance"]["x-unit"] == "µm"
    assert staff.publish(manifest, notebook).record == made.record
