"""The upload view on the real service: real drops, a line that is cut, a page read again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from playwright.sync_api import Page, Route, expect
from processes import STAFF, Service, wait_until
from speaking import connected
from stage import Show

import cid_client as cid
from cid_widgets import Browser, Upload

NAME = "upload-widgets"
MASK = """mask: Upload scope
instrument: Upload scope
fields: [{key: Cell line, required: true, choices: [HeLa, U2OS]}]
"""
OME = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
<Instrument ID="Instrument:0"><Microscope Model="Upload scope"/></Instrument>
<Image ID="Image:0" Name="named"><InstrumentRef ID="Instrument:0"/>
<Pixels ID="Pixels:0" Type="uint16" DimensionOrder="XYCZT" SizeX="40" SizeY="32" SizeC="1"
 SizeZ="1" SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData/></Pixels></Image>
</OME>"""
MIB = 1 << 20


@pytest.fixture(scope="module")
def ursula(service: Service) -> Iterator[cid.Catalog]:
    """A contributor with room for 300 MB."""
    body = {"name": NAME, "team": "uploaders", "limit": 3 * 10**8}
    body |= {"members": {"ursula": "contributor"}}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    catalog = connected(service, "ursula")
    yield catalog
    catalog.close()


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CID_STATE", str(tmp_path / "state"))


class Line:
    """The way from the page to the service; `cut` breaks it for requests that it is true of."""

    def __init__(self, page: Page, service: Service) -> None:
        self.origin = service.origin
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.cut: Callable[[Any], bool] = lambda request: False
        page.route("**/services/cid/**", self._pass)

    def offsets(self) -> list[int]:
        """Where the parts began that went through."""
        return [int(h["upload-offset"]) for method, h in self.asked if method == "PATCH"]

    def count(self, method: str) -> int:
        return sum(one == method for one, _ in self.asked)

    def _pass(self, route: Route) -> None:
        request = route.request
        if self.cut(request):
            route.abort("internetdisconnected")
            return
        self.asked.append((request.method, request.headers))
        path = request.url.partition("/services/")[2]
        route.continue_(url=f"{self.origin}/services/{path}")


def drop(page: Page, *paths: Path) -> None:
    """Drop files and folders of this computer on the widget, as a person does."""
    box = page.locator(".cid-upload").bounding_box()
    assert box is not None
    where = {"x": box["x"] + box["width"] / 2, "y": box["y"] + 30}
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    speak = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        speak.send("Input.dispatchDragEvent", {"type": kind, **where, "data": data})


def reached(page: Page, true: Callable[[], Any], what: str) -> None:
    """Wait while the page goes on."""
    wait_until(lambda: page.title() is not None and true(), what=what)


def start(page: Page) -> None:
    page.get_by_role("button", name="Start").click()


@pytest.fixture
def monday(tmp_path: Path) -> Path:
    """A folder as somebody brings it: images in two folders, notes and a table of 34 MB."""
    folder = tmp_path / "monday"
    (folder / "controls").mkdir(parents=True)
    noise = np.random.default_rng(11)
    for name in ("cell 1", "cell 2", "controls/bead ä"):
        tifffile.imwrite(folder / f"{name}.tif", noise.integers(0, 999, (32, 40), "uint16"))
    (folder / "notes.txt").write_text("bleached")
    (folder / "table.bin").write_bytes(noise.bytes(1000) * 34_000)
    return folder


def test_a_folder_comes_in_though_the_line_is_cut_and_the_page_is_read_again(
    ursula: cid.Catalog, service: Service, show: Show, monday: Path
) -> None:
    others = set(service.staged())
    browser = Browser(ursula, project=NAME)
    upload = Upload(ursula, dataset="screen", browser=browser)
    assert (upload.project, upload.error) == (NAME, "")
    page, _ = show(upload, "upload")
    line = Line(page, service)
    line.cut = lambda request: request.headers.get("upload-offset", "0") != "0"
    drop(page, monday)
    expect(page.get_by_role("heading", name="5 files")).to_be_visible()
    start(page)
    expect(page.get_by_text("it goes on by itself")).to_be_visible()
    reached(page, lambda: upload.progress.get("done") == 4, "all but the large one are there")
    assert set(line.offsets()) == {0}
    staged = set(service.staged()) - others
    assert len(staged) == 1

    page.reload()  # the page asks first only where somebody touched it
    page.wait_for_selector("body[data-ready]")
    expect(page.get_by_text("Another page sends this, or was closed.")).to_be_visible()
    assert upload.progress["done"] == 4
    line.asked.clear()
    line.cut = lambda request: False
    drop(page, monday)
    result = page.get_by_role("region", name="What came of it")
    expect(result.get_by_role("status")).to_have_text(
        "3 images came in, 2 files are kept as they came."
    )
    assert line.offsets() == [16 * MIB, 32 * MIB]  # nothing that was there went again
    assert line.count("PUT") == 0
    expect(result.locator('[data-state="shown"]')).to_have_count(3)
    assert set(service.staged()) <= others

    result.get_by_role("button", name="Show them").click()
    reached(page, lambda: len(browser.rows) > 0, "the browser shows it")
    assert {row["name"] for row in browser.rows} >= {"cell 1", "cell 2"}
    images = {image.name: image for image in upload.images}
    assert images["bead ä"].record["dataset"] == "screen/monday/controls"
    files = {file.name: file for file in upload.files}
    assert set(files) == {"notes.txt", "table.bin"}
    sha256 = hashlib.sha256((monday / "table.bin").read_bytes()).hexdigest()
    assert files["table.bin"].sha256 == sha256

    result.get_by_role("button", name="Upload more").click()
    expect(page.get_by_text("Drop files or folders here")).to_be_visible()
    drop(page, monday / "cell 1.tif", monday / "notes.txt")
    start(page)
    expect(result.get_by_role("status")).to_contain_text("there already")
    expect(result).to_contain_text("cell 1.tif is there as cell 1.tif in upload-widgets")


def test_what_is_cancelled_leaves_nothing(
    ursula: cid.Catalog, service: Service, show: Show, tmp_path: Path
) -> None:
    others = set(service.staged())
    upload = Upload(ursula, NAME)
    page, _ = show(upload, "upload")
    line = Line(page, service)
    line.cut = lambda request: request.headers.get("upload-offset", "0") != "0"
    (tmp_path / "large.bin").write_bytes(bytes(20 * MIB))
    (tmp_path / "small.bin").write_bytes(b"small")
    drop(page, tmp_path / "large.bin", tmp_path / "small.bin")
    start(page)
    reached(page, lambda: upload.progress.get("done") == 1, "the small one is there")
    assert ursula.project(NAME).allocation.reserved == 20 * MIB + 5
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("button", name="Really cancel?").click()
    expect(page.get_by_text("Drop files or folders here")).to_be_visible()
    reached(page, lambda: set(service.staged()) <= others, "staging is empty")
    assert ursula.project(NAME).allocation.reserved == 0
    assert upload.unfinished == []

    (tmp_path / "huge.bin").touch()
    with (tmp_path / "huge.bin").open("wb") as file:
        file.truncate(4 * 10**8)
    drop(page, tmp_path / "huge.bin")
    expect(page.get_by_text("400 MB do not fit")).to_be_visible()
    start(page)
    expect(page.locator(".cid-error")).to_contain_text(NAME)
    assert upload.state == "ready"


def test_what_is_checked_first_is_said_what_its_mask_asks_and_sent_once(
    ursula: cid.Catalog, service: Service, show: Show, tmp_path: Path
) -> None:
    assert service.ask("POST", "instruments", STAFF, json={"name": "Upload scope"}).is_success
    assert service.ask("POST", "masks", STAFF, json={"text": MASK}).is_success
    folder = tmp_path / "tuesday"
    folder.mkdir()
    noise = np.random.default_rng(12)
    pixels = noise.integers(0, 999, (32, 40), "uint16")
    tifffile.imwrite(folder / "named.tif", pixels, description=OME)
    tifffile.imwrite(folder / "plain.tif", noise.integers(0, 999, (32, 40), "uint16"))
    (folder / "cut.tif").write_bytes((folder / "plain.tif").read_bytes()[:1500])
    browser = Browser(ursula, project=NAME)
    page, _ = show(browser, "browser", width=600)
    line = Line(page, service)
    page.get_by_role("button", name="Upload…").click()
    panel = page.get_by_role("region", name="Upload files")
    expect(panel.get_by_text("Drop files or folders here")).to_be_visible()
    drop(page, folder)
    panel.get_by_label("Dataset").fill("checked")
    panel.get_by_role("button", name="Check first").click()
    told = panel.get_by_role("region", name="What it would become")
    expect(told).to_contain_text("2 to look at, 1 cannot be read")
    expect(told.get_by_role("list", name="Verdicts")).to_contain_text("the size of a pixel is")
    assert ursula.search(project=NAME, dataset="checked").count() == 0
    assert line.count("PUT") == 3
    told.get_by_role("button", name="Upload").click()  # without what it asks
    expect(told).to_contain_text("is required, and nothing says it (tuesday/named.tif)")
    expect(told.get_by_label("Cell line")).to_be_focused()
    told.get_by_label("Cell line").fill("hela")
    told.get_by_role("button", name="Upload").click()
    expect(panel).to_contain_text("2 images came in, 1 file is kept as it came.")
    assert line.count("PUT") == 3
    panel.get_by_role("button", name="Show them").click()
    reached(page, lambda: len(browser.selected) == 2, "they are selected")
    tags = {image.name: image.tags for image in browser.images}
    assert tags["named"]["Cell line"] == "HeLa"
    assert "Cell line" not in tags["plain"]


def test_five_hundred_small_files_are_one_request_each(
    ursula: cid.Catalog, service: Service, show: Show, tmp_path: Path
) -> None:
    folder = tmp_path / "series"
    folder.mkdir()
    for n in range(500):
        (folder / f"{n:03d}.txt").write_text(f"number {n}")
    upload = Upload(ursula, NAME, "series")
    upload.kind = "files"
    page, _ = show(upload, "upload")
    line = Line(page, service)
    drop(page, folder)
    expect(page.get_by_role("heading", name="500 files")).to_be_visible()
    expect(page.get_by_text("and 300 more")).to_be_visible()
    start(page)
    reached(page, lambda: upload.state == "done", "all are there")
    assert (line.count("PUT"), line.count("POST")) == (500, 0)
    assert len(upload.files) == 500


def test_a_real_file_of_a_microscope_becomes_its_images(
    ursula: cid.Catalog, service: Service, show: Show
) -> None:
    folder = Path(__file__).parents[4] / "shared" / "data" / "formats" / "lif"
    if not folder.is_dir():
        pytest.skip("needs the real microscopy files of ../shared/data, which are not here")
    path = min(folder.glob("*.lif"), key=lambda path: path.stat().st_size)
    upload = Upload(ursula, NAME, "real")
    page, _ = show(upload, "upload")
    Line(page, service)
    drop(page, path)
    page.get_by_text("Tags and more").click()
    page.get_by_label("Tag", exact=True).fill("Sample")
    page.get_by_label("Value of the tag").fill("sectioned")
    start(page)
    reached(page, lambda: upload.state in ("done", "failed"), "it is imported")
    assert upload.outcome.get("problems") == []
    assert len(upload.images) > 0
    assert {str(image.tags["Sample"]) for image in upload.images} == {"sectioned"}
