"""What a download holds has names for every computer, and is found again by every process."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cid_server_ext.errors import Gone
from cid_server_ext.storage import downloads, forms, manifests, omezarr
from cid_server_ext.storage.downloads import MANIFEST, Batches
from cid_server_ext.storage.forms import Said
from cid_server_ext.storage.lines import Wanted
from cid_server_ext.storage.portable import Tree, portable
from cid_server_ext.storage.roots import Folder

HOSTILE = {
    "..": "_",
    "../../etc/passwd": ".._.._etc_passwd",
    "CON.tif": "_CON.tif",
    "a:b*c?.tif": "a_b_c_.tif",
    "ends with dots...": "ends with dots",
    " ": "_",
    "\u202egnp.exe": "_gnp.exe",
    "line\nbreak\x07.tif": "line_break_.tif",
    "back\\slash": "back_slash",
    "e\u0301": "\u00e9",
    "x" * 300 + ".ome.tif": "x" * 92 + ".ome.tif",
}


def test_names_are_safe_on_windows() -> None:
    assert {name: portable(name) for name in HOSTILE} == HOSTILE
    assert portable("Zelle 細胞 µ (2).tif") == "Zelle 細胞 µ (2).tif"


def test_twins_are_numbered_and_a_folder_is_no_file() -> None:
    tree = Tree()
    here = tree.folder(("demo", "Monday"))
    names = [tree.add(here, name) for name in ("a.ome.tif", "A.OME.tif", "a:tif", "a?tif", "a.b")]
    assert names == [
        "demo/Monday/a.ome.tif",
        "demo/Monday/A (2).OME.tif",
        "demo/Monday/a_tif",
        "demo/Monday/a_tif (2)",
        "demo/Monday/a.b",
    ]
    assert tree.add(tree.folder(("demo",)), "monday") == "demo/monday (2)"
    assert tree.folder(("demo", "Monday")) == here
    first, second = tree.group(here, "set.nd"), tree.group(here, "set.nd")
    assert tree.within(first, "t1/a.tif") == "demo/Monday/set.nd/t1/a.tif"
    assert tree.within(first, "t1/b.tif") == "demo/Monday/set.nd/t1/b.tif"
    assert tree.within(second, "t1/a.tif") == "demo/Monday/set (2).nd/t1/a.tif"
    deep = tree.folder(("demo", *(f"level {n} {'x' * 40}" for n in range(9))))
    assert len(deep) < 200
    assert deep.startswith("demo/")


@pytest.fixture
def root(tmp_path: Path) -> Folder:
    """A file, a store with its manifest, and a folder of files that nobody digested."""
    for name in ("files/ab/one/cell.tif", "files/ab/set/set.nd/set.nd", "files/ab/set/set.nd/w/a"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(3000))
    store = tmp_path / "images/ab/img/image.ome.zarr/0/c"
    store.mkdir(parents=True)
    (store / "0").write_bytes(b"chunk")
    (store.parent.parent / "zarr.json").write_text("{}")
    return Folder(tmp_path)


def wanted(root: Folder) -> list[Wanted]:
    digest = hashlib.sha256(root.path("files/ab/one/cell.tif").read_bytes()).hexdigest()
    image = root.path("images/ab/img")
    (image / manifests.NAME).unlink(missing_ok=True)
    way = ("demo", "day 1")
    return [
        Wanted(way, "my cell.tif", "files/ab/one", "cell.tif", digest, 0),
        Wanted(way, "set.nd", "files/ab/set", "set.nd", "0" * 64, 0),
        Wanted(way, "cell.ome.zarr", "images/ab/img", "image.ome.zarr", manifests.write(image), 0),
        Wanted(way, "lost.tif", "files/ab/lost", "lost.tif", "0" * 64, 0),
    ]


def test_its_last_file_proves_all_others(root: Folder) -> None:
    batch, absent = Batches(root).make(wanted(root))
    assert [(one.wanted.name, one.why) for one in absent] == [("lost.tif", downloads.LOST)]
    assert batch.prefixes == ("files/ab/one", "files/ab/set", "images/ab/img")
    whole = b"".join(batch.layout.read(0, batch.layout.size))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        *names, last = archive.namelist()
        assert last == MANIFEST
        said = [line.split("  ", 1)[::-1] for line in archive.read(MANIFEST).decode().splitlines()]
        assert said == [[name, hashlib.sha256(archive.read(name)).hexdigest()] for name in names]
    assert names == [
        "demo/day 1/my cell.tif",
        "demo/day 1/set.nd/set.nd",
        "demo/day 1/set.nd/w/a",
        "demo/day 1/cell.ome.zarr/0/c/0",
        "demo/day 1/cell.ome.zarr/zarr.json",
    ]
    elsewhere = Batches(root).get(batch.uid)
    assert elsewhere.etag == batch.etag
    assert elsewhere.layout.size == len(whole)
    half = len(whole) // 2
    assert b"".join(elsewhere.layout.read(half, len(whole))) == whole[half:]
    assert Batches(root).make(wanted(root))[0].uid == batch.uid


@pytest.fixture
def images(root: Folder, make) -> list[Wanted]:
    """Two images that are made into OME-TIFF on the way, and one into what it cannot be."""
    found = []
    for at, dtype in enumerate(("uint8", "uint16", "float64")):
        prefix = f"images/ab/made{at}"
        store = root.path(f"{prefix}/image.ome.zarr")
        store.mkdir(parents=True)
        pixels = np.random.default_rng(at).integers(0, 99, (3, 200, 300)).astype(dtype)
        omezarr.write(make(pixels, "zyx"), store)
        said, form = Said(f"uid{at}", "cell", (("Staining", "DAPI"),)), "ome-tiff"
        way, name, digest = ("demo",), f"cell:{at}.ome.tif", manifests.write(store.parent)
        if dtype == "float64":
            form = "imagej"
        found.append(Wanted(way, name, prefix, "image.ome.zarr", digest, 0, form, said))
    return found


def test_what_is_made_on_the_way_is_proved_too_wherever_it_goes_on(root, images) -> None:
    batch, absent = Batches(root).make(images)
    assert [(one.wanted.said.uid, one.why) for one in absent] == [
        ("uid2", "ImageJ has no float64: take it as ome-tiff")
    ]
    whole = b"".join(batch.layout.read(0, batch.layout.size))
    noted = root.path(f"{downloads.PLACE}/{batch.uid}.crc")
    assert [len(line) for line in noted.read_text().splitlines()[:2]] == [75, 75]
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        *names, last = archive.namelist()
        assert names == ["demo/cell_0.ome.tif", "demo/cell_1.ome.tif"]
        lines = archive.read(last).decode().splitlines()
        assert lines == [f"{hashlib.sha256(archive.read(n)).hexdigest()}  {n}" for n in names]
        assert tifffile.imread(io.BytesIO(archive.read(names[1]))).shape == (3, 200, 300)
    noted.unlink()  # another machine, which saw nothing of it pass
    half = len(whole) // 2
    elsewhere = Batches(root).get(batch.uid)
    assert b"".join(elsewhere.layout.read(half, len(whole))) == whole[half:]
    noted.unlink()
    last_line = Batches(root).get(batch.uid).layout
    pieces = list(last_line.read(whole.rindex(b"demo/cell_1.ome.tif\n") - 10, len(whole)))
    assert b"" in pieces  # still at it
    assert whole.endswith(b"".join(pieces))


def test_a_form_of_another_version_is_asked_for_again(root, images, monkeypatch) -> None:
    batch, _ = Batches(root).make(images)
    assert Batches(root).get(batch.uid).etag == batch.etag
    monkeypatch.setitem(forms.FORMS, "ome-tiff", (99, *forms.FORMS["ome-tiff"][1:]))
    with pytest.raises(Gone):
        Batches(root).get(batch.uid)
    assert Batches(root).make(images)[0].uid != batch.uid


def test_an_image_that_lost_a_chunk_is_left_out(root, images) -> None:
    chunk = next(path for path in root.path(images[0].prefix).rglob("c/0/*") if path.is_dir())
    shutil.rmtree(chunk)
    batch, absent = Batches(root).make(images[:2])
    assert [(one.wanted.said.uid, one.why) for one in absent] == [("uid0", downloads.LOST)]
    assert batch.layout.entries[0].name == "demo/cell_1.ome.tif"


def test_a_list_is_forgotten_when_nobody_asks_for_it(root: Folder) -> None:
    batches = Batches(root)
    kept, _ = batches.make(wanted(root))
    old, _ = batches.make(wanted(root)[:1])
    list(old.layout.read(0, old.layout.size))
    place = root.path(downloads.PLACE)
    for path in place.glob(f"{old.uid}.*"):
        os.utime(path, (0, time.time() - downloads.KEPT - 1))
    batches.make(wanted(root))
    assert {path.stem for path in place.iterdir()} == {kept.uid}
    with pytest.raises(Gone):
        Batches(root).get(old.uid)
