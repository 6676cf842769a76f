from __future__ import annotations

from types import SimpleNamespace

import pretend_past
import pytest
from playwright.sync_api import Page, expect
from pretend import Refused
from stage import Show

from cid_widgets import History


@pytest.fixture
def catalog() -> pretend_past.Past:
    return pretend_past.filled()


def step(page: Page, words: str) -> SimpleNamespace:
    line = page.locator(".cid-step", has_text=words).first
    return SimpleNamespace(line=line, undo=line.get_by_role("button", name="Undo"))


def test_changes_are_shown_by_day_and_taken_back(show: Show, catalog: pretend_past.Past) -> None:
    page, _ = show(History(catalog, "demo"), "history")
    expect(page.locator("h3")).to_have_text("History of demo")
    expect(page.locator(".cid-day")).to_have_count(3)
    expect(page.locator(".cid-day").first.locator(".cid-step")).to_have_count(5)
    came = step(page, "added 8 images")
    expect(came.line.locator('[data-state="shown"]')).to_have_count(5)
    expect(came.line).to_contain_text("+3")
    expect(came.undo).to_have_count(0)
    expect(step(page, "dataset screen/old").line.first).to_be_visible()
    expect(page.locator(".cid-step[data-undone]")).to_contain_text("taken back by mia")
    assert page.title() != "owned"

    renamed = step(page, "renamed cell")
    renamed.undo.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Taken back: mia renamed cell to nuclei A04")
    expect(page.locator(".cid-step").first).to_contain_text("took back: mia renamed cell")
    expect(page.locator(".cid-step[data-undone]")).to_have_count(2)
    assert page.evaluate("document.activeElement.className") == "cid-days"  # focus is not lost


def test_it_can_be_narrowed_to_a_person_and_a_kind(show: Show, catalog: pretend_past.Past) -> None:
    history = History(catalog, "demo")
    page, _ = show(history, "history", width=600)
    page.get_by_label("By whom").select_option("ben")
    expect(page.locator(".cid-step")).to_have_count(4)
    page.get_by_label("Kind of change").select_option("Trash")
    expect(page.locator(".cid-step")).to_have_count(1)
    assert (history.person, history.kind) == ("ben", "trash")
    history.kind = "vocabulary"
    expect(page.get_by_text("Nothing like that was done here.")).to_be_visible()
    expect(page.get_by_label("Kind of change")).to_have_value("vocabulary")
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide


def test_older_ones_come_as_one_scrolls(show: Show, catalog: pretend_past.Past) -> None:
    for n in range(150):
        catalog.add("ben", "tag", "image:i1", key="Passage", value=str(n))
    page, stage = show(History(catalog, "demo"), "history")
    expect(page.locator(".cid-step")).to_have_count(40)
    page.locator(".cid-days").evaluate("el => el.scrollTo(0, el.scrollHeight)")
    expect(page.locator(".cid-step")).to_have_count(80)
    assert len(stage.questions("more")) == 1
    page.evaluate(  # the end never leaves what is in sight, however many come
        """() => {
          const days = document.querySelector(".cid-days");
          const follow = () => days.scrollTo(0, days.scrollHeight);
          new MutationObserver(follow).observe(days, { childList: true, subtree: true });
          follow();
        }"""
    )
    expect(page.locator(".cid-step")).to_have_count(161)
    expect(page.get_by_role("button", name="Show older")).to_be_hidden()


def test_what_stands_in_the_way_is_told_and_leads_there(
    show: Show, catalog: pretend_past.Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(catalog, "demo")
    moved, renamed = history.entries[3]["entry"], history.entries[2]["entry"]
    later = SimpleNamespace(person="mia", action="move", at="2026-11-21T01:00:00Z")
    later.detail = {"entry": moved}
    refusal = pretend_past.Conflict("changed since", [later])

    def refuse() -> None:
        raise refusal

    monkeypatch.setattr(history._past.read[renamed], "undo", refuse)
    page, _ = show(history, "history")
    step(page, "renamed cell").undo.click()
    alert = page.locator(".cid-step-refused")
    expect(alert).to_contain_text("it was changed since")
    expect(step(page, "renamed cell").undo).not_to_have_attribute("aria-disabled", "true")
    alert.get_by_role("button", name="mia: move").click()
    assert page.evaluate("document.activeElement.closest('li').dataset.entry") == str(moved)

    refusal.changed = []
    step(page, "renamed cell").undo.click()
    expect(alert).to_contain_text("Not taken back: changed since")


def test_nothing_and_trouble_have_their_words(show: Show) -> None:
    empty = pretend_past.Past()
    page, _ = show(History(empty, "demo"), "history")
    expect(page.get_by_text("Nothing was done here yet.")).to_be_visible()
    empty.trouble = Refused("no project 'demo' that you can see")
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator(".cid-said-line [role=alert]")).to_have_text(
        "no project 'demo' that you can see"
    )
