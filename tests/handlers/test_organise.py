"""Organising through the real service: any kind of record alike, back and forth, strange names."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import pytest
import tifffile
import world
from processes import STAFF, Service, deposit, wait_until

from cid_server_ext.db.session import Sessions

unique = itertools.count()
KINDS = ("cells.tif", "plan.pdf", "stack.czi", "system.log", "analysis.ipynb")
STRANGE = (
    "../x",
    "..%2fx",
    "%2e%2e/",
    "/etc/passwd",
    "C:\\x",
    "a\x00b",
    "x" * 256,
    "é" * 130,
    "cafe\u0301",
    "\u202egpj.exe",
    "CON",
    "trailing.",
    "trailing ",
    "a\tb",
    "\u200b",
    "\ud800",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "%",
    "\u3000",
)


class Lab:
    """A project of its own, and what its people ask."""

    def __init__(self, service: Service, project: str, other: str) -> None:
        self.service, self.project, self.other = service, project, other

    def ask(self, method: str, path: str, body: Any = None, who: Any = "contributor") -> Any:
        answer = self.service.ask(method, path, who, json=body)
        assert answer.is_success, (method, path, answer.status_code, answer.text[:400])
        return answer.json()

    def refused(
        self, method: str, path: str, body: Any = None, who: Any = "contributor"
    ) -> tuple[int, str, str]:
        answer = self.service.ask(method, path, who, json=body)
        assert not answer.is_success, (method, path, answer.text[:400])
        return answer.status_code, answer.json()["error"], answer.json()["message"]

    def used(self, project: str) -> int:
        return int(self.ask("GET", f"projects/{project}", who=STAFF)["allocation"]["used"])

    def dataset(self, path: str, project: str | None = None) -> str:
        body = {"path": path}
        return str(self.ask("POST", f"projects/{project or self.project}/datasets", body)["uid"])

    def found(self, word: str) -> list[str]:
        path = f"records?q={quote(word)}&project={self.project}"
        return [row["uid"] for row in self.ask("GET", path)["records"]]

    def newest(self, action: str) -> dict[str, Any]:
        entries = self.ask("GET", f"journal?project={self.project}", who="manager")["entries"]
        return next(entry for entry in entries if entry["action"] == action)


@pytest.fixture
def lab(service: Service, service_database: Sessions) -> Lab:
    number = next(unique)
    with service_database.begin() as session:
        for name in ("organise", "second"):
            world.make_project(session, f"{name}-{number}")
    return Lab(service, f"organise-{number}", f"second-{number}")


def bring(lab: Lab, folder: Path, name: str) -> str:
    """Deposit a file of this name and return the address of what it became."""
    path = folder / name
    if name == "cells.tif":
        tifffile.imwrite(path, np.zeros((64, 64), dtype=np.uint8))
        done = deposit(lab.service, "contributor", lab.project, path, "raw")
        assert done["state"] == "done", done
        return f"images/{done['images'][0]}"
    path.write_bytes(name.encode() * 50)
    done = deposit(lab.service, "contributor", lab.project, path, "raw", kind="files")
    assert done["state"] == "done", done
    return f"files/{done['files'][0]}"


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_record_is_treated_alike(lab: Lab, tmp_path: Path, name: str) -> None:
    address = bring(lab, tmp_path, name)
    kind, uid = address.split("/")
    one = {"records": [uid], "datasets": []}
    # rights
    assert lab.ask("GET", address, who="viewer")["dataset"] == "raw"
    assert lab.refused("GET", address, who="stranger")[:2] == (404, "NotFound")
    assert lab.refused("PATCH", address, {"name": "x"}, "annotator")[:2] == (403, "NotAllowed")
    assert lab.refused("POST", "trash", one, "annotator")[:2] == (403, "NotAllowed")
    # quota
    charged = lab.used(lab.project)
    assert charged >= lab.ask("GET", address)["nbytes"] > 0
    # rename, bytes as they were
    assert lab.ask("PATCH", address, {"name": "renamed thing"})["name"] == "renamed thing"
    bytes_at = lab.ask("GET", address).get("url") or lab.ask("GET", address)["original_url"]
    kept = httpx.get(lab.service.origin + bytes_at)
    assert kept.content == (tmp_path / name).read_bytes()
    # tag and note, and found by both
    lab.ask("PUT", f"records/{uid}/tags/Staining", {"value": "DAPI"}, "annotator")
    tags = {tag["key"]: tag["value"] for tag in lab.ask("GET", address)["tags"]}
    assert tags["Staining"] == "DAPI"
    lab.ask("POST", "notes", {"about": f"record:{uid}", "text": "bleached"}, "annotator")
    for word in ("renamed", "staining:DAPI", "bleached"):
        assert lab.found(word) == [uid]
    # move, and link into a second project without a copy
    assert lab.ask("PATCH", address, {"dataset": lab.dataset("sorted")})["dataset"] == "sorted"
    shown = lab.dataset("shown", lab.other)
    lab.ask("PUT", f"datasets/{shown}/links/{uid}")
    assert lab.used(lab.other) == 0
    assert lab.used(lab.project) == charged
    # trash and back
    thrown = lab.ask("POST", "trash", one)
    assert (thrown["records"], thrown["first"][0]["uid"]) == (1, uid)
    assert lab.refused("GET", address)[:2] == (404, "NotFound")
    assert lab.found("renamed") == []
    assert lab.used(lab.project) == charged
    lab.ask("POST", f"trash/{thrown['uid']}/restore")
    assert lab.found("staining:DAPI") == [uid]
    assert lab.ask("GET", f"notes?about=record:{uid}")["notes"][0]["text"] == "bleached"
    # and gone
    thrown = lab.ask("POST", "trash", one)
    storage = lab.service.folder / "storage" / kind / uid[:2] / uid
    assert storage.is_dir()
    assert lab.ask("DELETE", f"trash/{thrown['uid']}", who="manager")["state"] == "purged"
    wait_until(lambda: not storage.exists(), what="its bytes are removed")
    assert lab.used(lab.project) == 0


def test_a_dataset_goes_and_comes_back_with_what_lies_in_it(lab: Lab, tmp_path: Path) -> None:
    address = bring(lab, tmp_path, "plan.pdf")
    raw = lab.dataset("raw")
    thrown = lab.ask("DELETE", f"datasets/{raw}")
    assert (thrown["datasets"], thrown["records"]) == (["raw"], 1)
    assert lab.refused("GET", f"datasets/{raw}")[:2] == (404, "NotFound")
    assert [t["uid"] for t in lab.ask("GET", f"trash?project={lab.project}")["trash"]] == [
        thrown["uid"]
    ]
    entry = lab.newest("trash")
    assert entry["undoable"] is True
    assert "rows" not in entry
    assert lab.ask("POST", f"journal/{entry['entry']}/undo")["action"] == "trash"
    assert lab.ask("GET", address)["dataset"] == "raw"
    assert lab.newest("trash")["undone_by"] == lab.newest("undo")["entry"]
    assert lab.ask("GET", f"trash?project={lab.project}")["trash"] == []


def test_an_undo_that_comes_too_late_says_what_changed(lab: Lab, tmp_path: Path) -> None:
    address = bring(lab, tmp_path, "plan.pdf")
    lab.ask("PATCH", address, {"name": "first"})
    entry = lab.newest("rename")["entry"]
    lab.ask("PATCH", address, {"name": "second"}, "manager")
    answer = lab.service.ask("POST", f"journal/{entry}/undo", "contributor")
    assert (answer.status_code, answer.json()["error"]) == (409, "Conflict")
    (changed,) = answer.json()["changed"]
    assert (changed["person"], changed["action"]) == ("manager", "rename")
    assert "rename by manager" in answer.json()["message"]
    for absent in ("0", "999999999", "-1", "x", "1" * 30, "٣"):
        refused = lab.refused("POST", f"journal/{quote(absent)}/undo")
        assert refused[:2] == (404, "NotFound")


def test_a_project_of_others_has_no_history_and_no_trash(lab: Lab) -> None:
    for path in ("journal", "trash"):
        refused = lab.refused("GET", f"{path}?project={lab.project}", who="stranger")
        absent = lab.refused("GET", f"{path}?project=absent", who="stranger")
        assert refused[:2] == absent[:2] == (404, "NotFound")
        assert refused[2].replace(lab.project, "") == absent[2].replace("absent", "")


def test_a_live_dataset_is_made_listed_and_takes_nothing_in(lab: Lab) -> None:
    body = {"path": "good", "query": "staining:DAPI"}
    uid = lab.ask("POST", f"projects/{lab.project}/datasets", body)["uid"]
    assert lab.ask("GET", f"datasets/{uid}")["query"] == "staining:DAPI"
    listed = lab.ask("GET", f"projects/{lab.project}")["datasets"]
    assert {d["path"]: d["query"] for d in listed} == {"": None, "good": "staining:DAPI"}
    into = {"dataset": "good", "files": [{"path": "a.tif", "nbytes": 1}]}
    refused = lab.refused("POST", f"projects/{lab.project}/deposits", into)
    assert refused[:2] == (409, "Conflict")
    assert lab.refused("PATCH", f"datasets/{uid}", {"query": "snr>"})[:2] == (400, "BadInput")


@pytest.mark.parametrize("text", STRANGE, ids=lambda text: ascii(text)[1:20])
def test_a_strange_name_is_refused_by_field_or_kept_as_it_is(
    lab: Lab, tmp_path: Path, text: str
) -> None:
    address = bring(lab, tmp_path, "plan.pdf")
    uid = address.partition("/")[2]
    dataset = lab.dataset("moved")
    asked = [
        ("PATCH", address, {"name": text}, "name"),
        ("PATCH", f"datasets/{dataset}", {"path": text}, "path"),
        ("POST", f"projects/{lab.project}/datasets", {"path": text}, "path"),
        ("POST", "notes", {"about": f"record:{uid}", "text": text}, "text"),
    ]
    for method, path, body, field in asked:
        answer = lab.service.ask(method, path, "contributor", content=json.dumps(body))
        if answer.is_success:
            kept = answer.json()[field]
            same = " ".join(kept.split()) == " ".join(text.replace("e\u0301", "é").split())
            assert same or field == "path", (field, kept)
        else:
            assert answer.status_code == 400, answer.text
            assert field in answer.json()["message"], answer.text
    for target in (f"record:{text}", f"dataset:{text}", f"project:{text}", text):
        body = {"about": target, "text": "x"}
        answer = lab.service.ask("POST", "notes", "contributor", content=json.dumps(body))
        assert answer.status_code in (400, 404), answer.text
    for path, body in (("records/move", {"dataset": dataset}), ("trash", {})):
        body = json.dumps(body | {"records": [text]})
        answer = lab.service.ask("POST", path, "contributor", content=body)
        assert answer.status_code in (400, 404), answer.text
    assert lab.ask("GET", address)["uid"] == uid


def test_twins_of_a_path_are_one_dataset(lab: Lab) -> None:
    assert lab.dataset("caf\u00e9") == lab.dataset("cafe\u0301") == lab.dataset(" caf\u00e9 ")
    assert lab.dataset("a b") == lab.dataset("a\u00a0b")
