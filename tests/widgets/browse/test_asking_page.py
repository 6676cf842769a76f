"""The search box, chips, facets and order in a real browser."""

from __future__ import annotations

import re

import pretend
import pytest
from playwright.sync_api import Locator, Page, expect
from processes import wait_until
from stage import Show, Stage

from cid_widgets import Browser


@pytest.fixture
def shown(show: Show) -> tuple[Page, Stage]:
    """A browser of a tagged plate."""
    return show(Browser(pretend.screen()), "browser")


def box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search names and tags")


def status(page: Page) -> Locator:
    return page.locator(".cid-status")


def test_a_query_is_completed_by_keyboard(shown: tuple[Page, Stage]) -> None:
    page, stage = shown
    box(page).press_sequentially("A cell", delay=10)
    offers = page.get_by_role("listbox", name="How to go on").get_by_role("option")
    expect(offers).to_have_text(["cell_type:", "cell_line:"])
    expect(box(page)).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(offers.first).to_have_attribute("aria-selected", "true")
    first = offers.first.get_attribute("id") or ""
    expect(box(page)).to_have_attribute("aria-activedescendant", first)
    page.keyboard.press("Tab")
    expect(box(page)).to_have_value("A cell_type:")
    expect(box(page)).to_be_focused()
    expect(offers).to_have_text(["HeLa 3", "HeLa S3 2", "A549 1", "primary neurons 1"])
    page.keyboard.type("zz")
    expect(offers).to_have_count(0)
    page.keyboard.press("Control+a")
    page.keyboard.type("cell_type:h")
    expect(offers).to_have_text(["HeLa 3", "HeLa S3 2"])
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(box(page)).to_have_value('cell_type:"HeLa S3" ')
    expect(box(page)).to_have_attribute("aria-expanded", "false")
    wait_until(lambda: stage.widget.query == 'cell_type:"HeLa S3"')
    expect(page.locator(".cid-chip")).to_have_text("cell type: HeLa S3×")


def test_escape_closes_the_list_and_loses_nothing(shown: tuple[Page, Stage]) -> None:
    page, stage = shown
    box(page).press_sequentially("st")
    offers = page.get_by_role("option").filter(has_text="staining:")
    expect(offers).to_be_visible()
    page.keyboard.press("Escape")
    expect(offers).to_be_hidden()
    page.keyboard.press("Escape")
    expect(box(page)).to_have_value("st")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="How to search")).to_be_focused()
    wait_until(lambda: stage.widget.query == "st")


def test_a_late_answer_opens_nothing(shown: tuple[Page, Stage]) -> None:
    page, stage = shown
    box(page).press_sequentially("A0")
    expect(status(page)).to_have_text("10 images")
    offer = {"text": "late:", "label": "late", "start": 0, "count": None}
    stage.widget.tell("completions", offers=[offer], error="", **{"for": "of another question"})
    stage.widget.query = "A01"
    page.get_by_role("button", name="All", exact=True).focus()
    expect(box(page)).to_have_value("A01")
    expect(page.get_by_role("option", name="late:")).to_have_count(0)


def test_a_mistake_is_one_line_below_the_box(shown: tuple[Page, Stage]) -> None:
    page, stage = shown
    box(page).fill('A01 "hel')
    page.wait_for_timeout(400)  # while a quote is open nothing is asked
    assert stage.widget.query == ""
    page.keyboard.press("Enter")
    line = page.get_by_role("alert").filter(has_text="a quote that is not closed at 5")
    expect(line).to_contain_text("The images are those of the search before.")
    expect(box(page)).to_have_value('A01 "hel')
    expect(status(page)).to_have_text("122 images")
    box(page).fill("A01")
    expect(line).to_have_count(0)
    expect(status(page)).to_have_text("2 images")


def test_queries_before_and_examples_are_offered(shown: tuple[Page, Stage]) -> None:
    page, stage = shown
    for query in ("A01", "cells"):
        box(page).fill(query)
        wait_until(lambda query=query: stage.widget.query == query)  # type: ignore[misc]
    box(page).fill("")
    page.keyboard.press("ArrowDown")
    recent = page.get_by_role("option").filter(has_text="recent")
    expect(recent).to_have_text(["cells recent", "A01 recent"])
    recent.nth(1).click()
    expect(box(page)).to_have_value("A01")
    expect(status(page)).to_have_text("2 images")
    mark = page.get_by_role("button", name="How to search")
    mark.click()
    examples = page.get_by_role("region", name="How to search")
    expect(examples.locator("dt")).to_have_count(6)
    page.keyboard.press("Escape")
    expect(examples).to_be_hidden()
    mark.click()
    examples.get_by_role("button", name="hela dapi").click()
    expect(box(page)).to_have_value("hela dapi")
    wait_until(lambda: stage.widget.query == "hela dapi")


def test_facets_and_chips_change_one_query(shown: tuple[Page, Stage]) -> None:
    page, stage = shown
    expect(status(page)).to_have_text("122 images")
    filters = page.get_by_role("region", name="Filters")
    cells = filters.get_by_role("group", name="Cell type")
    a549 = cells.get_by_role("checkbox", name="A549")
    a549.check()
    expect(page.locator(".cid-chip")).to_have_text("Cell type: A549×")
    expect(box(page)).to_have_value('Cell_type:"A549"')
    cells.get_by_role("checkbox", name="HeLa S3").press("Space")
    expect(page.locator(".cid-chip")).to_have_text("Cell type: A549 or HeLa S3×")
    expect(cells.get_by_role("checkbox", name="HeLa S3")).to_be_focused()
    expect(cells.get_by_role("checkbox")).to_have_count(4)  # the others may be added
    filters.get_by_text("Brought by").click()
    filters.get_by_role("checkbox", name=re.compile("postdoc")).check()
    expect(page.locator(".cid-chip")).to_have_text(["Cell type: A549 or HeLa S3×", "by: postdoc×"])
    assert stage.widget.query == 'Cell_type:"A549","HeLa S3" by:postdoc'
    page.get_by_role("button", name="Leave out Cell type: A549 or HeLa S3").click()
    expect(page.locator(".cid-chip")).to_have_text(["by: postdoc×"])
    expect(a549).not_to_be_checked()
    box(page).fill("")
    expect(page.locator(".cid-chip")).to_have_count(0)
    assert all(one["facets"] for one in stage.questions("counts"))
    fold = filters.get_by_role("button", name="Filters")
    fold.click()
    expect(cells).to_be_hidden()
    expect(fold).to_have_attribute("aria-expanded", "false")
    wait_until(lambda: not stage.questions("counts")[-1]["facets"])
    asked = len(stage.questions("counts"))
    box(page).fill("A0")
    wait_until(lambda: len(stage.questions("counts")) > asked)
    assert not stage.questions("counts")[-1]["facets"]


def test_a_range_is_dragged_or_typed(shown: tuple[Page, Stage]) -> None:
    page, stage = shown
    spread = page.get_by_role("group", name=re.compile("^SNR"))
    expect(spread.locator(".cid-bin")).to_have_count(20)
    low = spread.get_by_role("slider", name="SNR lowest")
    low.scroll_into_view_if_needed()
    at = low.bounding_box()
    assert at is not None
    page.mouse.move(at["x"] + 7, at["y"] + at["height"] / 2)
    page.mouse.down()
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2, steps=4)
    page.mouse.up()
    expect(page.locator(".cid-chip")).to_have_text(re.compile(r"^SNR ≥ \d"))
    expect(spread.locator(".cid-bin[data-in]")).to_have_count(10)
    spread.get_by_label("SNR to").fill("20")
    page.keyboard.press("Enter")
    expect(page.locator(".cid-chip")).to_have_text(re.compile(r"^SNR: \d+(\.\d)? to 20"))
    high = spread.get_by_role("slider", name="SNR highest")
    high.focus()
    before = stage.widget.query
    page.keyboard.press("ArrowLeft")
    wait_until(lambda: stage.widget.query != before)
    spread.get_by_label("SNR to").fill("")
    page.keyboard.press("Enter")
    expect(page.locator(".cid-chip")).to_have_text(re.compile(r"^SNR ≥ \d"))
    expect(high).to_have_value("100")


def test_all_that_was_found_is_selected_and_run(shown: tuple[Page, Stage]) -> None:
    page, stage = shown
    expect(status(page)).to_have_text("122 images")
    page.locator(".cid-tile").nth(1).click()
    page.keyboard.press("Control+a")
    expect(status(page)).to_have_text(re.compile(r"^\d+ selected · 122 images"))
    page.get_by_role("button", name="Select all 122").click()
    expect(status(page)).to_have_text("all 122 images selected")
    wait_until(lambda: stage.widget.found_all)
    run = page.get_by_role("button", name="Run…")
    expect(run).to_have_attribute("title", "Run a template on 122 images")
    run.click()
    expect(page.get_by_role("button", name="Run on 122 images")).to_be_enabled()
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Run a template")).to_be_hidden()
    middle, last = page.locator(".cid-middle"), page.locator('.cid-tile[aria-posinset="122"]')
    to_end = "el => void el.scrollTo(0, el.scrollHeight)"
    wait_until(lambda: middle.evaluate(to_end) or last.count(), what="the last page")
    expect(last).to_have_attribute("aria-selected", "true")
    last.click(modifiers=["Control"])  # all that is read but this
    expect(status(page)).to_have_text(re.compile(r"^\d\d+ selected · 122 images"))
    wait_until(lambda: not stage.widget.found_all)
    page.keyboard.press("Escape")
    expect(status(page)).to_have_text("122 images")


def test_who_is_always_at_the_end_gets_all_pages(shown: tuple[Page, Stage]) -> None:
    page, _ = shown
    expect(status(page)).to_have_text("122 images")
    page.evaluate(  # the end never leaves what is in sight, however many tiles come
        """() => {
          const middle = document.querySelector(".cid-middle");
          const follow = () => (middle.scrollTop = middle.scrollHeight);
          new MutationObserver(follow).observe(middle, { childList: true, subtree: true });
          follow();
        }"""
    )
    expect(page.locator('.cid-tile[aria-posinset="122"]')).to_be_visible()


def test_many_images_are_walked_by_keyboard(show: Show) -> None:
    page, stage = show(Browser(pretend.filled(119)), "browser")
    page.locator(".cid-tile").first.click()
    for _ in range(14):
        page.keyboard.press("ArrowDown")
    focused = page.locator(".cid-tile:focus")
    at = int(focused.get_attribute("aria-posinset") or 0)
    assert at > 30
    expect(focused).to_be_in_viewport(ratio=0.9)
    middle = page.locator(".cid-middle")
    middle.evaluate("el => el.scrollTo(0, 0)")
    expect(page.locator('.cid-tile[aria-posinset="1"]')).to_be_visible()
    page.keyboard.press("ArrowRight")  # goes on where it was, though that is out of sight
    expect(focused).to_have_attribute("aria-posinset", str(at + 1))
    expect(focused).to_be_in_viewport(ratio=0.9)
    page.keyboard.press("Home")
    expect(focused).to_have_attribute("aria-posinset", "1")
    expect(focused).to_be_in_viewport(ratio=0.9)
    wait_until(lambda: stage.widget.selected == ["i0"])


def test_the_order_is_chosen(shown: tuple[Page, Stage]) -> None:
    page, stage = shown
    order = page.get_by_role("combobox", name="Order")
    order.select_option(label="Name")
    expect(page.locator(".cid-tile .cid-name").first).to_have_text("ihc")
    assert stage.widget.sort == "name"
    stage.widget.sort = "oldest"
    expect(order).to_have_value("oldest")


def test_everything_fits_at_600_pixels(show: Show) -> None:
    page, _ = show(Browser(pretend.screen()), "browser", width=600)
    page.get_by_role("checkbox", name="A549").check()
    expect(page.locator(".cid-chip")).to_be_visible()
    page.get_by_role("button", name="How to search").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 600
    help_box = page.get_by_role("region", name="How to search").bounding_box()
    assert help_box is not None
    assert help_box["x"] + help_box["width"] <= 600
