"""The vocabulary in a real browser, by mouse and keyboard."""

from __future__ import annotations

import pretend_vocabulary
import pytest
from playwright.sync_api import Page, expect
from pretend import HOSTILE, Refused
from pretend_vocabulary import Vocabularies
from stage import Show

from cid_widgets import Vocabulary


@pytest.fixture
def words() -> Vocabularies:
    return pretend_vocabulary.filled()


def row(page: Page, key: str) -> object:
    return page.locator(".cid-voc-row", has=page.get_by_role("button", name=key, exact=True))


def test_spellings_that_are_alike_are_merged_and_taken_back(
    show: Show, words: Vocabularies
) -> None:
    vocabulary = Vocabulary(words, "demo")
    page, _ = show(vocabulary, "vocabulary", width=600)
    expect(page.get_by_text("6 own terms, 4 of the facility")).to_be_visible()
    expect(row(page, "Cell type")).to_contain_text("HeLa, HEK 293, COS-7 and 2 more")
    expect(row(page, "Staining")).to_contain_text("1 alike")
    expect(row(page, "Section")).to_contain_text("number, µm")
    page.get_by_role("button", name="Staining", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Staining", exact=True)).to_be_focused()
    expect(page.get_by_text("its values are renamed in demo only")).to_be_visible()
    box = page.locator(".cid-voc-pair")
    expect(box).to_contain_text("3 records will change.")
    box.get_by_role("radio").last.check()
    expect(box.get_by_role("button")).to_have_text("Merge into “gfp protein”")
    expect(box).to_contain_text("120 records will change.")
    box.get_by_role("radio").last.press("ArrowLeft")
    box.get_by_role("button").press("Enter")
    status = page.get_by_role("status").first
    expect(status).to_have_text("3 records changed: “gfp protein” is “GFP” now.")
    expect(box).to_have_count(0)
    expect(page.get_by_role("button", name="Staining", exact=True)).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(status).to_have_text("Taken back.")
    expect(box).to_have_count(1)

    # a value by hand: completed, told what will be, refused and tried again
    page.get_by_role("button", name="Rename Phalloidin 488").click()
    name = page.get_by_role("combobox", name="New name of Phalloidin 488")
    expect(name).to_be_focused()
    name.fill("da")
    page.get_by_role("option", name="DAPI").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(name).to_have_value("DAPI")
    form = page.locator(".cid-voc-renaming")
    expect(form).to_contain_text("They become one with “DAPI” (480). 61 records will change.")
    name.fill("Phalloidin")
    words.trouble = Refused("the catalog is away")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="the catalog is away")).to_be_visible()
    words.trouble = None
    expect(name).to_have_value("Phalloidin")
    page.keyboard.press("Enter")
    expect(status).to_have_text("61 records changed: “Phalloidin 488” is “Phalloidin” now.")
    page.get_by_role("button", name="Rename DAPI").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Rename DAPI")).to_be_focused()

    # from Python: hostile names are text
    vocabulary.opened = "Cell type"
    expect(page.locator(".cid-voc-values").get_by_text(HOSTILE)).to_be_visible()
    assert page.title() != "owned"
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_terms_are_found_added_renamed_merged_and_retired(show: Show, words: Vocabularies) -> None:
    vocabulary = Vocabulary(words, "demo")
    page, _ = show(vocabulary, "vocabulary")
    status = page.get_by_role("status").first
    find = page.get_by_label("Find a term")
    find.fill("noco")  # a value finds its term
    expect(page.locator(".cid-voc-row")).to_have_count(1)
    find.fill("Genotype")
    page.get_by_role("button", name="add “Genotype”").click()
    form = page.get_by_role("form", name="Add a term")
    key = form.get_by_label("Key of the new term")
    expect(key).to_have_value("Genotype")
    key.fill("cell-TYPE")
    expect(form).to_contain_text("There is “Cell type” already.")
    key.fill("Genotype")
    form.get_by_label("Type", exact=True).select_option("choice")
    form.get_by_label("Values", exact=True).fill("wild type, knock-out,")
    key.press("Enter")
    expect(status).to_have_text("“Genotype” was added.")
    expect(key).to_be_focused()
    expect(key).to_have_value("")
    how = {"type": "choice", "values": ["wild type", "knock-out"]}
    assert [one for one in words.asked if one[0] == "add"] == [("add", "Genotype", how)]
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Add a term")).to_be_focused()
    expect(row(page, "Genotype")).to_be_visible()
    find.press("Escape")

    page.get_by_role("button", name="Cell line", exact=True).click()
    line = page.get_by_label("Name", exact=True)
    expect(page.get_by_text("At once in 12 records.")).to_be_visible()
    line.fill("Line")
    line.press("Enter")
    expect(status).to_have_text("12 records changed: “Cell line” is “Line” now.")
    expect(line).to_be_focused()
    page.get_by_label("Values to declare").fill("HeLa, COS-7")
    page.keyboard.press("Enter")
    expect(status).to_have_text("2 values are declared in “Line”.")
    page.get_by_label("Merge into").select_option("Cell type")
    expect(page.get_by_text("12 records will change. “Line” is then retired.")).to_be_visible()
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(status).to_contain_text("12 records changed: “Line” went into “Cell type”")
    expect(row(page, "Line")).to_have_count(0)
    expect(page.get_by_role("button", name="Cell type", exact=True)).to_have_attribute(
        "aria-expanded", "true"
    )
    page.get_by_label("retired ones too (2)").check()
    assert vocabulary.with_retired is True
    page.get_by_role("button", name="Clone", exact=True).click()
    page.get_by_role("button", name="Bring back").press("Enter")
    expect(status).to_have_text("“Clone” is offered again.")
    expect(page.get_by_role("button", name="Retire")).to_be_focused()
    vocabulary.filter = "no such term"
    expect(page.get_by_text("No term is called so")).to_be_visible()


def test_who_does_not_manage_it_reads(show: Show) -> None:
    words = pretend_vocabulary.filled(role="viewer")
    words.uncountable = Refused("keys: fewer of them at once")
    vocabulary = Vocabulary(words, "demo")
    page, _ = show(vocabulary, "vocabulary", width=600)
    reads = page.get_by_role("status").filter(
        has_text="Managers of demo change its terms: ask mia."
    )
    expect(reads).to_be_visible()
    page.clock.install()
    page.get_by_role("button", name="Refresh").click()
    page.clock.fast_forward(10_000)
    expect(reads).to_be_visible()  # it does not wait any more
    page.get_by_role("button", name="Staining", exact=True).click()
    expect(page.locator(".cid-voc-pair")).to_contain_text("gfp protein")
    expect(page.locator(".cid-voc-panel").get_by_role("button")).to_have_count(0)
    expect(page.locator(".cid-voc-panel").get_by_role("textbox")).to_have_count(0)
    expect(page.get_by_role("button", name="Add a term")).to_be_hidden()
    vocabulary.opened = "Request"
    expect(page.get_by_text(r"OI-\d{4,6}")).to_be_visible()
    page.get_by_role("button", name="Request", exact=True).press("Enter")
    expect(page.locator(".cid-voc-panel")).to_have_count(0)
