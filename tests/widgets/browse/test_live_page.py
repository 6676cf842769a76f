"""Live datasets, names and links in a real browser."""

from __future__ import annotations

import pretend
from playwright.sync_api import expect
from processes import wait_until
from stage import Show

from cid_widgets import Browser


def test_a_search_is_saved_and_its_query_changed(show: Show) -> None:
    catalog = pretend.screen()
    page, stage = show(Browser(catalog, project="demo"), "browser")
    stage.widget.dataset, stage.widget.query = "screen/plate 1", "A0"
    page.get_by_role("button", name="Save search…").click()
    panel = page.get_by_role("region", name="Save this search")
    expect(panel.get_by_label("Finds")).to_have_value('A0 in:"screen/plate 1"')
    expect(panel.get_by_label("Name")).to_be_focused()
    panel.get_by_role("button", name="Save search").click()
    expect(panel.get_by_text("Give it a name.")).to_be_visible()
    options = panel.get_by_label("Project").locator("option")
    expect(options).to_have_text(["Cytokinesis screen"])  # where the role lets one
    panel.get_by_label("Name").fill("bright")
    page.keyboard.press("Enter")
    expect(panel.get_by_text("there is a dataset 'bright' already")).to_be_visible()
    panel.get_by_label("Name").fill("early")
    panel.get_by_label("Finds").fill("A0")
    page.keyboard.press("Enter")
    expect(panel.get_by_text("Saved as demo / early.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Save search…")).to_be_focused()

    page.get_by_role("treeitem", name="early, live").click()
    expect(page.locator(".cid-live")).to_have_text("Live: what A0 finds now Change…")
    box = page.get_by_role("combobox", name="Search names and tags")
    box.fill("")
    expect(page.get_by_role("listbox", name="How to go on")).to_be_visible()
    page.keyboard.press("Escape")  # it would lie above what is pressed next
    expect(page.locator(".cid-status")).to_have_text("10 images")
    page.get_by_role("button", name="Change…").click()
    page.get_by_label("What this dataset looks for").fill("A01")
    page.keyboard.press("Enter")
    expect(page.locator(".cid-live")).to_have_text("Live: what A01 finds now Change…")
    expect(page.locator(".cid-status")).to_have_text("2 images")
    page.get_by_role("treeitem", name="All projects").click()
    expect(page.locator(".cid-live")).to_be_hidden()


def test_a_name_is_edited_where_the_role_may(show: Show) -> None:
    catalog = pretend.screen()
    page, stage = show(Browser(catalog), "browser")
    details = page.get_by_role("complementary", name="Details")
    page.locator('.cid-tile[data-uid="i2"]').click()
    expect(details.get_by_role("heading", name="nuclei A03")).to_be_visible()
    page.keyboard.press("F2")
    name = details.get_by_role("textbox", name="Name")
    expect(name).to_be_focused()
    page.keyboard.press("Escape")
    expect(details.get_by_role("heading", name="nuclei A03")).to_be_visible()
    details.get_by_role("heading", name="nuclei A03").dblclick()
    name.fill("metaphase")
    page.keyboard.press("Enter")
    expect(details.get_by_role("heading", name="metaphase")).to_be_visible()
    expect(page.locator('.cid-tile[data-uid="i2"] .cid-name')).to_have_text("metaphase")
    assert ("rename", "i2", "metaphase") in catalog.asked
    expect(details).to_contain_text("Renamed, was nuclei A03.")
    details.get_by_role("button", name="Undo").click()
    expect(page.locator('.cid-tile[data-uid="i2"] .cid-name')).to_have_text("nuclei A03")
    wait_until(lambda: stage.widget.detail["name"] == "nuclei A03")

    stage.widget.query = "ihc"
    page.locator('.cid-tile[data-uid="p0"]').click()  # a viewer there
    expect(details.get_by_role("heading", name="ihc")).to_be_visible()
    details.get_by_role("heading", name="ihc").dblclick()
    expect(name).to_have_count(0)


def test_tags_link_to_what_the_world_knows_and_to_nothing_else(show: Show) -> None:
    catalog = pretend.filled()
    link = "https://example.org/CVCL_0030"
    catalog.records[0]["tags"][3]["link"] = link
    catalog.records[0]["tags"][4]["link"] = "javascript:document.title='owned'"
    page, _ = show(Browser(catalog), "browser")
    page.locator(".cid-tile").first.click()
    links = page.get_by_role("complementary", name="Details").get_by_role("link")
    expect(links).to_have_count(1)
    expect(links).to_have_attribute("href", link)
    expect(links).to_have_attribute("rel", "noopener noreferrer")
