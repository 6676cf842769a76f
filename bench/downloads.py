"""How quickly a selection goes out as TIFF that is made on the way, beside its originals.

The same ZIP, streamed by the service's own handler over loopback: once of files as they lie, once
as OME-TIFF and once for ImageJ, computed from the compressed store. Half of it is asked for again
as one range, and the server must not grow with what it sends.
"""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import subprocess
import sys
import tempfile
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import dask.array as da
import numpy as np
import tifffile
from _harness import Bench, interleaved
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from cid_server_ext.handlers.data import data_routes
from cid_server_ext.storage import manifests, omezarr, stores
from cid_server_ext.storage.downloads import PLACE, Batch, Batches
from cid_server_ext.storage.forms import FORMS, Said
from cid_server_ext.storage.lines import Wanted
from cid_server_ext.storage.plane import DataPlane
from cid_server_ext.storage.readers.source import Facts, source
from cid_server_ext.storage.roots import Folder, sha256
from cid_server_ext.storage.tickets import Right, Signer

KEY = b"k" * 32
STACK = (64, 1024, 1024)  # uint16: 128 MiB an image
IMAGES = 2
ROUNDS = 5
MEMORY = 64  # MiB by which the server may grow once it has sent one of each form


async def serve(root: Path) -> None:
    """Serve until standard input ends; to each line of it, say the most memory that was held."""
    plane = DataPlane(Folder(root), Signer((KEY,)))
    server = HTTPServer(Application(data_routes(), cid_data=plane))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    while await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        print(held(), flush=True)


def held() -> int:
    """Return the most memory that this process held, in KiB; what its parent held is not in it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def filled(root: Path) -> list[Wanted]:
    """Store images with the noise of a camera, each with the TIFF it came as."""
    found = []
    for number in range(IMAGES):
        pixels = np.random.default_rng(number).poisson(60, STACK).astype("uint16")
        prefix = f"images/ab/image{number:03}"
        store = root / prefix / "image.ome.zarr"
        store.mkdir(parents=True)
        omezarr.write(source(Facts(), "ZYX", da.from_array(pixels, chunks=(8, -1, -1))), store)
        digest = manifests.write(store.parent)
        said = Said(f"uid-{number}", f"image {number}")
        for form, (_, suffix, _) in FORMS.items():
            name = f"{number}{suffix}"
            found.append(Wanted(("demo",), name, prefix, store.name, digest, 0, form, said))
        file = root / f"files/ab/file{number:03}" / "a.tif"
        file.parent.mkdir(parents=True)
        tifffile.imwrite(file, pixels)
        original = ("demo",), f"{number}.tif", f"files/ab/file{number:03}", "a.tif"
        found.append(Wanted(*original, sha256(file), 0))
    return found


def brought(port: int, batch: Batch, start: int = 0, keep: Path | None = None) -> None:
    """Bring an archive, or what is behind `start`; a file takes it, or nothing."""
    ticket = Signer((KEY,)).sign(Right(f"{PLACE}/{batch.uid}", "d"), 3600)
    line = http.client.HTTPConnection("127.0.0.1", port)
    line.request("GET", f"/data/{ticket}/.zip/a.zip", headers={"Range": f"bytes={start}-"})
    answer, came = line.getresponse(), 0
    with (keep or Path("/dev/null")).open("wb") as file:
        while piece := answer.read(1 << 20):
            file.write(piece)
            came += len(piece)
    line.close()
    assert came == batch.layout.size - start, (came, answer.status)


def proved(port: int, batch: Batch, scratch: Path) -> None:
    """Compare every CRC of an archive, out of the clock."""
    brought(port, batch, keep=scratch / "a.zip")
    with zipfile.ZipFile(scratch / "a.zip") as archive:
        assert archive.testzip() is None
    (scratch / "a.zip").unlink()


def asked(server: subprocess.Popen[str]) -> int:
    """Return the most memory that the server held until now, in KiB."""
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write("\n")
    server.stdin.flush()
    return int(server.stdout.readline())


def decoded(root: Path, wanted: list[Wanted]) -> None:
    """The limit: decode the same pixels in large blocks and make their sums, sending nothing."""
    for one in wanted:
        if one.form != "imagej":
            continue
        array, crc, digest = (
            stores.open_level(root / one.prefix / one.stored, 0),
            0,
            hashlib.sha256(),
        )
        for at in range(0, STACK[0], 8):
            pixels = array[at : at + 8].read().result()
            crc = zlib.crc32(pixels, crc)
            digest.update(pixels)


def main() -> int:
    """Measure and say."""
    bench = Bench("downloads")
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "root")
        root.mkdir()
        wanted, lists = filled(root), Batches(Folder(root))

        def listed(form: str, moment: int) -> Batch:
            """Another list each time, so that every sum is made anew."""
            return lists.make(replace(one, at=moment) for one in wanted if one.form == form)[0]

        forms = ("", *FORMS)
        batches = {form: iter([listed(form, at) for at in range(2 * ROUNDS)]) for form in forms}
        sizes = {form: listed(form, 0).layout.size for form in forms}
        half = sizes["ome-tiff"] // 2
        command = [sys.executable, __file__, "serve", str(root)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            port = int(server.stdout.readline())
            for form in forms:
                proved(port, next(batches[form]), Path(scratch))
            begun = asked(server)
            known = listed("ome-tiff", 0)
            original, ome, imagej, second, limit = interleaved(
                ROUNDS,
                lambda: brought(port, next(batches[""])),
                lambda: brought(port, next(batches["ome-tiff"])),
                lambda: brought(port, next(batches["imagej"])),
                lambda: brought(port, known, half),
                lambda: decoded(root, wanted),
            )
            most = asked(server)
            server.stdin.close()
    as_ome = sizes["ome-tiff"] / 1e6 / ome
    as_imagej = sizes["imagej"] / 1e6 / imagej
    originals, most_there_is = sizes[""] / 1e6 / original, sizes["imagej"] / 1e6 / limit
    least = "tensorstore, then CRC-32, then SHA-256"
    bench.speed("as ome-tiff", as_ome, originals, "MB/s", "the originals", None)
    bench.speed("as ome-tiff", as_ome, most_there_is, "MB/s", least, 0.7)
    bench.speed("as imagej", as_imagej, most_there_is, "MB/s", least, 0.7)
    again = (sizes["ome-tiff"] - half) / 1e6 / second
    bench.speed("ome-tiff from the middle on", again, as_ome, "MB/s", "from its start", 0.8)
    bench.memory("the server grew", max(most - begun, 1) / 1024, MEMORY, "the limit", 1.0)
    return bench.finish()


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(Path(sys.argv[2])))
    else:
        sys.exit(main())
