"""A researcher in a real browser: log in, open JupyterLab, browse, run, see the labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from chromium import launch
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Page, expect, sync_playwright

import cid_client as cid

CELLS = [
    "import cid_client as cid\nfrom cid_widgets import Browser\ncatalog = cid.connect()",
    'browser = Browser(catalog, project="whole-way")\nbrowser',
    "[image.name for image in browser.images]",
]
LONG = 120_000  # milliseconds


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        page = chromium.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        yield page
        page.screenshot(path=tmp_path / "last.png")
        chromium.close()


def test_from_login_to_the_thumbnail_of_the_labels(
    page: Page, hub: Any, segment: str, picture: cid.Image, tmp_path: Path
) -> None:
    home = hub.root / "home" / "researcher"
    home.mkdir(parents=True, exist_ok=True)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in CELLS], metadata=kernel)
    nbformat.write(notebook, home / "browse.ipynb")
    failed: list[str] = []
    page.on("pageerror", lambda error: failed.append(str(error)))

    page.goto(f"{hub.url}/hub/login")
    page.fill("#username_input", "researcher")
    page.fill("#password_input", hub.password)
    page.click("#login_submit")
    page.goto(f"{hub.url}/hub/user-redirect/lab/tree/browse.ipynb?reset")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=LONG)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=LONG)
    cells = page.locator(".jp-CodeCell")
    cells.nth(0).click()
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")

    tile = page.locator(".cid-tile").filter(has=page.get_by_text(picture.name, exact=True))
    expect(tile.locator(".cid-thumb")).to_have_attribute("data-state", "shown", timeout=LONG)
    tile.click()
    cells.nth(2).click()
    page.keyboard.press("Shift+Enter")
    expect(cells.nth(2).locator(".jp-OutputArea-output")).to_have_text(f"['{picture.name}']")

    page.get_by_role("button", name="Run…").click()
    page.get_by_label("Smoothing").fill("1.5")
    page.screenshot(path=tmp_path / "form.png")
    page.get_by_role("button", name="Run on 1 image").click()
    run = page.locator(".cid-run").filter(has_text=picture.name)
    expect(run.locator(".cid-state")).to_have_text("done", timeout=LONG)
    page.screenshot(path=tmp_path / "done.png")
    expect(run).to_contain_text("objects 5")
    labels = run.locator(".cid-thumb").last
    expect(labels).to_have_attribute("data-state", "shown")
    natural = "image => image.naturalWidth"
    assert labels.locator("img").evaluate(natural) > 0
    page.goto(f"{hub.url}/services/cid/images/{picture.uid}")
    expect(page.get_by_role("heading", name="Made from it")).to_be_visible()
    page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert not failed
