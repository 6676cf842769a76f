"""An upload is what lies in its folder, whatever killed those who wrote it."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from pathlib import Path
from typing import Any

import pytest

from cid_server_ext.errors import BadInput, Busy, Conflict, Gone, NotFound, TooLarge, WrongDigest
from cid_server_ext.storage import arriving, digests, uploads
from cid_server_ext.storage.arriving import Hashes, Writing
from cid_server_ext.storage.uploads import Said, Upload

DATA = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return tmp_path / "staging" / "abcdefgh" / "in"


@pytest.fixture
def upload(prefix: Path) -> Upload:
    return begin(prefix)


def begin(prefix: Path, path: str = "plate/a.bin", nbytes: int = len(DATA), **more: str) -> Upload:
    return uploads.begin(prefix, prefix / path, Said(path, nbytes, **more))


def write(upload: Upload, hashes: Hashes, data: bytes, *, finish: bool = False) -> None:
    writing = Writing(upload, hashes)
    try:
        writing.write(data)
        if finish:
            writing.finish()
    finally:
        writing.leave()


def test_it_is_found_again_as_it_was_said(prefix: Path, upload: Upload) -> None:
    again = uploads.find(prefix, upload.uid)
    assert (again, again.offset, again.sha256) == (upload, 0, "")
    for uid in ("0" * 32, "../in", ""):
        with pytest.raises(NotFound):
            uploads.find(prefix, uid)


@pytest.mark.parametrize("forget", [False, True])
def test_its_digest_is_right_whether_the_process_remembers_or_not(
    prefix: Path, upload: Upload, forget: bool
) -> None:
    hashes = Hashes()
    for start in range(0, len(DATA), 100_000):
        hashes = Hashes() if forget else hashes
        end = min(start + 100_000, len(DATA))
        assert upload.offset == start
        write(upload, hashes, DATA[start:end], finish=end == len(DATA))
    assert (upload.sha256, upload.offset) == (SHA256, len(DATA))
    assert upload.place.read_bytes() == DATA
    [noted] = digests.noted(prefix.parent).values()
    assert noted.sha256 == SHA256  # the import need not read it again


def test_a_hash_that_is_behind_catches_up_while_more_comes(upload: Upload) -> None:
    write(upload, Hashes(), DATA[:500_000])
    hashes, at = Hashes(), 500_000
    while at < len(DATA):
        write(upload, hashes, DATA[at : at + 50_000])
        at = upload.offset
    assert hashes.of(upload)[0] == len(DATA)


def test_one_writes_at_a_time(upload: Upload) -> None:
    first = Writing(upload, Hashes())
    with pytest.raises(Busy):
        Writing(upload, Hashes())
    uploads.want(upload)
    assert first.is_wanted()
    first.leave()
    second = Writing(upload, Hashes())
    assert not second.is_wanted()
    second.leave()
    second.leave()


def test_a_part_whose_process_was_killed_before_it_was_verified_does_not_count(
    upload: Upload,
) -> None:
    write(upload, Hashes(), DATA[:1000])
    killed = Writing(upload, Hashes(), "sha1")
    killed.write(DATA[1000:5000])
    assert upload.offset == 1000
    killed._lock.close()  # as the system does it
    write(upload, Hashes(), DATA[1000:], finish=True)
    assert upload.sha256 == SHA256
    killed._file.close()


def test_a_part_that_is_verified_counts_and_one_that_is_not_does_not(upload: Upload) -> None:
    writing = Writing(upload, Hashes(), "sha256")
    writing.write(DATA[:1000])
    writing.verify(hashlib.sha256(DATA[:1000]).digest())
    writing.leave()
    writing = Writing(upload, Hashes(), "sha1")
    writing.write(DATA[1000:])
    with pytest.raises(WrongDigest):
        writing.verify(b"other")
    writing.leave()
    assert (upload.offset, upload.bytes.stat().st_size) == (1000, 1000)


def test_a_kill_between_the_last_byte_and_the_name_is_mended(upload: Upload) -> None:
    write(upload, Hashes(), DATA)
    (upload.folder / "kept").write_text(SHA256)
    assert (upload.sha256, upload.place.exists()) == ("", False)
    arriving.settle(upload, Hashes())
    assert (upload.sha256, upload.place.read_bytes()) == (SHA256, DATA)
    arriving.settle(upload, Hashes())
    with pytest.raises(Conflict):
        Writing(upload, Hashes())


def test_what_is_not_as_announced_is_not_kept(prefix: Path) -> None:
    upload = begin(prefix, sha256=SHA256)
    with pytest.raises(WrongDigest):
        write(upload, Hashes(), DATA[::-1], finish=True)
    assert not upload.folder.exists()
    assert not upload.place.exists()
    other = begin(prefix, nbytes=10)
    with pytest.raises(TooLarge):
        write(other, Hashes(), DATA)
    assert other.offset == 0


def test_what_is_under_way_counts_with_its_whole_length(prefix: Path, upload: Upload) -> None:
    assert uploads.announced(prefix) == [len(DATA)]
    small = begin(prefix, "b", 10)
    assert sorted(uploads.announced(prefix)) == [10, len(DATA)]
    write(upload, Hashes(), DATA, finish=True)
    assert uploads.announced(prefix) == [10]
    uploads.remove(small)
    uploads.remove(upload)
    assert uploads.announced(prefix) == []
    assert not upload.place.exists()


def test_it_can_be_gone_on_with_for_a_day(prefix: Path, upload: Upload) -> None:
    write(upload, Hashes(), DATA[:1000])
    assert uploads.is_open(prefix)
    assert abs(upload.expires - time.time() - uploads.LIFETIME) < 60
    past = time.time() - uploads.LIFETIME - 10
    os.utime(upload.bytes, (past, past))
    assert not uploads.is_open(prefix)
    with pytest.raises(Gone):
        uploads.find(prefix, upload.uid)


@pytest.mark.parametrize("path", ["a", "a/b.bin/c", ".part-x"])
def test_names_that_cannot_be_are_refused_before_a_byte_comes(prefix: Path, path: str) -> None:
    write(begin(prefix, "a/b.bin"), Hashes(), DATA, finish=True)
    with pytest.raises((Conflict, BadInput)):
        begin(prefix, path)


class Failing:
    """A file on a disk that takes a part of what it is given, and then no more."""

    def __init__(self, file: Any) -> None:
        self.file = file

    def write(self, data: memoryview) -> int:
        self.file.write(data[:500])
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_is_full_in_the_middle_of_a_piece_spoils_no_digest(upload: Upload) -> None:
    hashes = Hashes()
    writing = Writing(upload, hashes)
    writing.write(DATA[:1000])
    file = writing._file
    writing._file = Failing(file)
    with pytest.raises(OSError, match="No space left"):
        writing.write(DATA[1000:2000], DATA[2000:5000])
    writing._file = file
    writing.leave()
    assert upload.offset == 1500
    write(upload, hashes, DATA[1500:], finish=True)
    assert upload.sha256 == SHA256
