"""A folder full of things comes in whole: images, sets, plain files, and what cannot be read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bringing
import numpy as np
import pytest
import world
import zarr
from bringing import brought, tif
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import deposits, held, imports
from cid_server_ext.core.life import trash
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, Conflict
from cid_server_ext.ingest import workers
from cid_server_ext.ingest.importer import Importer
from cid_server_ext.ingest.limits import Limits
from cid_server_ext.ingest.prepare import prepare
from cid_server_ext.ingest.prepared import Watch
from cid_server_ext.ingest.progress import Progress
from cid_server_ext.ingest.trees import Tree
from cid_server_ext.ingest.workers import Worker
from cid_server_ext.storage import digests, inspect
from cid_server_ext.storage.intake import Intake
from cid_server_ext.storage.roots import Folder

BROKEN = tif(9)[:2000]
NOTES = b"what was done on monday"


@pytest.fixture
def importer(sessions: Sessions, tmp_path: Path) -> Iterator[Importer]:
    with sessions.begin() as session:
        world.make_project(session, "screen")
    made = Importer(sessions, Folder(tmp_path / "root"))
    yield made
    made.close()


def labelled(folder: Path) -> dict[str, bytes]:
    """An OME-Zarr 0.5 of one image with one label image, file by file."""
    axes = [{"name": axis, "type": "space"} for axis in "yx"]
    scale = [{"type": "scale", "scale": [1.0, 1.0]}]
    scales = [{"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}]
    image = zarr.open_group(folder, mode="w", zarr_format=3)
    image.attrs["ome"] = {"version": "0.5", "multiscales": scales}
    image.create_array("0", data=np.arange(900, dtype=np.uint16).reshape(30, 30))
    labels = image.create_group("labels")
    labels.attrs["ome"] = {"version": "0.5", "labels": ["cells"]}
    cells = labels.create_group("cells")
    source = {"image": "../../"}
    cells.attrs["ome"] = {
        "version": "0.5",
        "multiscales": scales,
        "image-label": {"source": source},
    }
    cells.create_array("0", data=np.eye(30, dtype=np.uint8))
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder.parent).as_posix(): path.read_bytes() for path in found}


def test_each_thing_of_a_tree_becomes_what_it_is(importer: Importer, tmp_path: Path) -> None:
    tree = {
        "day 1/a.tif": tif(1),
        "day 1/deep/b.tif": tif(2),
        "day 1/notes.txt": NOTES,
        "day 1/cut.tif": BROKEN,
        "empty.tif": b"",
        "talk.pdf": b"%PDF-1.7",
    } | {f"day 2/{path}": body for path, body in labelled(tmp_path / "cells.zarr").items()}
    done = brought(importer, tree, dataset="screen 1")
    assert (done.state, done.error) == ("done", None)
    assert bringing.placed(importer, t.Image, done.results["images"]) == {
        "screen 1/day 1/a": "image",
        "screen 1/day 1/deep/b": "image",
        "screen 1/day 2/cells": "image",
        "screen 1/day 2/cells cells": "labels",
    }
    assert bringing.placed(importer, t.File, done.results["files"]) == {
        "screen 1/day 1/a.tif": "original",
        "screen 1/day 1/deep/b.tif": "original",
        "screen 1/day 2/cells.zarr": "original",
        "screen 1/day 1/notes.txt": "file",
        "screen 1/day 1/cut.tif": "file",
        "screen 1/empty.tif": "file",
        "screen 1/talk.pdf": "file",
    }
    problems = {one["path"]: one for one in done.results["problems"]}
    assert problems.keys() == {"day 1/cut.tif", "empty.tif"}
    assert {one["error"] for one in problems.values()} == {"BadFile"}
    with importer.sessions() as session:
        [labels] = session.scalars(select(t.Image).where(t.Image.kind == "labels"))
        assert labels.source is not None
        assert labels.source.original_id == labels.original_id
        [cut] = session.scalars(select(t.File).where(t.File.name == "cut.tif"))
        [note] = session.scalars(select(t.Note).where(t.Note.record_id == cut.id))
        assert problems["day 1/cut.tif"]["message"] in note.text
        [whole] = session.scalars(select(t.File).where(t.File.name == "cells.zarr"))
        assert whole.media_type == "inode/directory"
        assert importer.root.digest(f"{whole.prefix}/{whole.stored}") == whole.sha256
        for file in session.scalars(select(t.File)):
            assert file.blake3
    kept = {path.rpartition("/")[2]: body for path, body in tree.items() if ".zarr" not in path}
    found = bringing.originals(importer)
    assert {name: found[name] for name in kept} == {
        name: bringing.sha256(body) for name, body in kept.items()
    }
    held_now, used, reserved = bringing.counters(importer)
    assert (used, reserved) == (held_now, 0)
    assert bringing.staged(importer) == []


def set_of_two() -> dict[str, bytes]:
    """A MetaMorph acquisition of two channels, and a picture that lies beside it."""
    said = {
        "NDInfoFile": "Version 1.0",
        "DoTimelapse": "FALSE",
        "DoStage": "FALSE",
        "DoWave": "TRUE",
        "NWavelengths": "2",
        "WaveName1": '"DAPI"',
        "WaveName2": '"GFP"',
        "WaveInFileName": "TRUE",
        "DoZSeries": "FALSE",
    }
    lines = [f'"{key}", {value}' for key, value in said.items()] + ['"EndFile"']
    return {
        "plate/cells.nd": "\r\n".join(lines).encode(),
        "plate/cells_w1DAPI.TIF": tif(1),
        "plate/cells_w2GFP.TIF": tif(2),
        "plate/beside.tif": tif(3),
    }


def test_files_that_belong_together_are_one_image_and_one_original(importer: Importer) -> None:
    tree = set_of_two()
    done = brought(importer, tree)
    assert (done.state, done.results["problems"]) == ("done", [])
    assert bringing.placed(importer, t.Image, done.results["images"]) == {
        "plate/cells": "image",
        "plate/beside": "image",
    }
    with importer.sessions() as session:
        [whole] = session.scalars(select(t.File).where(t.File.name == "cells.nd"))
        assert (whole.media_type, whole.stored) == ("inode/directory", "cells.nd")
        digest = importer.root.digest(f"{whole.prefix}/{whole.stored}")
        assert digest == whole.sha256
        assert whole.nbytes == sum(len(b) for name, b in tree.items() if "cells" in name)
        prefix = whole.prefix
    found = {path.name for path in importer.root.path(f"{prefix}/cells.nd").iterdir()}
    assert found == {"cells.nd", "cells_w1DAPI.TIF", "cells_w2GFP.TIF"}
    faults = inspect.file_faults(
        importer.root.path(prefix),
        inspect.Promise(prefix, whole.stored, whole.nbytes, whole.sha256),
        deep=True,
    )
    assert list(faults) == []
    held_now, used, _ = bringing.counters(importer)
    assert used == held_now
    assert bringing.staged(importer) == []


def test_readers_that_the_facility_does_not_allow_open_nothing(importer: Importer) -> None:
    importer.limits = Limits(formats=("PNG",))
    done = brought(importer, {"a.tif": tif(1), "b.txt": NOTES})
    assert done.results["images"] == []
    kinds = bringing.placed(importer, t.File, done.results["files"])
    assert kinds == {"/a.tif": "file", "/b.txt": "file"}


def test_one_damaged_file_that_is_all_there_is_is_refused(importer: Importer) -> None:
    done = brought(importer, {"day/cut.tif": BROKEN})
    assert (done.state, done.error["error"]) == ("failed", "BadFile")
    assert done.error["message"].startswith("cut.tif: ")
    assert (bringing.counters(importer), bringing.staged(importer)) == ((0, 0, 0), [])


def test_one_file_of_an_unknown_kind_is_kept(importer: Importer) -> None:
    done = brought(importer, {"plan.docx": NOTES})
    assert (done.state, done.results["problems"]) == ("done", [])
    assert bringing.placed(importer, t.File, done.results["files"]) == {"/plan.docx": "file"}


def test_the_same_bytes_again_are_told_and_not_taken(importer: Importer) -> None:
    tree = set_of_two() | {"notes.txt": NOTES}
    first = brought(importer, tree)
    alone = {"other name.tif": tree["plate/beside.tif"], "notes.txt": NOTES, "new.tif": tif(7)}
    uid = bringing.opened(importer, alone, digests=True)
    assert bringing.staged_files(importer, uid) == ["new.tif"]
    importer._import(uid)
    second = bringing.ended(importer, uid)
    assert len(second.results["images"]) == 1
    there = {one["path"]: one["record"] for one in second.results["there"]}
    assert there.keys() == {"other name.tif", "notes.txt"}
    assert set(there.values()) <= set(first.results["files"])
    third = brought(importer, alone, digests=True, again=True)
    assert (len(third.results["images"]), third.results["there"]) == (2, [])
    held_now, used, reserved = bringing.counters(importer)
    assert (used, reserved) == (held_now, 0)


def test_a_known_file_is_taken_from_storage_when_it_belongs_to_a_set(importer: Importer) -> None:
    tree = set_of_two()
    name = "plate/cells_w1DAPI.TIF"
    brought(importer, {"loose.tif": tree[name]})
    uid = bringing.opened(importer, tree, digests=True)
    assert name not in bringing.staged_files(importer, uid)
    importer._import(uid)
    done = bringing.ended(importer, uid)
    assert (done.state, done.results["there"]) == ("done", [])
    assert "plate/cells" in bringing.placed(importer, t.Image, done.results["images"])


def test_a_zarr_that_is_there_is_one_thing_that_is_there(
    importer: Importer, tmp_path: Path
) -> None:
    tree = labelled(tmp_path / "cells.zarr")
    first = brought(importer, tree)
    uid = bringing.opened(importer, tree, digests=True)
    assert bringing.staged_files(importer, uid) == []
    importer._import(uid)
    second = bringing.ended(importer, uid)
    assert second.results["images"] == []
    [there] = second.results["there"]
    assert there == {"path": "cells.zarr", "record": first.results["files"][0]}


def test_what_the_caller_may_not_read_is_not_there(importer: Importer) -> None:
    with importer.sessions.begin() as session:
        session.add(t.ProjectMember(project_id=hidden(session), person="outsider", role="manager"))
    first = brought(importer, {"a.tif": tif(1)})
    assert first.state == "done"
    how = {"digests": True, "who": Actor("outsider"), "project": "theirs"}
    uid = bringing.opened(importer, {"a.tif": tif(1)}, **how)
    assert bringing.staged_files(importer, uid) == ["a.tif"]
    with importer.sessions() as session:
        mine = deposits.get(session, Actor("outsider"), uid)
        assert held.found(session, Actor("outsider"), mine.declared) == []
    importer._import(uid)
    assert len(bringing.ended(importer, uid).results["images"]) == 1


def test_what_was_there_and_is_gone_must_be_sent(importer: Importer) -> None:
    brought(importer, {"a.tif": tif(1)})
    with importer.sessions.begin() as session:
        declared = [{"path": "b.tif", "nbytes": len(tif(1)), "sha256": bringing.sha256(tif(1))}]
        new = deposits.open_import(
            session, bringing.WHO, "screen", dataset="", kind="import", declared=declared
        )
        uid = new.uid
        [image] = session.scalars(select(t.Image))
        trash.throw(session, bringing.WHO, [image.uid], [])
    with (
        importer.sessions.begin() as session,
        pytest.raises(BadInput, match=r"b\.tif: it is no longer here"),
    ):
        deposits.begin(session, bringing.WHO, uid, {})


def hidden(session: Session) -> int:
    """Make a project that the members of the other do not reach, and return its id."""
    world.make_project(session, "theirs")
    project = session.scalars(select(t.Project).where(t.Project.name == "theirs")).one()
    return project.id


def test_another_attempt_goes_on_where_the_first_was_killed(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = {f"{n}.tif": tif(n) for n in range(6)}
    uid = bringing.opened(importer, tree)
    converted: list[str] = []
    real = Worker.convert

    def convert(self: Worker, source: Path, *args: Any, **more: Any) -> Any:
        if len(converted) == 4:
            raise SystemExit  # the process is no more
        converted.append(source.name)
        return real(self, source, *args, **more)

    monkeypatch.setattr(Worker, "convert", convert)
    job = importer._claim(uid)
    with pytest.raises(SystemExit):
        importer._prepare(job)
    again: list[str] = []

    def others(self: Worker, source: Path, *args: Any, **more: Any) -> Any:
        again.append(source.name)
        return real(self, source, *args, **more)

    monkeypatch.setattr(Worker, "convert", others)
    with importer.sessions.begin() as session:
        imports.leave(session, importer.process)
    importer._import(uid)
    done = bringing.ended(importer, uid)
    assert (done.state, done.error) == ("done", None)
    assert len(again) < len(tree)
    assert len(again) + len(converted) <= len(tree) + 2  # those that were under way
    assert len(bringing.placed(importer, t.Image, done.results["images"])) == len(tree)
    assert len(bringing.originals(importer)) == len(tree)
    held_now, used, reserved = bringing.counters(importer)
    assert (used, reserved) == (held_now, 0)
    assert bringing.staged(importer) == []


def test_progress_says_how_far_each_file_is(importer: Importer) -> None:
    told: list[dict[str, Any]] = []
    tree = {"a.tif": tif(1), "b.txt": NOTES, "c.tif": BROKEN}
    uid = bringing.opened(importer, tree)
    job = importer._claim(uid)
    watch = Watch(lambda nbytes: None, lambda account: told.append(account.told()), lambda: False)
    prepare(importer.root, job.staged, watch, importer.limits)
    assert all(0 <= one["fraction"] <= 1 for one in told)
    assert {file["path"] for file in told[0]["files"]} == tree.keys()
    assert any("of 3 files · " in one["text"] for one in told)
    assert {"working"} <= {file["state"] for one in told for file in one["files"]}


def test_of_very_many_files_the_most_telling_are_named() -> None:
    account = Progress((f"{n}.tif", 10) for n in range(1000))
    account.end("998.tif", "unreadable")
    account.at("999.tif", 0.5, "writing 999")
    told = account.told()
    assert [file["path"] for file in told["files"][:2]] == ["999.tif", "998.tif"]
    assert len(told["files"]) == 200
    assert told["counts"] == {"working": 1, "unreadable": 1, "waiting": 998}


def test_what_was_digested_on_its_way_in_is_not_read_for_it_again(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = set_of_two()
    uid = bringing.opened(importer, tree)
    base = importer.root.path(f"staging/{uid}/in")
    for path, body in tree.items():
        (base / path).unlink()
        intake = Intake(base, base / path, len(body))
        intake.write(body)
        intake.keep(bytes.fromhex(bringing.sha256(body)))

    def read(path: Path) -> None:
        raise AssertionError(f"{path} is read again")

    monkeypatch.setattr(digests, "of_file", read)
    importer._import(uid)
    done = bringing.ended(importer, uid)
    assert (done.state, done.error) == ("done", None)
    with importer.sessions() as session:
        [beside] = session.scalars(select(t.File).where(t.File.name == "beside.tif"))
        assert beside.sha256 == bringing.sha256(tree["plate/beside.tif"])
        [whole] = session.scalars(select(t.File).where(t.File.name == "cells.nd"))
        assert importer.root.digest(f"{whole.prefix}/cells.nd") == whole.sha256


@pytest.mark.parametrize("main", ["../../images", "nowhere", ""])
def test_a_child_that_names_what_is_not_of_the_tree_is_not_believed(
    importer: Importer, monkeypatch: pytest.MonkeyPatch, main: str
) -> None:
    lie = workers.Sorted([workers.Group(main, ["a.tif"], "TIFF")], [])
    monkeypatch.setattr(workers.Worker, "sort", lambda *_: lie)
    done = brought(importer, {"a.tif": bringing.tif(1), "b.tif": bringing.tif(2)})
    assert (done.state, done.error["error"]) == ("failed", "BadFile")
    assert "astray" in done.error["message"]
    assert (bringing.counters(importer), bringing.staged(importer)) == ((0, 0, 0), [])


def test_no_byte_comes_once_its_import_has_begun(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def late(*_: object) -> None:
        [staging] = importer.root.path("staging").iterdir()
        new = Intake(staging / "in", staging / "in" / "a.tif", 1)
        new.write(b"?")
        with pytest.raises(Conflict, match="being imported"):
            new.keep(hashlib.sha256(b"?").digest())
        new.discard()
        tried.append(True)

    monkeypatch.setattr(Tree, "prepare", lambda tree, real=Tree.prepare: late() or real(tree))
    done = brought(importer, {"a.tif": bringing.tif(1)})
    assert (done.state, tried) == ("done", [True])
    assert bringing.originals(importer) == {"a.tif": bringing.sha256(bringing.tif(1))}
