from __future__ import annotations

import datetime as dt
import re

import pretend
import pytest
from playwright.sync_api import Locator, Page, expect
from processes import wait_until
from stage import Show

from cid_widgets import Browser, RunForm, RunMonitor
from cid_widgets.runs.watcher import Watcher

NOTEBOOK = {"uid": "n1", "name": "executed.ipynb", "nbytes": 120_000, "sha256": pretend.SHA}


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Monitors look ten times a second."""
    monkeypatch.setattr(Watcher, "shortest", 0.1)
    monkeypatch.setattr(Watcher, "longest", 0.1)


def line(page: Page, name: str) -> Locator:
    return page.locator(".cid-run").filter(has_text=name)


def ago(seconds: float) -> str:
    return (dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds)).isoformat()


def test_a_form_is_drawn_from_the_parameters(show: Show, catalog: pretend.Catalog) -> None:
    page, _ = show(RunForm(catalog, "segment-cells", ["i1", "i2", "i3", "i4"]), "run_form")
    expect(page.get_by_role("heading", name="Segment cells")).to_be_visible()
    sigma = page.get_by_label("sigma")
    expect(sigma).to_have_value("1")
    expect(sigma).to_have_attribute("max", "20")
    expect(page.locator(".cid-field").first).to_contain_text("Smoothing before the threshold.")
    expect(page.locator(".cid-field").first).to_contain_text("(0 to 20 pixel)")
    expect(page.get_by_label("split")).to_be_checked()
    assert page.get_by_label("method").locator("option").all_inner_texts() == ["otsu", "local"]
    expect(page.get_by_text("On nuclei A02, nuclei A03, nuclei A04 and 1 more")).to_be_visible()
    expect(page.get_by_role("button", name="Run on 4 images")).to_be_enabled()


def test_each_field_has_its_own_complaint_and_nothing_starts(
    show: Show, catalog: pretend.Catalog
) -> None:
    page, _ = show(RunForm(catalog, "segment-cells", ["i1"]), "run_form")
    button = page.get_by_role("button", name="Run on 1 image")
    for field, value, complaint in (
        ("sigma", "25", "Must be at most 20 pixel."),
        ("sigma", "-1", "Must be at least 0 pixel."),
        ("sigma", "", "Enter a number."),
        ("min size", "2.5", "Enter a whole number."),
        ("min size", "0", "Must be at least 1 pixel."),
    ):
        page.get_by_label(field).fill(value)
        mine = page.locator(".cid-field").filter(has=page.get_by_label(field))
        expect(mine.get_by_role("alert")).to_have_text(complaint)
    page.get_by_label("sigma").fill("99")
    button.click()
    expect(page.locator(".cid-said").first).to_have_text("Please correct 3 fields.")
    expect(page.get_by_label("sigma")).to_be_focused()
    assert not any(asked[0] == "run" for asked in catalog.asked)


def test_values_reach_the_catalog_as_their_types(show: Show, catalog: pretend.Catalog) -> None:
    page, _ = show(RunForm(catalog, "segment-cells", ["i1", "i2"]), "run_form")
    page.get_by_label("sigma").fill("2.5")
    page.get_by_label("method").select_option(label="local")
    page.get_by_label("split").uncheck()
    page.get_by_label("note").fill(pretend.HOSTILE)
    page.get_by_role("button", name="Run on 2 images").click()
    expect(page.locator(".cid-said").first).to_have_text("Started 2 runs.")
    expect(page.locator(".cid-run")).to_have_count(2)
    [asked] = [asked for asked in catalog.asked if asked[0] == "run"]
    values = {"sigma": 2.5, "min_size": 30, "method": "local", "split": False}
    assert asked == ("run", "segment-cells", ["i1", "i2"], values | {"note": pretend.HOSTILE})


def note(light: str, about: str, message: str, fix: str) -> dict[str, str]:
    return {"light": light, "about": about, "message": message, "fix": fix}


def test_before_it_starts_each_image_has_its_light_and_those_that_fit_can_run(
    show: Show, catalog: pretend.Catalog
) -> None:
    plane = note("red", "axes", "it needs a stack, this is one plane", "choose a stack")
    again = note("amber", "again", "the same was run on it already", "see run r7")
    catalog.lights_of = {
        "nuclei A02": {"light": "red", "notes": [plane]},
        "nuclei A03": {"light": "amber", "notes": [again]},
    }
    page, _ = show(RunForm(catalog, "segment-cells", ["i1", "i2", "i3", "i4"]), "run_form")
    page.get_by_label("note").fill("x")
    before = page.get_by_label("Before it starts")
    expect(before).to_contain_text("2 ready")
    expect(before).to_contain_text("1 to look at")
    expect(before).to_contain_text("1 cannot run")
    expect(before).to_contain_text("up to 16.5 MB for results")
    expect(before).to_contain_text("About 12 min (8 to 20), 1.2 GB, 3.40 EUR.")
    first, second = before.get_by_role("listitem").all()
    expect(first).to_have_text("nuclei A02It needs a stack, this is one plane. Choose a stack.")
    expect(second).to_contain_text("See run r7.")
    page.get_by_role("button", name="Run on the 3 that fit").click()
    expect(page.locator(".cid-said").first).to_have_text("Started 3 runs.")
    [asked] = [asked for asked in catalog.asked if asked[0] == "run"]
    assert asked[2] == ["i2", "i3", "i4"]


def test_what_is_in_the_way_of_all_stops_the_button_until_a_value_changes(
    show: Show, catalog: pretend.Catalog
) -> None:
    catalog.in_the_way = [note("red", "allocation", "demo has 1 MB left", "choose fewer images")]
    page, _ = show(RunForm(catalog, "segment-cells", ["i1"]), "run_form")
    page.get_by_label("note").fill("x")
    before = page.get_by_label("Before it starts")
    expect(before).to_contain_text("Demo has 1 MB left. Choose fewer images.")
    expect(page.get_by_role("button", name="Run on 1 image")).to_be_disabled()
    catalog.in_the_way = []
    page.get_by_label("sigma").fill("3")
    expect(page.get_by_role("button", name="Run on 1 image")).to_be_enabled()
    asked = [one for one in catalog.asked if one[0] == "preflight"]
    assert asked[-1][2]["sigma"] == 3


def test_a_channel_is_chosen_by_a_name_that_all_images_have_or_by_number(
    show: Show, catalog: pretend.Catalog
) -> None:
    form = RunForm(catalog, "segment-cells", ["i1"])
    channel = {"type": "channel", "title": "Channel", "default": 0}
    form.template = {**form.template, "parameters": {"channel": channel}}
    page, _ = show(form, "run_form")
    field = page.get_by_label("Channel")
    expect(page.locator("datalist option")).to_have_count(2)
    for typed, sent in (("GFP", "GFP"), ("1", 1)):
        field.fill(typed)
        page.get_by_role("button", name="Run on 1 image").click()
        wait_until(
            lambda sent=sent: sent in [a[3]["channel"] for a in catalog.asked if a[0] == "run"]
        )
    field.fill(" ")
    page.get_by_role("button", name="Run on 1 image").click()
    expect(page.locator(".cid-said").first).to_have_text("Please correct 1 field.")


def test_a_refusal_is_shown_and_the_button_works_again(
    show: Show, catalog: pretend.Catalog
) -> None:
    page, _ = show(RunForm(catalog, "segment-cells", ["i1"]), "run_form")
    page.get_by_label("note").fill("x")
    catalog.trouble = pretend.Refused("demo has no room for 12 MB: ask your team leader")
    page.get_by_role("button", name="Run on 1 image").click()
    expect(page.locator(".cid-said").first).to_have_text(str(catalog.trouble))
    expect(page.get_by_role("button", name="Run on 1 image")).to_be_enabled()


def test_a_run_is_seen_from_queue_to_result(show: Show, catalog: pretend.Catalog) -> None:
    catalog.told = [pretend.run("r1", catalog.records[0])]
    page, stage = show(RunMonitor("b1", catalog=catalog), "run_monitor")
    row = line(page, "nuclei A01")
    state, bar = row.locator(".cid-state"), row.get_by_role("progressbar")
    expect(state).to_have_text("queued")
    expect(row).to_contain_text("waiting for a place")
    catalog.told[0] |= {
        "state": "running",
        "started_at": ago(75),
        "progress": {"cell": 3, "cells": 9, "fraction": 0.33, "text": "watershed"},
    }
    expect(state).to_have_text("running")
    expect(row).to_contain_text("cell 3 of 9 · watershed")
    expect(row.locator(".cid-time")).to_contain_text(re.compile(r"\b[1-9] min\b"))
    expect(bar).to_have_attribute("aria-valuenow", "33")
    catalog.told[0] |= {
        "state": "done",
        "ended_at": ago(0),
        "metrics": {"objects": 42},
        "outputs": {"images": [{"uid": "l0", "name": "nuclei A01 cells", "kind": "labels"}]},
        "notebook": NOTEBOOK,
    }
    expect(state).to_have_text("done")
    expect(row.locator(".cid-metric")).to_have_text("objects 42")
    expect(row).to_contain_text("results in screen/segment-cells")
    expect(row.locator(".cid-results .cid-thumb")).to_have_attribute("data-state", "shown")
    assert any(path.endswith("/l0.png") for path in stage.fetched)
    expect(row.get_by_title(f"sha256 {pretend.SHA}")).to_have_text(pretend.SHA[:8])
    expect(row.get_by_role("button", name="Cancel")).to_have_count(0)
    expect(page.locator(".cid-summary")).to_have_text("1 run: 1 done")


def test_the_executed_notebook_is_fetched_with_a_fresh_ticket(
    show: Show, catalog: pretend.Catalog
) -> None:
    catalog.told = [pretend.run("r1", catalog.records[0], state="failed", notebook=NOTEBOOK)]
    page, _ = show(RunMonitor("b1", catalog=catalog), "run_monitor")
    with page.expect_download() as got:
        page.get_by_role("button", name="Download the executed notebook").click()
    assert got.value.suggested_filename == "executed.ipynb"
    assert ("file", "n1") in catalog.asked


def test_the_executed_notebook_is_read_on_its_page_in_a_new_tab(
    show: Show, catalog: pretend.Catalog
) -> None:
    first, second, third = catalog.records[:3]
    page_of = "/services/cid/runs/r1/notebook"
    catalog.told = [
        pretend.run("r1", first, state="done", notebook=NOTEBOOK | {"page": page_of}),
        pretend.run("r2", second, state="failed", notebook=NOTEBOOK | {"page": "javascript:1"}),
        pretend.run("r3", third, state="running"),
    ]
    page, _ = show(RunMonitor("b1", catalog=catalog), "run_monitor")
    read = {"content_type": "text/html", "body": "<link rel=icon href='data:,'>what it did"}
    page.context.route(f"**{page_of}", lambda route: route.fulfill(**read))
    link = page.get_by_role("link", name="notebook")
    expect(link).to_have_count(1)
    with page.expect_popup() as opened:
        link.click()
    expect(opened.value).to_have_url(f"{page.url.rstrip('/')}{page_of}")
    expect(opened.value.get_by_text("what it did")).to_be_visible()
    expect(page.get_by_role("button", name="Download the executed notebook")).to_have_count(2)


def test_a_failure_is_one_line_with_its_cell_and_stays_text(
    show: Show, catalog: pretend.Catalog
) -> None:
    error = {"error": "ValueError", "message": f"{pretend.HOSTILE}\nTraceback", "cell": 4}
    catalog.told = [pretend.run("r1", catalog.records[0], state="failed", error=error)]
    page, _ = show(RunMonitor("b1", catalog=catalog), "run_monitor")
    expect(page.locator(".cid-run-error")).to_have_text(f"Cell 4: {pretend.HOSTILE} Traceback")
    assert page.title() == "stage"


def test_cancelling_asks_once_more(show: Show, catalog: pretend.Catalog) -> None:
    catalog.told = [pretend.run("r1", catalog.records[0])]
    page, _ = show(RunMonitor("b1", catalog=catalog), "run_monitor")
    button = page.get_by_role("button", name="Cancel the run on nuclei A01")
    button.click()
    expect(button).to_have_text("Really cancel?")
    assert ("cancel", "r1") not in catalog.asked
    button.click()
    expect(page.locator(".cid-state")).to_have_text("cancelled")
    expect(button).to_have_count(0)
    assert catalog.asked.count(("cancel", "r1")) == 1


def test_no_runs_say_how_to_start_one(show: Show, catalog: pretend.Catalog) -> None:
    page, stage = show(RunMonitor(catalog=catalog), "run_monitor")
    expect(page.get_by_text("No runs yet.")).to_be_visible()
    assert not stage.widget.watching


def test_a_template_is_run_from_the_browser_and_its_result_appears(
    show: Show, catalog: pretend.Catalog
) -> None:
    page, stage = show(Browser(catalog, project="demo"), "browser")
    run = page.get_by_role("button", name="Run…")
    expect(run).to_be_disabled()
    page.locator(".cid-tile").nth(2).click()
    run.click()
    panel = page.get_by_role("region", name="Run a template")
    expect(panel.get_by_role("combobox", name="Template").locator("option")).to_have_text(
        ["Segment cells", "Project along z"]
    )
    panel.get_by_label("note").fill("x")
    panel.get_by_role("button", name="Run on 1 image").click()
    expect(panel.locator(".cid-run")).to_have_count(1)
    result = pretend.image("new", "nuclei A02 cells", kind="labels", source="i1")
    catalog.records.insert(0, result)
    output = {"uid": "new", "name": "nuclei A02 cells", "kind": "labels"}
    catalog.told[0] |= {"state": "done", "outputs": {"images": [output]}}
    expect(page.locator(".cid-tile").first).to_contain_text("nuclei A02 cells")
    details = page.get_by_role("complementary", name="Details")
    expect(details.get_by_role("button", name="nuclei A02 cells")).to_be_visible()
    wait_until(lambda: not stage.widget.watching)
    assert stage.widget.selected == ["i1"]


def test_where_no_template_is_published_that_is_said(
    show: Show, catalog: pretend.Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretend.Catalog, "templates", lambda _: [])
    page, _ = show(Browser(catalog), "browser")
    page.locator(".cid-tile").first.click()
    page.get_by_role("button", name="Run…").click()
    expect(page.get_by_text("No template is published yet.")).to_be_visible()


def test_choosing_another_template_draws_its_form(show: Show, catalog: pretend.Catalog) -> None:
    page, _ = show(Browser(catalog, project="demo"), "browser")
    page.locator(".cid-tile").nth(2).click()
    page.get_by_role("button", name="Run…").click()
    page.get_by_role("combobox", name="Template").select_option(label="Project along z")
    expect(page.locator(".cid-field")).to_have_count(0)
    page.get_by_role("button", name="Run on 1 image").click()
    expect(page.locator(".cid-said").first).to_have_text("Started 1 run.")
    assert ("run", "project-z", ["i1"], {}) in catalog.asked
