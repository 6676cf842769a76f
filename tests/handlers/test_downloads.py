"""Many records as one archive: only what the caller reaches, whole however often it breaks off."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import shutil
import socket
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dask.array as da
import httpx
import numpy as np
import pytest
import tifffile
import world
from live import Live
from processes import wait_until
from sqlalchemy import select

from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import links
from cid_server_ext.db import tables as t
from cid_server_ext.storage import manifests, omezarr
from cid_server_ext.storage.readers import source as readers

unique = itertools.count()
SIZE = 24 << 20  # of the original: more than what is on its way in sockets


@dataclass(frozen=True)
class Place:
    """A world whose records have bytes, and those of the original."""

    live: Live
    made: world.World
    original: bytes

    def ask(self, who: str = "viewer", **body: Any) -> httpx.Response:
        return self.live.service.ask("POST", "downloads", who, json=body)

    def batch(self, who: str = "viewer", **body: Any) -> dict[str, Any]:
        answer = self.ask(who, **body)
        assert answer.status_code == 200, answer.text
        return answer.json() | {"url": self.live.service.origin + answer.json()["url"]}

    def path(self, key: str) -> Path:
        path = self.live.service.folder / "storage" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


@pytest.fixture
def place(live: Live) -> Iterator[Place]:
    with live.sessions.begin() as session:
        made = world.organise(session, world.make(session, f"zip-{next(unique)}"))
    content = os.urandom(1 << 20) * (SIZE >> 20)
    found = Place(live, made, content)
    with live.sessions.begin() as session:
        image = session.scalars(select(t.Image).where(t.Image.uid == made.image)).one()
        image.prefix = f"images/{made.image[:2]}/{made.image}"
        found.path(f"{image.prefix}/image.ome.zarr/zarr.json").write_text("{}")
        found.path(f"{image.prefix}/thumbnail.png").write_bytes(b"png")
        image.sha256 = manifests.write(found.path(f"{image.prefix}/x").parent)
        file = image.original
        assert file is not None
        file.prefix = f"files/{file.uid[:2]}/{file.uid}"
        file.filename, file.name = file.name, "co:n*.TIF"
        file.sha256 = hashlib.sha256(content).hexdigest()
        found.path(f"{file.prefix}/{file.filename}").write_bytes(content)
        plain = session.scalars(select(t.File).where(t.File.uid == made.plain)).one()
        plain.prefix = f"files/{plain.uid[:2]}/{plain.uid}"
        plain.name, plain.filename = "CO_N_.tif", "plan.pdf"
        plain.dataset_id, plain.sha256 = image.dataset_id, hashlib.sha256(b"plan").hexdigest()
        found.path(f"{plain.prefix}/plan.pdf").write_bytes(b"plan")
        journal.record(session, "contributor", "store", f"project:{made.project}")
    yield found
    found.path(f"{file.prefix}/{file.filename}").unlink()


def proved(content: bytes) -> dict[str, bytes]:
    """Return the files of an archive that its own manifest proves."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    lines = files.pop("manifest-sha256.txt").decode().splitlines()
    assert lines == [f"{hashlib.sha256(files[n]).hexdigest()}  {n}" for n in files]
    return files


def test_cut_in_the_middle_it_goes_on_to_the_same_bytes(place: Place) -> None:
    made = place.made
    batch = place.batch(query="", project=made.project)
    whole = httpx.get(batch["url"])
    assert len(whole.content) == batch["nbytes"]
    assert whole.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''zip-")
    assert proved(whole.content) == {
        f"{made.project}/co_n_.TIF": place.original,
        f"{made.project}/CO_N_ (2).tif": b"plan",
    }
    assert batch["files"] == 3
    reasons = {one["uid"]: one["why"] for one in batch["left_out"]}
    assert "not in storage" in "".join(reasons.values())
    again = place.batch(query="", project=made.project)
    assert (again["etag"], again["nbytes"]) == (batch["etag"], batch["nbytes"])
    half = batch["nbytes"] // 2
    with httpx.stream("GET", batch["url"]) as cut:
        came = bytearray()
        for piece in cut.iter_raw(1 << 16):
            came += piece
            if len(came) >= half:
                break
    go_on = {"Range": f"bytes={len(came)}-", "If-Range": again["etag"]}
    rest = httpx.get(again["url"], headers=go_on)
    assert rest.status_code == 206
    assert bytes(came) + rest.content == whole.content
    asked = httpx.head(again["url"])
    assert (asked.headers["ETag"], asked.headers["Content-Length"]) == (
        batch["etag"],
        str(batch["nbytes"]),
    )
    other = httpx.get(again["url"], headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (other.status_code, len(other.content)) == (200, batch["nbytes"])
    past = httpx.get(again["url"], headers={"Range": f"bytes={batch['nbytes']}-"})
    assert (past.status_code, past.json()["error"]) == (416, "BadInput")
    assert httpx.get(again["url"], headers={"If-None-Match": batch["etag"]}).status_code == 304


def test_stores_and_files_are_given_as_they_lie(place: Place) -> None:
    made = place.made
    batch = place.batch(
        records=[made.image, made.image, made.plain, made.result], **{"as": "ome-zarr"}
    )
    assert proved(httpx.get(batch["url"]).content) == {
        f"{made.project}/cells.ome.zarr/zarr.json": b"{}",
        f"{made.project}/CO_N_.tif": b"plan",
    }
    [left] = batch["left_out"]
    assert (left["uid"], left["why"]) == (made.result, "its bytes are not in storage: tell staff")


def test_what_is_out_of_reach_is_not_in_it_and_not_told(place: Place) -> None:
    with place.live.sessions.begin() as session:
        other = world.make(session, f"zip-{next(unique)}")
        hidden = session.scalars(select(t.Image).where(t.Image.uid == other.image)).one()
        hidden.created_by = "somebody"
        gone = session.scalars(
            select(t.ProjectMember).where(
                t.ProjectMember.person == "viewer", t.ProjectMember.project_id == hidden.project_id
            )
        ).one()
        session.delete(gone)
        journal.record(session, "manager", "leave", f"project:{other.project}")
    batch = place.batch(records=[place.made.plain, other.image, "absent"])
    said = [(one["uid"], one["name"], one["why"]) for one in batch["left_out"]]
    why = "no such record that you can see"
    assert said == [(other.image, "", why), ("absent", "", why)]
    for body in (
        {"records": [other.image]},
        {"records": ["absent"]},
        {"query": "", "project": other.project},
    ):
        refused = place.ask(**body)
        assert (refused.status_code, refused.json()["error"]) == (404, "NotFound")
    for body in ({}, {"records": ["a"], "query": ""}, {"query": "", "as": "jpeg"}):
        refused = place.ask(**body)
        assert (refused.status_code, refused.json()["error"]) == (400, "BadInput")


def test_who_has_it_by_a_link_finds_it_where_the_link_is(place: Place) -> None:
    with place.live.sessions.begin() as session:
        other = world.make_project(session, f"zip-{next(unique)}")
        session.add(t.ProjectMember(project_id=other.id, person="friend", role="viewer"))
        root = session.scalars(select(t.Dataset).where(t.Dataset.project_id == other.id)).one()
        links.put(session, Actor("manager"), root.uid, place.made.plain)
        name = other.name
    batch = place.batch("friend", query="", project=name)
    assert proved(httpx.get(batch["url"]).content) == {f"{name}/CO_N_.tif": b"plan"}


def cut_by_the_trash(place: Place, batch: dict[str, Any], record: str) -> int:
    """Throw a record away while the archive is sent; return how many bytes came."""
    address = urlsplit(batch["url"])
    assert address.hostname
    with socket.create_connection((address.hostname, address.port or 80), timeout=30) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        line.sendall(f"GET {address.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        came = len(line.recv(1000))
        thrown = place.live.service.ask("POST", "trash", "contributor", json={"records": [record]})
        assert thrown.status_code == 201, thrown.text
        wait_until(
            lambda: httpx.head(batch["url"]).status_code == 401, 10, "the address is refused"
        )
        assert httpx.get(batch["url"]).json()["error"] == "NotLoggedIn"
        while piece := line.recv(1 << 16):  # what was on its way already
            came += len(piece)
    return came


def test_thrown_away_while_it_is_sent_it_is_cut_and_refused(place: Place) -> None:
    batch = place.batch(records=[place.made.image, place.made.plain])
    came = cut_by_the_trash(place, batch, place.made.plain)
    assert came < batch["nbytes"]
    again = place.batch(records=[place.made.image, place.made.plain])
    assert [one["uid"] for one in again["left_out"]] == [place.made.plain]
    assert list(proved(httpx.get(again["url"]).content).values()) == [place.original]


def test_made_on_the_way_it_is_cut_and_goes_on_and_is_refused_like_files(place: Place) -> None:
    made, pixels = (
        place.made,
        np.random.default_rng(3).integers(0, 4000, (12, 1024, 1024), "uint16"),
    )
    with place.live.sessions.begin() as session:
        image = session.scalars(select(t.Image).where(t.Image.uid == made.image)).one()
        folder = place.path(f"{image.prefix}/x").parent
        shutil.rmtree(folder)
        (folder / "image.ome.zarr").mkdir(parents=True)
        source = readers.source(readers.Facts(), "ZYX", da.from_array(pixels, chunks=(4, -1, -1)))
        omezarr.write(source, folder / "image.ome.zarr")
        image.sha256 = manifests.write(folder)
        journal.record(session, "contributor", "store", f"project:{made.project}")
    tagged = place.live.service.ask(
        "PUT", f"images/{made.image}/tags/Staining", "contributor", json={"value": "DAPI"}
    )
    assert tagged.status_code == 200, tagged.text
    chosen = {"records": [made.image, made.plain, made.result]}
    batch = place.batch(**chosen, **{"as": "ome-tiff"})
    assert [one["uid"] for one in batch["left_out"]] == [made.result]
    whole = httpx.get(batch["url"])
    files = proved(whole.content)
    assert sorted(files) == [f"{made.project}/CO_N_.tif", f"{made.project}/cells.ome.tif"]
    with tifffile.TiffFile(io.BytesIO(files[f"{made.project}/cells.ome.tif"])) as tiff:
        assert np.array_equal(tiff.asarray(), pixels)
        assert "Staining" in (tiff.ome_metadata or "")
    half = len(whole.content) // 2
    go_on = {"Range": f"bytes={half}-", "If-Range": batch["etag"]}
    assert httpx.get(batch["url"], headers=go_on).content == whole.content[half:]
    other = place.batch(**chosen, **{"as": "imagej"})
    assert other["etag"] != batch["etag"]
    assert cut_by_the_trash(place, other, made.plain) < other["nbytes"]
    again = place.batch(**chosen, **{"as": "imagej"})
    assert {one["uid"] for one in again["left_out"]} == {made.plain, made.result}
    assert list(proved(httpx.get(again["url"]).content)) == [f"{made.project}/cells.tif"]


def test_an_address_opens_this_download_and_nothing_else(place: Place) -> None:
    url = place.batch(records=[place.made.plain])["url"]
    base, ticket = url.split("/data/")[0], url.split("/data/")[1].split("/")[0]
    for path in (".json", ".crc", "x"):
        answer = httpx.get(f"{base}/data/{ticket}/{path}")
        assert (answer.status_code, answer.json()["error"]) == (403, "NotAllowed")
    record = place.live.service.ask("GET", f"files/{place.made.plain}", "viewer").json()
    other = record["url"].split("/data/")[1].split("/")[0]
    answer = httpx.get(f"{base}/data/{other}/.zip/a.zip")
    assert (answer.status_code, answer.json()["error"]) == (403, "NotAllowed")
    assert httpx.get(f"{base}/data/x{ticket}/.zip/a.zip").status_code == 401
