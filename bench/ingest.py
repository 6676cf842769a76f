"""How quickly 128 MiB of a noisy OME-TIFF become OME-Zarr, beside raw tensorstore and a copy."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tensorstore as ts
import tifffile
from _harness import ROUNDS, Bench, interleaved

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import deposits, projects
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import open_database
from cid_server_ext.ingest.convert import convert, warm_up
from cid_server_ext.ingest.importer import Importer
from cid_server_ext.memory.migration import to_newest
from cid_server_ext.storage import omezarr
from cid_server_ext.storage.readers import open_images
from cid_server_ext.storage.roots import Folder

SHAPE = (4, 4096, 4096)
SMALL = 1000  # files of one deposit
CODEC = {"cname": "zstd", "clevel": 1, "shuffle": "bitshuffle", "typesize": 2, "blocksize": 0}
MEGABYTES = int(np.prod(SHAPE)) * 2 / 1e6


def make_source(folder: Path) -> Path:
    """Write the source: Poisson noise around a smooth background, as a camera gives."""
    random = np.random.default_rng(42)
    wave = np.sin(np.linspace(0, 20, 4096))
    mean = 300 + 200 * np.outer(wave, wave)
    path = folder / "source.ome.tif"
    pixels = random.poisson(np.broadcast_to(mean, SHAPE)).astype(np.uint16)
    tifffile.imwrite(path, pixels, metadata={"axes": "CYX"})
    return path


def raw_tensorstore(source: Path, target: Path) -> None:
    """Read with tifffile and write the same levels, shards and codec with nothing in between."""
    pixels = tifffile.imread(source)
    pending = []
    for level in range(5):
        pending.append(_array(target, level, pixels.shape).write(pixels))
        wide = pixels.reshape(4, pixels.shape[1] // 2, 2, pixels.shape[2] // 2, 2)
        total = wide[:, :, 0, :, 0].astype(np.uint32)
        for y, x in ((0, 1), (1, 0), (1, 1)):
            total += wide[:, :, y, :, x]
        pixels = ((total + 2) >> 2).astype(np.uint16)
    for future in pending:
        future.result()


def _array(target: Path, level: int, shape: tuple[int, ...]) -> ts.TensorStore:
    side = min(512, shape[-1])
    raw = {"name": "bytes", "configuration": {"endian": "little"}}
    sharding = {
        "chunk_shape": [1, side, side],
        "codecs": [raw, {"name": "blosc", "configuration": CODEC}, {"name": "crc32c"}],
        "index_codecs": [raw, {"name": "crc32c"}],
        "index_location": "end",
    }
    shard = [1, min(2048, shape[1]), min(2048, shape[2])]
    metadata = {
        "shape": shape,
        "data_type": "uint16",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": shard}},
        "codecs": [{"name": "sharding_indexed", "configuration": sharding}],
    }
    place = {"driver": "file", "path": f"{target}/{level}/"}
    spec = {"driver": "zarr3", "kvstore": place, "metadata": metadata}
    return ts.open(spec, create=True, context=ts.Context({"file_io_sync": False})).result()


def copy_and_hash(source: Path, target: Path) -> None:
    """The least that taking a file in can cost: copy, hash, commit to disk."""
    target.mkdir()
    shutil.copyfile(source, target / "copy")
    with (target / "copy").open("rb") as file:
        hashlib.file_digest(file, "sha256")
        os.fsync(file.fileno())


def ours(source: Path, target: Path) -> None:
    """Our reader and writer, without the comparison."""
    target.mkdir()
    omezarr.write(open_images(source)[0], target)


def whole(source: Path, target: Path) -> None:
    """All of an import's conversion: child process, writing, comparing, thumbnail."""
    convert(source, target)


def main() -> int:
    """Measure and say."""
    bench = Bench("ingest")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = make_source(folder)
        fresh = (folder / str(number) for number in itertools.count())
        warm_up()
        kinds = (ours, raw_tensorstore, whole, copy_and_hash)
        for kind in kinds:  # once unmeasured: imports, page cache
            kind(source, next(fresh))
        _same(folder / "0", folder / "1")

        def run(kind) -> None:
            target = next(fresh)
            kind(source, target)
            shutil.rmtree(target)

        times = interleaved(ROUNDS, *(lambda kind=kind: run(kind) for kind in kinds))
    many_small(bench)
    mine, raw, complete, copied = (MEGABYTES / seconds for seconds in times)
    bench.speed("write OME-Zarr", mine, raw, "MB/s", "raw tensorstore, same codec", 0.9)
    bench.speed("whole conversion", complete, raw, "MB/s", "raw tensorstore, same codec", None)
    bench.speed("whole conversion", complete, copied, "MB/s", "cp + sha256 + fsync", None)
    return bench.finish()


def many_small(bench: Bench) -> None:
    """Say how quickly many small TIFFs come in: sorted, converted, published, committed."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        importer, uid = _staged(folder, SMALL)
        warm_up()
        began = time.monotonic()
        importer._import(uid)
        seconds = time.monotonic() - began
        with importer.sessions() as session:
            [deposit] = session.query(t.Deposit)
            assert (deposit.state, len(deposit.results["images"])) == ("done", SMALL)
        importer.close()
    bench.speed("small TIFFs in one deposit", SMALL / seconds, 20.0, "files/s", "asked for", 1.0)


def _staged(folder: Path, count: int) -> tuple[Importer, str]:
    """Return a new catalog's importer and a deposit of so many small files, staged and begun."""
    url = f"sqlite:///{folder}/catalog.sqlite"
    to_newest(url)
    importer = Importer(open_database(url), Folder(folder / "storage"))
    who, random = Actor("staff", staff=True), np.random.default_rng(7)
    with importer.sessions.begin() as session:
        wanted = projects.Wanted("bench", "bench", "", 10**11, {}, ("staff",))
        projects.create(session, who, wanted)
    with importer.sessions.begin() as session:
        source = folder / "small.tif"
        declared, bodies = [], []
        for number in range(count):
            tifffile.imwrite(source, random.integers(0, 4000, (256, 256), dtype=np.uint16))
            bodies.append(source.read_bytes())
            declared.append({"path": f"day/{number}.tif", "nbytes": len(bodies[-1])})
        how = {"dataset": "", "kind": "import", "declared": declared}
        uid = deposits.open_import(session, who, "bench", **how).uid
        place = importer.root.path(f"staging/{uid}/in/day")
        place.mkdir(parents=True)
        for number, body in enumerate(bodies):
            (place / f"{number}.tif").write_bytes(body)
        deposits.begin(session, who, uid, {})
    return importer, uid


def _same(a: Path, b: Path) -> None:
    """A bench that compares different results compares nothing."""
    for level in range(5):
        first, second = (
            ts.open({"driver": "zarr3", "kvstore": f"file://{place}/{level}/"}).result()
            for place in (a, b)
        )
        assert (first.read().result() == second.read().result()).all()


if __name__ == "__main__":
    sys.exit(main())
