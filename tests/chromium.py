"""Debian's Chromium if it is here, else Playwright's own; it asks nothing of the network."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def launch(playwright: Playwright) -> Browser:
    """Return a headless browser."""
    return playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
