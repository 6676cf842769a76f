"""How quickly 512 MiB come in by tus, whole and through a line that breaks, beside a local copy.

The limit is `cp + sha256 + fsync` of the same file on the same disk. The line breaks at every 1/32:
what is sent again is counted.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "client"))

from _harness import Bench, interleaved
from cutting import Cutting, cutting
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from cid_client.uploads import tus
from cid_client.uploads.items import Part
from cid_client.wire.environment import Access
from cid_client.wire.session import Session
from cid_server_ext.handlers.data import data_routes
from cid_server_ext.storage.plane import DataPlane
from cid_server_ext.storage.roots import Folder
from cid_server_ext.storage.tickets import Right, Signer

KEY = b"k" * 32
SIZE = 512 << 20
PREFIX = "staging/abcdefgh/in"
ROUNDS = 5
MEMORY = 64 << 20  # bytes by which the service may grow while a file comes in


async def serve(root: Path) -> None:
    """Serve until standard input ends; then say the most memory that was held before and in all."""
    server = HTTPServer(
        Application(data_routes(), cid_data=DataPlane(Folder(root), Signer((KEY,))))
    )
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    print(begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)


class Ticketed:
    """A deposit's address: a fresh ticket each time."""

    def address(self, *, ended: bool = False) -> str:
        return f"data/{Signer((KEY,)).sign(Right(PREFIX, 'w', 1 << 40))}/"


class Bytes:
    """Counts what the client hands over, and where it goes on after a break."""

    def __init__(self) -> None:
        self.there = self.again = 0

    def count(self, nbytes: int) -> None:
        self.again = max(self.again, self.there - nbytes)
        self.there = nbytes


def copied(source: Path, target: Path) -> None:
    """The limit: copy, read for the digest, force to disk."""
    shutil.copyfile(source, target)
    with target.open("rb") as file:
        hashlib.file_digest(file, "sha256")
        os.fsync(file.fileno())


def sent(port: int, source: Path, place: Path, digest: str) -> Bytes:
    """Send the file and compare what arrived."""
    session = Session(Access(f"http://127.0.0.1:{port}/", "nobody"))
    seen = Bytes()
    part = Part(source, "file", source.stat().st_size)
    assert tus.send(session, Ticketed(), part, seen.count) == digest
    session.close()
    assert place.stat().st_size == part.nbytes
    return seen


def through(proxy: Cutting, source: Path, place: Path, digest: str) -> None:
    """Send the file while the line breaks at every 1/32 of it."""
    proxy.passed = proxy.made = 0
    proxy.cuts = [SIZE * n // 32 for n in range(1, 32)]
    seen = sent(proxy.port, source, place, digest)
    assert proxy.made == 31
    assert seen.again <= tus.PART, f"{seen.again} bytes were sent again after one break"
    print(f"# sent again through 31 breaks: {(proxy.passed - SIZE) / 1e6:.1f} MB", flush=True)


def main() -> int:
    """Measure and say."""
    bench = Bench("upload")
    with tempfile.TemporaryDirectory() as scratch:
        root, source = Path(scratch, "root"), Path(scratch, "source")
        root.mkdir()
        chance = random.Random(5)
        with source.open("wb") as file:
            for _ in range(SIZE >> 20):
                file.write(chance.randbytes(1 << 20))
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        arrived, copy = root / PREFIX / "file", Path(scratch, "copy")
        server: subprocess.Popen[Any]
        with subprocess.Popen(
            [sys.executable, __file__, "serve", str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            port = int(server.stdout.readline())
            with cutting(port) as proxy:
                ours, limit, broken = interleaved(
                    ROUNDS,
                    lambda: sent(port, source, fresh(arrived), digest),
                    lambda: copied(source, fresh(copy)),
                    lambda: through(proxy, source, fresh(arrived), digest),
                )
            server.stdin.write("\n")
            server.stdin.flush()
            begun, most = map(int, server.stdout.readline().split())
            server.stdin.close()
    size = SIZE / 1e6
    bench.speed("512 MiB by tus", size / ours, size / limit, "MB/s", "cp + sha256 + fsync", 0.7)
    bench.speed(
        "the same, broken at every 1/32", size / broken, size / ours, "MB/s", "unbroken", None
    )
    grown = max(most - begun, 1) * 1024
    bench.speed(
        "bytes of the file for a byte of memory", SIZE / grown, SIZE / MEMORY, "", "64 MiB", 1.0
    )
    return bench.finish()


def fresh(path: Path) -> Path:
    """Remove what came before: everybody writes a new file."""
    path.unlink(missing_ok=True)
    return path


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(Path(sys.argv[2])))
    else:
        sys.exit(main())
