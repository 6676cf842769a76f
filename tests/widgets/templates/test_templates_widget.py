"""Templates in the page: versions, what changed between two, and who may withdraw one."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pretend
import pytest
from playwright.sync_api import expect
from stage import Show

from cid_widgets import Templates

LINES = ["@@ -1,2 +1,2 @@", " import numpy", "-sigma = 1", f"+sigma = '{pretend.HOSTILE}'"]


class Version:
    """A version as the client has it."""

    def __init__(self, catalog: Catalog, record: dict[str, Any]) -> None:
        self.catalog, self.record = catalog, record

    def versions(self) -> list[Version]:
        return [one for one in self.catalog.rows if one.record["name"] == self.record["name"]]

    def diff(self, to: str) -> Any:
        self.catalog.asked.append(("diff", self.record["version"], to))
        if to == self.record["version"]:
            return self._told(to, [], [])
        cell = {"change": "changed", "kind": "code", "before": 2, "after": 3, "lines": LINES}
        value = {"change": "changed", "key": "sigma.maximum", "before": 10, "after": 20.5}
        return self._told(to, [cell], [value])

    def _told(self, to: str, cells: list[Any], values: list[Any]) -> Any:
        names = {"template": self.record["name"], "version": self.record["version"], "to": to}
        return SimpleNamespace(
            record=names | {"cells": cells, "parameters": values, "manifest": []}
        )

    def withdraw(self, reason: str) -> None:
        self.catalog.asked.append(("withdraw", self.record["version"], reason))
        self.record["withdrawn"] = {"at": "2026-11-22T01:00:00Z", "by": "ana", "reason": reason}


class Catalog:
    """Three versions of a facility's template, and one of a project's own."""

    def __init__(self, staff: bool = False, role: str = "contributor") -> None:
        self.asked: list[Any] = []
        self.staff, self.role = staff, role
        numbers = [("shelf", "1.2.0"), ("shelf", "1.1.0"), ("shelf", "1.0.0"), ("ours", "0.1.0")]
        self.rows = [
            Version(self, self._row(name, number, "ben" if number == "1.1.0" else "ana"))
            for name, number in numbers
        ]

    def _row(self, name: str, number: str, person: str) -> dict[str, Any]:
        project = "demo" if name == "ours" else None
        return {
            "name": name,
            "reference": f"demo:{name}" if project else name,
            "project": project,
            "version": number,
            "title": f"{pretend.HOSTILE} {name}",
            "summary": "Counts what is there.",
            "changelog": "" if number == "1.0.0" else f"better than before {number}",
            "published_by": person,
            "created_at": "2026-11-21T01:00:00Z",
            "withdrawn": None,
        }

    def templates(self) -> Sequence[Version]:
        there = [one for one in self.rows if not one.record["withdrawn"]]
        return list({one.record["name"]: one for one in reversed(there)}.values())[::-1]

    def project(self, name: str) -> Any:
        return SimpleNamespace(record={"name": name, "role": self.role})

    def whoami(self) -> Any:
        return SimpleNamespace(name="ana", staff=self.staff)


def test_versions_are_read_and_two_are_compared(show: Show) -> None:
    catalog = Catalog()
    page, _ = show(Templates(catalog), "templates")
    name = page.get_by_role("button", name="nuclei shelf")
    name.focus()
    page.keyboard.press("Enter")
    expect(name).to_have_attribute("aria-expanded", "true")
    expect(name).to_be_focused()
    versions = page.get_by_role("list", name="Versions").get_by_role("listitem")
    expect(versions).to_have_count(3)
    expect(versions.nth(1)).to_contain_text("better than before 1.1.0")
    expect(page.get_by_role("region", name="What changed from 1.1.0 to 1.2.0")).to_be_visible()
    cell = page.get_by_role("region", name="± Cell 3 (code) changed")
    expect(cell.locator("ins")).to_have_text(f"+sigma = '{pretend.HOSTILE}'")
    expect(cell.locator("del")).to_have_text("-sigma = 1")
    expect(cell).to_contain_text("1 line added, 1 line removed")
    row = page.get_by_role("row", name="parameters.sigma.maximum")
    expect(row.get_by_role("cell")).to_have_text(["± changed", "10", "20.5"])
    page.get_by_label("What changed from", exact=True).select_option("1.0.0")
    expect(page.get_by_role("region", name="What changed from 1.0.0 to 1.2.0")).to_be_visible()
    page.get_by_label("to", exact=True).select_option("1.0.0")
    expect(page.get_by_text("Nothing differs.")).to_be_visible()
    assert catalog.asked == [
        ("diff", "1.1.0", "1.2.0"),
        ("diff", "1.0.0", "1.2.0"),
        ("diff", "1.0.0", "1.0.0"),
    ]
    expect(page.get_by_role("button", name="Withdraw")).to_have_count(0)
    assert page.title() != "owned"


def test_staff_withdraws_with_a_reason_and_is_asked_once_more(show: Show) -> None:
    catalog = Catalog(staff=True)
    page, _ = show(Templates(catalog, "shelf"), "templates")
    page.get_by_role("button", name="Withdraw 1.1.0…").click()
    reason = page.get_by_label("Why 1.1.0 is withdrawn")
    expect(reason).to_be_focused()
    sure = page.locator(".cid-withdraw:visible").get_by_role("button")
    sure.click()  # without a reason nothing is asked
    expect(sure).to_have_text("Withdraw")
    reason.fill("counts twice")
    sure.click()
    expect(sure).to_have_text("Really withdraw 1.1.0 for good?")
    sure.click()
    expect(page.get_by_text("withdrawn by ana: counts twice")).to_be_visible()
    expect(page.get_by_role("status").first).to_have_text(
        "shelf 1.1.0 is withdrawn: nobody starts it any more."
    )
    assert ("withdraw", "1.1.0", "counts twice") in catalog.asked


@pytest.mark.usefixtures("bundle")
def test_who_may_withdraw_and_what_is_not_there() -> None:
    assert Templates(Catalog(), "shelf").may_withdraw == []
    assert Templates(Catalog(staff=True), "shelf").may_withdraw == ["1.2.0", "1.1.0", "1.0.0"]
    assert Templates(Catalog(), "demo:ours").may_withdraw == ["0.1.0"]  # its publisher
    others = Catalog()
    others.rows[-1].record["published_by"] = "ben"
    assert Templates(others, "demo:ours").may_withdraw == []
    others.role = "manager"
    assert Templates(others, "demo:ours").may_withdraw == ["0.1.0"]
    absent = Templates(Catalog(), "nothing")
    assert (absent.opened, absent.versions) == ("", [])
    assert "there is no template 'nothing'" in absent.error
    absent.opened = "shelf"
    absent.compare("1.0.0", "9.9.9")
    absent.compare("9.9.9", "1.0.0")
    assert "shelf has no version '9.9.9'" in absent.error
