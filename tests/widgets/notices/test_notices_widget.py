"""Notices in the page: what is new, marked as read, and by mail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pretend
import pytest
from playwright.sync_api import expect
from stage import Show

from cid_client.notices.notices import Notices as Found
from cid_widgets import Notices


class Catalog:
    """Notices in memory."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.wish = {"mail": "none", "address": "", "sent": True, "domains": ["lab.example"]}
        self.rows = [
            {"uid": f"n{n}", "kind": kind, "about": about, "text": text, "read_at": None}
            | {"created_at": "2026-11-21T01:00:00Z"}
            for n, (kind, about, text) in enumerate(
                [
                    ("batch", "batch:b1", f"{pretend.HOSTILE}: 48 of 50 runs are done, 2 failed"),
                    ("allocation", "project:demo", "the project demo holds 82 % of what it may"),
                    ("member", "project:demo", "ana made you viewer of the project demo"),
                ]
            )
        ]

    def notices(self, *, unread: bool = False, limit: int = 50) -> Found:
        left = sum(row["read_at"] is None for row in self.rows)
        return Found({"notices": self.rows[:limit], "unread": left, "mail": self.wish})

    def read_notices(self, notices: list[str] | None = None) -> int:
        self.asked.append(("read", notices))
        for row in self.rows:
            if notices is None or row["uid"] in notices:
                row["read_at"] = "2026-11-21T02:00:00Z"
        return 0

    def mail(self, mail: str, address: str = "") -> dict[str, Any]:
        self.asked.append(("mail", mail, address))
        if address.endswith("@else.example"):
            raise pretend.Refused("address: mail goes to lab.example only; ask staff for others")
        self.wish |= {"mail": mail, "address": address}
        return self.wish


@pytest.fixture
def told(bundle: None) -> Iterator[tuple[Catalog, Notices]]:
    catalog = Catalog()
    widget = Notices(catalog)
    yield catalog, widget
    widget.close()


def test_new_ones_are_counted_and_read_one_by_one_or_all(
    show: Show, told: tuple[Catalog, Notices]
) -> None:
    catalog, widget = told
    page, _ = show(widget, "notices")
    expect(page.get_by_text("3 new notices")).to_be_visible()
    lines = page.locator(".cid-notice")
    expect(lines.first).to_contain_text("48 of 50 runs are done, 2 failed")
    expect(lines.first).to_contain_text('RunMonitor("b1", catalog=catalog)')
    assert page.title() != "owned"
    page.get_by_role("button", name="Mark as read: ana made you").click()
    expect(page.get_by_text("2 new notices")).to_be_visible()
    expect(lines.nth(2)).to_have_attribute("data-read", "true")
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_text("nothing new")).to_be_visible()
    assert catalog.asked == [("read", ["n2"]), ("read", None)]


def test_mail_is_wished_for_and_a_refusal_is_told(
    show: Show, told: tuple[Catalog, Notices]
) -> None:
    catalog, widget = told
    page, _ = show(widget, "notices")
    address = page.get_by_label("Address")
    expect(address).to_be_hidden()
    page.get_by_label("Notices come").select_option("daily")
    address.fill("ana@else.example")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("alert")).to_contain_text("mail goes to lab.example only")
    page.get_by_label("Notices come").select_option("daily")
    page.get_by_label("Address").fill("ana@lab.example")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("Those of a day go out in one mail.")).to_be_visible()
    assert catalog.asked[-1] == ("mail", "daily", "ana@lab.example")
