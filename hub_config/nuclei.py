"""Simulated nuclei with known truth: a 5D OME-TIFF that a segmentation can be checked against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from scipy import ndimage

SHAPE = {"t": 2, "c": 2, "z": 5, "y": 256, "x": 256}
PIXEL = {"z": 0.5, "y": 0.2, "x": 0.2}  # micrometers
COUNT = 30
BACKGROUND, PHOTONS, READ_NOISE = 100.0, 600.0, 6.0  # grey levels
CHANNELS = ("DAPI", "GFP")


@dataclass(frozen=True, slots=True)
class Nuclei:
    """`pixels` (t, c, z, y, x) uint16, and the truth: `labels` (t, z, y, x) uint16, 0 is none.

    A nucleus has the same label at all times, and no two touch.
    """

    pixels: NDArray[np.uint16]
    labels: NDArray[np.uint16]

    @property
    def counts(self) -> list[int]:
        """How many nuclei there are at each time."""
        return [len(np.unique(frame)) - 1 for frame in self.labels]


def simulate(seed: int = 7) -> Nuclei:
    """Return COUNT ellipsoids that drift from one time to the next, blurred and with noise.

    Channel 0 is the nuclei, channel 1 the cells around them. Noise: Poisson of the signal, and
    Gaussian of the camera. The same seed gives the same pixels.
    """
    random = np.random.default_rng(seed)
    centers, radii = _place(random)
    drift = random.uniform(-2, 2, (COUNT, 2))
    frames, labels = [], []
    for time in range(SHAPE["t"]):
        truth = _draw(centers + time * drift, radii)
        cells = _draw(centers + time * drift, radii * 1.35)
        brightness = random.uniform(0.7, 1.3, COUNT + 1)
        brightness[0] = 0
        nuclei = _blur(brightness[truth])
        cytoplasm = _blur(0.5 * brightness[cells] * (truth == 0))
        frames.append(np.stack([_photograph(random, nuclei), _photograph(random, cytoplasm)]))
        labels.append(truth)
    return Nuclei(np.stack(frames), np.stack(labels))


def write(path: Path, nuclei: Nuclei) -> None:
    """Write an OME-TIFF with pixel sizes, channel names and the time between frames."""
    metadata = {
        "axes": "TCZYX",
        "Name": path.name.partition(".")[0],
        "Channel": {"Name": list(CHANNELS)},
        "TimeIncrement": 60.0,
        "TimeIncrementUnit": "s",
    }
    for axis, size in PIXEL.items():
        metadata[f"PhysicalSize{axis.upper()}"] = size
        metadata[f"PhysicalSize{axis.upper()}Unit"] = "µm"
    tifffile.imwrite(path, nuclei.pixels, ome=True, photometric="minisblack", metadata=metadata)


def _place(random: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return centers (n, 2) in y, x and radii (n, 2) in pixels; ellipses keep their distance."""
    margin, gap = 18.0, 32.0
    centers: list[NDArray[np.float64]] = []
    while len(centers) < COUNT:
        center = random.uniform(margin, SHAPE["y"] - margin, 2)
        if all(np.hypot(*(center - other)) > gap for other in centers):
            centers.append(center)
    return np.array(centers), random.uniform(8, 11, (COUNT, 2))


def _draw(centers: NDArray[np.float64], radii: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Return a label image (z, y, x) of ellipsoids that are widest in the middle plane."""
    z, y, x = np.ogrid[: SHAPE["z"], : SHAPE["y"], : SHAPE["x"]]
    height = (z - (SHAPE["z"] - 1) / 2) / SHAPE["z"]
    labels = np.zeros((SHAPE["z"], SHAPE["y"], SHAPE["x"]), np.uint16)
    for number, ((cy, cx), (ry, rx)) in enumerate(zip(centers, radii, strict=True), start=1):
        labels[((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 + height**2 < 1] = number
    return labels


def _blur(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    # a microscope's spot is longer along z
    blurred: NDArray[np.float64] = ndimage.gaussian_filter(signal, (1.0, 1.2, 1.2))
    return blurred


def _photograph(random: np.random.Generator, signal: NDArray[np.float64]) -> NDArray[np.uint16]:
    photons = random.poisson(BACKGROUND + PHOTONS * signal)
    noisy = photons + random.normal(0, READ_NOISE, signal.shape)
    return np.clip(np.rint(noisy), 0, 65535).astype(np.uint16)
