"""The widgets in a real JupyterLab: real kernel and comm, on a pretended and the real catalog."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import numpy as np
import pytest
import tifffile
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Locator, Page, Route, expect
from ports import free_port
from processes import STAFF, Service, stop, wait_until
from speaking import connected
from world import MANIFEST, NOTEBOOK

import cid_widgets

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


CONNECTED = """
import sys; sys.path.insert(0, {tests!r})
from types import SimpleNamespace
from cid_widgets import *
from speaking import connected
at = SimpleNamespace(url={url!r})
lara, staff = connected(at, "lara"), connected(at, {staff!r})
"""
# what each widget is made of, and a line that it then shows
SHOWN = {
    "Browser": ('Browser(lara, "in-lab")', "mitosis"),
    "Tagger": ('Tagger(lara.search(project="in-lab"), lara)', "Apply to"),
    "Usage": ('Usage(lara, project="in-lab")', "of 50.0 MB used"),
    "History": ('History(lara, "in-lab")', "renamed cell to mitosis"),
    "Trash": ('Trash(lara, "in-lab")', "Restore"),
    "Upload": ('Upload(lara, "in-lab", "by hand")', "Drop files or folders here"),
    "Members": ('Members("in-lab", catalog=lara)', "you are manager"),
    "ProjectRequest": ("ProjectRequest(lara)", "in-lab-too"),
    "Requests": ("Requests(staff)", "in-lab-too"),
    "Leaving": ('Leaving(staff, "lara")', "lara leaves"),
    "Masks": ("Masks(staff)", "New mask"),
    "Instruments": ("Instruments(staff)", "Register…"),
    "Subscriptions": ('Subscriptions(lara, "in-lab")', "Nothing runs by itself here"),
    "Vocabulary": ('Vocabulary(lara, "in-lab")', "Staining"),
    "RunForm": ('RunForm(lara, "count-things", lara.search(project="in-lab"))', "Run on 1 image"),
    "Templates": ("Templates(lara)", "count-things@1.0.0"),
    "Notices": ("Notices(lara)", "Notices come"),
    "RunMonitor": ("RunMonitor(catalog=lara)", "cancelled"),
}
FIELD = ":is(input[type=text], input[type=search], input:not([type]), textarea):visible"


@dataclass
class Lab:
    """A JupyterLab on loopback, and the folder of its notebooks."""

    address: str
    home: Path

    def write(self, name: str, *cells: str) -> None:
        """Put a notebook into its folder."""
        made = [nbformat.v4.new_code_cell(code.strip()) for code in cells]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
        nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=kernel), self.home / name)

    def open(self, page: Page, name: str) -> None:
        """Open a notebook and wait for its kernel."""
        page.goto(f"{self.address}lab/tree/{name}?token=t&reset")
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, bundle: None) -> Iterator[Lab]:
    """A JupyterLab on loopback."""
    home = tmp_path_factory.mktemp("lab")
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
        wait_until(lambda: process.poll() is not None or _answers(address), 180, "JupyterLab")
        assert process.poll() is None, (home / "log.txt").read_text()[-2000:]
        yield Lab(address, home)
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
def page(chromium: Chromium) -> Iterator[Page]:
    """An empty page."""
    context = chromium.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def notebook(page: Page, lab: Lab) -> Page:
    """A notebook with a pretended catalog, opened, with its kernel connected."""
    lab.write("w.ipynb", SETUP, MONITOR, BUSY)
    lab.open(page, "w.ipynb")
    return page


def run_cell(page: Page, index: int) -> None:
    page.locator(".jp-CodeCell .jp-InputArea-editor").nth(index).click()
    page.keyboard.press("Shift+Enter")


def empty(field: Locator) -> None:
    """Go into a field as a person does, with the mouse, and take away what it holds."""
    field.click()
    expect(field).to_be_focused()
    field.page.keyboard.press("ControlOrMeta+a")
    field.page.keyboard.press("Delete")
    expect(field).to_have_value("")


def test_a_busy_kernel_does_not_freeze_the_views(notebook: Page) -> None:
    page = notebook
    run_cell(page, 0)
    browser = page.locator(".cid-browser")
    tiles, search = browser.locator(".cid-tile"), browser.locator(".cid-search")
    expect(tiles).to_have_count(14)
    run_cell(page, 1)
    run = page.locator(".cid-run-monitor .cid-run")
    expect(run.locator(".cid-state")).to_have_text("queued")
    run_cell(page, 2)
    busy = page.locator(".jp-CodeCell").nth(2).locator(".jp-InputArea-prompt")
    expect(busy).to_have_text("[*]:")
    expect(run.locator(".cid-state")).to_have_text("running")
    search.fill("A05")
    expect(tiles).to_have_count(1)
    expect(run).to_contain_text("cell 7 of 9")
    expect(busy).to_have_text("[*]:")
    search.fill("done")
    expect(page.get_by_text("heard done")).to_be_visible()


def test_keys_in_a_view_do_not_reach_the_notebook(notebook: Page) -> None:
    page = notebook
    run_cell(page, 0)
    page.locator(".cid-tile").first.click()
    cells = page.locator(".jp-CodeCell")
    before = cells.count()
    for key in ("a", "b", "d", "d", "ArrowDown", "Escape"):
        page.keyboard.press(key)
    expect(page.locator(".cid-tile:focus")).to_have_count(1)
    assert cells.count() == before


@pytest.fixture
def laras(service: Service, tmp_path: Path) -> None:
    """A project with an image, one thrown away, a run, and a request for another project."""
    body = {"name": "in-lab", "team": "in-lab-team", "limit": 50_000_000}
    body |= {"members": {"lara": "manager"}}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    published = {"manifest": MANIFEST, "notebook": NOTEBOOK}
    assert service.ask("POST", "templates", STAFF, json=published).status_code in (200, 201, 409)
    lara = connected(service, "lara")
    for name in ("cell", "spoiled"):
        tifffile.imwrite(tmp_path / f"{name}.tif", np.full((32, 32), len(name), "uint8"))
        [image] = lara.upload(tmp_path / f"{name}.tif", "in-lab", "plate 1")
        image.trash() if name == "spoiled" else image.rename("mitosis").tag(Staining="DAPI")
    lara.request_project("in-lab-too", team="in-lab-team", limit="1 GB")
    lara.run("count-things", lara.search(project="in-lab")[0]).cancel()
    lara.close()


def test_every_widget_shows_what_the_service_has_and_keeps_its_keys(
    page: Page, lab: Lab, service: Service, laras: None, tmp_path: Path
) -> None:
    assert sorted(SHOWN) == sorted(cid_widgets.__all__)
    lab.write(
        "all.ipynb",
        CONNECTED.format(tests=str(HERE.parent), url=service.url, staff=STAFF),
        *(made for made, _ in SHOWN.values()),
    )
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "console",
        lambda said: (
            said.type in ("error", "warning")
            and "to activate." not in said.text  # the lab's own word of a slow machine
            and "shared singleton" not in said.text  # and of nbdime's own extension
            and troubles.append(said.text)
        ),
    )

    def to_the_service(route: Route) -> None:  # which is at the lab's own address on a hub
        route.continue_(url=service.origin + urlsplit(route.request.url).path)

    page.route("**/services/cid/**", to_the_service)
    lab.open(page, "all.ipynb")
    cells = page.locator(".jp-CodeCell")
    cells.first.locator(".jp-InputArea-editor").click()
    for _ in range(len(SHOWN) + 1):
        page.keyboard.press("Shift+Enter")
    # where the notebook leaves us: in the new cell, with all that ran above it
    expect(cells.last.locator(".cm-content")).to_be_focused()
    ran = [*(f"[{n}]:" for n in range(1, len(SHOWN) + 2)), "[ ]:"]
    prompts = cells.locator(".jp-InputArea-prompt")
    expect(prompts).to_have_text(ran)
    views = {name: cells.nth(at).locator(".cid").first for at, name in enumerate(SHOWN, 1)}
    for name, (_, line) in SHOWN.items():
        expect(views[name]).to_contain_text(line)
    thumbnail = views["Browser"].locator(".cid-tile .cid-thumb")
    thumbnail.scroll_into_view_if_needed()  # pictures come when they are near
    expect(thumbnail).to_have_attribute("data-state", "shown")

    typed = []
    for name, view in views.items():
        field = view.locator(FIELD).first
        button = view.locator(":is(button, [tabindex='0']):visible").first
        if field.count():
            empty(field)
            page.keyboard.type("abdd")
            expect(field).to_have_value("abdd")
            expect(field).to_be_focused()
            typed.append(name)
        elif button.count():
            button.focus()
            page.keyboard.type("abdd")
        else:  # runs that have ended leave nothing to do
            assert name == "RunMonitor"
            continue
        for key in ("ArrowDown", "Shift+Enter", "Escape"):
            page.keyboard.press(key)
    assert {"Browser", "Tagger", "Members", "ProjectRequest", "Leaving", "Vocabulary"} <= {*typed}
    assert prompts.all_text_contents() == ran

    tifffile.imwrite(tmp_path / "by hand.tif", np.eye(32, dtype="uint8"))
    upload = views["Upload"]
    upload.locator("input[type=file]").first.set_input_files(tmp_path / "by hand.tif")
    upload.get_by_role("button", name="Start").click()
    expect(upload).to_contain_text("1 image came in.")
    views["Browser"].get_by_role("button", name="Upload…").click()  # a view inside a view
    inside = views["Browser"].get_by_role("region", name="Upload files")
    expect(inside).to_contain_text("Drop files or folders here")
    assert troubles == []

    page.get_by_role("menuitem", name="Kernel").click()
    page.get_by_role("menuitem", name="Restart Kernel…").click()
    page.locator(".jp-Dialog .jp-mod-accept").click()
    for at in range(1, len(SHOWN) + 1):
        ended = cells.nth(at).locator(".cid-ended").first  # a view inside says it too
        expect(ended).to_contain_text("Run its cell again")
