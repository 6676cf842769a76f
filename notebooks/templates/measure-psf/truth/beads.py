"""A stack of beads whose width is known: Gaussians on a grid, photon noise, an offset."""

from __future__ import annotations

import numpy as np

PROPORTION = (0.2, 0.065, 0.065)  # micrometres of a pixel along z, y, x
SIGMA = (0.35, 0.13, 0.13)  # micrometres: full widths of 0.824, 0.306 and 0.306
SHAPE = (41, 240, 240)
STEP = 48  # pixels from bead to bead in the plane
PHOTONS, GROUND, OFFSET = 900, 20, 100


def make(seed):
    """Return the pixels (uint16, z y x); there are no labels to compare."""
    random = np.random.default_rng(seed)
    pixels = np.full(SHAPE, float(GROUND))
    middle = np.array([SHAPE[0] // 2, STEP, STEP])
    for row in range(4):
        for column in range(4):
            place = middle + STEP * np.array([0, row, column]) + random.uniform(-2, 2, 3)
            pixels += random.uniform(0.6, 1) * PHOTONS * _bead(place)
    return (random.poisson(pixels) + OFFSET).astype(np.uint16)


def _bead(place):
    lines = [
        np.exp(-(((np.arange(n) - at) * size / sigma) ** 2) / 2)
        for n, at, size, sigma in zip(SHAPE, place, PROPORTION, SIGMA, strict=True)
    ]
    return lines[0][:, None, None] * lines[1][:, None] * lines[2]
