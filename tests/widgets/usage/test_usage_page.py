from __future__ import annotations

from pathlib import Path

import pretend
import pretend_usage
from playwright.sync_api import Locator, Page, expect
from stage import Show

from cid_widgets import Usage


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("button", name=name, exact=True))


def here(page: Page) -> Locator:
    return page.get_by_role("navigation").locator("[aria-current]")


def test_it_is_walked_down_to_a_person_and_back_by_keyboard(show: Show) -> None:
    page, stage = show(Usage(pretend_usage.filled(staff=True)), "usage")
    expect(here(page)).to_have_text("All")
    page.get_by_role("button", name="Cell division").press("Enter")
    expect(here(page)).to_have_text("Cell division")
    expect(here(page)).to_be_focused()
    page.get_by_role("button", name="Cytokinesis screen").press("Enter")
    expect(here(page)).to_have_text("Cytokinesis screen")
    page.get_by_role("button", name="screen/plate 2").press("Enter")
    expect(here(page)).to_have_text("screen/plate 2")
    expect(here(page)).to_be_focused()
    expect(page.get_by_role("table", name="People").get_by_role("row").nth(1)).to_contain_text(
        "470 GB"
    )
    assert (stage.widget.project, stage.widget.dataset) == ("screen", "d1")
    way = page.get_by_role("navigation")
    way.get_by_role("button", name="Cytokinesis screen").press("Enter")
    expect(page.get_by_role("table", name="Datasets")).to_be_visible()
    way.get_by_role("button", name="All").click()
    expect(page.get_by_role("table", name="Teams")).to_be_visible()
    assert (stage.widget.team, stage.widget.project, stage.widget.dataset) == ("", "", "")


def test_teams_are_one_table_that_is_sorted_by_its_heads(show: Show) -> None:
    page, _ = show(Usage(pretend_usage.filled(staff=True)), "usage")
    names = page.get_by_role("table", name="Teams").locator("tbody th")
    expect(names).to_have_text(["Neuroanatomy", "Cell division", "Optics"])
    expect(page.get_by_role("heading", name="3 teams: 25.5 TB of 48.0 TB used")).to_be_visible()
    end = page.get_by_role("columnheader", name="Full in")
    end.get_by_role("button").click()
    expect(end).to_have_attribute("aria-sort", "descending")
    expect(names).to_have_text(["Neuroanatomy", "Cell division", "Optics"])
    end.get_by_role("button").press("Enter")
    expect(end).to_have_attribute("aria-sort", "ascending")
    expect(names).to_have_text(["Cell division", "Neuroanatomy", "Optics"])  # unknown comes last
    page.get_by_role("button", name="Team").click()
    expect(names).to_have_text(["Cell division", "Neuroanatomy", "Optics"])
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("columnheader", name="Team")).to_have_attribute(
        "aria-sort", "ascending"
    )
    expect(page.get_by_role("note")).to_contain_text("The disk differs: −3.0 GB")
    expect(row(page, "Neuroanatomy")).to_contain_text("−3.0 GB")


def test_a_projects_room_is_a_bar_with_its_parts_named(show: Show) -> None:
    page, _ = show(Usage(pretend_usage.filled(), project="screen"), "usage")
    room = page.get_by_role("region", name="Room")
    bar = room.get_by_role("img", name="1.2 TB online, 100 GB in the trash, 80.0 GB reserved")
    widths = "spans => spans.map((one) => one.style.width)"
    assert bar.locator("[data-part]").evaluate_all(widths) == ["62%", "5%", "4%"]
    assert bar.locator(".cid-soft").evaluate("mark => mark.style.left") == "65%"
    for text in ("1.3 TB of 2.0 TB used", "past the soft limit", "580 GB free", "82 days"):
        expect(room).to_contain_text(text)
    expect(room.locator("dl")).to_contain_text("Linked from elsewhere120 GB")
    expect(page.get_by_text("14.67 EUR a month, 176.08 EUR a year")).to_be_visible()
    expect(page.get_by_role("note")).to_contain_text("580.0 GB left")
    expect(page.get_by_role("region", name="Invoice")).to_be_hidden()


def test_the_plot_is_read_by_pointer_keys_and_as_a_table(show: Show) -> None:
    page, _ = show(Usage(pretend_usage.filled(), project="screen"), "usage")
    plot = page.get_by_role("slider", name="Bytes held at the end of each day")
    expect(plot).to_have_attribute("aria-valuetext", "20 Nov 2026: 1.3 TB held")
    expect(plot.locator("text").filter(has_text="limit 2.0 TB")).to_be_visible()
    plot.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("19 Nov 2026: 1.3 TB held")).to_be_visible()
    page.keyboard.press("Home")
    expect(plot).to_have_attribute("aria-valuenow", "0")
    first = plot.get_attribute("aria-valuetext")
    page.keyboard.press("End")
    box = plot.bounding_box()
    assert box
    page.mouse.move(box["x"] + 70, box["y"] + 40)
    expect(plot).not_to_have_attribute("aria-valuetext", "20 Nov 2026: 1.3 TB held")
    page.get_by_role("button", name="30 days").click()
    expect(plot).to_have_attribute("aria-valuemax", "29")
    page.get_by_text("The days as a table").click()
    days = page.get_by_role("table", name="Bytes and hours by day").get_by_role("row")
    expect(days).to_have_count(321)
    expect(days.nth(1)).to_contain_text("20 Nov 2026")
    assert first is not None
    expect(days.nth(320)).to_contain_text(first.split(":")[0])


def test_a_project_that_holds_nothing_has_a_plot_too(show: Show) -> None:
    page, stage = show(Usage(pretend_usage.filled(), project="screen"), "usage")
    first = {**stage.widget.shown["series"][0], "storage": 0, "archive": 0}
    stage.widget.shown = {**stage.widget.shown, "series": [first]}
    stage.widget.looked += 1
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuemax", "0")
    assert page.locator(".cid-plot text").all_text_contents()[:2] == ["0 B", "1 B"]
    assert "NaN" not in page.locator(".cid-plot").inner_html()


def test_the_invoice_of_a_month_is_shown_opened_and_saved(show: Show, tmp_path: Path) -> None:
    page, stage = show(Usage(pretend_usage.filled()), "usage")
    bill = page.get_by_role("region", name="Invoice")
    expect(bill.get_by_role("button", name="Save PDF")).to_be_disabled()
    bill.get_by_label("Period of the invoice").select_option("2026-10")
    paper = bill.get_by_role("table", name="Invoice cell-division-2026-10")
    expect(paper.locator("tfoot tr")).to_have_text(
        ["Net1\u202f031.07", "VAT 20 %206.21", "Total1\u202f237.28 EUR"]
    )
    part = bill.get_by_text("screen/plate 1", exact=True)
    expect(part).to_be_hidden()
    position = bill.get_by_role("button", name="Cytokinesis screen").first
    position.press("Enter")
    expect(position).to_have_attribute("aria-expanded", "true")
    expect(part).to_be_visible()
    for form in ("csv", "pdf"):
        with page.expect_download() as saved:
            bill.get_by_role("button", name=f"Save {form.upper()}").click()
        assert saved.value.suggested_filename == f"cell-division-2026-10.{form}"
        assert saved.value.path().read_bytes() == f"a {form}".encode()
    bill.get_by_label("Period of the invoice").select_option("2026-11")
    expect(bill.get_by_text("provisional")).to_be_visible()
    stage.widget.period = "2025"
    expect(bill.get_by_role("alert")).to_contain_text("staff publishes")
    expect(bill.get_by_label("Period of the invoice")).to_have_value("2025")
    expect(bill.get_by_role("button", name="Save CSV")).to_be_disabled()


def test_empty_refused_and_hostile_places_are_said_in_words(show: Show) -> None:
    page, _ = show(Usage(pretend_usage.Catalog({})), "usage")
    expect(page.get_by_text("You have no project yet")).to_be_visible()
    page, _ = show(Usage(pretend_usage.filled(), project="nothing"), "usage")
    expect(page.get_by_role("alert").first).to_contain_text("no project 'nothing'")
    page.get_by_role("navigation").get_by_role("button", name="All").click()
    page.get_by_role("button", name="Cell division").click()
    expect(page.get_by_role("button", name=pretend.HOSTILE)).to_be_visible()
    assert page.title() == "stage"
    young = pretend_usage.filled()
    young.days = 0
    page, _ = show(Usage(young, project="tests"), "usage")
    expect(page.get_by_text("an hour after midnight UTC")).to_be_visible()
    expect(page.get_by_role("img", name="50.0 GB online, of 50.0 GB: full")).to_be_visible()


def test_a_view_that_goes_leaves_nothing_behind(show: Show) -> None:
    page, _ = show(Usage(pretend_usage.filled(), project="screen"), "usage", width=600)
    wide = page.locator(".cid").evaluate("view => view.scrollWidth > view.clientWidth")
    assert not wide
    page.evaluate("leave()")
    assert page.evaluate("listening()") == 0
    expect(page.locator(".cid")).to_have_count(0)
