"""Many records at once: whole, verified, and never asked for twice, however the line breaks."""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import ome_types
import pytest
import tifffile
from processes import STAFF, Service
from speaking import As

import cid_client as cid
from cid_client import cli
from cid_client.commands import download as command
from cid_client.downloads import proving
from cid_client.wire.environment import Access
from cid_client.wire.session import Session

WORLD = {"out/day 1/a.tif", "out/day 1/deep/a.tif", "out/notes.txt"}


@pytest.fixture(scope="module")
def dora(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[cid.Catalog]:
    """Her project has two images of one name and a file of 3 MB."""
    body = {"name": "out", "team": "out-team", "limit": 10**9, "members": {"dora": "contributor"}}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    catalog, folder = speaking(service, As("dora")), tmp_path_factory.mktemp("out")
    for number, dataset in enumerate(("day 1", "day 1/deep")):
        path = folder / "a.tif"
        tifffile.imwrite(path, np.full((64, 64), number, "uint16"))
        catalog.upload(path, "out", dataset)
    (folder / "notes.txt").write_bytes(os.urandom(3 << 20))
    catalog.upload(folder / "notes.txt", "out", kind="files")
    yield catalog
    catalog.close()


def speaking(service: Service, line: As) -> cid.Catalog:
    return cid.Catalog(Session(Access(service.url, "token of a person"), transport=line))


def below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


class Cutting(As):
    """A line that breaks after so many bytes of each archive, and counts what it brought."""

    def __init__(self, nbytes: int) -> None:
        super().__init__("dora")
        self.nbytes, self.brought = nbytes, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if "/.zip/" in str(request.url):
            response.stream = Cut(response.stream, self)
        return response


class Cut(httpx.SyncByteStream):
    def __init__(self, stream: object, line: Cutting) -> None:
        self.stream, self.line = stream, line

    def __iter__(self) -> Iterator[bytes]:
        left = self.line.nbytes
        for piece in self.stream:
            self.line.brought += len(piece[:left])
            yield piece[:left]
            if (left := left - len(piece)) <= 0:
                raise httpx.ReadError("the line broke")

    def close(self) -> None:
        self.stream.close()


def test_a_search_comes_as_files_whose_bytes_are_those_of_the_catalog(dora, tmp_path) -> None:
    told: list[float] = []
    came = dora.records(project="out").download(
        tmp_path, on_progress=lambda fraction, text: told.append(fraction)
    )
    assert below(tmp_path) == WORLD
    assert (came.files, came.left, told[-1]) == (3, 0, 1.0)
    for image in dora.search(project="out"):
        path = tmp_path / "out" / image.dataset / "a.tif"
        assert hashlib.sha256(path.read_bytes()).hexdigest() == image.wire("original")["sha256"]
    dora.records(project="out").download(tmp_path)  # again: what is there is the same
    (tmp_path / "out" / "notes.txt").write_bytes(b"mine")
    with pytest.raises(cid.Conflict, match="exists already"):
        dora.download(dora.records(project="out"), tmp_path)
    assert (tmp_path / "out" / "notes.txt").read_bytes() == b"mine"


def test_a_dataset_comes_as_one_archive_of_stores(dora, tmp_path) -> None:
    archive = tmp_path / "day.zip"
    came = dora.project("out").dataset("day 1").download(archive, as_="ome-zarr")
    assert came.path == archive
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path / "here")
    import zarr

    for number, place in enumerate(("day 1", "day 1/deep")):
        pixels = zarr.open_group(tmp_path / "here/out" / place / "a.ome.zarr", mode="r")["0"]
        assert int(np.asarray(pixels).max()) == number
    with pytest.raises(cid.Conflict, match="exists already"):
        dora.download(dora.records(project="out"), archive)
    assert below(tmp_path) >= {"day.zip"}


def test_a_line_that_breaks_brings_each_byte_once(dora, service: Service, tmp_path) -> None:
    cutting = Cutting(700_000)
    mine = speaking(service, cutting)
    came = mine.records(project="out").download(tmp_path)
    assert below(tmp_path) == WORLD
    assert cutting.brought == came.nbytes


def test_one_tiff_of_each_image_is_made_on_the_way(
    dora, service: Service, tmp_path, capsys
) -> None:
    images = dora.search(project="out")
    told = dora.archive(images, as_="ome-tiff")
    assert (told.files, told.left, told.name[:3]) == (2, 0, "cid")
    assert told.url.endswith(told.path)
    cutting = Cutting(told.nbytes // 3)
    came = speaking(service, cutting).search(project="out").download(tmp_path, as_="ome-tiff")
    assert (cutting.brought, came.nbytes) == (told.nbytes, told.nbytes)
    assert below(tmp_path) == {"out/day 1/a.ome.tif", "out/day 1/deep/a.ome.tif"}
    for path in came.paths:
        assert int(tifffile.imread(path).max()) == ("deep" in path.parts)
        [described] = ome_types.from_tiff(path).images
        assert described.name == "a"
    [image] = [one for one in images if one.dataset == "day 1/deep"]
    path = image.download(tmp_path / "one", as_="imagej")
    assert path == tmp_path / "one/out/day 1/deep/a.tif"
    with tifffile.TiffFile(path) as tiff:
        assert f"CID = {image.uid}" in (tiff.imagej_metadata or {})["Info"]
    assert (image.download(tmp_path / "one", as_="ome-zarr") / "zarr.json").is_file()


def test_a_form_that_cannot_hold_an_image_says_why(dora, tmp_path) -> None:
    wide = tmp_path / "wide.tif"
    tifffile.imwrite(wide, np.ones((30, 30), "float64"))
    [image] = dora.upload(wide, "out", "numbers")
    with pytest.raises(cid.BadInput, match="wide: ImageJ has no float64: take it as ome-tiff"):
        image.download(tmp_path, as_="imagej")
    assert image.download(tmp_path, as_="ome-tiff").is_file()
    image.trash()


def test_what_was_stopped_goes_on_at_the_next_call(dora, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(command, "connect", lambda url, token: dora)
    stop = iter([False, True])

    def once(fraction: float, text: str) -> None:
        if next(stop, False):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dora.records(project="out").download(tmp_path / "o", on_progress=once)
    [part] = (tmp_path / "o").glob(".cid-*.part")
    came = part.stat().st_size
    with part.open("r+b") as file:  # a disk that lies
        file.write(b"damaged")
    with pytest.raises(cid.BadInput, match="damaged"):
        dora.records(project="out").download(tmp_path / "o")
    assert not below(tmp_path / "o")
    stop = iter([False, True])
    with pytest.raises(KeyboardInterrupt):
        dora.records(project="out").download(tmp_path / "o", on_progress=once)
    assert 0 < part.stat().st_size <= came + (4 << 20)
    assert cli.main(["download", "", "-p", "out", "-o", str(tmp_path / "o")]) == 0
    assert below(tmp_path / "o") == WORLD
    assert ": 3 files, 3.2 MB" in capsys.readouterr().err


def test_what_is_not_what_the_catalog_says_is_refused(tmp_path: Path) -> None:
    good = hashlib.sha256(b"bytes").hexdigest()
    hostile = {
        "a.txt": (b"other", good, "a.txt arrived damaged"),
        "../a.txt": (b"bytes", good, "other files"),
        "/a.txt": (b"bytes", good, "other files"),
        "C:a.txt": (b"bytes", good, "other files"),
    }
    for name, (content, digest, said) in hostile.items():
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            archive.writestr(name, content)
            archive.writestr("manifest-sha256.txt", f"{digest}  {name}\n")
        with pytest.raises(cid.BadInput, match=said):
            proving.unpack(tmp_path / "x.zip", tmp_path / "here", lambda fraction, text: None)
        assert not below(tmp_path / "here")
    (tmp_path / "x.zip").write_bytes(b"no archive")
    with pytest.raises(cid.BadInput, match="damaged"):
        proving.prove(tmp_path / "x.zip", lambda fraction, text: None)


def test_the_page_about_it_runs(dora, service: Service, tmp_path, monkeypatch) -> None:
    page = Path(__file__).parents[2] / "docs" / "user" / "download.md"
    [snippet] = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.setattr(cid, "connect", lambda: speaking(service, As("dora")))
    monkeypatch.chdir(tmp_path)
    told = snippet.replace('"demo"', '"out"').replace('"screen"', '"day 1"')
    kernel: dict[str, object] = {}
    exec(compile(told, page.name, "exec"), kernel)
    kernel["catalog"].close()
    assert below(tmp_path / "here") == {"out/day 1/a.tif", "out/day 1/deep/a.tif"}
    with zipfile.ZipFile("screen.zip") as archive:
        assert "out/day 1/a.ome.zarr/zarr.json" in archive.namelist()
