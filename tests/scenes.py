"""Pictures of known light: scenes of three kinds, and what a detector makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
BRIGHT = 0.01  # of the pixels are the bright region that the truth is told of


def discs(shape: tuple[int, ...], cover: float, seed: int) -> Array:
    """Flat objects with sharp edges."""
    rng = np.random.default_rng(seed)
    scene = np.zeros(shape, np.float32)
    grid = np.ogrid[tuple(slice(0, size) for size in shape)]
    while (scene > 0).mean() < cover:
        centre = [rng.uniform(0, size) for size in shape]
        radius = rng.uniform(8, 22)
        steps = [3.0] * (len(shape) - 2) + [1.0, 1.0]
        away = sum(((at - c) * step) ** 2 for at, c, step in zip(grid, centre, steps, strict=True))
        scene[away < radius**2] = 1
    return scene


def blobs(shape: tuple[int, ...], cover: float, seed: int) -> Array:
    """Round objects of several sizes and brightnesses, without an edge."""
    rng = np.random.default_rng(seed)
    scene = np.zeros(shape, np.float32)
    grid = np.ogrid[tuple(slice(0, size) for size in shape)]
    while (scene > 0.5).mean() < cover:
        centre = [rng.uniform(0, size) for size in shape]
        wide, bright = rng.uniform(3, 9), rng.uniform(0.7, 1)
        steps = [2.5] * (len(shape) - 2) + [1.0, 1.0]
        away = sum(((at - c) * step) ** 2 for at, c, step in zip(grid, centre, steps, strict=True))
        scene = np.maximum(scene, bright * np.exp(-away / (2 * wide**2)))
    return np.asarray(scene / scene.max(), np.float32)


def filaments(shape: tuple[int, ...], cover: float, seed: int) -> Array:
    """Thin curved lines, three pixels wide as a lens would draw them."""
    rng = np.random.default_rng(seed)
    scene = np.zeros(shape, np.float32)
    while (scene > 0).mean() < cover / 2.2:
        plane = scene[rng.integers(shape[0])] if len(shape) == 3 else scene
        at = rng.uniform(0, np.array(shape[-2:]))
        angle = rng.uniform(0, 2 * np.pi)
        for _ in range(int(rng.uniform(100, 600))):
            angle += rng.normal(0, 0.08)
            at = at + 0.5 * np.array([np.sin(angle), np.cos(angle)])
            y, x = (at + 0.5).astype(int)
            if not (0 <= y < plane.shape[0] and 0 <= x < plane.shape[1]):
                break
            plane[y, x] = 1
    for axis, wide in zip(range(len(shape)), [0.6] * (len(shape) - 2) + [1.3, 1.3], strict=True):
        scene = blurred(scene, wide, axis)
    return np.minimum(scene / np.quantile(scene, 0.998), 1).astype(np.float32)


def blurred(scene: Array, wide: float, axis: int) -> Array:
    """Return a scene convolved with a Gaussian along an axis; its ends are dark."""
    reach = int(4 * wide + 1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / wide) ** 2)
    ends = [(0, 0)] * scene.ndim
    ends[axis] = (reach, reach)
    padded = np.moveaxis(np.pad(scene, ends), axis, 0)
    size = scene.shape[axis]
    parts = (w * padded[at : at + size] for at, w in enumerate(weights / weights.sum()))
    return np.moveaxis(np.asarray(sum(parts)), 0, axis)


SCENES = {"discs": discs, "blobs": blobs, "filaments": filaments}


def lit(scene: Array, snr: float, background: float = 0.05) -> Array:
    """Return the photons of each pixel: snr squared where the scene is 1."""
    return np.asarray(snr**2 * (background + (1 - background) * scene), np.float64)


def truth(photons: Array) -> float:
    """Return the SNR: the root of the mean photons of the brightest pixels."""
    ordered = np.sort(photons.ravel())
    return float(np.sqrt(ordered[-max(25, int(BRIGHT * ordered.size)) :].mean()))


def exposed(photons: Array, kind: str, seed: int, offset: float = 0.0, read: float = 0.0) -> Array:
    """Return what a detector of this kind records: uint8, uint12, uint16 or float."""
    rng = np.random.default_rng(seed)
    electrons = rng.poisson(photons) + rng.normal(0, read, photons.shape)
    top = float(photons.max()) + 5 * float(np.sqrt(photons.max())) + 10
    if kind == "float":
        return np.asarray(electrons * 0.00037 + offset / 1000, np.float32)
    limit = {"uint8": 255, "uint12": 4095, "uint16": 65535}[kind]
    gain = min(20.0, (limit * 0.98 - offset) / top)
    grey = np.clip(np.rint(electrons * gain + offset), 0, limit)
    return grey.astype(np.uint8 if kind == "uint8" else np.uint16)
