from __future__ import annotations

import json

import pretend
import pretend_tags
import pytest
from playwright.sync_api import Locator, Page, expect
from processes import wait_until
from stage import Show

from cid_widgets import Browser, Tagger


@pytest.fixture
def catalog() -> pretend_tags.Tagged:
    return pretend_tags.tagged(500)


def shown(show: Show, catalog: pretend_tags.Tagged, **how: int) -> tuple[Page, Tagger]:
    tagger = Tagger([one["uid"] for one in catalog.records], catalog)
    page, _ = show(tagger, "tagger", **how)
    return page, tagger


def field(page: Page, key: str) -> Locator:
    return page.locator(f'.cid-tag-field[data-key="{key}"]')


def would(page: Page) -> Locator:
    return page.locator(".cid-would")


def settled(tagger: Tagger, wanted: dict[str, object], *ways: str) -> None:
    """Wait until the kernel has heard of these changes."""

    def told() -> dict[str, object]:
        return {way: given for way, given in tagger.changes.items() if way in ways or not ways}

    wait_until(lambda: told() == wanted, what=f"the changes are {wanted}")


def applied(catalog: pretend_tags.Tagged) -> list[dict[str, object]]:
    return [one[2] for one in catalog.asked if one[0] == "annotate" and one[3] is False]


def test_500_images_are_tagged_by_keyboard_alone_and_taken_back(
    show: Show, catalog: pretend_tags.Tagged
) -> None:
    page, tagger = shown(show, catalog)
    expect(page.get_by_text("500 images of demo")).to_be_visible()
    cell = page.get_by_role("combobox", name="Cell type")
    expect(cell).to_have_attribute("placeholder", "several values")
    expect(field(page, "Cell type").locator(".cid-tag-spread")).to_have_text(
        "HeLa 300HEK 293 180none 20"
    )
    page.keyboard.press("Tab")
    expect(cell).to_be_focused()
    page.keyboard.type("he")
    page.get_by_role("option", name="HEK 293").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(cell).to_have_value("HEK 293")
    expect(would(page)).to_have_text("320 images will change, 180 have it already")
    stains = page.get_by_role("combobox", name="Staining")
    stains.focus()
    page.keyboard.type("gfp")
    page.keyboard.press("Enter")
    note = field(page, "Staining").get_by_text("“gfp” is written “GFP” here.")
    expect(note).to_be_visible()
    expect(stains).to_be_focused()
    page.keyboard.press("Control+Enter")
    said = page.get_by_text("500 images changed")
    expect(said).to_be_visible()
    assert applied(catalog) == [{"set": {"Cell type": "HEK 293"}, "add": {"Staining": ["GFP"]}}]
    assert tagger.values["Cell type"] == {"HEK 293": 500}
    expect(field(page, "Cell type").locator(".cid-tag-spread")).to_have_count(0)
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.get_by_text("Taken back.")).to_be_visible()
    expect(cell).to_have_value("")
    assert tagger.values["Cell type"] == {"HeLa": 300, "HEK 293": 180}


def test_only_what_is_touched_is_changed_and_escape_leaves_it(
    show: Show, catalog: pretend_tags.Tagged
) -> None:
    page, tagger = shown(show, catalog)
    button = page.get_by_role("button", name="Apply to 500 images")
    expect(button).to_be_disabled()
    cell = page.get_by_role("combobox", name="Cell type")
    cell.fill("Vero")
    cell.press("Enter")
    expect(button).to_be_enabled()
    settled(tagger, {"set": {"Cell type": "Vero"}})
    cell.press("Escape")
    expect(cell).to_have_value("")
    expect(button).to_be_disabled()
    settled(tagger, {})
    page.get_by_role("button", name="Take Cell type off all").click()
    expect(cell).to_have_attribute("placeholder", "taken off")
    expect(would(page)).to_have_text("480 images will change, 20 have it already")
    page.get_by_role("button", name="Reset").click()
    settled(tagger, {})
    field(page, "Cell type").get_by_role("button", name="HeLa").click()
    expect(would(page)).to_have_text("200 images will change, 300 have it already")
    tagger.changes = {"set": {"Treatment": "mock"}}
    expect(page.get_by_role("combobox", name="Treatment")).to_have_value("mock")
    expect(cell).to_have_value("")


def test_chips_are_added_taken_off_and_kept(show: Show, catalog: pretend_tags.Tagged) -> None:
    page, tagger = shown(show, catalog)
    mine = field(page, "Staining")
    expect(mine.locator(".cid-tag-value")).to_have_text(["DAPI×", "GFP13+×"])
    mine.get_by_role("button", name="Add GFP to all").click()
    expect(would(page)).to_have_text("487 images will change, 13 have it already")
    mine.get_by_role("button", name="Take DAPI off").click()
    stains = page.get_by_role("combobox", name="Staining")
    stains.fill("RFP")
    page.get_by_role("option", name="Add “RFP”").click()
    expect(mine.locator('[data-state="added"]')).to_have_text(["GFP×", "RFP×"])
    wanted = {"add": {"Staining": ["GFP", "RFP"]}, "remove": {"Staining": ["DAPI"]}}
    settled(tagger, wanted)
    stains.fill("r")
    expect(page.get_by_role("option").first).to_have_text("RFP")
    stains.press("Escape")
    stains.press("Escape")
    expect(stains).to_have_value("")
    stains.press("Backspace")
    expect(mine.locator('[data-state="added"]')).to_have_text(["GFP×"])
    mine.get_by_role("button", name="Keep DAPI").click()
    settled(tagger, {"add": {"Staining": ["GFP"]}})
    page.get_by_role("button", name="Apply to 500 images").click()
    expect(page.get_by_text("487 images changed, 13 had it already")).to_be_visible()
    expect(mine.locator(".cid-tag-value")).to_have_text(["DAPI×", "GFP×"])


def test_a_spelling_much_like_another_is_one_click_to_mend_or_to_keep(
    show: Show, catalog: pretend_tags.Tagged
) -> None:
    page, tagger = shown(show, catalog)
    stains = page.get_by_role("combobox", name="Staining")
    stains.fill("Phaloidin")
    stains.press("Enter")
    field(page, "Staining").get_by_role("button", name="use “Phalloidin”").click()
    expect(field(page, "Staining").get_by_text("much like")).to_have_count(0)
    settled(tagger, {"add": {"Staining": ["Phalloidin"]}})
    cell = page.get_by_role("combobox", name="Cell type")
    cell.fill("HEK 294")
    cell.press("Enter")
    field(page, "Cell type").get_by_role("button", name="keep mine").click()
    expect(field(page, "Cell type").get_by_text("much like")).to_have_count(0)
    settled(tagger, {"set": {"Cell type": "HEK 294"}}, "set")


def test_a_wrong_value_is_marked_at_its_field_and_nothing_is_applied(
    show: Show, catalog: pretend_tags.Tagged
) -> None:
    page, tagger = shown(show, catalog)
    for key, wrong, said in (
        ("Passage", "seven", "a number, not 'seven'"),
        ("Operator", "0001", "'0001' is no ORCID, as in 0000-0002-1825-0097"),
        ("Fixation", "ether", "'ether' is not one of 'PFA', 'methanol', 'live' mona may add it."),
    ):
        box = page.get_by_label(key, exact=True)
        box.fill(wrong)
        box.press("Enter")
        expect(field(page, key).locator('[data-mood="bad"]')).to_have_text(said)
        expect(box).to_have_attribute("aria-invalid", "true")
        page.keyboard.press("Control+Enter")
        box.press("Escape")
        expect(box).to_have_attribute("aria-invalid", "false")
    assert applied(catalog) == []
    number = page.get_by_label("Section", exact=True)
    number.fill("0.5")
    number.press("Tab")
    expect(would(page)).to_have_text("500 images will change")
    settled(tagger, {"set": {"Section": 0.5}})


def test_a_manager_adds_choices_and_terms_others_read_whom_to_ask(show: Show) -> None:
    catalog = pretend_tags.tagged(20, "manager")
    page, tagger = shown(show, catalog)
    box = page.get_by_label("Fixation", exact=True)
    box.fill("glyoxal")
    page.get_by_role("option", name="Make “glyoxal” a choice").click()
    expect(would(page)).to_have_text("20 images will change")
    assert catalog.declared["Fixation"][-1] == "glyoxal"
    name = page.get_by_label("Another tag")
    name.fill("Dose")
    page.get_by_label("Type", exact=True).select_option("number")
    page.get_by_label("Unit").fill("Gy")
    page.get_by_label("Unit").press("Enter")
    expect(page.get_by_label("Dose", exact=True)).to_be_focused()
    expect(field(page, "Dose").locator(".cid-unit")).to_have_text("Gy")
    assert ("add_term", "Dose", {"type": "number", "unit": "Gy"}) in catalog.asked

    catalog = pretend_tags.tagged(20)
    page, tagger = shown(show, catalog)
    name = page.get_by_label("Another tag")
    name.fill("Mood")
    expect(page.get_by_text("For one with a type, a unit or a list, ask mona.")).to_be_visible()
    name.press("Enter")
    box = page.get_by_label("Mood", exact=False).and_(page.get_by_role("combobox"))
    expect(box).to_be_focused()
    box.fill("good")
    box.press("Enter")
    expect(would(page)).to_have_text("20 images will change")
    settled(tagger, {"set": {"Mood": "good"}})
    name.fill("CELL TYPE")
    name.press("Enter")
    expect(page.get_by_role("combobox", name="Cell type")).to_be_focused()


def test_a_viewer_sees_the_card_without_inputs_and_why(show: Show) -> None:
    page, _ = shown(show, pretend_tags.tagged(20, "viewer"), width=600)
    expect(page.get_by_role("note")).to_contain_text("You are viewer in demo")
    expect(page.get_by_role("textbox")).to_have_count(0)
    expect(page.get_by_role("combobox")).to_have_count(0)
    expect(page.get_by_role("button")).to_have_count(0)
    expect(field(page, "Cell type")).to_contain_text("HeLa")
    link = page.get_by_role("link", name="0000-0002-1825-0097")
    expect(link).to_have_attribute("href", "https://orcid.org/0000-0002-1825-0097")
    apart = page.get_by_role("region", name="Set at import")
    expect(apart).to_contain_text("Exposure120 ms instrument")


def test_names_and_values_stay_text_and_the_card_is_saved(show: Show) -> None:
    catalog = pretend_tags.tagged(3)
    catalog.said["i0"]["Cell type"] = [pretend.HOSTILE]
    catalog.words[pretend.HOSTILE] = pretend_tags.term(pretend.HOSTILE, help=pretend.HOSTILE)
    page, _ = shown(show, catalog)
    expect(page.get_by_text(pretend.HOSTILE).first).to_be_visible()
    with page.expect_download() as got:
        page.get_by_role("button", name="Card as JSON Schema").click()
    assert got.value.suggested_filename == "demo.card.json"
    card = json.loads(got.value.path().read_text(encoding="utf-8"))
    assert "Cell type" in card["properties"]
    assert page.title() == "stage"


def test_a_refusal_is_shown_and_the_buttons_work_again(
    show: Show, catalog: pretend_tags.Tagged
) -> None:
    page, _ = shown(show, catalog)
    cell = page.get_by_role("combobox", name="Cell type")
    cell.fill("HeLa")
    cell.press("Enter")
    expect(would(page)).to_have_text("200 images will change, 300 have it already")
    catalog.trouble = pretend.Refused("this project is closed: nothing in it changes")
    page.get_by_role("button", name="Apply to 500 images").click()
    expect(page.get_by_role("alert")).to_have_text("this project is closed: nothing in it changes")
    catalog.trouble = None
    page.get_by_role("button", name="Apply to 500 images").click()
    expect(page.get_by_text("200 images changed, 300 had it already")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_browser_tags_what_is_selected_and_follows_it(show: Show) -> None:
    catalog = pretend_tags.tagged(20)
    page, stage = show(Browser(catalog), "browser")
    tiles = page.locator(".cid-tile")
    tiles.nth(0).click()
    tiles.nth(2).click(modifiers=["Shift"])
    page.get_by_role("button", name="Tag…").click()
    panel = page.get_by_role("region", name="Tags")
    expect(panel.get_by_text("3 images of demo")).to_be_visible()
    expect(panel.get_by_role("button", name="Apply to 3 images")).to_be_in_viewport()
    treatment = panel.get_by_role("combobox", name="Treatment")
    treatment.fill("mock")
    treatment.press("Enter")
    expect(would(page)).to_have_text("3 images will change")
    tiles.nth(3).click(modifiers=["Control"])
    expect(panel.get_by_text("4 images of demo")).to_be_visible()
    expect(would(page)).to_have_text("4 images will change")
    treatment.focus()
    page.keyboard.press("Control+Enter")
    expect(panel.get_by_text("4 images changed")).to_be_visible()
    assert stage.widget.tag_values["Treatment"] == {"mock": 4}
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_be_hidden()
    expect(page.get_by_role("button", name="Tag…")).to_be_focused()
