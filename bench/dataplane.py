"""How quickly the data plane sends 1 MiB chunks, beside bare tornado and the disk."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _harness import Bench
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from cid_server_ext.handlers.data import data_routes
from cid_server_ext.storage.plane import DataPlane
from cid_server_ext.storage.roots import Folder
from cid_server_ext.storage.tickets import Right, Signer

KEY = b"k" * 32
PREFIX = "images/ab/abcdefgh"
CHUNKS, SIZE = 32, 1 << 20
SMALL = 61 << 10
REQUESTS = 300


class Bare(RequestHandler):
    """Sends the same bytes from memory: what tornado can do at most."""

    async def get(self, number: str, size: str) -> None:
        self.set_header("Content-Length", size)
        self.write(self.settings["chunks"][int(number)][: int(size)])
        await self.flush()


async def serve(root: Path) -> None:
    """Serve until standard input ends."""
    chunks = [path.read_bytes() for path in sorted((root / PREFIX).iterdir())]
    routes = [*data_routes(), (r"/bare/(\d+)/(\d+)", Bare)]
    plane = DataPlane(Folder(root), Signer((KEY,)))
    server = HTTPServer(Application(routes, cid_data=plane, chunks=chunks))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


class Client:
    """One connection that checks status, length and content of every answer, out of the clock."""

    def __init__(self, port: int, digests: list[dict[int, bytes]]) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", port)
        self.digests = digests

    def get(self, number: int, size: int, path: str, headers: dict[str, str]) -> float:
        start = time.perf_counter()
        self.line.request("GET", path, headers=headers)
        answer = self.line.getresponse()
        body = answer.read()
        seconds = time.perf_counter() - start
        assert answer.status in (200, 206), answer.status
        assert len(body) == size
        assert hashlib.sha256(body).digest() == self.digests[number][size]
        return seconds


def from_disk(path: Path, size: int) -> float:
    """Read the same bytes where they lie."""
    start = time.perf_counter()
    handle = os.open(path, os.O_RDONLY)
    body = os.pread(handle, size, 0)
    os.close(handle)
    seconds = time.perf_counter() - start
    assert len(body) == size
    return seconds


def main() -> int:
    """Measure and say."""
    bench = Bench("dataplane")
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        files = make_chunks(root)
        digests = [
            {size: hashlib.sha256(path.read_bytes()[:size]).digest() for size in (SIZE, SMALL)}
            for path in files
        ]
        command = [sys.executable, __file__, "serve", scratch]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None
            client = Client(int(server.stdout.readline()), digests)
            for size, name in ((SIZE, "1 MiB chunk"), (SMALL, "61 KiB of a shard (Range)")):
                measure(bench, client, files, size, name)
            client.line.close()
            assert server.stdin is not None
            server.stdin.close()
    return bench.finish()


def measure(bench: Bench, client: Client, files: list[Path], size: int, name: str) -> None:
    """Take turns: ours, bare tornado, the disk."""
    signer = Signer((KEY,))
    times: list[list[float]] = [[], [], []]
    choice = random.Random(1)
    for _ in range(REQUESTS):
        number = choice.randrange(CHUNKS)
        path = f"/data/{signer.sign(Right(PREFIX, 'r'))}/{files[number].name}"
        part = {} if size == SIZE else {"Range": f"bytes=0-{size - 1}"}
        times[0].append(client.get(number, size, path, part))
        times[1].append(client.get(number, size, f"/bare/{number}/{size}", {}))
        times[2].append(from_disk(files[number], size))
    ours, bare, disk = (size / 1e6 / statistics.median(each) for each in times)
    bench.speed(name, ours, bare, "MB/s", "bare tornado from memory", 0.5)
    bench.speed(name, ours, disk, "MB/s", "the same file read from disk", None)


def make_chunks(root: Path) -> list[Path]:
    """Write the chunks, with a seed."""
    folder = root / PREFIX
    folder.mkdir(parents=True)
    source = random.Random(7)
    for number in range(CHUNKS):
        (folder / f"{number:03}").write_bytes(source.randbytes(SIZE))
    return sorted(folder.iterdir())


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(Path(sys.argv[2])))
    else:
        sys.exit(main())
