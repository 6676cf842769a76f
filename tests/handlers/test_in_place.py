"""Bytes that stay where they were: given out by ticket, and never when they are others by now."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import old_data
import planes
import pytest

from cid_server_ext.storage.inplace import Place, Roots, suspects
from cid_server_ext.storage.plane import DataPlane
from cid_server_ext.storage.tickets import Right

UID = "abcdef0123456789"


@dataclass
class Served:
    """A data plane over a tree in place."""

    plane: DataPlane
    tree: Path
    port: int

    def place(self, path: str, form: str) -> Place:
        now = (self.tree / path).stat()
        newest = max(path.stat().st_mtime_ns for path in [*self.tree.rglob("*"), self.tree])
        time_ns = now.st_mtime_ns if form == "file" else newest
        return Place("old", path, form, now.st_size, time_ns)

    def get(self, place: Place, path: str, **headers: str) -> tuple[int, str, bytes]:
        kind = "files" if place.form == "file" else "images"
        ticket = self.plane.signer.sign(Right(f"{kind}/ab/{UID}", "r", place=place))
        answer = httpx.get(f"http://127.0.0.1:{self.port}/data/{ticket}/{path}", headers=headers)
        error = answer.json()["error"] if answer.status_code >= 400 else ""
        return answer.status_code, error, answer.content


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "root").mkdir()
    old_data.tif(tmp_path / "old/ana/cell.tif")
    old_data.image(tmp_path / "old/ana/one.zarr")
    roots = Roots.read(f"old={tmp_path}/old")
    with planes.listening(tmp_path / "root", roots) as (plane, port):
        yield Served(plane, tmp_path / "old", port)


def test_a_file_is_given_out_from_where_it_lies_until_it_is_another(served: Served) -> None:
    path = served.tree / "ana/cell.tif"
    body, place = path.read_bytes(), served.place("ana/cell.tif", "file")
    assert served.get(place, "cell.tif") == (200, "", body)
    assert served.get(place, "cell.tif", Range="bytes=2-5") == (206, "", body[2:6])
    for other in ("one.zarr/zarr.json", "image.ome.zarr/zarr.json", "x"):
        assert served.get(place, other)[0] == 404
    assert suspects(served.plane.root.root) == {}

    times = path.stat()
    path.write_bytes(body[:-1] + b"?")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    assert served.get(place, "cell.tif")[:2] == (409, "BytesChanged")
    assert suspects(served.plane.root.root) == {UID: ""}
    path.unlink()
    assert served.get(place, "cell.tif")[:2] == (404, "NotFound")
    path.symlink_to("/etc/passwd")
    assert served.get(place, "cell.tif")[:2] == (404, "NotFound")


def test_an_image_is_given_out_from_its_store_until_something_in_it_is_newer(
    served: Served,
) -> None:
    store = served.tree / "ana/one.zarr"
    place = served.place("ana/one.zarr", "tree")
    chunk = "0/c/1/0/0"
    body = (store / chunk).read_bytes()
    assert served.get(place, f"image.ome.zarr/{chunk}") == (200, "", body)
    absent = served.get(place, "image.ome.zarr/0/c/9/9/9")
    assert absent[:2] == (404, "NotFound")  # a chunk that never was is the fill value
    assert served.get(place, "image.ome.zarr/")[0] == 404
    assert served.get(place, "thumbnail.png")[0] == 404
    assert served.get(place, "zarr.json")[0] == 404

    (store / chunk).unlink()  # one that was, and is no more, is no fill value
    assert served.get(place, f"image.ome.zarr/{chunk}")[:2] == (409, "BytesChanged")
    assert suspects(served.plane.root.root) == {UID: chunk}
    (store / "zarr.json").write_text("{}")
    assert served.get(place, "image.ome.zarr/zarr.json")[:2] == (409, "BytesChanged")
    os.rename(store, served.tree / "gone")
    assert served.get(place, "image.ome.zarr/zarr.json")[:2] == (409, "BytesChanged")


def test_a_link_on_the_way_leads_nowhere(served: Served, tmp_path: Path) -> None:
    old_data.tif(tmp_path / "secret/cell.tif")
    (served.tree / "out").symlink_to(tmp_path / "secret")
    place = served.place("out/cell.tif", "file")
    assert served.get(place, "cell.tif")[:2] == (404, "NotFound")
