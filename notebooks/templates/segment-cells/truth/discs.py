"""Discs of different sizes and strengths, some touching, on a sloping ground with photon noise."""

from __future__ import annotations

import numpy as np

PROPORTION = (1.0, 1.0)


def make(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture (uint16, y x) and its true labels: 40 discs, 10 pairs of which touch."""
    rng = np.random.default_rng(seed)
    size, cell = 480, 80
    y, x = np.mgrid[:size, :size]
    signal = 20 + 20 * x / size
    truth = np.zeros((size, size), np.uint32)
    places = [
        (row + cell / 2, column + cell / 2)
        for row in range(0, size, cell)
        for column in range(0, size, cell)
    ]
    number = 0
    for place, (cy, cx) in enumerate(places[:30]):
        radius = rng.uniform(9, 13)
        twins = [(-0.85, 0.0), (0.85, 0.0)] if place < 10 else [(0.0, 0.0)]
        for dy, dx in twins:
            number += 1
            disc = (y - cy - dy * radius) ** 2 + (x - cx - dx * radius) ** 2 <= radius**2
            truth[disc & (truth == 0)] = number
            signal[disc] = np.maximum(signal[disc], rng.uniform(150, 400))
    return rng.poisson(signal).astype(np.uint16), truth
