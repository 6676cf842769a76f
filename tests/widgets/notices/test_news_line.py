"""The line of other views that says how many notices are new: read in place, asked for rarely."""

from __future__ import annotations

import threading
from typing import Any

import pretend
import pytest
from playwright.sync_api import expect
from processes import wait_until
from stage import Show, heard

from cid_client.notices.notices import Notices as Found
from cid_widgets import Browser, Notices, RunMonitor
from cid_widgets.notices import news

MAIL = {"mail": "none", "address": "", "sent": True, "domains": []}


class Told:
    """The part of a catalog that has notices; `looks` is how often it was asked."""

    def __init__(self, count: int) -> None:
        self.looks = 0
        self.refuses = False
        self.notices_there = [
            {"uid": f"n{n}", "kind": "batch", "about": f"batch:b{n}", "read_at": None}
            | {"text": f"batch {n} of {pretend.HOSTILE} is done", "created_at": "2026-11-21T01:00Z"}
            for n in range(count)
        ]

    def notices(self, *, unread: bool = False, limit: int = 50) -> Found:
        self.looks += 1
        left = [one for one in self.notices_there if one["read_at"] is None]
        rows = (left if unread else self.notices_there)[:limit]
        return Found({"notices": rows, "unread": len(left), "mail": MAIL})

    def read_notices(self, notices: list[str] | None = None) -> int:
        if self.refuses:
            raise pretend.Refused("this token may not mark notices as read")
        for one in self.notices_there:
            if notices is None or one["uid"] in notices:
                one["read_at"] = "2026-11-21T02:00Z"
        return 0


class Catalog(Told, pretend.Catalog):
    """A small facility that tells something."""

    def __init__(self, count: int) -> None:
        there = pretend.filled()
        pretend.Catalog.__init__(self, there.records, there.held)
        Told.__init__(self, count)


def ask(widget: Any, question: str, **rest: Any) -> None:
    heard(widget, method="custom", content={"ask": question, **rest})


def test_new_notices_are_shown_in_place_and_read(show: Show) -> None:
    catalog = Catalog(3)
    page, _ = show(Browser(catalog), "browser")
    count = page.get_by_role("button", name="3 new notices")
    expect(count).to_have_attribute("aria-expanded", "false")
    expect(page.locator(".cid-notice").first).to_be_hidden()
    count.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="New notices").get_by_role("listitem")).to_have_count(3)
    expect(page.locator(".cid-notice").first).to_contain_text("batch 0 of <img")
    page.get_by_role("button", name="Mark as read: batch 0").click()
    expect(page.get_by_role("button", name="2 new notices")).to_be_visible()
    expect(page.get_by_role("button", name="Mark as read: batch 1")).to_be_focused()
    catalog.refuses = True
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_role("alert").first).to_have_text("this token may not mark notices as read")
    catalog.refuses = False
    page.get_by_role("button", name="Mark all as read").click()
    done = page.get_by_role("button", name="All notices are read")
    expect(done).to_be_focused()
    done.blur()
    expect(page.locator(".cid-news")).to_be_hidden()
    assert page.title() != "owned"


def test_without_news_there_is_no_line_and_many_are_counted(show: Show) -> None:
    page, stage = show(RunMonitor(catalog=Catalog(0)), "run_monitor")
    wait_until(lambda: stage.questions("news") != [], what="the view asks")
    expect(page.locator(".cid-news")).to_be_hidden()
    page, _ = show(RunMonitor(catalog=Catalog(23)), "run_monitor")
    page.get_by_role("button", name="23 new notices").click()
    expect(page.locator(".cid-notice")).to_have_count(news.SHOWN)
    expect(page.get_by_text("and 3 more: Notices(catalog)")).to_be_visible()


@pytest.mark.usefixtures("bundle")
def test_views_share_one_question_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = Catalog(2)
    views = [Browser(catalog), RunMonitor(catalog=catalog), Browser(catalog)]
    for view in [*views, *views]:
        ask(view, "news")
    wait_until(lambda: [view.news["unread"] for view in views] == [2, 2, 2])
    assert catalog.looks == 1
    ask(views[0], "read_news", uids=["n0"])
    assert [[one["uid"] for one in view.news["notices"]] for view in views] == [["n1"]] * 3
    listed = Notices(catalog)
    listed.read()
    assert [view.news["unread"] for view in views] == [0, 0, 0]
    listed.close()
    looks = catalog.looks
    monkeypatch.setattr(news, "EVERY", 0.0)
    ask(views[1], "news")
    wait_until(lambda: catalog.looks > looks, what="a minute later it asks again")
    for view in views:
        view.close()


@pytest.mark.usefixtures("bundle")
def test_a_catalog_without_an_answer_costs_no_view_anything() -> None:
    monitor = RunMonitor(catalog=pretend.filled())
    ask(monitor, "news")
    wait_until(lambda: all(one.name != "cid-news" for one in threading.enumerate()))
    assert (monitor.news["unread"], monitor.news_error, monitor.runs_error) == (0, "", "")
    monitor.close()
