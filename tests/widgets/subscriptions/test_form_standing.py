"""Below a template's form: the same for every new match of a saved search, counted first."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pretend
import pytest
from playwright.sync_api import expect
from pretend import Refused
from processes import wait_until
from stage import Show

from cid_widgets import RunForm

COUNTED = "412 images match now: 380 would be run, 32 were run already"


class Facility(pretend.Catalog):
    """A small facility whose projects can be subscribed to."""

    searches: list[Any]
    begun: list[tuple[Any, ...]]
    refusal: Exception | None = None
    slow: dict[str, threading.Event]  # searches whose count is waited for

    def project(self, name: str) -> Any:
        def ask(*question: Any) -> None:
            self.begun.append(question)
            if self.refusal is not None:
                raise self.refusal

        def estimate(*what: Any, **how: Any) -> str:
            ask("estimate", name, *what, *([how] if how else []))
            if what[1] in self.slow:
                assert self.slow[what[1]].wait(60)
            return COUNTED if what[1] == "new stacks" else COUNTED.replace("412", "7")

        def subscribe(*what: Any, **how: Any) -> Any:
            ask("subscribe", name, *what, how)
            return SimpleNamespace(end=lambda: ask("end"))

        return SimpleNamespace(datasets=self.searches, estimate=estimate, subscribe=subscribe)


@pytest.fixture
def facility(catalog: pretend.Catalog) -> Facility:
    catalog.__class__ = Facility
    assert isinstance(catalog, Facility)
    catalog.begun = []
    catalog.slow = {}
    catalog.searches = [
        SimpleNamespace(path="a folder", query=None),
        SimpleNamespace(path="new stacks", query="objective:63x"),
        SimpleNamespace(path="plates", query="kind:image plate"),
    ]
    return catalog


def test_it_is_counted_first_then_begun_and_taken_back(show: Show, facility: Facility) -> None:
    page, _ = show(RunForm(facility, "segment-cells", ["i1"]), "run_form", width=600)
    assert facility.begun == []
    page.get_by_label("Sigma").fill("2.5")
    page.get_by_text("Do this for every new match…").click()
    told = page.locator(".cid-standing [role=status]")
    expect(told).to_have_text("Fill in the form above, then count.")
    page.get_by_label("Note").fill("nightly")
    page.get_by_role("button", name="Count again").click()
    expect(told).to_have_text(COUNTED)
    begin = page.get_by_role("button", name="Do it for every new match")
    expect(begin).to_be_enabled()
    search = page.get_by_label("New matches of")
    expect(search.locator("option")).to_have_text(
        ["new stacks (objective:63x)", "plates (kind:image plate)"]
    )
    search.select_option(index=1)
    expect(begin).to_be_enabled()
    expect(told).to_have_text(COUNTED.replace("412", "7"))
    page.get_by_label("A day, at most").fill("5")
    page.get_by_label("Also on those that are there now").check()
    begin.click()
    expect(told).to_have_text("From now on each new match of plates is run once.")
    expect(begin).to_be_disabled()
    page.get_by_role("button", name="Undo").click()
    expect(told).to_have_text("Ended: nothing more begins.")
    expect(begin).to_be_disabled()
    values = {"sigma": 2.5, "min_size": 30, "method": "otsu", "split": True}
    first, second, third, last = facility.begun
    assert first == ("estimate", "demo", "segment-cells", "new stacks", first[4])
    assert {key: first[4][key] for key in values} == values
    assert (second[0], second[3]) == ("estimate", "plates")
    how = {"runs": 100, "runs_a_day": 5, "also_existing": True}
    assert (third[0], third[3], third[5]) == ("subscribe", "plates", how)
    assert last == ("end",)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_an_answer_about_the_search_before_begins_nothing(show: Show, facility: Facility) -> None:
    facility.slow = {"new stacks": threading.Event(), "plates": threading.Event()}
    page, _ = show(RunForm(facility, "segment-cells", ["i1"]), "run_form")
    page.get_by_label("Note").fill("nightly")
    page.get_by_text("Do this for every new match…").click()
    begin = page.get_by_role("button", name="Do it for every new match")
    told = page.locator(".cid-standing [role=status]")
    expect(told).to_have_text("Counting…")
    page.get_by_label("New matches of").select_option(index=1)
    facility.slow["new stacks"].set()
    wait_until(lambda: [one[3] for one in facility.begun] == ["new stacks", "plates"])
    expect(told).to_have_text("Counting…")
    expect(begin).to_be_disabled()
    facility.slow["plates"].set()
    expect(told).to_have_text(COUNTED.replace("412", "7"))
    expect(begin).to_be_enabled()


def test_what_is_refused_or_not_there_is_said(show: Show, facility: Facility) -> None:
    facility.refusal = Refused("search: it finds more than 50000 images")
    page, _ = show(RunForm(facility, "segment-cells", ["i1"]), "run_form")
    page.get_by_label("Note").fill("nightly")
    page.locator(".cid-standing summary").focus()
    page.keyboard.press("Enter")
    told = page.locator(".cid-standing [role=status]")
    expect(told).to_have_text("search: it finds more than 50000 images")
    begin = page.get_by_role("button", name="Do it for every new match")
    expect(begin).to_be_disabled()
    facility.refusal = None
    page.get_by_label("Sigma").fill("99")  # past its bounds
    page.get_by_label("New matches of").select_option(index=1)
    expect(page.get_by_text("Please correct 1 field.")).to_be_visible()
    assert [asked[3] for asked in facility.begun] == ["new stacks"]


def test_without_a_saved_search_it_says_what_to_do(show: Show, facility: Facility) -> None:
    facility.searches = []
    page, _ = show(RunForm(facility, "segment-cells", ["i1"]), "run_form")
    page.get_by_text("Do this for every new match…").click()
    expect(page.get_by_text("No saved search is there.")).to_be_visible()
    expect(page.get_by_role("button", name="Do it for every new match")).to_be_hidden()


def test_further_images_and_the_turn_go_with_it(show: Show, facility: Facility) -> None:
    form = RunForm(facility, "segment-cells", ["i1"])
    beads = {"role": "beads", "help": "of the same day", "many": False, "optional": False}
    form.template = {**form.template, "version": "2.0.0", "also": [beads]}
    page, _ = show(form, "run_form")
    page.get_by_label("Note").fill("nightly")
    page.get_by_label("beads").fill("i2")
    page.get_by_label("Turn").select_option(label="after others of my team")
    page.get_by_text("Do this for every new match…").click()
    begin = page.get_by_role("button", name="Do it for every new match")
    expect(begin).to_be_enabled()
    begin.click()
    expect(begin).to_be_disabled()
    wait_until(lambda: [asked[0] for asked in facility.begun] == ["estimate", "subscribe"])
    counted, subscribed = facility.begun
    assert counted[5] == {"inputs": {"beads": ["i2"]}}
    assert (subscribed[5]["inputs"], subscribed[5]["priority"]) == ({"beads": ["i2"]}, -5)
