from __future__ import annotations

import re

import pretend_past
import pytest
from playwright.sync_api import expect
from pretend import Refused
from stage import Show

from cid_widgets import Trash


@pytest.fixture
def catalog() -> pretend_past.Past:
    return pretend_past.filled()


def test_what_lies_in_it_comes_back_or_goes(show: Show, catalog: pretend_past.Past) -> None:
    trash = Trash(catalog, "demo")
    page, _ = show(trash, "trash")
    expect(page.locator("h3")).to_have_text("Trash of Cytokinesis screen")
    expect(page.get_by_role("status")).to_contain_text("6.0 GB lie here")
    lines = page.locator(".cid-thrown")
    expect(lines).to_have_count(3)
    first = lines.first
    expect(first).to_contain_text("40 records · 2 datasets · 3.0 GB")
    expect(first).to_contain_text("thrown away by ben")
    expect(first).to_contain_text("26 days left")
    expect(first.locator('[data-state="shown"]')).to_have_count(6)
    expect(lines.last.locator(".cid-warn")).to_have_text("1 day left")
    assert page.title() != "owned"

    first.get_by_role("button", name="Restore").focus()
    page.keyboard.press("Enter")
    expect(lines).to_have_count(2)
    expect(lines.first.get_by_role("button", name="Restore")).to_be_focused()
    expect(page.get_by_role("status")).to_have_text(
        "dataset screen/old plate is back where it was."
    )
    assert ("restore", "t0") in catalog.asked

    remove = lines.first.get_by_role("button", name="Remove for good…")
    remove.click()
    sure = lines.first.get_by_role("button", name="Really remove 3.0 GB?")
    expect(sure).to_be_visible()
    assert "purge" not in [asked[0] for asked in catalog.asked]
    page.keyboard.press("Tab")  # going elsewhere means no
    expect(remove).to_be_visible()
    remove.click()
    sure.click()
    expect(lines).to_have_count(1)
    assert ("purge", "t1") in catalog.asked
    trash.restore("t2")
    expect(page.get_by_text("The trash is empty.")).to_be_visible()


@pytest.mark.parametrize(("role", "buttons"), [("viewer", 0), ("contributor", 3), ("", 6)])
def test_one_is_offered_what_the_role_allows(
    show: Show, catalog: pretend_past.Past, role: str, buttons: int
) -> None:
    catalog.role = role
    page, _ = show(Trash(catalog, "demo"), "trash", width=600)
    expect(page.locator(".cid-thrown")).to_have_count(3)
    expect(page.locator(".cid-thrown button")).to_have_count(buttons)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_pictures_are_fetched_again_when_their_tickets_have_ended(
    show: Show, catalog: pretend_past.Past
) -> None:
    page, _ = show(Trash(catalog, "demo"), "trash", ended=True)
    expect(page.locator('.cid-thrown [data-state="shown"]')).to_have_count(8)


def test_a_refusal_leaves_everything_there(show: Show, catalog: pretend_past.Past) -> None:
    trash = Trash(catalog, "demo")
    page, _ = show(trash, "trash")
    catalog.trouble = Refused("project 'demo' is closed: nothing in it changes")
    page.get_by_role("button", name=re.compile("^Restore")).first.click()
    expect(page.get_by_role("alert")).to_have_text(
        "project 'demo' is closed: nothing in it changes"
    )
    expect(page.get_by_role("button", name=re.compile("^Restore")).first).not_to_have_attribute(
        "aria-disabled", "true"
    )
    expect(page.locator(".cid-thrown")).to_have_count(3)
    trash.restore("t9")
    assert "did not work" in trash.error
