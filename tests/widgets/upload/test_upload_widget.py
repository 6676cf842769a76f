"""The upload widget in Python: what it remembers, follows and tells, whatever the page does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pretend_upload
import pytest
from processes import wait_until
from stage import Wire, heard

from cid_widgets import Upload
from cid_widgets.upload import memory

FILES = [
    {"path": "set/a.tif", "nbytes": 4, "modified": 7},
    {"path": "b", "nbytes": 0, "modified": 8},
]

pytestmark = pytest.mark.usefixtures("bundle")


@pytest.fixture
def catalog() -> pretend_upload.Taking:
    return pretend_upload.filled()


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CID_STATE", str(tmp_path / "state"))
    return tmp_path / "state" / "pages"


def shown(catalog: pretend_upload.Taking, *where: str) -> Upload:
    widget = Upload(catalog, *where)
    widget.comm = Wire()
    widget._watcher.shortest = widget._watcher.longest = 0.01
    return widget


def say(
    widget: Upload, ask: str, files: list[dict[str, Any]] | None = None, **rest: Any
) -> list[dict[str, Any]]:
    """Ask as the page "me" does, and return what it is told; `files` are listed before."""
    if files is not None:
        for start in range(len(files)):
            listed = {"ask": "listed", "sender": "me", "start": start, "files": [files[start]]}
            heard(widget, method="custom", content=listed)
    heard(widget, method="custom", content={"ask": ask, "sender": "me", **rest})
    return [one["content"] for one in widget.comm.taken() if one["method"] == "custom"]


def test_it_goes_from_ready_to_done(catalog: pretend_upload.Taking, state: Path) -> None:
    widget = shown(catalog)
    assert ([one["name"] for one in widget.projects], widget.project) == (["demo"], "demo")
    [go] = say(widget, "open", files=FILES)
    assert (go["tell"], go["address"], go["done"]) == ("go", "/services/cid/data/d0/", [])
    assert widget.deposit["nbytes"] == 4
    [file] = state.iterdir()
    assert "ticket" not in file.read_text()
    assert say(widget, "ticket", uid="d0")[0]["address"] == go["address"]
    progress = {"sent": 4, "nbytes": 4, "done": 1, "files": 2, "rate": 1, "left": 1}
    say(widget, "notes", uid="d0", begun={}, done=["set/a.tif"], progress=progress)
    assert widget.progress == progress
    catalog.imports = [{"state": "done", "images": ["i1"], "kept": ["f1"]}]
    say(widget, "finish")
    wait_until(lambda: widget.state == "done", what="it is imported")
    wait_until(lambda: not widget.watching, what="nothing is followed")
    assert ([one.uid for one in widget.images], widget.files) == (["i1"], ["f1"])
    assert list(state.iterdir()) == []
    widget.again = True
    say(widget, "reset")
    assert (widget.state, widget.images, widget.files) == ("ready", [], [])
    assert widget.again is False


def test_another_kernel_goes_on_where_it_was(catalog: pretend_upload.Taking, state: Path) -> None:
    catalog.there = [{"path": "set", "name": "a.tif", "project": "demo", "dataset": ""}]
    before = shown(catalog, "demo", "screen")
    before.tags = {"Cell type": "HeLa"}
    say(before, "open", files=FILES)
    [file] = state.iterdir()
    file.write_text(file.read_text() + '{"begun": {"b": "u1"}, "done"')  # killed while it wrote
    again = shown(catalog)
    [one] = again.unfinished
    more = {"path": "more", "nbytes": 1, "modified": 1}
    assert (one["dataset"], one["files"], one["done"]) == ("screen", 2, 1)
    assert (
        say(again, "gathered", files=[FILES[1] | {"modified": 9}])[0]["known"] is None
    )  # it changed
    assert say(again, "gathered", files=[FILES[1], more])[0]["known"] == one
    [go] = say(again, "go_on", uid="d0")
    assert (go["missing"], go["begun"]) == (["b"], {})
    assert (again.dataset, again.tags, again.unfinished) == ("screen", {"Cell type": "HeLa"}, [])
    say(again, "finish")
    following = shown(catalog)
    assert (following.state, following.unfinished) == ("importing", [])
    catalog.imports = [{"state": "done"}] * 2
    for widget in (again, following):
        wait_until(lambda widget=widget: not widget.watching, what="it ends")
    assert shown(catalog).unfinished == []


def test_what_is_given_up_or_gone_is_forgotten(catalog: pretend_upload.Taking, state: Path) -> None:
    widget = shown(catalog, "demo")
    say(widget, "open", files=FILES)
    other = shown(catalog)
    other.discard("d0")
    assert (other.unfinished, list(state.iterdir())) == ([], [])
    [ticket] = say(widget, "ticket", uid="d0")
    assert (ticket["final"], ticket["address"]) == (True, "")
    assert "Begin anew" in ticket["message"]
    widget.cancel()
    say(widget, "open", files=FILES)
    catalog.deposits.clear()
    assert shown(catalog).unfinished == []
    assert list(state.iterdir()) == []


def test_nothing_is_opened_that_is_refused(catalog: pretend_upload.Taking, state: Path) -> None:
    widget = shown(catalog, "demo")
    catalog.trouble = pretend_upload.pretend.Refused("the project is full")
    [told] = say(widget, "open", files=FILES)
    assert (told["tell"], told["message"]) == ("refused", "the project is full")
    assert (widget.state, widget.error) == ("ready", "the project is full")
    assert not state.exists()
    catalog.trouble = None
    say(widget, "open", files=FILES)
    catalog.trouble = pretend_upload.pretend.Refused("you may not any more")
    [ticket] = say(widget, "ticket", uid="d0")
    assert (ticket["final"], ticket["message"]) == (True, "you may not any more")
    widget.cancel()
    assert (widget.state, widget.error) == ("sending", "you may not any more")


def test_what_is_remembered_is_of_one_catalog_and_not_for_ever(tmp_path: Path) -> None:
    for uid, url in (("one", "a"), ("two", "b"), ("old", "a")):
        memory.remember(tmp_path, uid, {"url": url, "files": [["x", 1, 2]]})
    (tmp_path / "torn.jsonl").write_text("{")
    old = tmp_path / "old.jsonl"
    told = json.loads(old.read_text())
    told["about"]["at"] -= 9 * 86_400
    old.write_text(json.dumps(told) + "\n")
    assert [kept.uid for kept in memory.everything(tmp_path, "a")] == ["one"]
    assert not old.exists()
    kept = memory.remember(None, "nowhere", {"files": []})
    kept.note({"x": "u"}, ["y"])
    assert (kept.begun, kept.done) == ({"x": "u"}, {"y"})
