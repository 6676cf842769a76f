"""Taking the selected images out: what each form would bring, and a link the browser follows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pretend
import pytest
from playwright.sync_api import Page, expect
from stage import Show, Stage

from cid_widgets import Browser

WHY = "it came from no file of its own: take it as ome-zarr or ome-tiff"
SIZES = {"originals": 301e6, "ome-tiff": 302.1e6, "imagej": 302e6, "ome-zarr": 190e6}


class Giving(pretend.Catalog):
    """A catalog that gives its images out; labels are results, without an original."""

    def archive(self, records: Any, as_: str) -> Any:
        kinds = [one.record["kind"] for one in records]
        self._ask("archive", as_, len(kinds))
        if as_ == "imagej" and set(kinds) == {"labels"}:
            raise pretend.Refused("no such record that you can see: nothing is to be downloaded")
        labels = kinds.count("labels") if as_ == "originals" else 0
        files = len(kinds) - labels
        return SimpleNamespace(
            path=f"/data/1/{as_}.png",
            name="demo 4f9d2c.zip",
            nbytes=round(files * SIZES[as_]),
            files=files,
            left=labels,
            left_out=[SimpleNamespace(uid="l0", name="nuclei A01 cells", why=WHY)] * bool(labels),
        )


@pytest.fixture
def browser() -> Browser:
    filled = pretend.filled()
    return Browser(Giving(filled.records, filled.held), project="demo")  # type: ignore[arg-type]


def opened(show: Show, browser: Browser, uids: list[str], **how: Any) -> tuple[Page, Stage]:
    page, stage = show(browser, "browser", **how)
    browser.selected = uids
    page.get_by_role("button", name="Download…").click()
    return page, stage


def test_each_form_tells_its_size_and_the_browser_brings_it(show: Show, browser: Browser) -> None:
    page, _ = opened(show, browser, ["i0", "i1", "l0"])
    panel = page.get_by_role("region", name="Download images")
    expect(panel.get_by_role("radio", name="Originals")).to_be_checked()
    expect(panel.locator(".cid-form-size")).to_have_text(
        [
            "602 MB in 2 files, 1 left out",
            "906 MB in 3 files",
            "906 MB in 3 files",
            "570 MB in 3 files",
        ]
    )
    expect(panel.get_by_text(f"nuclei A01 cells {WHY}")).to_be_visible()
    panel.get_by_role("radio", name="OME-TIFF").check()
    expect(panel.get_by_role("heading", name="Left out")).to_have_count(0)
    with page.expect_download() as coming:
        panel.get_by_role("link", name="Download 906 MB").click()
    assert coming.value.suggested_filename == "demo 4f9d2c.zip"
    assert coming.value.url.endswith("/data/1/ome-tiff.png")
    expect(panel.get_by_text("Your browser downloads it.")).to_be_visible()
    assert browser.download_as == "ome-tiff"
    browser.download_as = "ome-zarr"
    expect(panel.get_by_role("link", name="Download 570 MB")).to_be_visible()


def test_other_images_are_asked_for_anew_and_a_refusal_is_told(
    show: Show, browser: Browser
) -> None:
    page, stage = opened(show, browser, ["i0"], width=600)
    panel = page.get_by_role("region", name="Download images")
    expect(panel.get_by_role("link", name="Download 301 MB")).to_be_visible()
    browser.selected = ["l0"]
    expect(panel.locator(".cid-form-size").nth(2)).to_contain_text("nothing is to be downloaded")
    expect(panel.locator(".cid-form-size").first).to_have_text("none of them")
    expect(panel.get_by_role("link", name="Download")).not_to_have_attribute("href", "")
    panel.get_by_role("radio", name="Originals").focus()
    page.keyboard.press("ArrowDown")
    expect(panel.get_by_role("radio", name="OME-TIFF")).to_be_checked()
    expect(panel.get_by_role("link", name="Download 302 MB")).to_have_attribute(
        "href", "/data/1/ome-tiff.png"
    )
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert len(stage.questions("archives")) == 2
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    browser.selected = ["i0"]
    expect(page.get_by_role("button", name="Download…")).to_be_focused()
    assert browser.archives == {}
