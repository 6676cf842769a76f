from __future__ import annotations

import re

import pretend
import pretend_quality
from playwright.sync_api import expect
from stage import Show

from cid_widgets import Browser


def test_the_details_say_how_good_each_channel_is(show: Show, catalog: pretend.Catalog) -> None:
    image = next(one for one in catalog.records if one["name"] == "nuclei A02")
    image["quality"] = pretend_quality.quality()
    measured = {"unit": "", "kind": "machine", "source": "file", "link": "", "number": 18.4}
    image["tags"] = [
        measured | {"key": "SNR", "value": "18.4"},
        measured | {"key": "Objective", "value": "10x/0.3"},
        measured | {"key": "Acquisition date", "value": "2016-02-12T09:41:02.491560Z"},
    ]
    page, _ = show(Browser(catalog), "browser")
    page.locator(".cid-tile").filter(has_text="nuclei A02").first.click()
    good = page.get_by_label("Quality of DAPI")
    expect(good.locator("dd").nth(0)).to_have_text(re.compile("good: 18.4"))
    expect(good.get_by_role("img", name="good")).to_have_count(5)
    bad = page.get_by_label("Quality of GFP")
    expect(bad.locator("dd").nth(0)).to_contain_text("low: 4.13")
    expect(bad.locator("dd").nth(1)).to_contain_text("clipped 3.1 %")
    expect(bad.get_by_role("img", name="bad")).to_have_count(4)
    width = "bars => bars.map((bar) => bar.style.width)"
    assert bad.locator(".cid-quality-bar > span").evaluate_all(width)[0] == "10%"
    unknown = page.get_by_label("Quality of Phalloidin")
    expect(unknown.locator("dd").nth(0)).to_contain_text("unknown: it was smoothed")
    expect(unknown.locator("dd").nth(0).locator(".cid-quality-bar > span")).to_have_count(0)
    expect(page.locator(".cid-quality-planes")).to_have_text(
        "2 empty planes (t 0 c 2 z 0, t 0 c 2 z 11); 1 repeated plane (t 0 c 1 z 8)"
    )
    facts = page.locator("section", has=page.get_by_role("heading", name="Microscope"))
    expect(facts.locator("dt")).to_have_text(["Objective", "Acquisition date"])
    expect(facts.locator("dd").nth(1)).to_contain_text("Feb 12, 2016")
    expect(facts.get_by_title("2016-02-12T09:41:02.491560Z")).to_be_visible()


def test_an_image_without_measures_has_no_card(show: Show, catalog: pretend.Catalog) -> None:
    page, _ = show(Browser(catalog), "browser")
    page.locator(".cid-tile").filter(has_text="nuclei A02").first.click()
    expect(page.get_by_role("complementary", name="Details")).to_contain_text("nuclei A02")
    expect(page.get_by_role("heading", name="Quality")).to_have_count(0)
