"""Storage is compared with the catalog: incomplete is told from invalid, and every object named."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile
import world
from processes import deposit, start_service, stop
from sqlalchemy import select

from cid_server_ext.core import journal as entries
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, open_database
from cid_server_ext.memory.reconcile import reconcile
from cid_server_ext.memory.verify import Report, verify
from cid_server_ext.storage import journal, manifests
from cid_server_ext.storage.journal import folder_of, segments
from cid_server_ext.storage.roots import Folder


@dataclass
class House:
    """A storage and a database with two images and a file, and where their bytes are."""

    folder: Path
    images: list[str]
    originals: list[str]
    file: str

    @property
    def storage(self) -> Path:
        return self.folder / "storage"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/catalog.sqlite"

    def image(self, at: int = 0) -> Path:
        return self.storage / "images" / self.images[at][:2] / self.images[at]

    def kept(self, uid: str) -> Path:
        return self.storage / "files" / uid[:2] / uid

    def key(self, path: Path) -> str:
        return path.relative_to(self.storage).as_posix()

    def shard(self) -> Path:
        return max((self.image() / "image.ome.zarr" / "0").rglob("c/*/*/*"), key=str)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, empty_database: bytes) -> House:
    """Import through the real service, once."""
    folder = tmp_path_factory.mktemp("house")
    (folder / "catalog.sqlite").write_bytes(empty_database)
    sessions = open_database(f"sqlite:///{folder}/catalog.sqlite")
    with sessions.begin() as session:
        world.make_project(session, "screen")
    service = start_service(folder)
    made: list[str] = []
    for n in range(2):
        pixels = np.random.default_rng(n).integers(1, 60000, (2, 600, 700), dtype=np.uint16)
        path = folder / f"cells {n}.tif"
        tifffile.imwrite(path, pixels, imagej=True, metadata={"axes": "CYX"})
        made += deposit(service, "contributor", "screen", path)["images"]
    (folder / "notes.txt").write_text("what we did")
    [file] = deposit(service, "contributor", "screen", folder / "notes.txt", kind="files")["files"]
    stop(service.process)
    with sessions() as session:
        images = [session.scalars(select(t.Image).where(t.Image.uid == uid)).one() for uid in made]
        originals = [image.original.uid for image in images]
    sessions.kw["bind"].dispose()
    return House(folder, made, originals, file)


@pytest.fixture
def house(built: House, tmp_path: Path) -> House:
    """A copy that a test may damage; nothing else in it changes while it verifies."""
    shutil.copytree(
        built.folder, tmp_path / "house", copy_function=shutil.copyfile
    )  # to be damaged
    return House(tmp_path / "house", built.images, built.originals, built.file)


@pytest.fixture
def database(house: House) -> Iterator[Sessions]:
    made = open_database(house.url)
    yield made
    made.kw["bind"].dispose()


def digest(folder: Path) -> str:
    return hashlib.sha256(manifests.lines(folder).encode()).hexdigest()


def look(house: House, *, deep: bool = True) -> Report:
    """Verify against the database and against the journal alone: both say the same."""
    before = digest(house.storage)
    report = verify(house.storage, house.url, deep=deep)
    alone = verify(house.storage, deep=deep)
    assert report.faults == alone.faults
    assert digest(house.storage) == before  # nothing was touched
    return report


def flip(path: Path, at: int = -10) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


def test_what_was_imported_is_valid(house: House) -> None:
    report = look(house)
    assert (report.faults, report.in_progress, report.status) == ([], [], 0)
    assert report.records == 5


def test_the_digest_of_an_image_is_that_of_its_manifest_and_of_its_folder(
    house: House, database: Sessions
) -> None:
    with database() as session:
        image = session.scalars(select(t.Image).where(t.Image.uid == house.images[0])).one()
    manifest = house.image() / "manifest.sha256"
    assert hashlib.sha256(manifest.read_bytes()).hexdigest() == image.sha256
    manifest.unlink()
    assert digest(house.image()) == image.sha256
    assert look(house).faults == []  # as images of release 0.1 are


FLIPPED: dict[str, Callable[[House], tuple[Path, int]]] = {
    "chunk": lambda house: (house.shard(), 20),
    "shard index": lambda house: (house.shard(), -10),
    "group": lambda house: (house.image() / "image.ome.zarr" / "zarr.json", 0),
    "level": lambda house: (house.image() / "image.ome.zarr" / "0" / "zarr.json", 0),
    "metadata": lambda house: (house.image() / "image.ome.zarr" / "zarr.json", -30),
    "thumbnail": lambda house: (house.image() / "thumbnail.png", 0),
    "thumbnail's end": lambda house: (house.image() / "thumbnail.png", -30),
    "manifest": lambda house: (house.image() / "manifest.sha256", 3),
    "original": lambda house: (next(house.kept(house.originals[0]).iterdir()), 100),
    "file": lambda house: (next(house.kept(house.file).iterdir()), 0),
}


@pytest.mark.parametrize("what", FLIPPED)
def test_one_flipped_bit_names_exactly_that_file(house: House, what: str) -> None:
    path, at = FLIPPED[what](house)
    flip(path, at)
    report = look(house)
    assert [(f.key, f.notion) for f in report.faults] == [(house.key(path), "invalid")]
    assert report.status == 2


@pytest.mark.parametrize("what", ["chunk", "shard index", "level"])
def test_without_a_manifest_checksums_name_the_file_beside_the_image(
    house: House, what: str
) -> None:
    (house.image() / "manifest.sha256").unlink()
    path, at = FLIPPED[what](house)
    flip(path, at)
    named = {fault.key for fault in look(house).faults}
    assert named == {house.key(house.image()), house.key(path)}


def test_without_reading_every_byte_what_cannot_be_opened_is_found(house: House) -> None:
    for what in ("group", "thumbnail"):
        flip(*FLIPPED[what](house))
    assert {f.key.rpartition("/")[2] for f in look(house, deep=False).faults} == {
        "zarr.json",
        "thumbnail.png",
    }


def test_a_missing_shard_and_an_extra_file_are_incomplete(house: House) -> None:
    gone, extra = house.shard(), house.image(1) / "image.ome.zarr" / "extra"
    gone.unlink()
    extra.write_bytes(b"x")
    report = look(house, deep=False)
    assert [(f.key, f.reason) for f in report.faults] == [
        (house.key(gone), "it is missing"),
        (house.key(extra), "it belongs to nothing"),
    ]
    assert report.status == 1


def test_records_without_bytes_and_bytes_without_record_are_incomplete(house: House) -> None:
    shutil.rmtree(house.image())
    shutil.rmtree(house.kept(house.file))
    stranger = house.storage / "files" / "ab" / "abcdef00-0000-4000-8000-000000000000"
    stranger.mkdir(parents=True)
    report = look(house, deep=False)
    assert {(f.key, f.notion) for f in report.faults} == {
        (house.key(house.image()), "incomplete"),
        (house.key(house.kept(house.file)), "incomplete"),
        (house.key(stranger), "incomplete"),
    }


def test_a_file_that_is_shorter_is_invalid_at_first_sight(house: House) -> None:
    [path] = house.kept(house.originals[0]).iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    [fault] = look(house, deep=False).faults
    assert (fault.key, fault.notion) == (house.key(path), "invalid")


def test_a_renamed_file_is_found_and_a_second_one_beside_it_belongs_to_nothing(
    house: House,
) -> None:
    [path] = house.kept(house.file).iterdir()
    (path.parent / "other.txt").write_text("x")
    [fault] = look(house).faults
    assert fault.key == house.key(path.parent / "other.txt")


def test_what_is_in_staging_is_in_progress(house: House) -> None:
    (house.storage / "staging" / "half").mkdir(parents=True)
    report = look(house)
    assert (report.faults, report.in_progress) == ([], ["staging/half"])


def test_what_an_import_published_and_did_not_commit_is_in_progress(
    house: House, database: Sessions
) -> None:
    key = "images/ab/abcdef00-0000-4000-8000-000000000000"
    (house.storage / key).mkdir(parents=True)
    with database.begin() as session:
        earlier = session.scalars(select(t.Deposit)).first()
        earlier.state = "importing"
        earlier.results = {"prepared": {"moves": [["staging/x/out/0", key]]}}
    report = verify(house.storage, house.url)
    assert (report.faults, report.in_progress) == ([], [key])


def test_bytes_of_a_purged_record_are_told_until_they_are_gone(
    house: House, database: Sessions
) -> None:
    with database.begin() as session:
        record = session.scalars(select(t.Record).where(t.Record.uid == house.images[0])).one()
        record.purged_at = record.created_at
        entries.record(session, "test", "purge", "test")
        prefix = record.prefix
    [fault] = verify(house.storage, house.url).faults
    assert (fault.key, fault.notion) == (prefix, "incomplete")
    with database.begin() as session:
        session.add(t.Grave(prefix=prefix))
    assert prefix in verify(house.storage, house.url).in_progress
    shutil.rmtree(house.storage / prefix)
    assert verify(house.storage, house.url).status == 0


def test_a_damaged_journal_line_is_invalid_and_a_missing_one_incomplete(house: House) -> None:
    [segment] = segments(folder_of(house.storage))
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join([lines[0], lines[1].replace(b'"id"', b'"ib"'), *lines[2:]]))
    [fault] = verify(house.storage, house.url).faults
    assert (fault.key, fault.notion) == ("journal/000000000001.jsonl line 2", "invalid")
    segment.write_bytes(b"".join([lines[0], *lines[2:]]))
    [fault] = verify(house.storage, house.url).faults
    assert (fault.notion, fault.reason) == (
        "incomplete",
        "lines before it are missing; entries 2 to 2",
    )


@pytest.mark.parametrize("forged", ["changed", "left out"])
def test_a_chain_that_was_written_anew_is_not_the_databases(house: House, forged: str) -> None:
    folder, previous, lines = folder_of(house.storage), journal.START, []
    [segment] = segments(folder)
    for raw in segment.read_bytes().splitlines():
        entry = {k: v for k, v in json.loads(raw).items() if k not in ("sha256", "previous")}
        if entry["id"] == 3:
            entry["person"] = "nobody"
        if entry["id"] != 3 or forged == "changed":
            line, previous = journal.sealed(entry, previous)
            lines.append(line)
    segment.write_bytes(b"".join(lines))
    (folder / "head.json").write_text(json.dumps({"id": entry["id"], "sha256": previous}))
    assert not [f for f in verify(house.storage).faults if "journal" in f.key]  # a good chain
    [fault] = verify(house.storage, house.url).faults
    told = (fault.notion, fault.reason)
    if forged == "changed":
        assert fault.key == "journal/000000000001.jsonl line 3"
        assert told == ("invalid", "it is not the database's entry 3")
    else:
        assert told == ("incomplete", "entry 3 is missing")


def test_an_older_database_beside_a_newer_storage_is_told(
    house: House, empty_database: bytes
) -> None:
    (house.folder / "catalog.sqlite").write_bytes(empty_database)
    for suffix in ("-wal", "-shm"):
        (house.folder / f"catalog.sqlite{suffix}").unlink(missing_ok=True)
    report = verify(house.storage, house.url)
    assert report.faults[0].reason.endswith("it is older than the storage")
    assert {f.notion for f in report.faults} == {"incomplete"}
    ghosts = {f.key for f in report.faults[1:]}
    assert ghosts == {house.key(p) for p in house.storage.glob("*/*/*-*-*-*-*")}
    assert verify(house.storage).status == 0  # nothing was deleted


def test_an_older_storage_beside_a_newer_database_is_told(house: House, database: Sessions) -> None:
    shutil.rmtree(house.image(1))
    [segment] = segments(folder_of(house.storage))
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[:3]))
    (folder_of(house.storage) / "head.json").write_text(
        json.dumps({"id": 3, "sha256": json.loads(lines[2])["sha256"]})
    )
    report = verify(house.storage, house.url)
    assert [(f.key, f.notion) for f in report.faults] == [(house.key(house.image(1)), "incomplete")]
    assert report.in_progress == [f"journal entries 4 to {len(lines)}"]


def test_the_command_says_it_in_lines_json_and_status(house: House) -> None:
    def command(*more: str) -> subprocess.CompletedProcess[str]:
        called = [sys.executable, "-m", "cid_server_ext.cli", "verify", "--deep"]
        return subprocess.run(
            [*called, "--storage", str(house.storage), *more], capture_output=True, text=True
        )

    assert command().returncode == 0
    house.shard().unlink()
    assert command("--database", house.url).returncode == 1
    flip(house.image(1) / "thumbnail.png", 0)
    done = command()
    assert done.returncode == 2
    key = house.key(house.image(1) / "thumbnail.png")
    assert f"invalid  {key}: its bytes changed (sha256)" in done.stdout.splitlines()
    told = json.loads(command("--json").stdout)
    assert (told["state"], len(told["faults"])) == ("invalid", 2)


def test_the_nightly_comparison_finds_of_what_was_imported_what_is_gone(
    house: House, database: Sessions
) -> None:
    found = reconcile(database, Folder(house.storage))
    assert (found.records, found.drift, found.strangers) == (5, {}, 0)
    lost = house.shard().stat().st_size
    house.shard().unlink()
    assert list(reconcile(database, Folder(house.storage)).drift.values()) == [-lost]
