"""What runs by itself: how it stands, and what one may do."""

from __future__ import annotations

import pretend_subscriptions
import pytest
from playwright.sync_api import expect
from pretend import GB, Refused
from pretend_subscriptions import Standing
from processes import wait_until
from stage import Show

from cid_widgets import Subscriptions
from cid_widgets.runs.watcher import Watcher


@pytest.fixture
def catalog() -> Standing:
    return pretend_subscriptions.filled()


def test_how_each_stands_is_said_and_it_is_paused_ended_and_taken_back(
    show: Show, catalog: Standing
) -> None:
    page, _ = show(Subscriptions(catalog, "demo"), "subscriptions")
    expect(page.locator("h3")).to_have_text("Runs by itself in Cytokinesis screen")
    expect(page.get_by_role("status")).to_have_text("3 templates on new matches, 1 paused")
    lines = page.locator(".cid-sub")
    first, second = lines.nth(0), lines.nth(1)
    expect(first).to_contain_text("on each new match of new 63x stacks objective:63x")
    expect(first).to_contain_text("runs of nia · sigma 1, split True")
    expect(first).to_contain_text("Version 1.1.0 is there")
    expect(first.get_by_label("Images")).to_have_text("212 done380 there before, not run")
    expect(first.get_by_role("img", name="Runs in all: 212 of 500")).to_be_visible()
    expect(first.get_by_role("img", name="Reserved: 31.0 GB of 80.0 GB")).to_be_visible()
    expect(second.locator(".cid-sub-reason")).to_have_text(
        "its budget of 20 runs is spent: raise it to go on"
    )
    expect(second.locator(".cid-sub-state")).to_have_text("paused")
    expect(lines.nth(2).get_by_role("button")).to_have_count(0)  # another's
    assert page.title() != "owned"

    first.get_by_role("button", name="Pause segment-cells").focus()
    page.keyboard.press("Enter")
    resume = first.get_by_role("button", name="Resume segment-cells")
    expect(resume).to_be_focused()
    expect(page.get_by_role("status")).to_have_text(
        "segment-cells is paused: what matches meanwhile waits."
    )
    page.get_by_role("button", name="Undo").click()
    expect(first.locator(".cid-sub-state")).to_have_text("on")
    first.get_by_role("button", name="End segment-cells").click()
    expect(lines).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(lines).to_have_count(3)
    assert [asked for asked in catalog.asked if asked[0] != "project"] == [
        ("pause", "s0"),
        ("undo", "s0"),
        ("end", "s0"),
        ("undo", "s0"),
    ]


def test_what_was_there_is_run_when_one_is_sure_and_is_followed(
    show: Show, catalog: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Watcher, "shortest", 0.02)
    monkeypatch.setattr(Watcher, "longest", 0.05)
    widget = Subscriptions(catalog, "demo")
    page, _ = show(widget, "subscriptions", width=600)
    first = page.locator(".cid-sub").first
    first.get_by_role("button", name="Run on the 380 there…").click()
    sure = first.get_by_role("button", name="Really run 380 images?")
    expect(sure).to_be_visible()
    assert not widget.watching
    sure.click()
    expect(first.get_by_label("Images")).to_have_text("212 done380 waiting")
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()
    counts = catalog.held[0].record["counts"]
    catalog.held[0].record["counts"] = counts | {"waiting": 0, "done": 592}
    expect(first.get_by_label("Images")).to_have_text("592 done")
    wait_until(lambda: not widget.watching, what="nothing waits: nobody looks")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_budget_and_values_are_changed_by_keyboard_and_taken_back(
    show: Show, catalog: Standing
) -> None:
    widget = Subscriptions(catalog, "demo")
    page, _ = show(widget, "subscriptions", width=600)
    first = catalog.held[0]
    page.get_by_role("button", name="Change segment-cells").focus()
    page.keyboard.press("Enter")
    runs = page.get_by_label("Runs in all, at most")
    expect(runs).to_be_focused()
    expect(runs).to_have_value("500")
    expect(page.get_by_label("Reserved, at most")).to_have_value("80.0 GB")
    expect(page.get_by_label("sigma")).to_have_value("1")  # the value that it has
    expect(page.get_by_label("split")).to_be_checked()
    page.get_by_label("sigma").fill("21")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Must be at most 20 pixel.")).to_be_visible()
    page.get_by_label("sigma").fill("3")
    first.record["counts"] = first.record["counts"] | {"done": 213}
    widget.refresh()  # the line is drawn again, what is typed stays
    expect(page.get_by_label("Images").first).to_contain_text("213 done")
    expect(page.get_by_label("sigma")).to_be_focused()
    runs.fill("900")
    page.get_by_label("A day, at most").fill("")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text(
        "What segment-cells may spend is changed. segment-cells runs with other values from now on."
    )
    expect(runs).to_have_count(0)
    expect(page.get_by_role("button", name="Change segment-cells")).to_be_focused()
    expect(page.get_by_role("img", name="Runs in all: 212 of 900")).to_be_visible()
    assert first.record["parameters"] == {"sigma": 3, "split": True}
    assert first.record["budget"] == {"runs": 900, "runs_a_day": None, "nbytes": 80 * GB}
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("img", name="Runs in all: 212 of 500")).to_be_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_what_another_changed_meanwhile_is_told_and_shown(show: Show, catalog: Standing) -> None:
    widget = Subscriptions(catalog, "demo")
    page, _ = show(widget, "subscriptions")
    widget.opened = "s0"
    runs = page.get_by_label("Runs in all, at most")
    runs.fill("900")
    catalog.held[0].others = {"budget": {"runs": 700, "runs_a_day": None, "nbytes": None}}
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").first).to_contain_text("this was changed by omar")
    expect(runs).to_have_value("700")
    page.get_by_role("button", name="Cancel").click()
    expect(runs).to_have_count(0)
    assert (widget.opened, widget.fields) == ("", None)
    widget.change("s0", {"sigma": 2})
    assert catalog.held[0].record["parameters"]["sigma"] == 2


@pytest.mark.parametrize(("role", "buttons"), [("viewer", 0), ("manager", 11), ("", 11)])
def test_one_is_offered_what_the_role_allows(
    show: Show, catalog: Standing, role: str, buttons: int
) -> None:
    catalog.role = role
    page, _ = show(Subscriptions(catalog, "demo"), "subscriptions")
    expect(page.locator(".cid-sub")).to_have_count(3)
    expect(page.locator(".cid-sub button")).to_have_count(buttons)


def test_a_refusal_is_told_and_the_button_is_offered_again(show: Show, catalog: Standing) -> None:
    widget = Subscriptions(catalog, "demo")
    page, _ = show(widget, "subscriptions")
    catalog.trouble = Refused("this needs the role manager in project 'demo'; you are viewer")
    pause = page.get_by_role("button", name="Pause segment-cells")
    pause.click()
    expect(page.get_by_role("alert")).to_have_text(
        "this needs the role manager in project 'demo'; you are viewer"
    )
    expect(pause).not_to_have_attribute("aria-disabled", "true")
    catalog.trouble = None
    catalog.held.clear()
    widget.refresh()
    expect(page.get_by_text("Nothing runs by itself here.")).to_be_visible()
