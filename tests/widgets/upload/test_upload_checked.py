"""What an upload would become, what its mask asks for, and the upload inside the Browser."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pretend_upload
import pytest
from playwright.sync_api import expect
from pretend_upload import done, drop, reached
from stage import Show

from cid_widgets import Browser, Upload


@pytest.fixture
def catalog() -> pretend_upload.Taking:
    return pretend_upload.filled()


@pytest.fixture
def plane() -> pretend_upload.Plane:
    return pretend_upload.Plane()


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CID_STATE", str(tmp_path / "state"))


def test_what_is_cancelled_while_room_is_asked_for_never_goes(
    show: Show, catalog: pretend_upload.Taking, plane: pretend_upload.Plane
) -> None:
    upload = Upload(catalog, "demo")
    page, stage = show(upload, "upload")
    plane.serve(page)
    drop(page, {"a.tif": "a", "b.tif": "b"})
    with upload.turn:  # the kernel is busy
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_text("Asking for room…")).to_be_visible()
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_text("Drop files or folders here")).to_be_visible()
        drop(page, {"c.tif": "c"})
        expect(page.get_by_role("heading", name="1 file")).to_be_visible()
    reached(page, lambda: stage.questions("cancel") and upload.state == "ready", "it is given up")
    assert [asked for asked in catalog.asked if asked[0] == "give_up"] == [("give_up", "d0")]
    expect(page.get_by_role("heading", name="1 file")).to_be_visible()
    page.get_by_role("button", name="Start").click()
    reached(page, lambda: upload.state == "importing", "what came after it goes")
    assert plane.put == ["c.tif"]


def test_what_it_would_become_is_told_and_what_its_mask_asks_is_said_before_it_goes_in(
    show: Show, catalog: pretend_upload.Taking, plane: pretend_upload.Plane
) -> None:
    fields = [
        {"key": "Cell type", "required": True, "choices": ["HeLa", "HEK"]},
        {"key": "Day", "type": "date"},
    ]
    record = {"name": "Confocal 1", "retired": False, "version": {"document": {"fields": fields}}}
    catalog.masks = [SimpleNamespace(record=record | {"instrument": None})]
    asked = {"message": "is required, and nothing says it", "line": None}
    wrong = [{**asked, "field": "Cell type", "file": f"{name}.tif"} for name in "ab"]
    report = pretend_upload.report(masks=["Confocal 1"], wrong=wrong)
    there = {"path": "old.tif", "name": "old", "project": "demo", "dataset": "friday"}
    catalog.imports = [{"state": "open", "report": report, "there": [there]}]
    upload = Upload(catalog, "demo", "screen")
    upload._watcher.shortest = 0.05
    page, stage = show(upload, "upload", width=600)
    plane.serve(page)
    drop(page, {"a.tif": "a", "b.tif": "b", "notes.txt": "n", "cut.tif": "c", "old.tif": "o"})
    page.get_by_role("button", name="Check first").press("Enter")
    told = page.get_by_role("region", name="What it would become")
    expect(told.get_by_role("status")).to_have_text("Before it goes in, something is to be said")
    expect(told).to_contain_text(
        "1 good, 1 to look at, 1 kept as a file, 1 there already, 1 cannot"
    )
    expect(told).to_contain_text("Nothing of it is in demo / screen yet.")
    lines = told.get_by_role("list", name="Verdicts").locator("> li")
    expect(lines.first).to_contain_text("cut.tif")
    expect(lines.first).to_contain_text("the file ends in the middle")
    expect(lines.nth(1)).to_contain_text("256×256 · 3c · uint16 · 0.1 × 0.1 µm · 50 % complete")
    expect(lines.nth(1)).to_contain_text("not known: Objective")
    expect(lines.last).to_contain_text("in demo/friday")
    expect(told).to_contain_text("Confocal 1 asks")
    expect(told).to_contain_text("What you say here is said of the 2 files of its microscope.")
    line = told.locator(".cid-up-tag", has=page.get_by_label("Cell type"))
    expect(line.get_by_role("alert")).to_have_text(f"{asked['message']} (in 2 files)")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")

    again = Upload(catalog)  # as after the kernel was restarted: what was checked still waits
    assert (again.state, again.report, again.wrong) == ("checked", upload.report, upload.wrong)
    sent = list(plane.put)
    told.get_by_label("Cell type").fill("HeLa")
    catalog.imports = [done("i1", "i2", kept=["f1"])]
    told.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("region", name="What came of it")).to_contain_text("2 images came in")
    assert plane.put == sent
    commits = [one for one in catalog.asked if one[0] == "commit"]
    assert commits == [("commit", "d0", "check"), ("commit", "d0", "tags_of")]
    assert (upload.report, upload.wrong, upload.tags) == (None, [], {"Cell type": "HeLa"})
    assert stage.widget.error == ""


def test_the_browser_opens_an_upload_to_what_is_in_view_and_shows_what_came(
    show: Show, catalog: pretend_upload.Taking, plane: pretend_upload.Plane
) -> None:
    browser = Browser(catalog, project="demo")
    browser.dataset = "screen/plate 1"
    page, _ = show(browser, "browser")
    plane.serve(page)
    button = page.get_by_role("button", name="Upload…")
    button.press("Enter")
    panel = page.get_by_role("region", name="Upload files")
    expect(panel.get_by_text("Drop files or folders here")).to_be_visible()
    drop(page, {"a.tif": "a"})
    expect(panel.get_by_label("Dataset")).to_have_value("screen/plate 1")
    browser.uploader._watcher.shortest = 0.05
    new = {**catalog.records[0], "uid": "i99", "name": "just came"}
    assert "just came" not in page.locator(".cid-grid").inner_text()
    catalog.records.insert(0, new)
    catalog.imports = [done("i99")]
    panel.get_by_role("button", name="Start").click()
    expect(page.locator(".cid-tile", has_text="just came")).to_be_visible()
    assert browser.selected == []
    panel.get_by_role("button", name="Show them").click()
    reached(page, lambda: browser.selected == ["i99"], "it is selected")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    for one in catalog.held:
        one["role"] = "viewer"
    browser.refresh()
    expect(button).to_be_disabled()
    expect(button).to_have_attribute("title", re.compile("ask a manager to make you"))
