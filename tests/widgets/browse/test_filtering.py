"""Chips, facets and counts follow the query, and the query follows them."""

from __future__ import annotations

import threading

import pretend
import pretend_search
import pytest
from processes import wait_until
from stage import heard

from cid_widgets import Browser
from cid_widgets.browse.latest import Latest

pytestmark = pytest.mark.usefixtures("bundle")


def count(browser: Browser) -> None:
    """Let a view look at the facets, and wait for them."""
    heard(
        browser, method="custom", content={"ask": "counts", "found": browser.found, "facets": True}
    )
    wait_until(lambda: not browser.counting, what="it is counted")


def facet(browser: Browser, key: str) -> dict[str, object]:
    return next(one for one in browser.facets if one["key"] == key)


def test_nothing_is_counted_before_somebody_looks() -> None:
    catalog = pretend.screen()
    browser = Browser(catalog)
    assert (browser.facets, browser.total, browser.status) == ([], None, "first 50 images")
    count(browser)
    assert (browser.total, browser.status) == (122, "122 images")
    assert [one["title"] for one in browser.facets] == [
        "Cell type",
        "Staining",
        "SNR",
        "Microscope",  # the photo has none
        "Objective",
        "Brought by",
        "Year",
    ]
    tops = [asked for asked in catalog.asked if asked[0] == "top"]
    count(browser)
    assert len(tops) == 1


def test_values_are_or_inside_a_facet_and_and_between_facets() -> None:
    browser = Browser(pretend.screen())
    count(browser)
    numbers = {one["value"]: one["count"] for one in facet(browser, "Cell type")["values"]}
    browser.choose("Cell type", "A549")
    browser.choose("Cell type", "HeLa S3")
    assert browser.query == 'Cell_type:"A549","HeLa S3"'
    count(browser)
    assert browser.total == numbers["A549"] + numbers["HeLa S3"]
    shown = facet(browser, "Cell type")
    assert {one["value"]: one["count"] for one in shown["values"]} == numbers
    assert {one["value"] for one in shown["values"] if one["on"]} == {"A549", "HeLa S3"}
    browser.choose("year", "2026")
    browser.between("SNR", 12, 20.5)
    assert browser.query == 'Cell_type:"A549","HeLa S3" date:2026 SNR:12..20.5'
    assert browser.error == browser.query_error == ""
    count(browser)
    assert (facet(browser, "SNR")["low"], facet(browser, "SNR")["high"]) == ("12", "20.5")
    assert [one["label"] for one in browser.chips] == [
        "Cell type: A549 or HeLa S3",
        "date: 2026",
        "SNR: 12 to 20.5",
    ]
    titles = [one["title"] for one in browser.facets]
    assert titles[:3] == ["Cell type", "Staining", "SNR"]  # where they were
    assert "Microscope" not in titles  # all that is found has the same


def test_a_query_that_cannot_be_taken_apart_has_no_chips_and_works() -> None:
    browser = Browser(pretend.screen())
    browser.query = "staining:dapi"
    assert [one["label"] for one in browser.chips] == ["staining: dapi"]
    browser.query = "A01 (staining:dapi)"
    assert browser.chips == []
    heard(
        browser, method="custom", content={"ask": "choose", "key": "by", "value": "x", "on": True}
    )
    assert browser.query == "A01 (staining:dapi) by:x"
    heard(browser, method="custom", content={"ask": "drop"})
    assert browser.query == "A01 (staining:dapi)"


def test_what_goes_wrong_while_counting_leaves_the_images() -> None:
    catalog = pretend.screen()
    browser = Browser(catalog)
    catalog.trouble = pretend.Refused("keys: fewer of them at once")
    count(browser)
    assert browser.facets_error == "keys: fewer of them at once"
    assert (browser.error, len(browser.rows)) == ("", 50)


def test_counts_of_the_search_before_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser(pretend.screen())
    go = threading.Event()
    plain = pretend_search.Found.count
    monkeypatch.setattr(pretend_search.Found, "count", lambda f: go.wait(10) and plain(f))
    heard(
        browser, method="custom", content={"ask": "counts", "found": browser.found, "facets": True}
    )
    browser.query = "A01"
    go.set()
    count(browser)
    assert (browser.total, browser.status) == (2, "2 images")


def test_a_bad_query_keeps_what_was_found_and_says_why() -> None:
    browser = Browser(pretend.screen())
    browser.query = "A01"
    found = browser.found
    browser.query = 'A01 "hela'
    assert browser.query_error == "a quote that is not closed at 5"
    assert (browser.error, browser.found, len(browser.rows)) == ("", found, 2)
    assert [one.record["name"] for one in browser.results] == ["nuclei A01", "nuclei A01 cells"]
    browser.project = "histology"  # these images would be wrong there
    assert (browser.rows, browser.query_error != "") == ([], True)
    browser.query = ""
    assert (browser.query_error, len(browser.rows)) == ("", 1)


def test_all_found_are_a_lazy_search_until_something_else_is_selected() -> None:
    browser = Browser(pretend.screen())
    browser.found_all = True
    assert browser.total == 122
    assert (len(browser.inputs), browser.more_inputs) == (50, 72)
    assert type(browser.images) is type(browser.results)
    assert len(list(browser.images)) == 122
    browser.selected = ["i3"]
    assert not browser.found_all
    assert (len(browser.inputs), browser.more_inputs) == (1, 0)
    browser.found_all = True
    browser.query = "A0"
    assert not browser.found_all


def test_the_last_queries_are_remembered_without_their_beginnings() -> None:
    browser = Browser(pretend.screen())
    for query in ("A", "A0", "A01", "A0", "A", "", "cells", "A01", 'bad "'):
        browser.query = query
    assert browser.history == ["A01", "cells"]


def test_another_order_is_another_search() -> None:
    browser = Browser(pretend.screen())
    first = browser.rows[0]["uid"]
    browser.sort = "oldest"
    assert browser.rows[0]["uid"] == "p0"
    browser.sort = "nonsense"
    assert browser.query_error == "sort: 'nonsense' is no key of numbers or dates"
    browser.sort = "newest"
    assert (browser.query_error, browser.rows[0]["uid"]) == ("", first)


def test_completion_is_told_to_the_one_who_asked() -> None:
    browser = Browser(pretend.screen())
    told: list[dict[str, object]] = []
    browser.send = lambda content, **_: told.append(content)  # type: ignore[method-assign]
    heard(browser, method="custom", content={"ask": "complete", "text": "x cell_t", "for": "me 1"})
    offer = {"text": "cell_type:", "label": "cell_type", "start": 2, "count": None}
    assert told == [{"tell": "completions", "offers": [offer], "error": "", "for": "me 1"}]


def test_only_the_newest_answer_is_handed_over() -> None:
    turn, go, told = threading.RLock(), threading.Event(), list[int]()
    latest = Latest(turn)  # type: ignore[arg-type]
    latest.ask(lambda: go.wait(10) and 1, told.append)
    latest.ask(lambda: 2, told.append)
    latest.ask(lambda: 3, told.append)
    go.set()
    wait_until(lambda: told, what="an answer")
    assert told == [3]
    latest.stop()
    latest.ask(lambda: 4, told.append)
    assert told == [3]
