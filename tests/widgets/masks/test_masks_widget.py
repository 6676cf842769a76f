"""Masks as a widget: form, YAML and preview in step; by mouse and keyboard in a real browser."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect
from pretend import HOSTILE
from pretend_masks import TEXT, Facility, Masks
from stage import Show

import cid_widgets
from cid_widgets.masks import shapes


def test_draft_and_document_are_one_thing_from_python() -> None:
    widget = cid_widgets.Masks(Facility(), "Confocal 1")
    assert (widget.staff, widget.text, widget.saved) == (True, TEXT, TEXT)
    assert widget.instruments == ["Confocal 1"]
    widget.names = "HeLa_1.tif\nx.tif"
    assert [one["good"] for one in widget.tried] == [True, False]
    assert {one["file"] for one in widget.wrong} == {"x.tif"}
    fields = [*widget.document["fields"], {"key": "Passage", "type": "number"}]
    widget.write({**widget.document, "fields": fields})
    assert widget.text.endswith("  - key: Passage\n    type: number\n")
    widget.text += "    unt: 1\n"
    assert "did you mean 'unit'" in widget.wrong[0]["message"]
    widget.text = widget.text.replace("    unt: 1\n", "")
    widget.save("passages count")
    assert (widget.done or {})["text"] == "“Confocal 1”, version 2, is saved."
    assert [one["number"] for one in widget.versions] == [2, 1]
    widget.look(2)
    assert widget.changes == {"2": ["Passage added"]}
    widget.put_back(1)
    assert widget.text == TEXT
    widget.retire()
    assert [one["retired"] for one in widget.masks] == [True, False]
    widget.undo()
    assert [one["retired"] for one in widget.masks] == [False, False]
    widget.begin()
    assert widget.document["mask"] == "A new mask"
    widget.save()
    assert len(widget.masks) == 3
    widget.choose("nothing like it")
    assert widget.error


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("", "closed", "added", None, True), "closed yes"),
        (("B", "unit", "removed", "ms", None), "B: unit no longer ms"),
        (("B", "choices", "changed", ["a"], ["a", "b"]), "B: choices a → a, b"),
        (("", "fields", "moved", [], []), "fields in another order"),
        (("B", "minimum", "changed", 0.0, 1.0), "B: minimum 0 → 1"),
        (("B", "maximum", "changed", 1, 2.5), "B: maximum 1 → 2.5"),
        (("B", "", "removed", {}, None), "B removed"),
    ],
)
def test_changes_in_words(change: tuple[object, ...], said: str) -> None:
    keys = ("field", "key", "what", "before", "after")
    assert shapes.changed(dict(zip(keys, change, strict=True))) == said


def test_staff_edits_a_mask_as_a_form_and_as_yaml(show: Show) -> None:
    widget = cid_widgets.Masks(Facility())
    page, _ = show(widget, "masks", width=1000)
    expect(page.get_by_text("Choose a mask.")).to_be_visible()
    page.get_by_role("button", name="Confocal 1", exact=True).press("Enter")
    yaml = page.get_by_role("textbox", name="The mask as YAML")
    expect(yaml).to_have_value(TEXT)
    look = page.get_by_role("group", name="As an uploader sees it")
    expect(look.get_by_label("Cell line")).to_be_visible()
    expect(look).to_contain_text("as in the freezer list")
    expect(look.get_by_label("Cell line")).to_have_value("")
    save = page.get_by_role("button", name="Save", exact=True)
    expect(save).to_be_disabled()

    page.get_by_role("button", name="+ another field").click()
    key = page.get_by_role("textbox", name="key of New field")
    key.fill("Passage")
    key.press("Tab")
    expect(look.get_by_label("Passage")).to_be_visible()
    page.get_by_role("combobox", name="type of Passage").select_option("number")
    unit = page.get_by_role("textbox", name="unit of Exposure")
    expect(unit).to_have_value("ms")
    page.get_by_role("checkbox", name="required of Passage").check()
    page.get_by_role("button", name="move up of Passage").press("Enter")
    expect(page.get_by_role("button", name="move up of Passage")).to_be_focused()
    expect(look.locator("label").nth(3)).to_have_text("Passage *")
    expect(yaml).to_be_editable()  # the kernel has answered
    expect(yaml).to_have_value(re.compile("Passage"))
    assert [one["key"] for one in widget.document["fields"]][3] == "Passage"
    expect(save).to_be_enabled()

    # wrong in the text: told with its line, and not saved
    good = yaml.input_value()
    yaml.fill(good.replace("type: number", "type: numbr", 1))
    wrong = page.get_by_role("status", name="What is wrong")
    expect(wrong).to_contain_text("type: it must be")
    expect(save).to_be_disabled()
    wrong.get_by_role("button").first.click()
    expect(yaml).to_be_focused()
    yaml.fill(good)
    expect(wrong).to_be_empty()

    names = page.get_by_role("textbox", name="Names to try it on")
    names.fill("u2os_7.tif\nvero_8.tif")
    tried = page.get_by_role("region", name="Try it on file names")
    asked = "u2os_7.tif would be taken once somebody says Passage: Cell line U2OS"
    expect(tried).to_contain_text(asked)
    expect(tried).to_contain_text("vero_8.tif would be refused")
    expect(tried).to_contain_text("Cell line: 'vero' is not one of 'HeLa', 'U2OS'")
    expect(wrong).to_be_empty()
    page.get_by_role("checkbox", name="required of Passage").uncheck()
    expect(tried).to_contain_text("u2os_7.tif would be taken: Cell line U2OS")

    # what is not saved is not lost by one click
    page.get_by_role("button", name=HOSTILE, exact=True).click()
    expect(page.get_by_text("Press again to leave it.")).to_be_visible()
    page.get_by_role("textbox", name="Why it is saved").fill("passages count")
    save.press("Enter")
    expect(page.get_by_text("“Confocal 1”, version 2, is saved.")).to_be_visible()
    page.get_by_role("button", name="what version 2 changed").click()
    versions = page.get_by_role("region", name="Versions")
    expect(versions).to_contain_text("Passage added")
    page.get_by_role("button", name="take version 1 as the draft").click()
    expect(yaml).to_have_value(TEXT)
    page.get_by_role("button", name="Retire").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back.")).to_be_visible()
    assert page.title() != "owned"


class Slow(Masks):
    """Masks that answer when they are let."""

    def __init__(self) -> None:
        super().__init__((TEXT, "as installed"))
        self.free = threading.Event()
        self.free.set()
        self.asked = 0

    def check(self, files: Iterable[str] = (), *, source: Any) -> Any:
        self.asked += 1
        assert self.free.wait(60)
        return super().check(files, source=source)


@pytest.fixture
def slow() -> Iterator[Slow]:
    masks = Slow()
    yield masks
    masks.free.set()


def keys(widget: cid_widgets.Masks) -> list[str]:
    return [one["key"] for one in widget.document["fields"]]


def test_edits_of_the_form_outrun_the_kernel_and_none_is_lost(show: Show, slow: Slow) -> None:
    widget = cid_widgets.Masks(Facility(masks=slow), "Confocal 1")
    page, stage = show(widget, "masks", width=1000)
    look = page.get_by_role("group", name="As an uploader sees it")
    yaml = page.get_by_role("textbox", name="The mask as YAML")
    expect(look.locator("label")).to_have_count(4)
    slow.free.clear()
    page.get_by_role("button", name="+ another field").click()
    page.get_by_role("textbox", name="key of New field").fill("Passage")
    page.get_by_role("textbox", name="key of New field").press("Tab")
    expect(page.get_by_role("combobox", name="type of Passage")).to_be_focused()
    page.get_by_role("combobox", name="type of Passage").select_option("number")
    page.get_by_role("checkbox", name="required of Passage").check()
    up = page.get_by_role("button", name="move up of Passage")
    up.press("Enter")
    expect(up).to_be_focused()
    up.press("Enter")
    page.get_by_role("button", name="remove of Dish").click()
    expect(look.locator("label")).to_have_text(["Cell line *", "Exposure", "Passage *", "Fixed on"])
    unit = page.get_by_role("textbox", name="unit of Passage")
    unit.fill("times")  # and not yet left
    expect(yaml).not_to_be_editable()
    assert widget.text == TEXT

    slow.free.set()
    expect(yaml).to_have_value(re.compile("Passage"))
    expect(yaml).to_be_editable()
    expect(unit).to_be_focused()
    expect(unit).to_have_value("times")
    expect(look.locator("label").nth(2)).to_have_text("Passage *")
    assert keys(widget) == ["Cell line", "Exposure", "Passage", "Fixed on"]
    said = {"key": "Passage", "type": "number", "required": True}
    assert widget.document["fields"][2] == said
    unit.press("Tab")
    expect(yaml).to_have_value(re.compile("unit: times"))
    expect(yaml).to_be_editable()  # the kernel has answered
    assert widget.document["fields"][2] == {**said, "unit": "times"}
    assert len(stage.questions("write")) == 8


def test_what_is_typed_and_a_press_after_it_are_both_kept(show: Show, slow: Slow) -> None:
    widget = cid_widgets.Masks(Facility(masks=slow), "Confocal 1")
    page, stage = show(widget, "masks", width=1000)
    yaml = page.get_by_role("textbox", name="The mask as YAML")
    expect(yaml).to_have_value(TEXT)
    slow.free.clear()
    yaml.fill(TEXT.replace("Dish", "Well").replace("glass]", "glass, wood]"))
    page.get_by_role("checkbox", name="required of Exposure").check()
    expect(yaml).not_to_be_editable()
    page.get_by_role("button", name="+ another field").click()
    assert stage.questions("write") == []  # it waits for what was typed
    slow.free.set()
    expect(yaml).to_have_value(re.compile("New field"))
    expect(yaml).to_be_editable()
    assert keys(widget) == ["Cell line", "Exposure", "Well", "Fixed on", "New field"]
    assert widget.document["fields"][1]["required"] is True

    # a press on Save right after typing saves what was typed
    yaml.fill(yaml.input_value().replace("New field", "Passage"))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("version 2, is saved.")).to_be_visible()
    assert "Passage" in slow["Confocal 1"].record["version"]["text"]

    # while another text is on its way, nothing is edited that would go there
    slow.free.clear()
    page.get_by_role("button", name="take version 1 as the draft").click()
    expect(page.get_by_role("checkbox", name="required of Exposure")).to_be_disabled()
    slow.free.set()
    expect(yaml).to_have_value(TEXT)
    expect(page.get_by_role("checkbox", name="required of Exposure")).to_be_enabled()


def test_others_read_and_try_and_a_narrow_page_holds_it(show: Show) -> None:
    widget = cid_widgets.Masks(Facility(staff=False), "Confocal 1")
    page, _ = show(widget, "masks", width=600)
    expect(page.get_by_text("Facility staff saves masks.")).to_be_visible()
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_hidden()
    expect(page.get_by_role("textbox", name="key of Cell line")).to_be_disabled()
    page.get_by_role("textbox", name="Names to try it on").fill("HeLa_1.tif")
    expect(page.get_by_text("would be taken")).to_be_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_without_masks_it_says_what_that_means(show: Show) -> None:
    page, _ = show(cid_widgets.Masks(Facility(masks=Masks())), "masks", width=800)
    expect(page.get_by_text("There are no masks yet")).to_be_visible()
    page.get_by_role("button", name="New mask").click()
    expect(page.get_by_role("textbox", name="The mask as YAML")).to_be_visible()
    expect(page.get_by_role("heading", name="A new mask")).to_be_visible()
