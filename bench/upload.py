"""How quickly 512 MiB come in by tus, whole and through a line that breaks, beside a local copy.

The limit is `cp + sha256 + fsync` of the same file on the same disk. Beside it stands what any
upload must compute at least (`_bare.py`), spread over all processors: where they are few that is
the wall. The line breaks at every 1/32: what is sent again is counted.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "client"))

import _bare
import psutil
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
MIB = 1 << 20
MEMORY = 64  # MiB by which the service may grow while a file comes in


async def serve(root: Path) -> None:
    """Serve until standard input ends; then say the most memory that was held before and in all.

    A thread of it takes files over a bare socket.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=receiving, args=(listener, root / "bare"), daemon=True).start()
    server = HTTPServer(
        Application(data_routes(), cid_data=DataPlane(Folder(root), Signer((KEY,))))
    )
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(sockets[0].getsockname()[1], listener.getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print(begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)


def receiving(listener: socket.socket, place: Path) -> None:
    """Take files over a bare socket, one after the other."""
    while True:
        _bare.receive(listener, place)


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


class Computing:
    """Seconds of processor that this process and the service take for the same work, done again."""

    def __init__(self, service: int) -> None:
        self._ends = (psutil.Process(), psutil.Process(service))
        self._took: list[list[float]] = []

    def of(self, work: Callable[[], object]) -> None:
        """Do it and note both."""
        before = [sum(end.cpu_times()[:2]) for end in self._ends]
        work()
        after = [sum(end.cpu_times()[:2]) for end in self._ends]
        self._took.append([late - early for late, early in zip(after, before, strict=True)])

    @property
    def took(self) -> list[float]:
        """What each end took, in the middle of all times."""
        return [statistics.median(each) for each in zip(*self._took, strict=True)]


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


def broken(proxy: Cutting, source: Path, place: Path, digest: str) -> int:
    """Send the file while the line breaks at every 1/32; return the most sent again at once."""
    proxy.cuts = [SIZE * n // 32 for n in range(1, 32)]
    seen = sent(proxy.port, source, place, digest)
    assert proxy.made == 31
    with place.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == digest
    print(f"# sent again through 31 breaks: {(proxy.passed - SIZE) / 1e6:.1f} MB", flush=True)
    return seen.again


def measure(bench: Bench, service: Service, source: Path, scratch: Path, digest: str) -> None:
    """Take turns: ours, the copy, the bare line. Then break the line."""
    arrived, copy = scratch / "root" / PREFIX / "file", scratch / "copy"
    upload, bare = Computing(service.pid), Computing(service.pid)
    ours, limit, _ = interleaved(
        ROUNDS,
        lambda: upload.of(lambda: sent(service.port, source, fresh(arrived), digest)),
        lambda: copied(source, fresh(copy)),
        lambda: bare.of(lambda: _bare.send(service.bare, source)),
    )
    size, cp, processors = SIZE / 1e6, "cp + sha256 + fsync", os.cpu_count() or 1
    least, wall = sum(bare.took) / processors, f"the least computing on {processors} processors"
    bench.speed("512 MiB by tus", size / ours, size / limit, "MB/s", cp, 0.7)
    bench.speed("512 MiB by tus", size / ours, size / least, "MB/s", wall, None)
    bench.speed(wall, size / least, size / limit, "MB/s", cp, None)
    for name, mine, other in zip(("client", "service"), upload.took, bare.took, strict=True):
        bench.seconds(f"computing of the {name}", mine, other, "the least", None)
    with cutting(service.port) as proxy:
        start = time.perf_counter()
        again = broken(proxy, source, fresh(arrived), digest)
        slow = time.perf_counter() - start
    bench.speed("broken at every 1/32", size / slow, size / ours, "MB/s", "unbroken", None)
    bench.memory("sent again after a break", max(again, 1) / MIB, tus.PART / MIB, "one part", 1.0)


def main() -> int:
    """Measure and say."""
    bench = Bench("upload")
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        (scratch / "root").mkdir()
        chance, sha256 = random.Random(5), hashlib.sha256()
        with (scratch / "source").open("wb") as file:
            for _ in range(SIZE // MIB):
                piece = chance.randbytes(MIB)
                sha256.update(piece)
                file.write(piece)
        with started(scratch / "root") as service:
            measure(bench, service, scratch / "source", scratch, sha256.hexdigest())
    bench.memory("memory the service grew by", service.grown, MEMORY, "64 MiB", 1.0)
    return bench.finish()


@dataclass
class Service:
    """A data plane in a process of its own."""

    pid: int
    port: int
    bare: int
    grown: float = 0.0  # MiB, when it has ended


@contextmanager
def started(root: Path) -> Iterator[Service]:
    """Start a data plane; at the end it says how much memory it took."""
    command = [sys.executable, __file__, "serve", str(root)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        service = Service(process.pid, *map(int, process.stdout.readline().split()))
        yield service
        process.stdin.close()
        begun, most = map(int, process.stdout.readline().split())
        service.grown = max(most - begun, 1) / 1024


def fresh(path: Path) -> Path:
    """Remove what came before: everybody writes a new file."""
    path.unlink(missing_ok=True)
    return path


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(Path(sys.argv[2])))
    else:
        sys.exit(main())
