"""Deposits from the depositor's side: everything arrives as it is here, or nothing stays there."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tiny_catalog import Tiny

import cid_client as cid
from cid_client.uploads import items, sending

DONE = {"state": "done", "images": ["new"], "progress": {"fraction": 1.0}}


@pytest.fixture
def tif(tmp_path: Path) -> Path:
    path = tmp_path / "a cell.tif"
    path.write_bytes(b"II*\x00" + bytes(range(256)) * 12_000)  # 3 MiB: several pieces
    return path


@pytest.fixture
def importing(tiny: Tiny) -> Tiny:
    tiny.add_image("new")
    tiny.import_states = [{"progress": {"fraction": 0.5, "text": "writing level 0"}}, DONE]
    return tiny


def test_a_file_is_sent_checked_committed_and_comes_back_as_an_image(
    catalog: cid.Catalog, importing: Tiny, tif: Path
) -> None:
    told: list[tuple[float, str]] = []
    images = catalog.upload(tif, "demo", "plate 1", on_progress=lambda f, t: told.append((f, t)))
    assert [image.uid for image in images] == ["new"]
    body = importing.deposits["d0"]["body"]
    sha256 = hashlib.sha256(tif.read_bytes()).hexdigest()
    said = {"path": "a cell.tif", "nbytes": tif.stat().st_size, "sha256": sha256}
    assert body["files"] == [said]
    assert (body["kind"], body["dataset"]) == ("import", "plate 1")
    assert (importing.folder / "d0" / "a cell.tif").read_bytes() == tif.read_bytes()
    [put] = importing.asked("PUT", "data/")
    assert put.headers["content-length"] == str(tif.stat().st_size)
    assert "transfer-encoding" not in put.headers
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert told[-1][0] == 1.0
    assert (0.75, "writing level 0") in told
    assert importing.asked("DELETE", "") == []


def test_a_zarr_folder_is_one_deposit_of_many_files(
    catalog: cid.Catalog, importing: Tiny, tmp_path: Path
) -> None:
    folder = tmp_path / "cell.zarr"
    for name in [".zattrs", ".zgroup", "0/.zarray", "0/0.0", "0/0.1"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    catalog.upload(folder, "demo")
    staged = importing.folder / "d0" / "cell.zarr"
    found = {
        p.relative_to(staged).as_posix(): p.read_text() for p in staged.rglob("*") if p.is_file()
    }
    assert found == {n: n for n in [".zattrs", ".zgroup", "0/.zarray", "0/0.0", "0/0.1"]}
    assert len(importing.deposits) == 1


def test_any_file_can_be_kept_as_it_is(catalog: cid.Catalog, tiny: Tiny, tmp_path: Path) -> None:
    tiny.files["paper"] = {
        "uid": "paper",
        "name": "p.pdf",
        "kind": "file",
        "nbytes": 3,
        "sha256": "",
    }
    tiny.import_states = [{"state": "done", "files": ["paper"]}]
    path = tmp_path / "p.pdf"
    path.write_bytes(b"pdf")
    [file] = catalog.upload(path, "demo", kind="files")
    assert isinstance(file, cid.File)
    assert tiny.deposits["d0"]["body"]["kind"] == "files"


def test_a_write_ticket_that_ended_is_renewed(
    catalog: cid.Catalog, importing: Tiny, tif: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = items.digest

    def slow(part: items.Part) -> str:
        importing.end_tickets()  # hashing took longer than a ticket lives
        return digest(part)

    monkeypatch.setattr(sending, "digest", slow)
    assert catalog.upload(tif, "demo")
    assert len(importing.asked("PUT", "data/")) == 2
    assert (importing.folder / "d0" / "a cell.tif").read_bytes() == tif.read_bytes()


def test_a_project_that_is_full_refuses_before_a_byte_moves(
    catalog: cid.Catalog, tiny: Tiny, tif: Path
) -> None:
    with pytest.raises(cid.OverQuota, match="0 bytes left"):
        catalog.upload(tif, "full")
    assert tiny.asked("PUT", "") == []


def test_a_file_that_cannot_be_read_raises_by_name(
    catalog: cid.Catalog, tiny: Tiny, tif: Path
) -> None:
    error = {"error": "BadFile", "message": "a cell.tif is no TIFF: it begins with text"}
    tiny.import_states = [{"state": "failed", "error": error}]
    with pytest.raises(cid.BadFile, match="begins with text"):
        catalog.upload(tif, "demo")


def test_a_file_that_changes_meanwhile_aborts_the_deposit(
    catalog: cid.Catalog, tiny: Tiny, tif: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = items.digest

    def growing(part: items.Part) -> str:
        with tif.open("ab") as file:
            file.write(b"more")
        return digest(part)

    monkeypatch.setattr(sending, "digest", growing)
    with pytest.raises(cid.BadInput, match="changed while it was uploaded"):
        catalog.upload(tif, "demo")
    assert tiny.deposits["d0"]["state"] == "aborted"


def test_a_wrong_digest_aborts_the_deposit(
    catalog: cid.Catalog, tiny: Tiny, tif: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "digest", lambda part: "sha-256=:AAAA:")
    with pytest.raises(cid.BadInput, match="wrong digest"):
        catalog.upload(tif, "demo")
    assert tiny.deposits["d0"]["state"] == "aborted"


def test_ctrl_c_aborts_the_deposit(catalog: cid.Catalog, importing: Tiny, tif: Path) -> None:
    def interrupt(fraction: float, text: str) -> None:
        if text == "writing level 0":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        catalog.upload(tif, "demo", on_progress=interrupt)
    assert importing.deposits["d0"]["state"] == "aborted"


def test_the_first_error_is_told_even_if_aborting_fails_too(
    catalog: cid.Catalog, tiny: Tiny, tif: Path
) -> None:
    def vanish(fraction: float, text: str) -> None:
        tiny.deposits.clear()
        raise OSError("the disk was pulled out")

    with pytest.raises(OSError, match="pulled out"):
        catalog.upload(tif, "demo", on_progress=vanish)


def test_a_short_outage_does_not_end_an_import(
    catalog: cid.Catalog, importing: Tiny, tif: Path
) -> None:
    def outage(fraction: float, text: str) -> None:
        if text == "writing level 0":
            importing.outages = 10  # more than one GET tries

    assert catalog.upload(tif, "demo", on_progress=outage)
    assert importing.outages == 0


@pytest.mark.parametrize(
    ("made", "why"), [("nothing", "does not exist"), ("folder", "empty"), ("e.zarr", "empty")]
)
def test_what_is_no_item_is_refused_here(
    catalog: cid.Catalog, tiny: Tiny, tmp_path: Path, made: str, why: str
) -> None:
    if made != "nothing":
        (tmp_path / made).mkdir()
    with pytest.raises(cid.BadInput, match=why):
        catalog.upload(tmp_path / made, "demo")
    assert tiny.seen == []


def test_items_are_image_files_and_zarr_folders_in_order(tmp_path: Path) -> None:
    for name in [
        "b.TIF",
        "a/x.ome.tiff",
        "a/notes.txt",
        "c.zarr/0/0.tif",
        ".hidden.tif",
        ".d/y.png",
    ]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in cid.find_items(tmp_path)]
    assert found == ["a/x.ome.tiff", "b.TIF", "c.zarr"]
    assert list(cid.find_items(str(tmp_path / "b.TIF"))) == [tmp_path / "b.TIF"]
    assert list(cid.find_items(tmp_path / "c.zarr")) == [tmp_path / "c.zarr"]


def test_a_folder_is_one_deposit_and_says_what_became_of_each_file(
    catalog: cid.Catalog, tiny: Tiny, tmp_path: Path
) -> None:
    folder = tmp_path / "monday"
    for name in ["a.tif", "deep/b.tif", "notes.txt", ".DS_Store", "c.zarr/.zattrs", "Thumbs.db"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    tiny.add_image("new")
    tiny.add_image("old")
    done = {
        "state": "done",
        "images": ["new"],
        "files": ["o", "t", "b"],
        "kept": ["t", "b"],
        "problems": [{"path": "monday/deep/b.tif", "file": "b", "message": "cut off"}],
        "there": [
            {
                "path": "monday/a.tif",
                "record": "r",
                "images": ["old"],
                "project": "demo",
                "dataset": "friday",
            }
        ],
    }
    tiny.there = done["there"]
    tiny.import_states = [done]
    images = catalog.upload(folder, "demo")
    assert [image.uid for image in images] == ["new", "old"]
    sent = {put.path.rpartition("/")[2] for put in tiny.asked("PUT", "data/")}
    assert sent == {"b.tif", "notes.txt", ".zattrs"}
    declared = {file["path"] for file in tiny.deposits["d0"]["body"]["files"]}
    names = ["a.tif", "deep/b.tif", "notes.txt", "c.zarr/.zattrs"]
    assert declared == {f"monday/{name}" for name in names}
    assert [file.uid for file in images.files] == ["t", "b"]
    assert images.facts() == [
        "2 kept as files",
        "monday/a.tif: there already, in demo/friday; again=True brings it in again",
        "monday/deep/b.tif: not readable, kept as a file: cut off",
    ]


def test_again_asks_for_nothing_that_is_there(
    catalog: cid.Catalog, importing: Tiny, tif: Path
) -> None:
    catalog.upload(tif, "demo", again=True)
    body = importing.deposits["d0"]["body"]
    assert (body["again"], "sha256" in body["files"][0]) == (True, False)
