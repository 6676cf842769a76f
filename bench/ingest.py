"""How quickly stacks and small files come in, and in what memory, beside others' writers.

Each way of taking an image in runs in a process of its own (`_ways.py`), in turns with the others,
so that noise hits them alike; slow ones have fewer turns, and one that takes longer than PATIENCE
is ended: its speed is then told too high. Ours is the whole registration: copied
and hashed twice, sorted, read, written as a pyramid, proved, measured, drawn, forced to disk,
published and committed. The others write a pyramid; tensorstore in two ways, of which `raw` is what
the bars stand on (`_ways.raw` says why) and `streaming` is the least that writing can cost: it
neither syncs nor checks. Peak memory is that of resident pages, summed over a way's process and all
its children, looked at 20 times a second: what children share counts for each of them, so ours is
told too high rather than too low. `--small` is a quick trial.
"""

from __future__ import annotations

import itertools
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import tensorstore as ts
import tifffile
from _harness import Bench, probe
from _peers import python
from _registration import Registration
from _ways import LEVEL0

HERE = Path(__file__).parent
PEERS = ("ngff-zarr==0.50.0", "ome-zarr==0.18.0", "tifffile")
STACKS = {"128 MiB": (4, 4096, 4096), "2 GiB": (4, 16, 4096, 4096)}
QUICK = ("registered", "written", "raw", "streaming", "copy")
# a way, what it is called, and the bars for all that we do and for writing alone
RAW: tuple[tuple[str, str, tuple[float, float] | None], ...] = (
    ("raw", "tensorstore, same codec", (0.8, 0.9)),
    ("streaming", "tensorstore, plane by plane, not synced", None),
)
SLOW = {"bioio": "bioio-ome-zarr", "ome_zarr": "ome-zarr-py", "ngff": "ngff-zarr"}
TURNS = {"128 MiB": (5, 2), "2 GiB": (2, 1)}  # of quick ways, of slow ones
MEMORY = 1536  # MiB
SMALL = 1000  # files of one deposit
PATIENCE = 150.0  # seconds for one stack; a way that takes longer is ended and told as not quicker
BEAT = 0.05


@dataclass
class Way:
    """A process that takes images in, and the most memory that was seen in it."""

    process: subprocess.Popen[str]
    seconds: list[float] = field(default_factory=list)
    computed: list[float] = field(default_factory=list)
    most: int = 0
    late: bool = False  # it was ended before it was done

    def take(self, source: Path, target: Path, *, count: bool) -> None:
        """Have it take one image in; `count` it, or it was to warm up."""
        before, seconds = self._computed(), self._taken(source, target)
        if count or self.late:
            self.seconds.append(seconds)
        if count and not self.late:
            self.computed.append(self._computed() - before)

    def _computed(self) -> float:
        """Return the seconds of computing of it and all its children, those that ended too."""
        first = psutil.Process(self.process.pid)
        return sum(sum(one.cpu_times()[:4]) for one in (first, *first.children(recursive=True)))

    def _taken(self, source: Path, target: Path) -> float:
        assert self.process.stdin is not None
        done = threading.Event()
        watching = threading.Thread(target=self._watch, args=(done,))
        watching.start()
        try:
            print(source, target, file=self.process.stdin, flush=True)
            answer = self.process.stdout and self.process.stdout.readline()
            assert answer or self.late, "it ended before it was done"
            return float(answer) if answer else PATIENCE
        finally:
            done.set()
            watching.join()

    def hear(self) -> str:
        """Return its next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "it ended before it was done"
        return line

    def _watch(self, done: threading.Event) -> None:
        first = psutil.Process(self.process.pid)
        give_up = time.monotonic() + PATIENCE
        while not done.wait(BEAT):
            if time.monotonic() > give_up and not self.late:
                self.late = True
                for process in (*first.children(recursive=True), first):
                    process.kill()
                return
            resident = 0
            for process in (first, *first.children(recursive=True)):
                try:
                    resident += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.most = max(self.most, resident)


def make_source(path: Path, shape: tuple[int, ...]) -> None:
    """Write a stack plane by plane: photons around a smooth background, as a camera gives."""
    random = np.random.default_rng(42)
    wave = np.sin(np.linspace(0, 20, shape[-1]))
    mean = (300 + 200 * np.outer(wave, wave))[: shape[-2]]
    planes = [random.poisson(mean).astype(np.uint16) for _ in range(4)]
    count = int(np.prod(shape[:-2]))
    rolled = (np.roll(planes[at % 4], 37 * (at // 4), 0) for at in range(count))
    named = {"axes": "CZYX" if len(shape) == 4 else "CYX"}
    tifffile.imwrite(path, rolled, shape=shape, dtype="uint16", ome=True, metadata=named)


def begun(name: str, interpreter: str | Path) -> Way:
    """Start a way; it is ready when this returns."""
    process = subprocess.Popen(
        [str(interpreter), str(HERE / "_ways.py"), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    way = Way(process)
    way.hear()
    return way


def measured(size: str, folder: Path, peers: Path | None) -> dict[str, Way]:
    """Let every way take one stack in, in turns; compare what they wrote."""
    source = folder / "source.ome.tif"
    make_source(source, STACKS[size])
    slow = {name: peers if name != "bioio" else Path(sys.executable) for name in SLOW}
    ways = {name: begun(name, sys.executable) for name in QUICK}
    ways |= {name: begun(name, found) for name, found in slow.items() if found}
    many, few = TURNS[size]
    fresh = (folder / str(number) for number in itertools.count())
    for turn in range(-1, many):
        order = list(ways) if turn % 2 else list(reversed(ways))
        for name in order:
            if (name in SLOW and turn >= few) or (turn < 0 and size != "128 MiB"):
                continue
            if ways[name].late:
                continue
            target = next(fresh)
            ways[name].take(source, target, count=turn >= 0)
            if turn < 0 and not ways[name].late:  # imports, and the proof that all of them did it
                _same(name, source, target)
            _remove(target)
    for way in ways.values():
        assert way.process.stdin is not None
        way.process.stdin.close()
        way.process.wait(60)
    return ways


def main() -> int:
    """Measure and say."""
    bench = Bench("ingest")
    peers = python("peers-ingest", PEERS)
    small = "--small" in sys.argv
    sizes = [size for size in STACKS if not small or size == "128 MiB"]
    for size in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            told(bench, size, measured(size, Path(scratch), peers))
        print("# noise after it: " + ", ".join(f"{k} {v:g}" for k, v in probe().items()))
    many_small(bench, SMALL // 10 if small else SMALL)
    return bench.finish()


def told(bench: Bench, size: str, ways: dict[str, Way]) -> None:
    """Say how the ways compare; what they computed depends less on who else computes."""
    counted = {name: way.computed for name, way in ways.items() if way.computed}
    computed = (f"{name} {statistics.median(each):.2f}" for name, each in counted.items())
    print(f"# seconds of computing, {size}: " + ", ".join(computed), flush=True)
    megabytes = int(np.prod(STACKS[size])) * 2 / 1e6
    speed = {name: megabytes / statistics.median(way.seconds) for name, way in ways.items()}
    whole, alone = speed["registered"], speed["written"]
    for way, called, bars in RAW:
        peer = speed[way]
        bench.speed(f"whole registration, {size}", whole, peer, "MB/s", called, bars and bars[0])
        bench.speed(f"write OME-Zarr alone, {size}", alone, peer, "MB/s", called, bars and bars[1])
    for name, called in SLOW.items():
        if name in speed:
            bar = 2.0 if name == "ngff" else None
            if ways[name].late:
                called += f" (ended after {PATIENCE:g} s)"
            bench.speed(f"whole registration, {size}", whole, speed[name], "MB/s", called, bar)
    limit = "cp + sha256 + fsync"
    bench.speed(f"whole registration, {size}", whole, speed["copy"], "MB/s", limit, None)
    most = {name: way.most / (1 << 20) for name, way in ways.items()}
    bench.memory(f"peak memory, {size}", most["registered"], MEMORY, "asked for", 1.0)
    for name, called in [way[:2] for way in RAW] + list(SLOW.items()):
        if name in most:
            bench.memory(f"peak memory, {size}", most["registered"], most[name], called, None)


def many_small(bench: Bench, count: int) -> None:
    """Say how quickly many small TIFFs come in: sorted, converted, published, committed."""
    random = np.random.default_rng(7)
    with tempfile.TemporaryDirectory() as scratch:
        registration = Registration(Path(scratch, "registered"))
        source, declared, bodies = Path(scratch, "small.tif"), [], []
        for number in range(count):
            tifffile.imwrite(source, random.integers(0, 4000, (256, 256), dtype=np.uint16))
            bodies.append(source.read_bytes())
            declared.append({"path": f"day/{number}.tif", "nbytes": len(bodies[-1])})
        uid = registration.open(declared)
        place = registration.importer.root.path(f"staging/{uid}/in/day")
        place.mkdir(parents=True)
        for number, body in enumerate(bodies):
            (place / f"{number}.tif").write_bytes(body)
        began = time.monotonic()
        registration.import_all(uid, count)
        seconds = time.monotonic() - began
        registration.close()
    bench.speed("small TIFFs in one deposit", count / seconds, 20.0, "files/s", "asked for", 1.0)


def _same(name: str, source: Path, target: Path) -> None:
    """A bench that compares different results compares nothing."""
    if name not in LEVEL0:
        return
    place = {"driver": "zarr3", "kvstore": f"file://{target.resolve()}/{LEVEL0[name]}/"}
    assert (ts.open(place).result().read().result() == tifffile.imread(source)).all(), name


def _remove(target: Path) -> None:
    """Remove what was made; ours is a link to an image in a storage with its original."""
    if not target.is_symlink():
        return shutil.rmtree(target)
    storage = target.resolve().parents[3]
    target.unlink()
    for part in ("images", "files"):
        shutil.rmtree(storage / part)


if __name__ == "__main__":
    sys.exit(main())
