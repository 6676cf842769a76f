"""A batch in the page: counted, steered, shown in parts; a form with a table and further images."""

from __future__ import annotations

import pretend
import pytest
from playwright.sync_api import expect
from processes import wait_until
from stage import Show

from cid_widgets import RunForm, RunMonitor
from cid_widgets.runs.watcher import Watcher


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Monitors look ten times a second."""
    monkeypatch.setattr(Watcher, "shortest", 0.1)
    monkeypatch.setattr(Watcher, "longest", 0.1)


def test_a_large_batch_is_counted_whole_and_its_runs_come_in_parts(
    show: Show, catalog: pretend.Catalog
) -> None:
    states = ["failed"] * 2 + ["running"] * 3 + ["queued"] * 115
    catalog.told = [
        pretend.run(f"r{n}", catalog.records[n % 3], state=state) for n, state in enumerate(states)
    ]
    page, _ = show(RunMonitor("b1", catalog=catalog), "run_monitor")
    batch = page.locator(".cid-batch")
    expect(batch).to_contain_text("120 runs")
    expect(batch.get_by_role("button", name="115 queued")).to_be_visible()
    expect(batch).to_contain_text("1 run: ValueError in cell 4 no nucleus")
    expect(page.locator(".cid-run")).to_have_count(50)
    page.get_by_role("button", name="Show more of 120").click()
    expect(page.locator(".cid-run")).to_have_count(100)
    batch.get_by_role("button", name="2 failed").click()
    expect(page.locator(".cid-run")).to_have_count(2)
    expect(batch.get_by_role("button", name="2 failed")).to_have_attribute("aria-pressed", "true")
    batch.get_by_role("button", name="2 failed").click()
    expect(page.locator(".cid-run")).to_have_count(50)


def test_a_batch_is_paused_resumed_retried_and_cancelled(
    show: Show, catalog: pretend.Catalog
) -> None:
    catalog.told = [
        pretend.run("r1", catalog.records[0], state="failed"),
        pretend.run("r2", catalog.records[1]),
    ]
    page, _ = show(RunMonitor("b1", catalog=catalog), "run_monitor")
    batch = page.locator(".cid-batch")
    batch.get_by_role("button", name="Pause").click()
    expect(batch.locator(".cid-state")).to_have_text("paused")
    expect(page.locator(".cid-run").nth(1)).to_contain_text("waits until somebody resumes it")
    batch.get_by_role("button", name="Resume").click()
    expect(batch.locator(".cid-state")).to_have_text("running")
    batch.get_by_role("button", name="Run the failed again").click()
    expect(batch.get_by_role("button", name="2 queued")).to_be_visible()
    batch.get_by_role("button", name="Cancel all").click()
    batch.get_by_role("button", name="Really cancel 2 runs?").click()
    expect(batch.locator(".cid-state")).to_have_text("cancelled")
    asked = [one for one in catalog.asked if one[0] in ("pause", "resume", "retry", "cancel")]
    assert asked == [(how, "b1") for how in ("pause", "resume", "retry", "cancel")]


def test_a_table_tells_its_wrong_cells_and_then_runs(show: Show, catalog: pretend.Catalog) -> None:
    page, _ = show(RunForm(catalog, "segment-cells", ["i1"]), "run_form")
    page.get_by_label("note").fill("x")
    page.get_by_text("From a table, with values for each image…").click()
    table = page.locator(".cid-table")
    rows = "name,sigma\nnuclei A02,wide\nnuclei A03,2\n"
    file = {"name": "plate.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    table.get_by_label("CSV file").set_input_files(file)
    expect(table.get_by_role("listitem")).to_have_text("Row 2, sigmaa number")
    begin = table.get_by_role("button", name="Run 2 rows")
    expect(begin).to_be_disabled()
    file["buffer"] = rows.replace("wide", "1").encode()
    table.get_by_label("CSV file").set_input_files(file)
    begin.click()
    expect(page.locator(".cid-run")).to_have_count(2)
    [asked] = [one for one in catalog.asked if one[0] == "run_table"]
    assert asked[1:4] == ("segment-cells", rows.replace("wide", "1"), "demo")


def test_further_images_are_asked_for_by_role_and_a_priority_is_sent(
    show: Show, catalog: pretend.Catalog
) -> None:
    form = RunForm(catalog, "segment-cells", ["i1"])
    beads = {"role": "beads", "help": "of the same day", "many": False, "optional": False}
    form.template = {**form.template, "version": "2.0.0", "also": [beads]}
    page, _ = show(form, "run_form")
    page.get_by_label("note").fill("x")
    expect(page.get_by_text("about 12 min (8 to 20)", exact=False)).to_be_visible()
    page.get_by_role("button", name="Run on 1 image").click()
    expect(page.locator(".cid-said").first).to_have_text(
        "Please say which images play the roles above."
    )
    page.get_by_label("beads").fill("i2")
    page.get_by_label("Turn").select_option(label="after others of my team")
    page.get_by_role("button", name="Run on 1 image").click()
    wait_until(lambda: any(one[0] == "submit" for one in catalog.asked))
    assert ("submit", {"beads": ["i2"]}, -5) in catalog.asked
    page.get_by_text("From a table, with values for each image…").click()
    rows = {"name": "plate.csv", "mimeType": "text/csv", "buffer": b"name\nnuclei A02\n"}
    page.get_by_label("CSV file").set_input_files(rows)
    page.get_by_role("button", name="Run 1 row").click()
    wait_until(lambda: any(one[0] == "run_table" for one in catalog.asked))
    [asked] = [one[4] for one in catalog.asked if one[0] == "run_table"]
    assert (asked["inputs"], asked["priority"], asked["note"]) == ({"beads": ["i2"]}, -5, "x")


def test_what_follows_a_run_is_shown_and_tried_again(show: Show, catalog: pretend.Catalog) -> None:
    done = {"state": "done", "then": [{"template": "measure-cells@1.2.0"}]}
    refused = {"followed": {"error": "OverQuota", "message": "there is no\nroom"}}
    catalog.told = [
        pretend.run("r1", catalog.records[0], **done),
        pretend.run("r2", catalog.records[2], **done, **refused),
    ]
    page, _ = show(RunMonitor(catalog=catalog), "run_monitor")
    first, second = page.locator(".cid-run").all()
    expect(first.locator(".cid-template")).to_have_text("segment-cells → measure-cells")
    expect(first.get_by_role("button", name="Run again")).to_have_count(0)
    expect(second.locator(".cid-run-error")).to_have_text(
        "measure-cells could not begin: there is no room"
    )
    second.get_by_role("button", name="Run again").click()
    wait_until(lambda: ("retry", "r2") in catalog.asked, 10)
