"""Records in place go out with the others: as they lie, or in another form, never changed."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import old_data
import pytest
import tifffile
import world
from old_data import Old

from cid_server_ext.background.fixity import look
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import downloads
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, reading
from cid_server_ext.handlers.downloads import _wanted
from cid_server_ext.ingest.abroad import Abroad
from cid_server_ext.storage.afar import Site
from cid_server_ext.storage.downloads import MANIFEST, Batch, Batches
from cid_server_ext.storage.inplace import suspects
from cid_server_ext.storage.lines import Absent
from cid_server_ext.storage.roots import Folder
from cid_server_ext.storage.zipping import Changed

STAFF = Actor("staff", staff=True)


@pytest.fixture
def old(sessions: Sessions, tmp_path: Path) -> Old:
    """A file, a set of files, a plate of version 0.4 and an image of 0.5, adopted."""
    with sessions.begin() as session:
        world.make_project(session, "screen")
    tree = tmp_path / "old"
    (tmp_path / "storage").mkdir()
    old_data.tif(tree / "a/cell.tif")
    old_data.metamorph(tree / "a/stack")
    old_data.plate(tree / "b/plate.zarr")
    old_data.image(tree / "b/new.ome.zarr", 5)
    old = Old(sessions, Folder(tmp_path / "storage"), tree)
    assert old.adopt().refused == {}
    return old


def batches(old: Old) -> Batches:
    return Batches(old.storage, Site(old.storage.root, old.roots, Abroad()))


def asked(old: Old, uids: list[str], form: downloads.Form) -> tuple[Batch, list[Absent]]:
    with reading(old.sessions) as session:
        found = downloads.gather(session, STAFF, uids, form)
        assert found.left_out == []
        wanted = [_wanted(item) for item in found.items]
    return batches(old).make(wanted)


def everything(old: Old) -> list[str]:
    with old.sessions() as session:
        return [row.uid for row in session.query(t.Record).order_by(t.Record.id)]


def unpacked(batch: Batch) -> dict[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(batch.layout.read(0, batch.layout.size))))
    assert archive.testzip() is None
    return {name: archive.read(name) for name in archive.namelist()}


def test_originals_go_out_as_they_lie_and_go_on_anywhere(old: Old) -> None:
    batch, absent = asked(old, everything(old), "originals")
    assert absent == []
    files = unpacked(batch)
    there = {path: body for path, (_, _, body) in old_data.state(old.tree).items()}
    sums = files.pop(MANIFEST).decode()
    assert len(files) == len(there)
    assert set(files.values()) == set(there.values())
    for name, body in files.items():
        assert f"{hashlib.sha256(body).hexdigest()}  {name}\n" in sums
    assert files["screen/a/cell.tif"] == (old.tree / "a/cell.tif").read_bytes()
    assert files["screen/b/plate.zarr/A/2/0/0/1/1/1"]
    assert "screen/a/stack/s.nd/s_w1A.tif" in files

    whole = b"".join(batch.layout.read(0, batch.layout.size))
    uid = batch.uid
    for start in range(1, len(whole), len(whole) // 7):
        again = batches(old).get(uid)  # another process goes on
        assert b"".join(again.layout.read(start, len(whole))) == whole[start:]


def test_images_go_out_in_other_forms(old: Old) -> None:
    uids = [old.record(t.Image, name).uid for name in ("plate [A/2/0]", "new", "cell")]
    batch, absent = asked(old, uids, "ome-zarr")
    assert absent == []
    files = unpacked(batch)
    chunk = old.tree / "b/plate.zarr/A/2/0/0/1/1/1"
    assert files["screen/b/plate [A_2_0].ome.zarr/0/1/1/1"] == chunk.read_bytes()
    assert "screen/a/cell.ome.zarr/zarr.json" in files
    for form, suffix in (("ome-tiff", ".ome.tif"), ("imagej", ".tif")):
        batch, absent = asked(old, uids, form)
        assert absent == []
        files, size = unpacked(batch), batch.layout.size
        rest = b"".join(batches(old).get(batch.uid).layout.read(size // 3, size))
        assert rest == b"".join(batch.layout.read(size // 3, size))
        for name, seed in (("plate [A_2_0]", 1), ("new", 5)):
            pixels = np.random.default_rng(seed).integers(0, 4000, (2, 40, 48), dtype=np.uint16)
            with tifffile.TiffFile(io.BytesIO(files[f"screen/b/{name}{suffix}"])) as read:
                assert np.array_equal(np.squeeze(read.asarray()), pixels)
                told = read.ome_metadata or str(read.imagej_metadata)
                assert ('PhysicalSizeX="0.5"' if form == "ome-tiff" else "unit") in told


def test_what_changed_is_given_out_to_nobody(old: Old) -> None:
    chunk = old.tree / "b/new.ome.zarr/0/c/1/1/1"
    batch, _ = asked(old, [old.record(t.Image, "new").uid], "ome-tiff")
    times = chunk.parent.stat()
    os.rename(chunk, old.tree.parent / "elsewhere")
    chunk.symlink_to(old.tree.parent / "elsewhere")
    os.utime(chunk.parent, ns=(times.st_atime_ns, times.st_mtime_ns))  # as if nothing had been
    with pytest.raises(Changed):
        b"".join(batch.layout.read(0, batch.layout.size))
    _, absent = asked(old, [old.record(t.Image, "new").uid], "ome-zarr")
    assert "link" in absent[0].why
    chunk.unlink()
    os.rename(old.tree.parent / "elsewhere", chunk)
    os.utime(chunk.parent, ns=(times.st_atime_ns, times.st_mtime_ns))
    suspects(old.storage.root)

    for form, kind, name, touched in (
        ("originals", t.File, "cell.tif", "a/cell.tif"),
        ("originals", t.File, "s.nd", "a/stack/s_w1A.tif"),
        ("ome-tiff", t.Image, "new", "b/new.ome.zarr/0/c/1/1/1"),
        ("ome-zarr", t.Image, "plate [A/1/0]", "b/plate.zarr/A/1/0/0/.zarray"),
    ):
        uid = old.record(kind, name).uid
        batch, _ = asked(old, [uid], form)
        path = old.tree / touched
        body, later = path.read_bytes(), path.stat().st_mtime_ns + 10**12
        path.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
        os.utime(path, ns=(later, later))
        with pytest.raises(Changed):  # which cuts the answer
            b"".join(batch.layout.read(0, batch.layout.size))
        doubted = suspects(old.storage.root)
        assert doubted.keys() == {uid}
        found = look(old.sessions, old.storage, old.roots, only=doubted)
        assert {state for state, _ in found.faults.values()} == {"changed"}
        with reading(old.sessions) as session:
            gathered = downloads.gather(session, STAFF, [uid], form)
        assert [one.why for one in gathered.left_out] == [downloads.CHANGED]
