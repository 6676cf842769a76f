"""The widgets in a real JupyterLab: a real kernel, a real comm, cells that keep the kernel busy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect
from processes import free_port, stop, wait_until

HERE = Path(__file__).parent
SETUP = f"""
import sys; sys.path.insert(0, {str(HERE)!r})
import pretend, cid_widgets
catalog = pretend.filled()
catalog.told = [pretend.run("r1", catalog.records[0])]
browser = cid_widgets.Browser(catalog); browser
"""
MONITOR = "monitor = cid_widgets.RunMonitor(catalog=catalog); monitor"
BUSY = """
import time
catalog.told[0] |= {"state": "running"}
while browser.query != "A05":
    time.sleep(0.05)
catalog.told[0] |= {"progress": {"cell": 7, "cells": 9, "fraction": 0.7}}
while browser.query != "done":
    time.sleep(0.05)
print("heard", browser.query)
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, bundle: None) -> Iterator[str]:
    """The address of a JupyterLab on loopback with one notebook."""
    home = tmp_path_factory.mktemp("lab")
    cells = [nbformat.v4.new_code_cell(code.strip()) for code in (SETUP, MONITOR, BUSY)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), home / "w.ipynb")
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    settings = home / "overrides"
    settings.mkdir()
    overrides = {"@jupyterlab/apputils-extension:notification": quiet}
    (settings / "overrides.json").write_text(json.dumps(overrides))
    port = free_port()
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "ServerApp.root_dir": home,
        "IdentityProvider.token": "t",
        "LabServerApp.app_settings_dir": settings,
        "LabApp.app_settings_dir": settings,
    }
    said = [f"--{name}={value}" for name, value in options.items()]
    environ = os.environ | {
        name: str(home / name.lower())
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")
    }
    log = (home / "log.txt").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *said],
        env=environ,
        stdout=log,
        stderr=log,
        cwd=home,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}/"
    try:
        wait_until(lambda: process.poll() is not None or _answers(address), 60, "JupyterLab")
        assert process.poll() is None, (home / "log.txt").read_text()[-2000:]
        yield f"{address}lab/tree/w.ipynb?token=t"
    finally:
        stop(process)
        log.close()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}api?token=t", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.fixture
def notebook(chromium: Chromium, lab: str) -> Iterator[Page]:
    """The notebook, opened, with its kernel connected."""
    context = chromium.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    page.goto(lab)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
    yield page
    context.close()


def run_cell(page: Page, index: int) -> None:
    page.locator(".jp-CodeCell .jp-InputArea-editor").nth(index).click()
    page.keyboard.press("Shift+Enter")


def test_a_busy_kernel_does_not_freeze_the_views(notebook: Page) -> None:
    page = notebook
    run_cell(page, 0)
    browser = page.locator(".cid-browser")
    tiles, search = browser.locator(".cid-tile"), browser.get_by_role("searchbox")
    expect(tiles).to_have_count(14, timeout=60_000)
    run_cell(page, 1)
    run = page.locator(".cid-run-monitor .cid-run")
    expect(run.locator(".cid-state")).to_have_text("queued", timeout=20_000)
    run_cell(page, 2)
    busy = page.locator(".jp-CodeCell").nth(2).locator(".jp-InputArea-prompt")
    expect(busy).to_have_text("[*]:")
    expect(run.locator(".cid-state")).to_have_text("running", timeout=20_000)
    search.fill("A05")
    expect(tiles).to_have_count(1, timeout=20_000)
    expect(run).to_contain_text("cell 7 of 9", timeout=20_000)
    expect(busy).to_have_text("[*]:")
    search.fill("done")
    expect(page.get_by_text("heard done")).to_be_visible(timeout=20_000)


def test_keys_in_a_view_do_not_reach_the_notebook(notebook: Page) -> None:
    page = notebook
    run_cell(page, 0)
    page.locator(".cid-tile").first.click(timeout=60_000)
    cells = page.locator(".jp-CodeCell")
    before = cells.count()
    for key in ("a", "b", "d", "d", "ArrowDown", "Escape"):
        page.keyboard.press(key)
    expect(page.locator(".cid-tile:focus")).to_have_count(1)
    assert cells.count() == before
