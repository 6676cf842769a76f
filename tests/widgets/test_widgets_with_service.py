"""The widgets on the real client and the real service: what they show is what the catalog tells."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import tifffile
from playwright.sync_api import expect
from processes import STAFF, Service, wait_until
from speaking import connected
from stage import Show, heard
from world import MANIFEST, NOTEBOOK

import cid_client as cid
from cid_widgets import Browser

pytestmark = pytest.mark.usefixtures("bundle")


@pytest.fixture(scope="module")
def wanda(service: Service) -> Iterator[cid.Catalog]:
    """A contributor with one image, where one template is published."""
    body = {"name": "widget-tests", "team": "widget-team", "limit": 50_000_000}
    body |= {"title": "Widgets", "members": {"wanda": "contributor"}}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    published = {"manifest": MANIFEST, "notebook": NOTEBOOK}
    assert service.ask("POST", "templates", STAFF, json=published).status_code in (200, 201, 409)
    catalog = connected(service, "wanda")
    yield catalog
    catalog.close()


def test_a_browser_shows_and_runs_what_the_service_has(
    wanda: cid.Catalog, service: Service, tmp_path: Path
) -> None:
    path = tmp_path / "nuclei.tif"
    pixels = np.random.default_rng(3).integers(0, 4000, (3, 2, 64, 80), dtype="uint16")
    axes = {"axes": "ZCYX", "spacing": 0.5, "unit": "um"}
    tifffile.imwrite(path, pixels, imagej=True, resolution=(10, 10), metadata=axes)
    [image] = wanda.upload(path, "widget-tests", "screen/plate 1")

    browser = Browser(wanda, project="widget-tests")
    assert browser.error == ""
    assert [one["name"] for one in browser.tree] == ["widget-tests"]
    assert browser.tree[0]["allocation"]["used"] > 0
    assert "screen/plate 1" in [one["path"] for one in browser.tree[0]["datasets"]]
    [row] = browser.rows
    assert (row["uid"], row["kind"], row["dataset"]) == (image.uid, "image", "screen/plate 1")
    thumbnail = httpx.get(service.origin + row["thumbnail"])
    assert (thumbnail.status_code, thumbnail.headers["content-type"]) == (200, "image/png")

    browser.focused = image.uid
    assert browser.error == ""
    assert browser.detail["scale"]["x"] == pytest.approx(0.1)
    assert browser.detail["original"]["name"] == "nuclei.tif"

    browser.selected = [image.uid]
    heard(browser, method="custom", content={"ask": "archives"})
    told = browser.archives
    assert {form: (one["files"] > 0, one["left"]) for form, one in told.items()} == dict.fromkeys(
        ("originals", "ome-tiff", "imagej", "ome-zarr"), (True, 0)
    )
    came = httpx.get(service.origin + told["imagej"]["path"])
    assert len(came.content) == told["imagej"]["nbytes"]
    with zipfile.ZipFile(io.BytesIO(came.content)) as archive:
        inside = archive.read("widget-tests/screen/plate 1/nuclei.tif")
    assert np.array_equal(tifffile.imread(io.BytesIO(inside)), pixels)

    heard(browser, method="custom", content={"ask": "templates"})
    browser.template = next(one for one in browser.templates if one["name"] == "count-things")
    heard(browser, method="custom", content={"ask": "start", "parameters": {"sigma": 99}})
    assert browser.runs == []
    heard(browser, method="custom", content={"ask": "start", "parameters": {"sigma": 2}})
    [run] = browser.runs
    assert (run["state"], run["input"]["name"]) == ("queued", row["name"])
    heard(browser, method="custom", content={"ask": "cancel", "run": run["uid"]})
    wait_until(lambda: browser.runs[0]["state"] == "cancelled", what="the run is cancelled")
    wait_until(lambda: not browser.watching, what="nothing is followed any more")
    assert browser.runs_error == ""


def test_a_project_that_is_not_ours_is_one_line(wanda: cid.Catalog) -> None:
    browser = Browser(wanda, project="somebody-elses")
    assert browser.rows == []
    assert browser.error
    assert "\n" not in browser.error
    assert "did not work" not in browser.error


def test_what_is_typed_is_found_counted_and_kept(
    wanda: cid.Catalog, service: Service, tmp_path: Path, show: Show
) -> None:
    project = wanda.project("widget-tests")
    for name, cell in (("one", "HeLa"), ("two", "HeLa S3"), ("three", 'A549 "wt", late')):
        path = tmp_path / f"{name}.tif"
        tifffile.imwrite(path, np.full((16, 16), len(cell), "uint16"))
        [image] = wanda.upload(path, project, "typed")
        image.tag({"Cell type": cell})
    page, stage = show(Browser(wanda, project=project.name), "browser")
    browser = stage.widget
    browser.dataset = "typed"
    box = page.get_by_role("combobox", name="Search names and tags")
    box.press_sequentially("cell_t")
    page.get_by_role("option", name="cell_type:").click()
    page.get_by_role("option", name='A549 "wt", late 1').click()
    expect(page.locator(".cid-tile .cid-name")).to_have_text(["three"])
    cells = page.get_by_role("group", name="Cell type")
    cells.get_by_role("checkbox", name="HeLa S3").check()
    expect(page.locator(".cid-tile .cid-name")).to_have_text(["three", "two"])
    expect(cells.get_by_role("checkbox", checked=True)).to_have_count(2)
    expect(cells.get_by_role("checkbox")).to_have_count(3)
    assert browser.query == r'cell_type:"A549 \"wt\", late","HeLa S3"'
    assert (browser.results.count(), browser.error, browser.facets_error) == (2, "", "")
    browser.sort = "name"
    expect(page.locator(".cid-tile .cid-name")).to_have_text(["three", "two"])

    browser.save("kept/both")
    browser.dataset, browser.query = "kept/both", ""
    expect(page.locator(".cid-live")).to_contain_text('"HeLa S3" in:"typed" finds now')
    expect(page.locator(".cid-tile")).to_have_count(2)
    page.get_by_role("button", name="Change…").click()
    page.get_by_label("What this dataset looks for").fill("snr>")
    page.keyboard.press("Enter")
    expect(page.locator(".cid-live")).to_contain_text("nothing after 'snr>' at 1")
    page.get_by_label("What this dataset looks for").fill("name:three")
    page.keyboard.press("Enter")
    expect(page.locator(".cid-tile .cid-name")).to_have_text(["three"])
    page.locator(".cid-tile").first.click()
    page.keyboard.press("F2")
    page.get_by_role("textbox", name="Name").fill("drei")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="drei")).to_be_visible()
    browser.query, browser.dataset = "snr>", ""
    assert browser.query_error == "nothing after 'snr>' at 1"
