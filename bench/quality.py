"""The SNR at import against the truth of synthetic pictures, and what measuring costs.

The table of docs/user/quality.md is what this prints.
"""

from __future__ import annotations

import itertools
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import dask.array as da
import numpy as np
from _harness import Bench, interleaved

from cid_server_ext.storage import omezarr, quality, thumbnails
from cid_server_ext.storage.quality.noise import noise_of
from cid_server_ext.storage.readers.source import Facts, Source, source

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import scenes

SIZES = {2: (512, 512), 3: (8, 256, 256)}
COVERS = (0.05, 0.2, 0.6)
SNRS = (3.0, 5.0, 10.0, 20.0, 40.0)
CEILINGS = {"uint8": 255.0, "uint12": 4095.0, "uint16": 65535.0, "float": float("inf")}
# offset, read noise in photons: a counting detector, a camera with an offset, a noisy one
DETECTORS = ((0.0, 0.0), (100.0, 0.0), (100.0, 1.0))
TENTH = 0.1
ROUNDS = 5


def main() -> int:
    """Print both tables."""
    bench = Bench("quality")
    ratios = estimates()
    every = [ratio for found in ratios.values() for ratio in found]
    good = sum(abs(ratio - 1) <= TENTH for ratio in every)
    bench.speed("SNR within a tenth", good, len(every), "images", "all of them", 0.97)
    cost(bench)
    print("\n| scene | SNR | estimate, median | from | to | within a tenth |")
    print("|---|---|---|---|---|---|")
    for (scene, snr), found in ratios.items():
        median, low, high = statistics.median(found), min(found), max(found)
        share = sum(abs(ratio - 1) <= TENTH for ratio in found)
        print(
            f"| {scene} | {snr:g} | {median * snr:.1f} | {low * snr:.1f} | {high * snr:.1f} |"
            f" {share} of {len(found)} |"
        )
    return bench.finish()


def estimates() -> dict[tuple[str, float], list[float]]:
    """Return estimates over truths by scene and SNR; 0 where there was no estimate."""
    found: dict[tuple[str, float], list[float]] = defaultdict(list)
    seed = 100
    for scene, cover, dims in itertools.product(scenes.SCENES, COVERS, SIZES):
        shape = scenes.SCENES[scene](SIZES[dims], cover, seed)
        for snr, kind in itertools.product(SNRS, CEILINGS):
            seed += 1
            offset, read = DETECTORS[seed % len(DETECTORS)]
            photons = scenes.lit(shape, snr)
            grey = scenes.exposed(
                photons, kind, seed, min(offset, 10.0 if kind == "uint8" else 1e3), read
            )
            tiles = [grey] if dims == 2 else list(grey)
            told = noise_of(tiles, 0.0 if kind == "float" else 1.0, CEILINGS[kind], None)
            found[scene, snr].append((told.snr or 0.0) / scenes.truth(photons))
    return found


def cost(bench: Bench) -> None:
    """Compare measuring with writing, comparing and drawing the same stack of 128 MiB."""
    shape = scenes.discs((2048, 2048), 0.2, 1)
    plane = scenes.exposed(scenes.lit(shape, 12), "uint12", 1, 100)
    stack = np.stack([np.roll(plane, 61 * z, 1) for z in range(16)])
    made = source(Facts(name="stack"), "ZYX", da.from_array(stack, chunks=(1, 2048, 2048)))
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "image.ome.zarr"

        def convert() -> None:
            shutil.rmtree(store, ignore_errors=True)
            store.mkdir()
            _convert(made, store)

        convert()
        parts = interleaved(ROUNDS, lambda: quality.measure(store) and None, convert)
    bench.seconds("measuring 128 MiB", parts[0], parts[1], "converting it", 1 / 0.15)


def _convert(made: Source, store: Path) -> None:
    omezarr.write(made, store)
    omezarr.verify(store, made)
    thumbnails.draw(store)


if __name__ == "__main__":
    sys.exit(main())
