"""The register of microscopes as a widget: from Python, and by mouse and keyboard."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import microscopes
import pytest
from playwright.sync_api import expect
from pretend import HOSTILE
from pretend_instruments import Facility
from stage import Show

import cid_widgets
from cid_client.instruments import difference

SPINNING = {**microscopes.MICROSCOPE, "Name": "Spinning disk"}


def test_all_that_the_view_does_is_a_line_of_python(tmp_path: Path) -> None:
    asked: list[str] = []
    browser = SimpleNamespace(project="demo", dataset="a", query="")
    masks = SimpleNamespace(choose=asked.append)
    widget = cid_widgets.Instruments(Facility(), "LSM 880", browser=browser, masks=masks)
    states = {one["name"]: one["control"] for one in widget.scopes}
    assert states["Confocal 1"] == "out"
    assert (states["Widefield 2"], states["Old"]) == ("overdue", "never")
    assert (widget.made["against"], widget.masks) == ("c1", ["Confocal 1"])
    assert widget.made["changes"][0] == "detector removed: AcmeTube GaAsP"
    widget.look("2026-05-31")
    assert (widget.made["uid"], widget.made["changes"]) == ("c1", [])
    widget.compare("c3")
    assert "detector added: AcmeTube GaAsP" in widget.made["changes"]
    widget.look("2020-01-01")  # before the first one
    assert widget.made["uid"] == "c1"
    widget.show_images()
    widget.show_mask("Confocal 1")
    assert (browser.project, browser.query) == ("", 'instrument:"Confocal 1"')
    assert asked == ["Confocal 1"]

    path = tmp_path / "Microscope.JSON"
    path.write_text(json.dumps(SPINNING), encoding="utf-8")
    widget.read(path)
    assert (widget.preview["file"], widget.preview["target"]) == ("Microscope.JSON", "")
    widget.aim("Widefield 2")
    assert (widget.preview["changes"], widget.preview["first"]) == ([], False)
    widget.aim("")
    widget.confirm("2026-03-01", "as installed")
    assert (widget.preview, widget.done["undo"]) == (None, False)
    new = next(one for one in widget.scopes if one["name"] == "Spinning disk")
    assert (widget.opened, widget.versions[0]["since"]) == (new["uid"], "2026-03-01")
    widget.read({**SPINNING, "MicroscopeStand": {"Manufacturer": "Bcme"}})
    assert widget.preview["target"] == new["uid"]
    assert widget.preview["changes"] == ["microscope Acme Eclipse-like 7 → Bcme"]
    widget.confirm()
    assert (len(widget.versions), widget.made["microscope"]) == (2, "Bcme")
    widget.undo()
    assert len(widget.versions) == 1

    widget.measure("Power", 3, at="2026-04-01", unit="mW", low=4, every=30)
    [series] = widget.series
    assert (series["state"], series["due"], series["on"]) == ("out", "2026-05-01", "2026-04-01")
    widget.change(name="Disk", room="D 1")
    widget.retire()
    assert [(s["room"], s["retired"]) for s in widget.scopes if s["name"] == "Disk"] == [
        ("D 1", True)
    ]
    widget.undo()
    assert not any(s["retired"] for s in widget.scopes if s["name"] == "Disk")
    widget.register("Upright 1", names=["PC-12"])
    assert (widget.made, widget.versions, widget.query) == (None, [], 'instrument:"Upright 1"')
    widget.choose("nothing like it")
    assert widget.error == "no instrument 'nothing like it'"
    widget.choose("")
    assert (widget.opened, widget.error) == ("", "")


def test_a_microscope_that_could_be_added_only_half_is_gone_on_with() -> None:
    facility = Facility()
    widget = cid_widgets.Instruments(facility)
    widget.read({"detectors": ["one"]})
    assert (widget.preview["name"], widget.preview["first"]) == ("", True)
    tell, told = facility.session.tell, list[str]()

    def half(verb: str, path: str, *rest: Any, **more: Any) -> Any:
        told.append(path)
        if path.endswith("/versions") and len(told) == 2:
            facility.refuse("only facility staff may do this")
        return tell(verb, path, *rest, **more)

    facility.session.tell = half  # type: ignore[method-assign]
    widget.confirm("2026-03-01", name="Upright 1")
    assert widget.error == "only facility staff may do this"
    facility.session.trouble = None
    widget.confirm("2026-03-01", name="Upright 1")
    assert [one["name"] for one in widget.scopes].count("Upright 1") == 1
    assert (widget.error, len(widget.versions)) == ("", 1)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"lasers": [{"name": "a", "wavelength": 488.0}]}, {"lasers": [{"name": "a"}]},
         ["laser a: wavelength 488 → –"]),
        ({"filters": [{"name": "a"}]}, {"filters": [{"name": "a"}, {"name": "a"}]},
         ["filter added: a (2)"]),
        ({"microscope": "x"}, {}, ["microscope x → –"]),
        ({"software": [{"name": "x"}]}, {"software": [{"name": "x"}]}, []),
    ],
)  # fmt: skip
def test_a_difference_in_words(before: Any, after: Any, said: list[str]) -> None:
    assert difference.lines(before, after) == said


def test_staff_finds_looks_brings_and_measures(show: Show) -> None:
    widget = cid_widgets.Instruments(Facility())
    page, _ = show(widget, "instruments", width=1000)
    expect(page.get_by_role("status")).to_have_text("3 microscopes, 1 out of limits, 1 overdue.")
    expect(page.get_by_text("Choose a microscope.")).to_be_visible()
    filtering = page.get_by_role("searchbox", name="Filter the microscopes")
    filtering.fill("acme b")
    listed = page.get_by_role("list", name="Microscopes").get_by_role("button")
    expect(listed).to_have_count(1)
    expect(listed).to_contain_text("out of limits")
    expect(listed).to_contain_text("412 images, last 2026-11-03")
    listed.press("Enter")
    expect(page.get_by_role("heading", name="Confocal 1", exact=True)).to_be_visible()
    filtering.fill("")
    expect(listed).to_have_count(4)

    # what it was made of before, and what is otherwise
    made = page.get_by_role("region", name="What it is made of")
    expect(made).to_contain_text("detector added: Transmission")
    expect(made.get_by_role("table", name="Objectives")).to_contain_text("63x")
    first = made.get_by_role("button", name="2026-01-01 as installed")
    first.press("Enter")
    expect(first).to_have_attribute("aria-pressed", "true")
    expect(first).to_be_focused()
    expect(made).not_to_contain_text("Transmission")
    made.get_by_role("combobox", name="Compare with").select_option("c3")
    expect(made.get_by_role("list", name="What is otherwise")).to_contain_text(
        "removed: Transmission"
    )
    made.get_by_label("As it was on").fill("2026-07-01")
    expect(made).to_contain_text("As of 2026-06-01")

    # quality control
    control = page.get_by_role("region", name="Quality control")
    row = control.get_by_role("row").filter(has_text="Lateral FWHM")
    expect(row).to_contain_text("271 nm≤ 260 nm")
    expect(row.get_by_role("img")).to_contain_text("271")
    row.get_by_role("button", name="Measure Lateral FWHM (63x)").click()
    form = control.get_by_role("form", name="A measurement")
    expect(form.get_by_label("Value")).to_be_focused()
    expect(form.get_by_label("At most")).to_have_value("260")
    page.keyboard.type("241.5")
    form.get_by_label("Note").fill("after the service")
    form.get_by_label("On", exact=True).fill(f"{dt.datetime.now(dt.UTC):%Y-%m-%d}")
    page.keyboard.press("Enter")
    expect(row).to_contain_text("241.5 nm")
    expect(row).to_contain_text("within limits")
    expect(form).to_be_hidden()
    expect(page.get_by_role("status")).to_contain_text("has a new measurement of Lateral FWHM.")
    page.get_by_role("button", name="Undo").click()
    expect(row).to_contain_text("out of limits")

    # a file is dropped: looked at, then saved
    page.evaluate(
        """text => {
          const data = new DataTransfer();
          data.items.add(new File([text], "Microscope.JSON"));
          const view = document.querySelector(".cid-scopes");
          const how = {bubbles: true, cancelable: true, dataTransfer: data};
          for (const kind of ["dragenter", "dragover", "drop"])
            view.dispatchEvent(new DragEvent(kind, how));
        }""",
        json.dumps(SPINNING),
    )
    read = page.get_by_role("region", name="What was read")
    expect(read.get_by_role("heading")).to_have_text("Microscope.JSON: Spinning disk")
    expect(read).to_contain_text("4DN-BINA-OME tier 1 of 3")
    read.get_by_label("It is").select_option(label="a new version of Confocal 1")
    expect(read).to_contain_text("microscope Acme Confocal 9 → Acme Eclipse-like 7")
    read.get_by_label("It is").select_option(label="a new microscope")
    read.get_by_label("Called").fill("Disk")
    read.get_by_label("From when").fill("2026-03-01")
    read.get_by_role("button", name="Register").click()
    expect(page.get_by_role("status")).to_have_text("“Disk” is registered.")
    expect(page.get_by_role("heading", name="Disk", exact=True)).to_be_visible()
    expect(read).to_be_hidden()
    tier = page.get_by_role("region", name="How completely it is described")
    tier.get_by_text("Tier 3 lacks 11 fields").click()
    expect(tier.get_by_text("Lamp: Model")).to_be_visible()

    page.get_by_role("button", name="Change…").click()
    about = page.get_by_role("form", name="What it is called")
    about.get_by_label("Room").fill("E 5")
    about.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_role("button", name="Change…")).to_be_focused()
    expect(page.get_by_text("room E 5")).to_be_visible()
    page.get_by_role("button", name="Retire", exact=True).click()
    expect(page.get_by_role("button", name="Use it again")).to_be_visible()
    page.get_by_role("button", name="Register…").click()
    page.keyboard.type("Upright 1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Upright 1", exact=True)).to_be_visible()
    expect(page.get_by_text("Nobody said yet what it is made of.")).to_be_visible()
    expect(page.get_by_text("Nothing was measured of it yet.")).to_be_visible()
    assert page.title() != "owned"


def test_what_cannot_be_read_is_told_and_everybody_else_only_looks(
    show: Show, tmp_path: Path
) -> None:
    widget = cid_widgets.Instruments(Facility())
    page, _ = show(widget, "instruments", width=600)
    wrong = tmp_path / "notes.txt"
    wrong.write_text("my notes")
    files = page.locator("input[type=file]")
    files.set_input_files(wrong)
    expect(page.get_by_role("alert").first).to_have_text(
        "notes.txt: it is neither JSON nor XML: take a Microscope.JSON or OME XML"
    )
    wrong.write_text("x" * 2_000_001)
    files.set_input_files(wrong)
    expect(page.get_by_text("notes.txt: at most 2 MB")).to_be_visible()
    assert widget.preview is None

    someone = cid_widgets.Instruments(Facility(staff=False), HOSTILE)
    page, _ = show(someone, "instruments", width=600)
    expect(page.get_by_text("Facility staff keeps this register.")).to_be_visible()
    page.get_by_role("button", name="Confocal 1").click()
    expect(page.get_by_role("table").first).to_be_visible()
    for word in ("Change…", "Retire", "Register…", "New measurement…", "Read a Microscope.JSON…"):
        expect(page.get_by_role("button", name=word, exact=True)).to_have_count(0)
    assert page.title() != "owned"

    empty = Facility()
    empty.session.scopes.clear()
    page, _ = show(cid_widgets.Instruments(empty), "instruments")
    expect(page.get_by_text("No microscope is registered yet. Read its")).to_be_visible()
