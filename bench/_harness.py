"""What every bench shares: the noise probe, interleaved rounds, and the table with its bars.

A bench is a script with `main() -> int`. It prints how noisy the machine is, then one line a
figure: `name | ours | peer or limit | ratio | bar | holds or short`, and writes the same to
bench/results/NAME.json. It exits with 1 when a bar falls short. Only ratios inside one interleaved
run mean anything; absolute figures belong to the machine and the hour.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ratio: ours / peer as a speed, so that more is better."""

    name: str
    ours: float
    peer: float
    unit: str
    peer_name: str
    ratio: float
    bar: float | None
    holds: bool


@dataclass
class Bench:
    """Collects figures under one name."""

    name: str
    figures: list[Figure] = field(default_factory=list)
    noise: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.noise = probe()
        print(f"# {self.name}; noise: " + ", ".join(f"{k} {v:g}" for k, v in self.noise.items()))
        print("name | ours | peer or limit | ratio | bar | holds or short", flush=True)

    def speed(
        self, name: str, ours: float, peer: float, unit: str, peer_name: str, bar: float | None
    ) -> None:
        """Record a speed (more is better) beside a peer's or a limit's in the same unit."""
        self._add(name, ours, peer, unit, peer_name, ours / peer, bar)

    def seconds(
        self, name: str, ours: float, peer: float, peer_name: str, bar: float | None
    ) -> None:
        """Record a time (less is better) beside a peer's or a limit's."""
        self._add(name, ours, peer, "s", peer_name, peer / ours, bar)

    def memory(
        self, name: str, ours: float, peer: float, peer_name: str, bar: float | None
    ) -> None:
        """Record MiB (less is better) beside a limit's or a peer's."""
        self._add(name, ours, peer, "MiB", peer_name, peer / ours, bar)

    def finish(self) -> int:
        """Write the results; return the exit code."""
        RESULTS.mkdir(exist_ok=True)
        told = {
            "bench": self.name,
            "noise": self.noise,
            "figures": [asdict(f) for f in self.figures],
        }
        (RESULTS / f"{self.name}.json").write_text(json.dumps(told, indent=1) + "\n")
        return int(not all(figure.holds for figure in self.figures))

    def _add(
        self,
        name: str,
        ours: float,
        peer: float,
        unit: str,
        peer_name: str,
        ratio: float,
        bar: float | None,
    ) -> None:
        holds = bar is None or ratio >= bar
        self.figures.append(Figure(name, ours, peer, unit, peer_name, ratio, bar, holds))
        wanted = "-" if bar is None else f">= {bar:g}"
        verdict = "no bar" if bar is None else "holds" if holds else "short"
        print(
            f"{name} | {ours:.4g} {unit} | {peer:.4g} {unit} ({peer_name}) | {ratio:.2f} |"
            f" {wanted} | {verdict}",
            flush=True,
        )


def interleaved(rounds: int, *parts: Callable[[], None]) -> list[float]:
    """Return the median seconds of each part; they take turns, so that noise hits them alike."""
    times: list[list[float]] = [[] for _ in parts]
    for number in range(rounds):
        order = range(len(parts)) if number % 2 == 0 else reversed(range(len(parts)))
        for at in order:
            start = time.perf_counter()
            parts[at]()
            times[at].append(time.perf_counter() - start)
    return [statistics.median(each) for each in times]


def probe() -> dict[str, float]:
    """Return how quick this machine is right now: a loop, a hash, the disk's commits, its load."""
    start = time.perf_counter()
    total = 0
    for number in range(1_000_000):
        total += number
    loop = time.perf_counter() - start
    data = bytes(64 << 20)
    start = time.perf_counter()
    hashlib.sha256(data).digest()
    sha256 = 64 / (time.perf_counter() - start)
    return {
        "loop_s": round(loop, 3),
        "sha256_MiB_s": round(sha256),
        "fsync_per_s": round(_commits()),
        "load": round(os.getloadavg()[0], 1),
    }


def _commits(seconds: float = 0.5) -> float:
    with tempfile.TemporaryFile() as file:
        start, count = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            count += 1
        return count / (time.perf_counter() - start)
