"""TIFFs that lie about themselves, and files with bytes changed at random: a reason, in time.

FUZZ_SECONDS=600 in the environment goes on for ten minutes; FUZZ_SEED begins elsewhere.
"""

from __future__ import annotations

import os
import random
import shutil
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

from cid_server_ext.errors import BadFile
from cid_server_ext.ingest.limits import Limits
from cid_server_ext.ingest.sandbox import Room
from cid_server_ext.ingest.workers import Worker

LIMITS = Limits(memory=3 << 29, planning_seconds=20, wall_seconds=30)
SECONDS = float(os.environ.get("FUZZ_SECONDS", "6"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
PIXELS = bytes(64)
SHORT, LONG = 3, 4
WIDTH, HEIGHT, BITS, STRIPS, SAMPLES, ROWS, COUNTS, SUB = 256, 257, 258, 273, 277, 278, 279, 330
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_COUNTS = 322, 323, 324, 325
GOOD = {
    **{WIDTH: (SHORT, 8), HEIGHT: (SHORT, 8), BITS: (SHORT, 8), 259: (SHORT, 1), 262: (SHORT, 1)},
    **{STRIPS: (LONG, 8), SAMPLES: (SHORT, 1), ROWS: (LONG, 8), COUNTS: (LONG, 64)},
}
START = 8 + len(PIXELS)


def directory(tags: dict[int, tuple[int, int]], following: int) -> bytes:
    entries = [struct.pack("<HHII", tag, *(kind, 1, value)) for tag, (kind, value) in tags.items()]
    return struct.pack("<H", len(tags)) + b"".join(entries) + struct.pack("<I", following)


def tiff(following: int = 0, **changes: tuple[int, int] | None) -> bytes:
    """Return a TIFF of 8 x 8 pixels, its tags changed by number as t256=(kind, value)."""
    tags = GOOD | {int(name[1:]): told for name, told in changes.items()}
    kept = {tag: told for tag, told in sorted(tags.items()) if told is not None}
    return b"II*\0" + struct.pack("<I", START) + PIXELS + directory(kept, following)


def tiled(width: int, height: int) -> bytes:
    return tiff(
        **{f"t{tag}": None for tag in (STRIPS, ROWS, COUNTS)},
        t322=(SHORT, width),
        t323=(SHORT, height),
        t324=(LONG, 8),
        t325=(LONG, 64),
    )


def many(number: int) -> bytes:
    """A chain of so many directories, each of one tag."""
    size = len(directory({WIDTH: (SHORT, 8)}, 0))
    chain = (directory({WIDTH: (SHORT, 8)}, START + size * n) for n in range(1, number))
    return b"II*\0" + struct.pack("<I", START) + PIXELS + b"".join(chain)


def claims(count: int) -> bytes:
    """A BigTIFF whose one strip has this many bytes."""
    told = [(WIDTH, 3, 8), (HEIGHT, 3, 8), (BITS, 3, 8), (259, 3, 1), (262, 3, 1)]
    told += [(STRIPS, 16, 16), (SAMPLES, 3, 1), (ROWS, 16, 8), (COUNTS, 16, count)]
    entries = b"".join(struct.pack("<HHQQ", tag, kind, 1, value) for tag, kind, value in told)
    return b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, len(told)) + entries + bytes(8)


LIES: dict[str, Callable[[], bytes]] = {
    "a directory that is its own next": lambda: tiff(following=START),
    "a directory below that is the one above": lambda: tiff(t330=(LONG, START)),
    "a hundred thousand directories": lambda: many(100_000),
    "tiles of no width": lambda: tiled(0, 16),
    "tiles of no height": lambda: tiled(16, 0),
    "a strip past the end": lambda: tiff(t279=(LONG, 1 << 31)),
    "a strip that begins past the end": lambda: tiff(t273=(LONG, 1 << 31)),
    "strips of no rows": lambda: tiff(t278=(LONG, 0)),
    "no samples": lambda: tiff(t277=(SHORT, 0)),
    "more samples than bytes": lambda: tiff(t277=(SHORT, 65535)),
    "pixels of no bits": lambda: tiff(t258=(SHORT, 0)),
    "two thousand million pixels wide": lambda: tiff(t256=(LONG, 1 << 31), t257=(LONG, 1 << 31)),
    "a million million bytes": lambda: claims(1 << 40),
}


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Worker(LIMITS) as worker:
        yield worker


def test_the_one_that_does_not_lie_is_read(worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "x.tif").write_bytes(tiff())
    [image] = worker.convert(tmp_path / "x.tif", tmp_path / "out")
    assert (image.axes, image.shape) == ("yx", (8, 8))


@pytest.mark.parametrize("lie", LIES)
def test_a_tiff_that_lies_ends_in_a_reason_in_time(
    worker: Worker, tmp_path: Path, lie: str
) -> None:
    """Some lies do not matter, and the 8 x 8 pixels that are there are read."""
    path = tmp_path / "x.tif"
    path.write_bytes(LIES[lie]())
    began, said = time.monotonic(), ""
    try:
        found = worker.convert(path, tmp_path / "out")
    except BadFile as refused:
        found, said = [], str(refused)
    assert {image.shape[-2:] for image in found} == (set() if said else {(8, 8)})
    assert "\n" not in said
    assert time.monotonic() - began < LIMITS.wall_seconds + 30


def seeds(folder: Path) -> list[Path]:
    """Small good files of several kinds."""
    pixels = np.random.default_rng(1).integers(0, 4000, (3, 40, 50), dtype=np.uint16)
    grey = {"photometric": "minisblack"}
    tifffile.imwrite(folder / "a.tif", pixels, **grey)
    tifffile.imwrite(folder / "b.tif", pixels, compression="zlib", tile=(16, 16), **grey)
    tifffile.imwrite(folder / "c.ome.tif", pixels, metadata={"axes": "CYX"}, **grey)
    tifffile.imwrite(folder / "d.tif", pixels, imagej=True, **grey)
    Image.fromarray(pixels[0].astype(np.uint8)).save(folder / "e.png")
    Image.fromarray(pixels[0].astype(np.uint8)).save(folder / "f.jpg")
    for version, name in ((2, "g.zarr"), (3, "h.zarr")):
        group = zarr.create_group(folder / name, zarr_format=version)
        shards = {"shards": (3, 40, 50)} if version == 3 else {}
        array = group.create_array("0", shape=(3, 40, 50), dtype="u2", chunks=(1, 20, 25), **shards)
        array[:] = pixels
        axes = [{"name": axis, "type": "space"} for axis in "zyx"]
        scale = [{"type": "scale", "scale": [1, 1, 1]}]
        told = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}
        group.attrs.update(
            {"multiscales": [{"version": "0.4", **told}]}
            if version == 2
            else {"ome": {"version": "0.5", "multiscales": [told]}}
        )
    return sorted(folder.iterdir())


def changed(chance: random.Random, path: Path) -> None:
    """Change some bytes of a file, or of one of a folder: most often of what describes the rest."""
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    file = chance.choice(files)
    data = bytearray(file.read_bytes())
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(min(len(data), chance.choice((64, 512, len(data)))))
        data[at : at + chance.choice((1, 1, 4))] = chance.randbytes(chance.choice((1, 1, 4)))
    if chance.random() < 0.1:
        del data[chance.randrange(len(data)) :]
    file.write_bytes(data)


def test_bytes_changed_at_random_give_an_image_or_a_reason(worker: Worker, tmp_path: Path) -> None:
    """Never anything else: no other error, no child that hangs, nothing left in the output."""
    chance = random.Random(SEED)
    for name in ("good", "in", "out"):
        (tmp_path / name).mkdir()
    good = seeds(tmp_path / "good")
    room = Room(str(tmp_path / "in"), str(tmp_path / "out"))
    until, count, refused = time.monotonic() + SECONDS, 0, 0
    while time.monotonic() < until or count < len(good):
        seed = good[count % len(good)]
        path, target = tmp_path / "in" / f"{count} {seed.name}", tmp_path / "out" / str(count)
        shutil.copytree(seed, path) if seed.is_dir() else shutil.copyfile(seed, path)
        changed(chance, path)
        try:
            found, said = worker.convert(path, target, nbytes=1, room=room), ""
        except BadFile as error:
            found, said = [], str(error)
        assert bool(said) is not bool(found), path
        assert "\n" not in said, path
        assert target.exists() is bool(found), path
        count, refused = count + 1, refused + bool(said)
    print(f"{count} files, {refused} refused")
