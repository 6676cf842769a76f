"""What stays in place is looked at again: what changed, moved or went is said on its record."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import everything
import old_data
import pytest
import world
from old_data import Old
from sqlalchemy import select

from cid_server_ext.background import fixity
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import images, references
from cid_server_ext.core.life import undo
from cid_server_ext.core.search.find import Asked
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import NotFound
from cid_server_ext.memory.verify import verify
from cid_server_ext.relocating import relocate
from cid_server_ext.storage.inplace import suspect
from cid_server_ext.storage.roots import Folder

STAFF = Actor("staff", staff=True)


@pytest.fixture
def old(sessions: Sessions, tmp_path: Path) -> Old:
    """A tree with a few files and one image, all adopted."""
    with sessions.begin() as session:
        world.make_project(session, "screen")
    (tmp_path / "storage").mkdir()
    made = Old(sessions, Folder(tmp_path / "storage"), tmp_path / "old")
    made.goal = replace(made.goal, view="none")
    for at, name in enumerate(("a", "b", "c", "d", "e")):
        old_data.tif(made.tree / f"{name}.tif", at)
    old_data.image(made.tree / "one.zarr")
    assert made.adopt().things == 6
    return made


def look(old: Old, part: float = 0.0) -> dict[str, str]:
    found = fixity.look(old.sessions, old.storage, old.roots, part=part)
    return {path: state for path, (state, _) in found.faults.items()}


def states(old: Old) -> dict[str, str]:
    with old.sessions() as session:
        rows = session.scalars(select(t.Reference).where(t.Reference.state != "ok"))
        return {row.path: row.state for row in rows}


def found(old: Old, query: str) -> set[str]:
    with old.sessions() as session:
        return {row.name for row in images.search(session, STAFF, Asked(query)).rows}


def rewrite(path: Path, at: int = -1) -> None:
    """Change one byte and keep size and time."""
    times, body = path.stat(), bytearray(path.read_bytes())
    body[at] ^= 255
    path.write_bytes(body)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_what_changed_moved_and_went_is_said_and_what_came_back_too(old: Old) -> None:
    assert look(old, part=1.0) == {}
    assert found(old, "fixity:unhashed") == set()  # all was read now, the store's chunks too
    a = (old.tree / "a.tif").read_bytes()
    (old.tree / "a.tif").write_bytes(a[:-1] + b"?")  # its time says so
    os.makedirs(old.tree / "new")
    os.rename(old.tree / "b.tif", old.tree / "new/other name.tif")
    (old.tree / "c.tif").unlink()
    (old.tree / "d.tif").touch()
    rewrite(old.tree / "e.tif")  # nothing but reading it can tell
    wanted = {"old:a.tif": "changed", "old:b.tif": "moved", "old:c.tif": "missing"}
    assert look(old) == wanted
    assert states(old) == {path.removeprefix("old:"): state for path, state in wanted.items()}
    assert look(old, part=1.0) == wanted | {"old:e.tif": "changed"}
    assert "new/other name.tif" in old.reference("b.tif").reason
    assert found(old, "fixity:changed,moved,missing") == {"a.tif", "b.tif", "c.tif", "e.tif"}

    with old.sessions() as session:
        told = session.scalars(select(t.Journal).where(t.Journal.action == "fixity")).all()
        said = {entry.detail["path"] for entry in told if "path" in entry.detail}
        assert said == {*wanted, "old:e.tif"}
        file = session.scalars(select(t.File).where(t.File.name == "e.tif")).one()
        where = references.where(session, file)
        assert where is not None
        assert where.nbytes == -1  # no file is like that: the data plane gives nothing out

    (old.tree / "a.tif").write_bytes(a)
    rewrite(old.tree / "e.tif")
    assert look(old) == {"old:b.tif": "moved", "old:c.tif": "missing"}


def test_a_store_is_read_once_and_then_compared_chunk_by_chunk(old: Old) -> None:
    chunk = old.tree / "one.zarr/0/c/1/0/0"
    assert found(old, "fixity:unhashed") == {"one"}
    look(old, part=1.0)
    known = old.reference("one.zarr")
    assert known.hashed_at is not None
    assert known.nbytes == sum(p.stat().st_size for p in chunk.parents[4].rglob("*") if p.is_file())
    rewrite(chunk)
    assert look(old, part=1.0) == {"old:one.zarr": "changed"}
    assert "0/c/1/0/0" in old.reference("one.zarr").reason
    assert found(old, "fixity:changed") == {"one"}
    rewrite(chunk)
    assert look(old) == {}


def test_what_the_data_plane_doubts_is_looked_at_soon(old: Old) -> None:
    keeper = fixity.Fixity(old.sessions, old.storage, old.roots)
    keeper.look()
    one = old.record(t.Image, "one")
    (old.tree / "one.zarr/0/c/0/0/0").unlink()
    suspect(old.storage.root, one.uid, "0/c/0/0/0")
    keeper.look()
    assert states(old) == {"one.zarr": "changed"}
    assert look(old) == {"old:one.zarr": "changed"}  # a quick look does not take it back


def test_a_tree_that_is_not_mounted_is_no_loss(old: Old) -> None:
    os.rename(old.tree, old.tree.with_name("away"))
    for _ in range(2):
        assert look(old) == {}
        assert states(old) == {}
        old.tree.mkdir(exist_ok=True)  # an empty mount point


def test_verify_looks_at_it_from_the_database_and_from_the_journal_alone(old: Old) -> None:
    everything.written(old.sessions, old.storage.root)
    url = old.sessions.kw["bind"].url.render_as_string(hide_password=False)
    for database in (url, None):
        assert verify(old.storage.root, database, roots=old.roots).faults == []
    (old.tree / "a.tif").unlink()
    rewrite(old.tree / "e.tif")
    for database in (url, None):
        report = verify(old.storage.root, database, roots=old.roots, deep=True)
        assert {fault.key: fault.notion for fault in report.faults} == {
            "old:a.tif": "incomplete",
            "old:e.tif": "invalid",
        }


def test_a_tree_that_moved_is_found_again_once_every_digest_agrees(old: Old) -> None:
    before = old.export()
    os.makedirs(old.tree / "ana")
    for name in ("a.tif", "b.tif", "c.tif", "d.tif", "e.tif", "one.zarr"):
        os.rename(old.tree / name, old.tree / "ana" / name)
    rewrite(old.tree / "ana/e.tif")
    args = (old.sessions, old.storage, old.roots, ("old", ""), ("old", "ana"), "staff")
    wrong = relocate(*args)
    assert wrong.wrong == {"e.tif": "old:ana/e.tif: its bytes changed (sha256)"}
    assert old.export() == before
    rewrite(old.tree / "ana/e.tif")
    assert relocate(*args, dry=True).wrong == {}
    assert old.export() == before
    moved = relocate(*args)
    assert (moved.references, moved.wrong) == (6, {})
    assert look(old, part=1.0) == {}
    with pytest.raises(NotFound, match="no record refers"):
        relocate(old.sessions, old.storage, old.roots, ("old", "x"), ("old", "ana"), "staff")
    with old.sessions() as session:
        entry = session.scalars(select(t.Journal).where(t.Journal.action == "relocate")).one()
    with old.sessions.begin() as session:
        undo.undo(session, STAFF, entry.id)
    assert old.reference("a.tif").root == "old"
