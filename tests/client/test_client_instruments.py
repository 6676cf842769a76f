"""The instrument register of the real service, from a notebook and from a shell."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import microscopes
import numpy as np
import pytest
import tifffile
from processes import STAFF, Service
from speaking import connected

import cid_client as cid
from cid_client import Conflict, NotAllowed, NotFound
from cid_server_ext import cli
from hub_config import microscopes as demo

Connect = Callable[[str], cid.Catalog]
PAGE = Path(__file__).parents[2] / "docs" / "staff" / "instruments.md"


@pytest.fixture
def staff(service: Service) -> Iterator[cid.Catalog]:
    catalog = connected(service, STAFF)
    yield catalog
    catalog.close()


def test_staff_registers_a_microscope_and_everybody_reads_it(
    speak: Connect, staff: cid.Catalog, tmp_path: Path
) -> None:
    someone = speak("somebody")
    scope = staff.instruments.add("Widefield of the client", names=["client scope"], room="B 12")
    document = tmp_path / "Microscope.JSON"
    document.write_text(json.dumps(microscopes.MICROSCOPE), encoding="utf-8")
    scope.update(document, valid_from="2026-01-01", why="as installed")
    assert scope.query == 'instrument:"Widefield of the client"'
    assert scope.at("2025-12-31") is None
    assert scope.at("2026-02-01") == scope.versions[0]
    assert scope.tier is not None
    assert (scope.tier.reached, "Lamp: Model" in scope.tier.missing[3]) == (1, True)
    assert scope.document() == microscopes.MICROSCOPE
    scope.update(
        {"objectives": [{"name": "Fluar 40x", "magnification": 40}], "lasers": ["none"]},
        why="a new objective",
    )
    assert [one.why for one in scope.versions] == ["a new objective", "as installed"]
    described = someone.instruments.check(document)
    assert (described.name, described.tier) == ("Widefield 2", scope.versions[1].tier)
    assert described.since(scope.versions[1]) == []
    assert described.since(scope.versions[0])[:2] == [
        "microscope – → Acme Eclipse-like 7",
        "objective removed: Fluar 40x",
    ]
    assert someone.instruments.check(document.read_text("utf-8")) == described
    with pytest.raises(cid.BadInput, match="this text: neither JSON nor XML"):
        someone.instruments.check("{")
    assert scope.undo().versions[0].why == "as installed"
    xml = tmp_path / "instrument.ome.xml"
    xml.write_text(microscopes.OME, encoding="utf-8")
    assert someone.instruments.check(xml).name == "Acme Upright 1"
    assert scope.update(xml).hardware["lasers"][0]["name"] == "Acme Sapphire 488 nm"

    seen = someone.instruments["Client Scope"]
    assert (seen, seen.room, seen.tier) == (scope, "B 12", None)
    assert "Acme Sapphire 488 nm" in seen._repr_html_()
    assert "Widefield of the client" in someone.instruments._repr_html_()
    assert seen.versions[1].tier.reached == 1
    assert "tier 1" in seen.versions[1].tier._repr_html_()
    with pytest.raises(NotAllowed):
        seen.change(room="mine")
    with pytest.raises(NotFound, match="no instrument"):
        someone.instruments["nothing like it"]
    other = staff.instruments["client scope"].refresh()
    scope.refresh()
    other.change(room="C 4")
    scope.change(serial="77")  # my own change is no conflict
    assert (scope.room, scope.serial) == ("C 4", "77")
    scope.retire()
    assert "Widefield of the client" not in someone.instruments._repr_html_()
    with pytest.raises(Conflict):
        staff.instruments.add("widefield OF the client")


def test_an_image_knows_its_microscope_and_what_is_missing(
    speak: Connect, staff: cid.Catalog, service: Service, tmp_path: Path
) -> None:
    body = {
        "name": "scopes",
        "team": "scopes",
        "limit": 50_000_000,
        "members": {"clara": "manager"},
    }
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    clara = speak("clara")
    scope = staff.instruments.add("Settings scope", names=["Widefield 2"])
    scope.update(microscopes.MICROSCOPE, valid_from="2026-01-01")
    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, np.zeros((32, 32), "uint8"))
    [image] = clara.upload(path, "scopes")
    assert image.completeness == 0
    assert image.unknown["Calibration x"] == "the file does not say how large a pixel is along x"
    assert set(image.unknown) >= {"Objective", "Microscope", "Channel names"}
    assert clara.search("completeness<0.1 unknown:objective", project="scopes")[0] == image
    settings = tmp_path / "Settings.JSON"
    settings.write_text(json.dumps(microscopes.SETTINGS), encoding="utf-8")
    image.apply_settings(settings)
    assert image.tags["Objective"] == "Acme 100x NA 1.45"
    assert image.instrument == scope
    assert image.completeness == pytest.approx(5 / 11)
    assert "not known" in image._repr_html_()
    assert list(clara.search("unknown:objective", project="scopes")) == []
    [row] = clara.search(project="scopes", sort="-completeness")
    assert row.record["completeness"] == image.completeness
    assert image.undo().completeness == 0


def test_a_deposit_declares_the_microscope(
    speak: Connect,
    staff: cid.Catalog,
    service: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = {"name": "said", "team": "scopes", "limit": 10**7, "members": {"dora": "manager"}}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    made_of = {"objectives": ["Fluar 40x"], "lasers": ["none"], "detectors": ["a", "b"]}
    scope = staff.instruments.add("Declared scope").update(made_of, valid_from="2026-01-01")
    dora = speak("dora")
    send = dora.session.send

    def declaring(verb: str, path: str, body: Any = None) -> Any:
        ends = path.endswith("/commit")
        return send(verb, path, {"instrument": "declared SCOPE"} if ends else body)

    monkeypatch.setattr(dora.session, "send", declaring)
    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, np.ones((32, 32), "uint8"))
    [image] = dora.upload(path, "said")
    assert image.instrument == scope
    told = image.record["tags"]
    assert {tag["key"]: tag["value"] for tag in told if tag["source"] == "instrument"} == {
        "Microscope": "Declared scope",
        "Objective": "Fluar 40x",
        "Lasers": "none",
    }
    assert image.unknown["Tube/Detector"].endswith(
        "register: 2 detectors, the file does not say which"
    )


def test_quality_control_is_a_trend_and_stands_beside_images(
    speak: Connect, staff: cid.Catalog, service: Service, tmp_path: Path
) -> None:
    body = {"name": "controlled", "team": "scopes", "limit": 10**7, "members": {"ella": "manager"}}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    scope = staff.instruments.add("Controlled scope")
    ella = speak("ella")
    seen = ella.instruments["Controlled scope"]
    assert "nothing was measured yet" in seen.controls._repr_html_()
    path = tmp_path / "beads.tif"
    tifffile.imwrite(path, np.full((32, 32), 3, "uint8"))
    [image] = ella.upload(path, "controlled", instrument="Controlled scope")
    assert image.controls == []
    limits: dict[str, Any] = {"unit": "nm", "place": "<63x>", "high": 260, "every": 120}
    scope.measured({"Lateral FWHM": 231}, at="2026-01-10", **limits)
    points = [
        {"metric": "Power", "value": 2.5, "unit": "mW", "place": "488 nm"},
        {"metric": "lateral fwhm", "value": 0.3, "unit": "µm", "place": "<63x>"},
    ]
    second = scope.measured(points, at="2026-03-02", evidence=image, note="after the service")
    assert [str(one) for one in second.controls] == [
        "Power (488 nm) 2.5 mW",
        "Lateral FWHM (<63x>) 300 nm",
    ]
    assert list(seen.controls.series) == ["Lateral FWHM (<63x>)", "Power (488 nm)"]
    assert [one.fine for one in seen.controls.series["Lateral FWHM (<63x>)"]] == [True, False]
    drawn = seen.controls._repr_html_()
    assert "<63x>" not in drawn
    assert "<title>Lateral FWHM (&lt;63x&gt;): 2026-01-10: 231, 2026-03-02: 300</title>" in drawn
    assert drawn.count("<circle") == 3
    assert f"{seen.controls[0].due:%Y-%m-%d}" == "2026-06-30"
    standing = next(one for one in ella.instruments.standing() if one.name == scope.name)
    assert (standing.control, standing.images) == ("out", 1)
    assert standing.why == ("out of limits: Lateral FWHM (<63x>); overdue: Lateral FWHM (<63x>)")
    assert "Lateral FWHM (&lt;63x&gt;)" in ella.instruments.standing()._repr_html_()
    assert list(ella.search(scope.query)) == [image]
    assert seen.controls.to_pandas()["value"].tolist() == [300, 2.5, 231]
    assert {one.evidence for one in image.controls} == {image.uid}
    assert image.controls[0].value == 300
    second.undo()
    assert [one.value for one in image.controls] == [231]
    with pytest.raises(NotAllowed):
        seen.measured({"Power": 1})
    with pytest.raises(cid.BadInput, match="cannot be converted"):
        scope.measured({"Lateral FWHM": 1}, unit="mW", place="<63x>")


def test_the_demo_shows_a_register_that_is_made_once(
    speak: Connect, staff: cid.Catalog, service: Service, tmp_path: Path
) -> None:
    body = {"name": "demoed", "team": "scopes", "limit": 10**7, "members": {"fred": "manager"}}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    for _ in range(2):
        demo.register(staff)
    names = (demo.CONFOCAL, demo.WIDEFIELD)
    told = {one.name: one for one in staff.instruments.standing() if one.name in names}
    assert {name: one.control for name, one in told.items()} == {
        demo.CONFOCAL: "out",
        demo.WIDEFIELD: "overdue",
    }
    tier = staff.instruments[demo.WIDEFIELD].tier
    assert tier is not None
    assert tier.reached == 2
    path = tmp_path / "nuclei.tif"
    tifffile.imwrite(path, np.full((32, 32), 5, "uint8"))
    [image] = speak("fred").upload(path, "demoed")
    for _ in range(2):
        demo.say_taken(image, tmp_path)
    assert image.tags["Objective"] == "Acme Plan-Apo 60x NA 1.4 Oil"
    assert image.instrument == staff.instruments[demo.WIDEFIELD]


def test_a_shell_imports_a_description(
    staff: cid.Catalog,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(cid, "connect", lambda url, token: staff)
    path = tmp_path / "Microscope.JSON"
    named = {**microscopes.MICROSCOPE, "Name": "Shell scope"}
    path.write_text(json.dumps(named), encoding="utf-8")

    def shell(*arguments: str) -> tuple[object, list[str]]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["instrument", "import", *arguments])
        return ended.value.code, capsys.readouterr().out.splitlines()

    code, lines = shell(str(path), "--valid-from", "2026-03-01")
    assert (code, lines[1]) == (0, "4DN-BINA-OME tier 1")
    assert lines[0].endswith("Shell scope  from 2026-03-01")
    assert "Camera: Gain" in lines[3]
    assert shell(str(path), "--name", "shell SCOPE")[0] == 0
    assert len(staff.instruments["Shell scope"].versions) == 2
    path.write_text(microscopes.OME, encoding="utf-8")
    assert "add --name" in str(shell(str(path))[0])
    path.write_text("[1]", encoding="utf-8")
    assert shell(str(path))[0] == f"BadInput: {path}: no description of a microscope"
    assert "no such file" in str(shell(str(path) + "x")[0])


def test_what_the_staff_page_shows_works(
    staff: cid.Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cid, "connect", lambda: staff)
    page = PAGE.read_text(encoding="utf-8")
    kernel: dict[str, Any] = {}
    snippets = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(snippets) == 4
    for snippet in snippets:
        exec(compile(snippet, PAGE.name, "exec"), kernel)
    scope = kernel["scope"]
    assert (scope.tier, scope.room, scope.retired) == (None, "C 3", False)
    assert [one.why for one in scope.versions] == ["as installed"]
