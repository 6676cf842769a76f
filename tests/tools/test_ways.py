"""The bench compares ways that write the same pixels: each of ours does what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorstore as ts
import tifffile

BENCH = Path(__file__).parents[2] / "bench"


@pytest.mark.parametrize("shape", [(2, 512, 512), (2, 3, 256, 256)])
def test_every_way_writes_the_same_levels(tmp_path: Path, shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).integers(0, 4000, shape, dtype=np.uint16)
    source, ways = tmp_path / "source.ome.tif", ("raw", "streaming", "written", "registration")
    axes = "CZYX"[-len(shape) :] if len(shape) == 4 else "CYX"
    tifffile.imwrite(source, pixels, metadata={"axes": axes})
    running = {
        way: subprocess.Popen(
            [sys.executable, str(BENCH / "_ways.py"), way.replace("registration", "registered")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for way in ways
    }
    for way, process in running.items():
        said, _ = process.communicate(f"{source} {tmp_path / way}\n", timeout=120)
        ready, seconds = said.split()
        assert (ready, float(seconds) > 0, process.returncode) == ("ready", True, 0)
    for level in range(2 if len(shape) == 3 else 1):
        found = [_read(tmp_path / way / str(level)) for way in ways]
        assert all((one == found[0]).all() for one in found)
        assert level or (found[0] == pixels).all()


def _read(level: Path) -> np.ndarray:
    place = {"driver": "zarr3", "kvstore": f"file://{level.resolve()}/"}
    return np.asarray(ts.open(place).result().read().result())
