"""An archive that is nowhere: its size and bytes are those of a real one, from any place on."""

from __future__ import annotations

import io
import os
import random
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from cid_server_ext.storage.zipping import Changed, Checks, Entry, Layout, Stored

GIB = 1 << 30
LONG = 4 * GIB + 5  # more than the fields of 1989 hold


class View(io.RawIOBase):
    """An archive as a file that can be read anywhere."""

    def __init__(self, layout: Layout) -> None:
        self.layout, self.at = layout, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset + (0, self.at, self.layout.size)[whence]
        return self.at

    def readinto(self, buffer: memoryview) -> int:
        data = b"".join(self.layout.read(self.at, self.at + len(buffer)))
        buffer[: len(data)] = data
        self.at += len(data)
        return len(data)


class Counted:
    """A file that says which of its bytes were read."""

    def __init__(self, content: bytes) -> None:
        self.content, self.nbytes, self.nread = content, len(content), 0

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        for at in range(start, stop, 1000):
            piece = self.content[at : min(at + 1000, stop)]
            self.nread += len(piece)
            yield piece


def crc_of_zeros(nbytes: int) -> int:
    """Return the CRC-32 of so many zeros: doubled by the linearity of CRC, without reading them."""

    def shifted(operator: list[int], crc: int) -> int:
        return xor(operator[bit] for bit in range(32) if crc >> bit & 1)

    def xor(values: Iterable[int]) -> int:
        total = 0
        for value in values:
            total ^= value
        return total

    # one zero byte, as a matrix over the register without zlib's inversions
    one = [zlib.crc32(b"\0", bit ^ 0xFFFFFFFF) ^ 0xFFFFFFFF for bit in (1 << n for n in range(32))]
    register, power = 0xFFFFFFFF, one
    while nbytes:
        if nbytes & 1:
            register = shifted(power, register)
        power = [shifted(power, column) for column in power]
        nbytes >>= 1
    return register ^ 0xFFFFFFFF


@pytest.fixture
def entries(tmp_path: Path) -> list[Entry]:
    found = []
    for number, nbytes in enumerate([0, 1, 100, 70_000, 2_500_000, 0]):
        path = tmp_path / str(number)
        path.write_bytes(os.urandom(nbytes))
        found.append(Entry(f"Zelle µ/细胞 {number}.tif", Stored(path, nbytes), 1_700_000_000))
    return found


def test_every_range_is_the_same_bytes_and_any_program_opens_them(entries, tmp_path) -> None:
    whole = b"".join(Layout(entries).read(0, 1 << 40))
    assert len(whole) == Layout(entries).size
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        for entry, info in zip(entries, archive.infolist(), strict=True):
            assert (info.filename, info.compress_type) == (entry.name, zipfile.ZIP_STORED)
            assert info.date_time == (2023, 11, 14, 22, 13, 20)
            assert archive.read(info) == b"".join(entry.source.read(0, entry.source.nbytes))
    (tmp_path / "a.zip").write_bytes(whole)
    if program := shutil.which("unzip"):
        subprocess.run([program, "-tq", tmp_path / "a.zip"], check=True)
    chance = random.Random(7)
    for _ in range(100):  # each by a process that knows nothing of what was sent before
        start = chance.randrange(len(whole))
        stop = chance.choice([chance.randrange(start, len(whole)) + 1, start + 40])
        assert b"".join(Layout(entries).read(start, stop)) == whole[start:stop]
    assert len(whole) == Layout(entries).size == Layout(list(entries)).size
    with zipfile.ZipFile(io.BytesIO(b"".join(Layout([]).read(0, 99)))) as archive:
        assert archive.namelist() == []


def test_what_passed_is_not_read_again_wherever_it_goes_on(tmp_path: Path) -> None:
    files = [Counted(os.urandom(50_000)) for _ in range(3)]
    entries = [Entry(f"{n}.bin", file) for n, file in enumerate(files)]
    layout, noted = Layout(entries, Checks(tmp_path / "crc")), tmp_path / "crc"
    middle = layout.size // 2
    first = b"".join(layout.read(0, middle))
    rest = b"".join(layout.read(middle, layout.size))
    assert [file.nread for file in files] == [50_000] * 3
    with zipfile.ZipFile(io.BytesIO(first + rest)) as archive:
        assert archive.testzip() is None
    with noted.open("ab") as file:
        file.write(b"1 12")  # torn by a kill
    again = Layout(entries, Checks(noted))
    assert b"".join(again.read(middle, again.size)) == rest
    assert files[0].nread == 50_000
    elsewhere = Layout(entries, Checks(tmp_path / "absent"))
    assert b"" in list(elsewhere.read(elsewhere.size - 60, elsewhere.size))  # still at it
    assert b"".join(elsewhere.read(elsewhere.size - 300, elsewhere.size)) == rest[-300:]


def test_a_file_that_changed_is_not_sent_as_if_it_had_not(entries, tmp_path: Path) -> None:
    layout = Layout(entries)
    (tmp_path / "4").write_bytes(b"less")
    with pytest.raises(Changed, match="细胞 4"):
        list(layout.read(0, layout.size))


def test_six_gigabytes_with_a_file_of_more_than_four(tmp_path: Path) -> None:
    sizes = {"long.tif": LONG, "half.tif": 3 * GIB // 2, "last.txt": 4}
    for name, nbytes in sizes.items():
        (tmp_path / name).touch()
        os.truncate(tmp_path / name, nbytes)
    (tmp_path / "last.txt").write_bytes(b"last")
    entries = [Entry(name, Stored(tmp_path / name, n)) for name, n in sizes.items()]
    checks = Checks()
    checks.know(0, crc_of_zeros(LONG))
    checks.know(1, crc_of_zeros(3 * GIB // 2))
    assert crc_of_zeros(100_001) == zlib.crc32(bytes(100_001))
    layout = Layout(entries, checks)
    assert 5.5 * GIB < layout.size < 5.5 * GIB + 1000
    with zipfile.ZipFile(io.BufferedReader(View(layout))) as archive:
        found = {info.filename: (info.file_size, info.CRC) for info in archive.infolist()}
        assert archive.read("last.txt") == b"last"
        with archive.open("long.tif") as long:
            assert long.read(1000) == bytes(1000)
    assert found["long.tif"] == (LONG, crc_of_zeros(LONG))
    assert {name: nbytes for name, (nbytes, _) in found.items()} == sizes
    beyond = 5 * GIB  # in the second file, whose header stands behind 4 GiB
    assert b"".join(layout.read(beyond, beyond + 5)) == bytes(5)


def test_many_files_are_counted_beyond_the_fields_of_1989() -> None:
    one = Counted(b"x")
    layout = Layout([Entry(f"{n}", one) for n in range(65_536)])
    with zipfile.ZipFile(io.BytesIO(b"".join(layout.read(0, layout.size)))) as archive:
        assert len(archive.infolist()) == 65_536
        assert archive.read("65535") == b"x"
