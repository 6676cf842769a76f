"""A file comes in whole and as announced, or leaves nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from cid_server_ext.errors import BadInput, Conflict
from cid_server_ext.storage.intake import Intake

DATA = b"0123456789" * 1000
DIGEST = hashlib.sha256(DATA).digest()


def begin(folder: Path, name: str = "a/b.bin", nbytes: int = len(DATA)) -> Intake:
    return Intake(folder, folder / name, nbytes)


def left(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_is_visible_only_when_it_is_complete(tmp_path: Path) -> None:
    intake = begin(tmp_path)
    intake.write(DATA[:4000])
    assert not intake.path.exists()
    intake.write(DATA[4000:])
    assert intake.keep(DIGEST) == DIGEST.hex()
    intake.discard()
    assert left(tmp_path) == [tmp_path / "a/b.bin"]
    assert intake.path.read_bytes() == DATA


@pytest.mark.parametrize("body", [DATA[:-1], b"x" + DATA[1:], b""])
def test_other_bytes_than_announced_leave_nothing(tmp_path: Path, body: bytes) -> None:
    intake = begin(tmp_path)
    intake.write(body)
    with pytest.raises(BadInput, match="send again"):
        intake.keep(DIGEST)
    intake.discard()
    assert left(tmp_path) == []


def test_more_bytes_than_announced_are_cut(tmp_path: Path) -> None:
    intake = begin(tmp_path, nbytes=10)
    with pytest.raises(BadInput, match="more than"):
        intake.write(DATA)
    intake.discard()
    assert left(tmp_path) == []


def test_it_takes_its_room_on_disk_from_the_start(tmp_path: Path) -> None:
    intake = begin(tmp_path)
    assert sum(path.stat().st_size for path in left(tmp_path)) == len(DATA)
    intake.discard()


def test_after_it_was_given_up_late_bytes_do_nothing(tmp_path: Path) -> None:
    intake = begin(tmp_path)
    intake.discard()
    intake.write(DATA)
    intake.discard()
    assert left(tmp_path) == []


def test_a_second_try_replaces_the_first(tmp_path: Path) -> None:
    for data in (b"x" * len(DATA), DATA):
        intake = begin(tmp_path)
        intake.write(data)
        intake.keep(hashlib.sha256(data).digest())
    assert (tmp_path / "a/b.bin").read_bytes() == DATA


@pytest.mark.parametrize("name", ["a", "a/b.bin/c"])
def test_a_file_and_a_folder_cannot_share_a_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b.bin").write_bytes(b"x")
    intake = begin(tmp_path, name)
    intake.write(DATA)
    with pytest.raises(Conflict):
        intake.keep(DIGEST)
    intake.discard()
    assert left(tmp_path) == [tmp_path / "a/b.bin"]


def test_our_own_names_are_not_given_away(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="rename"):
        begin(tmp_path, ".part-x")
