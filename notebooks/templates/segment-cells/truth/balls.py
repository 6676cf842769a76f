"""Balls in a stack whose planes are three pixels apart, blurred a little, with photon noise."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

PROPORTION = (3.0, 1.0, 1.0)


def make(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a stack (uint16, z y x) and its true labels: 24 balls, 8 pairs of which touch."""
    rng = np.random.default_rng(seed)
    z, y, x = np.mgrid[:24, :200, :200].astype(float)
    z *= PROPORTION[0]
    signal = np.full(z.shape, 15.0)
    truth = np.zeros(z.shape, np.uint32)
    places = [(cz, cy, cx) for cz in (20, 52) for cy in (35, 100, 165) for cx in (35, 100, 165)]
    chosen = [place for n, place in enumerate(places) if n not in (4, 13)]
    number = 0
    for place, (cz, cy, cx) in enumerate(chosen):
        radius = rng.uniform(10, 13)
        shifts = (-0.85, 0.85) if place % 2 == 0 else (0.0,)
        for shift in shifts:
            number += 1
            ball = (z - cz) ** 2 + (y - cy) ** 2 + (x - cx - shift * radius) ** 2 <= radius**2
            truth[ball & (truth == 0)] = number
            signal[ball] = np.maximum(signal[ball], rng.uniform(120, 300))
    return rng.poisson(ndimage.gaussian_filter(signal, (0.3, 1, 1))).astype(np.uint16), truth
