"""Moving the selected images, and throwing them away, in the browser."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pretend
import pytest
from playwright.sync_api import Page, expect
from stage import Show

from cid_widgets import Browser


class Movable(pretend.Catalog):
    """A catalog in which images are put elsewhere."""

    def project(self, name: str) -> Any:
        record = next(one for one in self.held if one["name"] == name)

        def dataset(path: str) -> Any:
            known = [one["path"] for one in record["datasets"]]
            if path not in known:
                record["datasets"].append({"uid": path, "path": path, "query": None})
            return SimpleNamespace(record={"path": path})

        return SimpleNamespace(record=record, make_dataset=dataset, dataset=dataset)

    def move(self, records: Any, dataset: Any) -> Any:
        uids = [one.record["uid"] for one in records]
        self._ask("move", uids, dataset.record["path"])
        back = self._changed(uids, dataset=dataset.record["path"])
        return SimpleNamespace(moved=uids, undo=back)

    def trash(self, records: Any) -> Any:
        uids = [one.record["uid"] for one in records]
        self._ask("trash", uids)
        back = self._changed(uids, project="(trash)", dataset="(trash)")
        return SimpleNamespace(record={"records": len(uids)}, restore=back)

    def _changed(self, uids: list[str], **to: str) -> Callable[[], None]:
        before = [dict(one) for one in self.records]
        for one in self.records:
            if one["uid"] in uids:
                one.update(to)

        def back() -> None:
            self._ask("back")
            self.records[:] = before

        return back


@pytest.fixture
def browser() -> Browser:
    filled = pretend.filled()
    return Browser(Movable(filled.records, filled.held), project="demo")  # type: ignore[arg-type]


def opened(show: Show, browser: Browser, count: int, **how: Any) -> Page:
    page, _ = show(browser, "browser", **how)
    browser.selected = [row["uid"] for row in browser.rows[:count]]
    page.get_by_role("button", name="Move…").click()
    return page


def test_images_are_moved_and_moved_back(show: Show, browser: Browser) -> None:
    page = opened(show, browser, 2)
    expect(page.locator("[name=project]:visible")).to_have_value("demo")
    assert page.locator("datalist option").count() == 5
    page.get_by_role("combobox", name="Dataset made").fill("done/plate 3")
    page.get_by_role("button", name="Move 2 images").click()
    said = page.get_by_text("2 images lie in done/plate 3 now.")
    expect(said).to_be_visible()
    assert browser.selected == []
    expect(page.get_by_role("treeitem", name="done")).to_be_visible()
    assert len(browser.catalog.search(project="demo", dataset="done/plate 3", kind=None)) == 2

    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("They are where they were.")).to_be_visible()
    assert browser.catalog.search(project="demo", dataset="done/plate 3", kind=None) == []
    expect(page.get_by_role("button", name="Move", exact=True)).to_be_disabled()


def test_images_are_thrown_away_by_keyboard_and_restored(show: Show, browser: Browser) -> None:
    shown, thrown = len(browser.rows), browser.rows[0]["name"]
    page = opened(show, browser, 3, width=600)
    page.get_by_role("button", name="Move to trash").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 images lie in the trash for 30 days.")).to_be_visible()
    first = page.locator('.cid-tile[aria-posinset="1"]')
    expect(first).to_have_count(1)
    assert len(browser.rows) == shown - 3
    expect(first).not_to_contain_text(thrown)
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(first).to_contain_text(thrown)
    assert len(browser.rows) == shown
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_a_refusal_is_one_line_and_changes_nothing(show: Show, browser: Browser) -> None:
    page = opened(show, browser, 1)
    browser.catalog.trouble = pretend.Refused("run r1 reads it: wait for its end, or cancel it")
    page.get_by_role("button", name="Move to trash").click()
    expect(page.get_by_text("run r1 reads it: wait for its end")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()
    assert len(browser.selected) == 1
