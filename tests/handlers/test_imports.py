"""Bytes come in through the real service: good files become images, bad ones leave nothing."""

from __future__ import annotations

import hashlib
import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
import tifffile
import world
import zarr
from processes import STAFF, Service, content_digest, deposit, wait_until

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.people import members
from cid_server_ext.db.session import Sessions

unique = itertools.count()
ROOM = 10**8


@pytest.fixture
def project(service_database: Sessions) -> str:
    name = f"imports-{next(unique)}"
    with service_database.begin() as session:
        world.make_project(session, name, ROOM)
    return name


def allocation(service: Service, project: str) -> dict[str, int]:
    told = service.ask("GET", f"projects/{project}", STAFF).json()["allocation"]
    return {name: told[name] for name in ("limit", "used", "reserved")}


def picture(folder: Path, name: str = "cells.tif", size: int = 300) -> Path:
    pixels = np.random.default_rng(1).integers(0, 4000, (2, size, size), dtype=np.uint16)
    path = folder / name
    tifffile.imwrite(
        path,
        pixels,
        imagej=True,
        resolution=(10.0, 10.0),
        metadata={"axes": "CYX", "unit": "um"},
    )
    return path


def stored(store: Path) -> None:
    """Write a small OME-Zarr 0.4."""
    group = zarr.create_group(store, zarr_format=2)
    array = group.create_array("0", shape=(32, 32), dtype="uint8", chunks=(32, 32))
    array[:] = np.arange(1024, dtype=np.uint8).reshape(32, 32)
    axes = [{"name": axis, "type": "space"} for axis in "yx"]
    scale = [{"type": "scale", "scale": [1, 1]}]
    level = {"path": "0", "coordinateTransformations": scale}
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [level]}]


def test_a_file_becomes_an_image_with_its_original_beside_it(
    service: Service, project: str, tmp_path: Path
) -> None:
    path = picture(tmp_path)
    done = deposit(service, "contributor", project, path, dataset="day 1")
    assert done["state"] == "done", done
    image = service.ask("GET", f"images/{done['images'][0]}", "viewer").json()
    assert (image["axes"], image["shape"], image["dtype"]) == ("cyx", [2, 300, 300], "uint16")
    assert image["scale"] == pytest.approx({"y": 0.1, "x": 0.1})
    assert image["dataset"] == "day 1"
    kept = httpx.get(service.origin + image["original_url"]).content
    assert kept == path.read_bytes()
    assert image["original"]["sha256"] == hashlib.sha256(kept).hexdigest()
    thumbnail = httpx.get(service.origin + image["thumbnail"])
    assert thumbnail.headers["Content-Type"] == "image/png"
    assert thumbnail.content[:8] == b"\x89PNG\r\n\x1a\n"
    store = httpx.get(service.origin + image["data"] + "zarr.json").json()
    assert store["attributes"]["ome"]["version"] == "0.5"
    counted = allocation(service, project)
    assert counted["used"] == image["nbytes"] + image["original"]["nbytes"]
    assert counted["reserved"] == 0


def test_any_file_can_be_kept_as_it_is(service: Service, project: str, tmp_path: Path) -> None:
    (tmp_path / "notes.pdf").write_bytes(b"%PDF-1.7 not read by anybody")
    done = deposit(service, "contributor", project, tmp_path / "notes.pdf", kind="files")
    assert done["state"] == "done", done
    file = service.ask("GET", f"files/{done['files'][0]}", "viewer").json()
    assert (file["kind"], file["nbytes"]) == ("file", 28)
    answer = httpx.get(service.origin + file["url"])
    assert answer.content.startswith(b"%PDF")
    assert "attachment" in answer.headers["Content-Disposition"]


def truncated(folder: Path) -> Path:
    path = picture(folder, "cut.tif")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def text(folder: Path) -> Path:
    (folder / "notes.tif").write_text("this is no picture\n" * 100)
    return folder / "notes.tif"


def empty(folder: Path) -> Path:
    (folder / "empty.tif").write_bytes(b"")
    return folder / "empty.tif"


@pytest.mark.parametrize("bad", [truncated, text, empty])
def test_a_bad_file_is_refused_in_one_line_and_leaves_nothing(
    service: Service, project: str, tmp_path: Path, bad
) -> None:
    path = bad(tmp_path)
    ended = deposit(service, "contributor", project, path)
    assert ended["state"] == "failed"
    assert ended["error"]["error"] == "BadFile"
    assert path.name in ended["error"]["message"]
    assert "\n" not in ended["error"]["message"]
    wait_until(lambda: ended["uid"] not in service.staged(), what="staging is removed")
    assert allocation(service, project) == {"limit": ROOM, "used": 0, "reserved": 0}
    listed = service.ask("GET", f"images?project={project}", "viewer").json()
    assert listed["images"] == []


def test_an_unknown_project_and_a_viewer_are_refused_by_name(
    service: Service, project: str, tmp_path: Path
) -> None:
    path = picture(tmp_path)
    assert deposit(service, "contributor", "no-such-project", path)["error"] == "NotFound"
    assert deposit(service, "viewer", project, path)["error"] == "NotAllowed"
    assert deposit(service, "stranger", project, path)["error"] == "NotFound"


def test_a_full_allocation_refuses_before_a_byte_moves(
    service: Service, project: str, tmp_path: Path
) -> None:
    service.ask("PUT", f"projects/{project}/allocation", STAFF, json={"limit": 1000})
    refused = deposit(service, "contributor", project, picture(tmp_path))
    assert refused["error"] == "OverQuota"
    assert "ask staff" in refused["message"]
    assert allocation(service, project) == {"limit": 1000, "used": 0, "reserved": 0}


def test_an_image_that_will_not_fit_is_refused_before_it_is_written(
    service: Service, project: str, tmp_path: Path
) -> None:
    """A small file may hold a large image: what will be written is reserved first."""
    path = tmp_path / "blank.tif"
    blank = np.zeros((4000, 4000), np.uint8)
    tifffile.imwrite(path, blank, compression="zlib")
    limit = path.stat().st_size + 100_000
    service.ask("PUT", f"projects/{project}/allocation", STAFF, json={"limit": limit})
    ended = deposit(service, "contributor", project, path)
    assert (ended["state"], ended["error"]["error"]) == ("failed", "OverQuota")
    assert allocation(service, project) == {"limit": limit, "used": 0, "reserved": 0}


def test_a_deposit_given_up_gives_its_room_back(
    service: Service, project: str, tmp_path: Path
) -> None:
    files = {"files": [{"path": "a.tif", "nbytes": 500}]}
    opened = service.ask("POST", f"projects/{project}/deposits", "contributor", json=files)
    assert allocation(service, project)["reserved"] == 500
    ended = service.ask("DELETE", f"deposits/{opened.json()['uid']}", "contributor")
    assert ended.json()["state"] == "aborted"
    assert allocation(service, project)["reserved"] == 0
    again = service.ask("DELETE", f"deposits/{opened.json()['uid']}", "contributor")
    assert (again.status_code, again.json()["error"]) == (409, "Conflict")


def test_an_import_given_up_while_it_runs_stops_and_leaves_nothing(
    service: Service, project: str, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(3).integers(0, 60000, (8, 1200, 1200), dtype=np.uint16)
    path = tmp_path / "large.tif"
    tifffile.imwrite(path, pixels, imagej=True, metadata={"axes": "ZYX"})
    body = path.read_bytes()
    files = {"files": [{"path": path.name, "nbytes": len(body)}]}
    opened = service.ask("POST", f"projects/{project}/deposits", "contributor", json=files).json()
    headers = {"Content-Digest": content_digest(body)}
    httpx.put(f"{service.origin}{opened['upload']}{path.name}", content=body, headers=headers)
    service.ask("POST", f"deposits/{opened['uid']}/commit", "contributor", json={})
    ended = service.ask("DELETE", f"deposits/{opened['uid']}", "contributor").json()
    assert ended["state"] == "aborted"
    wait_until(lambda: opened["uid"] not in service.staged(), 60, "staging is removed")
    assert allocation(service, project) == {"limit": ROOM, "used": 0, "reserved": 0}
    listed = service.ask("GET", f"images?project={project}", "viewer").json()
    assert listed["images"] == []


def test_a_commit_while_files_are_still_coming_is_refused_and_one_goes_on(
    service: Service, project: str
) -> None:
    bodies = {"a/here.md": b"one", "a/late.md": b"two", "later.md": b""}
    files = [{"path": path, "nbytes": len(body)} for path, body in bodies.items()]
    new = {"kind": "files", "files": files}
    opened = service.ask("POST", f"projects/{project}/deposits", "contributor", json=new).json()

    def put(path: str) -> None:
        headers = {"Content-Digest": content_digest(bodies[path])}
        url = f"{service.origin}{opened['upload']}{path}"
        assert httpx.put(url, content=bodies[path], headers=headers).status_code == 201

    def commit() -> httpx.Response:
        return service.ask("POST", f"deposits/{opened['uid']}/commit", "contributor", json={})

    put("a/here.md")
    refused = commit()
    assert (refused.status_code, refused.json()["error"]) == (409, "Conflict")
    assert refused.json()["message"].startswith("2 files are still coming, first 'a/late.md'")
    put("a/late.md")
    assert commit().json()["message"].startswith("1 file is still coming, first 'later.md'")
    put("later.md")
    assert commit().status_code == 202

    def done() -> dict | None:
        now = service.ask("GET", f"deposits/{opened['uid']}", "contributor").json()
        return now if now["state"] == "done" else None

    assert len(wait_until(done, what="all of it comes in")["files"]) == 3


def test_a_folder_of_files_has_no_address_of_its_own(
    service: Service, project: str, tmp_path: Path
) -> None:
    store = tmp_path / "cells.zarr"
    stored(store)
    done = deposit(service, "contributor", project, store, dataset="again")
    assert done["state"] == "done", done
    image = service.ask("GET", f"images/{done['images'][0]}", "viewer").json()
    assert (image["original"]["media_type"], image["original_url"]) == ("inode/directory", None)
    file = service.ask("GET", f"files/{image['original']['uid']}", "viewer").json()
    assert (file["name"], file["url"]) == ("cells.zarr", None)
    took = service.ask("POST", "downloads", "viewer", json={"records": [image["uid"]]}).json()
    assert (took["left"], took["files"]) == (0, 1 + sum(p.is_file() for p in store.rglob("*")))


@pytest.mark.parametrize("path", ["../x.tif", "/etc/passwd", "a//b", "a\\b", "a/../b"])
def test_paths_that_lead_elsewhere_are_refused(service: Service, project: str, path: str) -> None:
    files = {"files": [{"path": path, "nbytes": 5}]}
    answer = service.ask("POST", f"projects/{project}/deposits", "contributor", json=files)
    assert (answer.status_code, answer.json()["error"]) == (400, "BadInput")


def test_what_is_there_already_is_named_to_those_who_may_read_it(
    service: Service, project: str, service_database: Sessions, tmp_path: Path
) -> None:
    path = picture(tmp_path, f"{project}.tif", size=40 + next(unique))
    first = deposit(service, "contributor", project, path, dataset="day 1")
    body = path.read_bytes()
    said = {"path": "again/same.tif", "nbytes": len(body)}
    new = {"files": [said | {"sha256": hashlib.sha256(body).hexdigest()}]}
    opened = service.ask("POST", f"projects/{project}/deposits", "contributor", json=new).json()
    [there] = opened["there"]
    assert there == {
        "path": "again/same.tif",
        "record": first["files"][0],
        "name": path.name,
        "kind": "original",
        "project": project,
        "dataset": "day 1",
        "images": first["images"],
    }
    assert allocation(service, project)["reserved"] == 0
    headers = {"Content-Digest": content_digest(b"junk")}  # no room was reserved: none is taken
    junk = httpx.put(f"{service.origin}{opened['upload']}junk", content=b"junk", headers=headers)
    assert junk.json()["error"] == "OverQuota"
    service.ask("POST", f"deposits/{opened['uid']}/commit", "contributor", json={})

    def done() -> dict | None:
        now = service.ask("GET", f"deposits/{opened['uid']}", "contributor").json()
        return now if now["state"] == "done" else None

    ended = wait_until(done, 60, "nothing had to come in")
    assert (ended["images"], ended["files"], ended["there"]) == ([], [], [there])
    with service_database.begin() as session:
        world.make_project(session, f"{project}-other", ROOM)
        members.put_member(session, Actor("manager"), f"{project}-other", "newcomer", "contributor")
    where = f"projects/{project}-other/deposits"
    for who, seen in [("newcomer", []), ("contributor", [first["files"][0]])]:
        told = service.ask("POST", where, who, json=new).json()
        assert [one["record"] for one in told["there"]] == seen
        assert path.name not in str(told) or seen
    all_the_same = service.ask("POST", where, "contributor", json=new | {"again": True}).json()
    assert all_the_same["there"] == []


def test_a_tree_tells_what_became_of_each_file(
    service: Service, project: str, tmp_path: Path
) -> None:
    tree = tmp_path / "monday"
    (tree / "deep").mkdir(parents=True)
    picture(tree / "deep", "good.tif")
    truncated(tree)
    (tree / "notes.md").write_text("what was done")
    done = deposit(service, "contributor", project, tree, dataset="screen")
    assert (done["state"], len(done["images"]), len(done["files"])) == ("done", 1, 3)
    [problem] = done["problems"]
    assert (problem["path"], problem["error"]) == ("monday/cut.tif", "BadFile")
    image = service.ask("GET", f"images/{done['images'][0]}", "viewer").json()
    assert image["dataset"] == "screen/monday/deep"
    kept = service.ask("GET", f"files/{problem['file']}", "viewer").json()
    assert (kept["kind"], kept["dataset"]) == ("file", "screen/monday")
    notes = service.ask("GET", f"notes?about=record:{problem['file']}", "viewer").json()["notes"]
    assert problem["message"] in notes[0]["text"]
    assert len(done["kept"]) == 2


def test_the_same_key_opens_one_deposit_as_long_as_it_is_under_way(
    service: Service, project: str
) -> None:
    def opened(person: str = "contributor", nbytes: int = 1000, **more: str) -> httpx.Response:
        body = {"files": [{"path": "a.dat", "nbytes": nbytes}], "key": "of-my-choice", **more}
        return service.ask("POST", f"projects/{project}/deposits", person, json=body)

    with ThreadPoolExecutor(4) as pool:  # at the same moment: one may be told to ask again
        answers = list(pool.map(lambda _: opened(), range(4)))
    said = {(answer.status_code, answer.json().get("error")) for answer in answers}
    assert said <= {(201, None), (409, "Conflict")}
    [uid] = {answer.json()["uid"] for answer in answers if answer.status_code == 201}
    assert opened().json()["uid"] == uid
    assert allocation(service, project)["reserved"] == 1000
    other = opened(nbytes=2000)
    assert (other.status_code, other.json()["error"]) == (409, "Conflict")
    assert "choose another key" in other.json()["message"]
    assert opened("manager").json()["uid"] != uid
    service.ask("DELETE", f"deposits/{uid}", "contributor")
    assert opened().json()["uid"] != uid
    assert allocation(service, project)["reserved"] == 2000
    assert opened(key="no key!").json()["error"] == "BadInput"
