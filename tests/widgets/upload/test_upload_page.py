"""The upload view in a real browser: looked at before, sent from the page, told what came of it."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import pretend_upload
import pytest
from playwright.sync_api import expect
from pretend_upload import done, drop, reached
from stage import Show

from cid_widgets import Upload

TREE = {
    "monday": {
        "exp.nd": "nd",
        "exp_w1_s1.tif": "one",
        "exp_w1_s2.tif": "two!",
        "notes.txt": "",
        ".DS_Store": "hidden",
        "big.zarr": {".zattrs": "{}", "0": {"0.0": "chunk"}},
        "<img src=x onerror=\"document.title='owned'\">.png": "png",
    }
}


class Judged(pretend_upload.pretend.Refused):
    """What an upload is refused with that its mask does not take."""

    status = 400
    fields = (
        SimpleNamespace(field="Cell type", message="one of HeLa, HEK", file=""),
        SimpleNamespace(field="filename", message="it has no well", file="a.tif"),
    )


@pytest.fixture
def catalog() -> pretend_upload.Taking:
    return pretend_upload.filled()


@pytest.fixture
def plane() -> pretend_upload.Plane:
    return pretend_upload.Plane()


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CID_STATE", str(tmp_path / "state"))


def test_what_is_dropped_is_looked_at_sent_and_imported(
    show: Show, catalog: pretend_upload.Taking, plane: pretend_upload.Plane
) -> None:
    there = {"path": "monday/exp_w1_s1.tif", "name": "old.tif", "project": "demo", "dataset": ""}
    catalog.there = [{**there, "record": "f9", "kind": "original", "images": ["i3"]}]
    upload = Upload(catalog, "demo", "screen")
    upload._watcher.shortest = 0.05
    page, _ = show(upload, "upload", width=900)
    plane.serve(page)
    drop(page, TREE, broken=("exp_w1_s2.tif",))
    look = page.get_by_role("region", name="Before it starts")
    expect(look.get_by_role("heading", name="6 files · 15 B")).to_be_focused()
    expect(look).to_contain_text("monday/exp_w1_s2.tif")
    expect(look).to_contain_text("1 file cannot be read on this computer")
    expect(look).to_contain_text("1 file is empty: was the copy finished?")
    expect(look).to_contain_text("1 hidden file stays where it is")
    expect(look).to_contain_text("of the 248 GB free in demo")
    expect(look.locator(".cid-up-file", has_text="exp.nd")).to_contain_text("with 1 companion file")
    expect(look.locator("summary", has_text="big.zarr")).to_contain_text("one OME-Zarr")
    assert page.title() != "owned"

    look.get_by_role("button", name="Leave out notes.txt").click()
    expect(look.get_by_role("heading", name="5 files")).to_be_focused()
    drop(page, {"more.tif": "more"})
    expect(look.get_by_role("heading", name="6 files")).to_be_visible()
    look.get_by_text("Tags and more").click()
    look.get_by_label("Tag", exact=True).fill("Cell type")
    look.get_by_label("Value of the tag").fill("HeLa")
    look.get_by_label("Dataset").fill("screen/monday")
    catalog.imports = [
        {"progress": {"fraction": 0.5, "text": "1 of 2 files", "files": [], "counts": {}}},
        done(
            "i1",
            "i2",
            kept=["f1"],
            problems=[{"path": "monday/exp.nd", "message": "cut short", "file": "f2"}],
        ),
    ]
    page.get_by_role("button", name="Start").click()
    result = page.get_by_role("region", name="What came of it")
    expect(result.get_by_role("status")).to_have_text(
        "2 images came in, 1 file is kept as it came, 1 was there already."
    )
    expect(result.locator('[data-state="shown"]')).to_have_count(2)
    expect(result).to_contain_text("monday/exp.nd: cut short")
    expect(result).to_contain_text("monday/exp_w1_s1.tif is there as old.tif in demo")
    expect(result.get_by_role("link")).to_have_attribute(
        "href", f"{pretend_upload.URL}projects/demo"
    )
    expect(result.get_by_role("button", name="Show them")).to_be_hidden()

    [opened] = [asked for asked in catalog.asked if asked[0] == "open"]
    assert opened[1:5] == ("demo", "screen/monday", "import", False)
    digests = {one["path"]: one["sha256"] for one in opened[5]}
    assert digests["monday/exp.nd"] == hashlib.sha256(b"nd").hexdigest()
    assert "monday/exp_w1_s1.tif" not in plane.put  # it was there
    assert len(plane.put) == 5
    assert "monday/big.zarr/0/0.0" in plane.put
    said = base64.b64encode(hashlib.sha256(b"more").digest()).decode()
    assert plane.digests["more.tif"] == f"sha-256=:{said}:"
    assert opened[6] == {"tags": {"Cell type": "HeLa"}}
    assert ([one.uid for one in upload.images], upload.files) == (["i1", "i2"], ["f1"])
    assert (upload.state, upload.error, upload.unfinished) == ("done", "", [])

    result.get_by_role("button", name="Upload more").click()
    expect(page.get_by_text("Drop files or folders here")).to_be_visible()
    assert upload.state == "ready"


def test_a_line_that_breaks_is_waited_for_and_a_ticket_is_renewed(
    show: Show, catalog: pretend_upload.Taking, plane: pretend_upload.Plane
) -> None:
    page, stage = show(Upload(catalog, "demo"), "upload")
    plane.serve(page)
    refused = json.dumps({"error": "NotLoggedIn", "message": "the ticket has ended"})
    plane.answers = [None, (503, "<html>"), (401, refused), (201, "{}")]
    drop(page, {"a.tif": "a"})
    page.get_by_role("button", name="Start").click()
    reached(page, lambda: stage.widget.state == "importing", "it is imported")
    assert plane.put == ["a.tif"]
    catalog.imports = [done(error=None, state="failed") | {"error": {"message": "no room is left"}}]
    stage.widget._watcher.wake()
    expect(page.get_by_role("alert").filter(has_text="no room is left")).to_be_visible()


def test_it_is_paused_gone_on_with_and_cancelled_by_the_keyboard(
    show: Show, catalog: pretend_upload.Taking, plane: pretend_upload.Plane
) -> None:
    page, stage = show(Upload(catalog, "demo"), "upload", width=600)
    plane.serve(page)
    plane.held = True
    drop(page, {f"{n}.tif": f"image {n}" for n in range(9)})
    page.get_by_role("button", name="Start").press("Enter")
    pause = page.get_by_role("button", name="Pause")
    pause.press("Enter")
    expect(page.get_by_text("Paused. What is there stays for a day.")).to_be_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    plane.waiting.clear()
    page.get_by_role("button", name="Go on").press("Enter")
    reached(page, lambda: len(plane.waiting) == 4, "four at once")
    page.get_by_role("button", name="Cancel…").press("Enter")
    page.get_by_role("button", name="Really cancel?").press("Enter")
    expect(page.get_by_text("Drop files or folders here")).to_be_visible()
    assert ("give_up", "d0") in catalog.asked
    assert (stage.widget.state, stage.widget.unfinished) == ("ready", [])


def test_what_ends_it_is_said_with_what_to_do(
    show: Show, catalog: pretend_upload.Taking, plane: pretend_upload.Plane
) -> None:
    upload = Upload(catalog, "demo")
    page, _ = show(upload, "upload")
    plane.serve(page)
    catalog.trouble = pretend_upload.pretend.Refused("project 'demo' has 1 GB left: ask for more")
    drop(page, {"a.tif": "a"})
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".cid-error")).to_have_text("project 'demo' has 1 GB left: ask for more")
    catalog.trouble = None
    told = json.dumps({"error": "NotAllowed", "message": "you may not upload here any more"})
    plane.answers = [(403, told)]
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("alert").filter(has_text="any more")).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    reached(page, lambda: upload.state == "importing", "it went")


def test_a_page_that_is_read_again_goes_on_with_the_same_files(
    show: Show, catalog: pretend_upload.Taking, plane: pretend_upload.Plane
) -> None:
    files = {"a.tif": "a", "b.tif": "bb"}
    page, stage = show(Upload(catalog, "demo", "screen"), "upload")
    plane.serve(page)
    plane.answers = [(201, "{}"), *[(503, "")] * 40]
    drop(page, {"set": files})
    page.get_by_role("button", name="Start").click()
    reached(page, lambda: stage.widget.progress.get("done") == 1, "one of them is there")
    closing: list[str] = []
    page.on("dialog", lambda dialog: (closing.append(dialog.type), dialog.accept()))
    page.reload()
    page.wait_for_selector("body[data-ready]")
    assert closing == ["beforeunload"]
    expect(page.get_by_text("Another page sends this, or was closed.")).to_be_visible()
    drop(page, {"other": files})
    expect(page.get_by_text("These are not the files of this upload.")).to_be_visible()

    again = Upload(catalog, "demo")  # as after the kernel was restarted
    assert [one["done"] for one in again.unfinished] == [1]
    plane.answers.clear()
    other, _ = show(again, "upload")
    plane.serve(other)
    expect(other.get_by_text("1 of 2 files are there.")).to_be_visible()
    drop(other, {"set": files})
    other.get_by_role("button", name="Go on").click()
    reached(other, lambda: again.state == "importing", "it went")
    assert sorted(plane.put) == ["set/a.tif", "set/b.tif"]
    assert again.dataset == "screen"


def test_one_who_may_upload_nowhere_is_told_so(show: Show, catalog: pretend_upload.Taking) -> None:
    for one in catalog.held:
        one["role"] = "viewer"
    page, _ = show(Upload(catalog), "upload")
    expect(page.get_by_text("You can upload into no project yet.")).to_be_visible()


def test_a_mask_asks_and_what_it_has_against_it_stands_beside_the_field(
    show: Show, catalog: pretend_upload.Taking, plane: pretend_upload.Plane
) -> None:
    fields = [
        {"key": "Cell type", "required": True, "choices": ["HeLa", "HEK"], "help": "of the plate"},
        {"key": "Exposure", "unit": "ms", "default": 20, "minimum": 1, "maximum": 1e4},
    ]
    version = {"document": {"help": "Ask staff when a line is missing.", "fields": fields}}
    record = {"name": "Confocal 1", "retired": False, "version": version}
    catalog.masks = [SimpleNamespace(record=record | {"instrument": None})]
    upload = Upload(catalog, "demo")
    page, _ = show(upload, "upload")
    plane.serve(page)
    drop(page, {"a.tif": "a"})
    page.get_by_label("Mask").select_option("Confocal 1")
    cell = page.get_by_label("Cell type")
    expect(cell).to_have_attribute("aria-required", "true")
    expect(page.get_by_label("Exposure")).to_have_attribute("placeholder", "optional, ms, else 20")
    expect(cell).to_have_accessible_description("of the plate · one of HeLa, HEK")
    expect(page.get_by_text("1 to 10000 ms")).to_be_visible()
    expect(page.get_by_text("Ask staff when a line is missing.")).to_be_visible()
    cell.fill("Hela")
    catalog.trouble = Judged("Cell type: one of HeLa, HEK (and 1 more)")
    page.get_by_role("button", name="Start").click()
    line = page.locator(".cid-up-tag", has=cell)
    expect(line.get_by_role("alert")).to_have_text("one of HeLa, HEK")
    expect(page.locator(".cid-up-wrong")).to_have_text("a.tif: filename: it has no well")
    expect(cell).to_be_focused()
    catalog.trouble = None
    cell.fill("HeLa")
    page.get_by_role("button", name="Start").click()
    reached(page, lambda: upload.state == "importing", "it is imported")
    assert catalog.asked[-1][0] != "open"
    told = [asked for asked in catalog.asked if asked[0] == "open"][-1][6]
    assert told == {"mask": "Confocal 1", "tags": {"Cell type": "HeLa"}}
    assert upload.wrong == []


def test_a_field_that_takes_several_values_has_a_line_for_each(
    show: Show, catalog: pretend_upload.Taking, plane: pretend_upload.Plane
) -> None:
    fields = [{"key": "Antibody", "many": True, "required": True}, {"key": "Line"}]
    record = {"name": "Blots", "retired": False, "instrument": None}
    record |= {"version": {"document": {"help": "", "fields": fields}}}
    catalog.masks = [SimpleNamespace(record=record)]
    upload = Upload(catalog, "demo")
    page, _ = show(upload, "upload")
    plane.serve(page)
    drop(page, {"a.tif": "a"})
    page.get_by_label("Mask").select_option("Blots")
    page.get_by_label("Antibody", exact=True).fill("AB_1")
    page.get_by_role("button", name="Another Antibody").click()
    second = page.get_by_label("Antibody", exact=True).nth(1)
    expect(second).to_be_focused()
    second.fill("AB_2")
    expect(page.get_by_role("button", name="Another Line")).to_have_count(0)
    reached(page, lambda: upload.tags == {"Antibody": ["AB_1", "AB_2"]}, "both are said")
    upload.tags = {"Antibody": ["AB_3", "AB_4", "AB_5"], "Line": "HeLa"}
    expect(page.get_by_label("Antibody", exact=True)).to_have_count(3)
    page.get_by_label("Antibody", exact=True).nth(1).fill("")
    page.get_by_role("button", name="Start").click()
    reached(page, lambda: upload.state == "importing", "it is imported")
    told = [asked for asked in catalog.asked if asked[0] == "open"][-1][6]
    assert told["tags"] == {"Antibody": ["AB_3", "AB_5"], "Line": "HeLa"}


def test_whoever_starts_below_a_long_form_sees_how_it_goes_on(
    show: Show, catalog: pretend_upload.Taking, plane: pretend_upload.Plane
) -> None:
    upload = Upload(catalog, "demo")
    upload.tags = {f"Key {n}": "x" for n in range(40)}
    page, _ = show(upload, "upload")
    page.evaluate("document.body.append(document.createElement('hr'))")
    page.locator("hr").evaluate("below => (below.style.marginTop = '3000px')")
    plane.serve(page)
    catalog.imports = [{"progress": {"fraction": 0.5, "text": "", "files": [], "counts": {}}}]
    drop(page, {"a.tif": "a"})
    page.get_by_text("Tags and more").click()
    start = page.get_by_role("button", name="Start")
    start.scroll_into_view_if_needed()
    catalog.trouble = pretend_upload.pretend.Refused("the catalog is away")
    start.click()
    expect(page.get_by_role("alert").filter(has_text="the catalog is away")).to_be_in_viewport()
    catalog.trouble = None
    start.click()
    under_way = page.get_by_role("region", name="Under way")
    expect(under_way).to_be_focused()
    expect(under_way.get_by_role("heading")).to_be_in_viewport(ratio=1)
    box = page.locator(".cid-upload").bounding_box()
    assert box is not None
    assert box["y"] >= 0


def test_what_was_started_is_what_goes(
    show: Show, catalog: pretend_upload.Taking, plane: pretend_upload.Plane
) -> None:
    upload = Upload(catalog, "demo")
    page, stage = show(upload, "upload")
    plane.serve(page)
    drop(page, {"a.tif": "a", "b.tif": "b"})
    out = page.get_by_role("button", name="Leave out b.tif")
    expect(out).to_be_visible()
    with upload.turn:  # the kernel is busy
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_text("Asking for room…")).to_be_visible()
        expect(out).to_be_hidden()
        drop(page, {"c.tif": "c"})  # too late: it is not taken
        expect(page.get_by_role("heading", name="2 files")).to_be_visible()
        expect(page.get_by_text("Drop more here")).to_be_hidden()
    reached(page, lambda: upload.state == "importing", "it is imported")
    assert sorted(plane.put) == ["a.tif", "b.tif"]
    assert len(stage.questions("open")) == 1
