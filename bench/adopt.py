"""How quickly an OME-Zarr plate of 160,000 chunks is in the catalog, without a copy, and with how
much memory; when its first well is seen; and how long 10,000 old files take to be looked at."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import tifffile
from _harness import Bench
from numcodecs import Zlib

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import projects, references
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import open_database, reading
from cid_server_ext.memory.migration import to_newest
from cid_server_ext.storage import glimpses
from cid_server_ext.storage.inplace import Roots

ROWS, COLUMNS, FIELDS = 16, 24, 4
SHAPE, TILE = (3, 320, 448), 64  # of a field: 105 chunks, and 3 of its second level
CHUNKS = ROWS * COLUMNS * FIELDS * (3 * 5 * 7 + 3)
FILES = 10_000
RULES = '[[rules]]\npath = "{user}/**"\nproject = "bench"\ndataset = "{user}"\n'
WITHIN, BELOW, SEEN = 60.0, 500.0, 2.0  # seconds, MB, seconds


def make_plate(path: Path) -> None:
    """Write a plate of OME-Zarr 0.4; chunks of a field are links to one, to spare the disk."""
    names = [f"{chr(65 + row)}/{column + 1}" for row in range(ROWS) for column in range(COLUMNS)]
    wells = [
        {"path": name, "rowIndex": at // COLUMNS, "columnIndex": at % COLUMNS}
        for at, name in enumerate(names)
    ]
    plate = {
        "name": "bench",
        "version": "0.4",
        "rows": [{"name": chr(65 + row)} for row in range(ROWS)],
        "columns": [{"name": str(column + 1)} for column in range(COLUMNS)],
        "wells": wells,
        "field_count": FIELDS,
    }
    _group(path, {"plate": plate})
    codec, random = Zlib(level=1), np.random.default_rng(1)
    for row in range(ROWS):
        _group(path / chr(65 + row), {})
    for name in names:
        images = [{"path": str(field)} for field in range(FIELDS)]
        _group(path / name, {"well": {"images": images, "version": "0.4"}})
        for field in range(FIELDS):
            _field(path / name / str(field), codec, int(random.integers(1, 60000)))


def _field(path: Path, codec: Zlib, grey: int) -> None:
    axes = [{"name": "c", "type": "channel"}]
    axes += [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "yx"]
    levels = [
        {"path": str(n), "coordinateTransformations": [{"type": "scale", "scale": [1, s, s]}]}
        for n, s in ((0, 0.5), (1, 1.0))
    ]
    multiscale = {"version": "0.4", "axes": axes, "datasets": levels}
    _group(path, {"multiscales": [multiscale]})
    small = (SHAPE[0], SHAPE[1] // 2, SHAPE[2] // 2)
    _level(path / "0", SHAPE, (1, TILE, TILE), codec, grey)
    _level(path / "1", small, (1, *small[1:]), codec, grey)


def _level(
    path: Path, shape: tuple[int, ...], chunk: tuple[int, ...], codec: Zlib, grey: int
) -> None:
    path.mkdir()
    document = {
        "zarr_format": 2,
        "shape": shape,
        "chunks": chunk,
        "dtype": "<u2",
        "compressor": codec.get_config(),
        "fill_value": 0,
        "filters": None,
        "order": "C",
        "dimension_separator": "/",
    }
    (path / ".zarray").write_text(json.dumps(document))
    first = path.with_name(f"{path.name}.chunk")
    first.write_bytes(codec.encode(np.full(chunk, grey, np.uint16)))
    counts = [size // part for size, part in zip(shape, chunk, strict=True)]
    for c in range(counts[0]):
        for y in range(counts[1]):
            folder = path / str(c) / str(y)
            folder.mkdir(parents=True)
            for x in range(counts[2]):
                os.link(first, folder / str(x))
    first.unlink()


def _group(path: Path, attributes: dict[str, object]) -> None:
    path.mkdir(parents=True, exist_ok=True)
    (path / ".zgroup").write_text('{"zarr_format": 2}')
    if attributes:
        (path / ".zattrs").write_text(json.dumps(attributes))


def make_files(folder: Path) -> None:
    """Write small images of many users; they are links to a few."""
    for at in range(FILES):
        place = folder / f"user{at % 25}" / f"day {at % 400}"
        place.mkdir(parents=True, exist_ok=True)
        if at < 25:
            tifffile.imwrite(place / f"{at}.tif", np.full((32, 32), at, np.uint16))
        else:
            os.link(
                folder / f"user{at % 25}" / f"day {at % 25}" / f"{at % 25}.tif", place / f"{at}.tif"
            )


class Watched:
    """A command with all its processes: how long it takes and how much memory they have at once."""

    def __init__(self, *words: str) -> None:
        self.peak = 0.0
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cid_server_ext.cli", *words], stdout=subprocess.PIPE, text=True
        )
        watcher = threading.Thread(target=self._watch)
        watcher.start()
        self.said = self.process.communicate()[0]
        self.seconds = time.perf_counter() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
        watcher.join()
        assert self.process.returncode == 0, self.said

    def _watch(self) -> None:
        while self.process.poll() is None:
            self.peak = max(self.peak, sum(map(_pss, _family(self.process.pid))))
            time.sleep(0.05)


def _family(pid: int) -> list[int]:
    """Return a process and all that it started."""
    found, waiting = [], [pid]
    while waiting:
        found.append(here := waiting.pop())
        for task in Path(f"/proc/{here}/task").glob("*/children"):
            try:
                waiting += map(int, task.read_text().split())
            except OSError:
                continue
    return found


def _pss(pid: int) -> float:
    """Return the MB of a process, its part of what it shares with others."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1000
    except OSError:
        pass
    return 0.0


def main() -> int:
    """Run it."""
    bench = Bench("adopt")
    with tempfile.TemporaryDirectory(prefix="cid-bench-adopt-") as made:
        work = Path(made)
        old, storage = work / "old", work / "storage"
        storage.mkdir()
        database = f"sqlite:///{work}/catalog.sqlite"
        to_newest(database)
        sessions = open_database(database)
        with sessions.begin() as session:
            wanted = projects.Wanted("bench", "bench", "", 2**50, {})
            projects.create(session, Actor("staff", staff=True), wanted)
        os.environ |= {
            "CID_ADOPT_ROOTS": f"old={old}",
            "CID_DATABASE": database,
            "CID_STORAGE": str(storage),
        }
        rules = work / "rules.toml"
        rules.write_text(RULES)
        make_plate(old / "ana" / "plate.ome.zarr")
        ran = Watched("adopt", "old:ana", "--rules", str(_flat(work)), "--apply", "--no-pictures")
        bench.seconds(f"register a plate of {CHUNKS} chunks", ran.seconds, WITHIN, "bar", 1.0)
        bench.speed("its memory, as MB of the bar", 1 / ran.peak, 1 / BELOW, "1/MB", "bar", 1.0)
        print(f"# {ran.peak:.0f} MB at once, {ran.cpu:.1f} s of computing")
        print(f"# {ran.said.splitlines()[-2]}")
        start = time.perf_counter()
        with reading(sessions) as session:
            image = session.query(t.Image).order_by(t.Image.id).first()
            where = references.where(session, image)
        assert where is not None
        assert glimpses.draw(Roots.read(f"old={old}").path(where.root, where.path))
        bench.seconds("first well is seen", time.perf_counter() - start, SEEN, "bar", 1.0)
        make_files(old / "files")
        looked = Watched("adopt", "old:files", "--rules", str(rules), "--csv", str(work / "t.csv"))
        bench.seconds(f"look at {FILES} files", looked.seconds, WITHIN, "bar", 1.0)
        print(f"# {looked.cpu:.1f} s of computing")
        assert len((work / "t.csv").read_text().splitlines()) == FILES + 1
        sessions.kw["bind"].dispose()
    return bench.finish()


def _flat(work: Path) -> Path:
    path = work / "flat.toml"
    path.write_text('[[rules]]\npath = "**"\nproject = "bench"\n')
    return path


if __name__ == "__main__":
    sys.exit(main())
