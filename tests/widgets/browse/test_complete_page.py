"""The details pane: how complete an image is, and why something is not known."""

from __future__ import annotations

import pretend
from playwright.sync_api import expect
from stage import Show

from cid_widgets import Browser

UNKNOWN = {
    "Lasers": "the file does not say; register: 3 lasers, the file does not say which",
    "User": f"the file does not say; {pretend.HOSTILE} brought it",
}


def test_the_details_say_what_is_missing_and_why(show: Show, catalog: pretend.Catalog) -> None:
    image = next(one for one in catalog.records if one["name"] == "nuclei A02")
    image |= {"completeness": 10 / 12, "unknown": UNKNOWN}
    whole = next(one for one in catalog.records if one["name"] == "nuclei A03")
    whole |= {"completeness": 1.0, "unknown": {}}
    page, _ = show(Browser(catalog), "browser")
    page.locator(".cid-tile").filter(has_text="nuclei A02").first.click()
    bar = page.get_by_role("meter", name="Completeness")
    expect(bar).to_have_attribute("aria-valuetext", "83 %, 2 unknown")
    expect(bar).to_have_attribute("title", "Lasers, User")
    told = page.locator(".cid-complete")
    expect(told.locator("dt")).to_have_text(["Lasers", "User"])
    expect(told.locator("dd")).to_have_text(list(UNKNOWN.values()))
    assert told.locator("img").count() == 0
    page.locator(".cid-tile").filter(has_text="nuclei A03").first.click()
    expect(told).to_contain_text("all that is asked is there")
    expect(told.locator("dt")).to_have_count(0)
    page.locator(".cid-tile").filter(has_text="nuclei A01").first.click()
    expect(page.get_by_role("heading", name="nuclei A01")).to_be_visible()
    expect(told).to_have_count(0)  # nothing is asked of it
