"""How many photons the bright part of an image is made of, told from its noise alone.

Light comes in photons, so the noise variance of a pixel grows in proportion to its mean:
variance = gain x (mean - offset) + read noise variance. The line through (mean, variance) of an
image's own pixels gives the gain (Foi et al., IEEE Trans. Image Process. 17:1737, 2008; a photon
transfer curve, Janesick, "Photon Transfer", SPIE 2007, from one picture). Noise is told from
structure by a filter that only passes the highest frequencies, which no lens passes: the fourth
difference along y of the fourth difference along x (after Immerkaer, CVIU 64:300, 1996).

SNR = sqrt(photons of the bright object region), one number a channel, as SVI defines it for
deconvolution (https://svi.nl/Signal-to-Noise-Ratio). It is not Huygens' own estimate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .pixels import NAMES, Pixels, pixels, span

Array = NDArray[Any]
LEAST = 400  # pixels that anything is told from
MOST = 200_000  # of them are sorted by brightness, evenly chosen
BINS = 24  # steps of brightness
IN_BIN = 64  # pixels of a step at least
SLOPE = 40.0  # what noise of variance 1 makes of the slope: the squared weights of its filters
SHARED = 7.0  # pixels of the filter at the highest frequencies tell as much as one
EXPLAINED = 2.0  # times this is still noise: 86 % of what is flat
BRIGHT = 0.01  # of the pixels are the bright region,
OF_OBJECTS = 0.2  # or this part of the objects where they are few
WHITE = 0.4  # less of the noise at the highest frequencies than this: it was smoothed
SIGNIFICANT = 2.5  # standard errors


@dataclass(frozen=True, slots=True)
class Detector:
    """What is known of a detector: grey levels of one photon, and the grey level of no light."""

    gain: float
    offset: float


@dataclass(frozen=True, slots=True)
class Noise:
    """What the noise of a channel tells; None where it tells nothing, and `reason` says why.

    photons: of the bright region. bright: its mean grey level. gain: grey levels of one photon.
    offset: the grey level without noise. variance: of the noise, over all pixels.
    """

    photons: float | None
    bright: float | None
    gain: float | None
    offset: float | None
    variance: float | None
    reason: str = ""

    @property
    def snr(self) -> float | None:
        """The square root of the photons."""
        return None if self.photons is None else math.sqrt(self.photons)


NOTHING = Noise(None, None, None, None, None, "too few pixels")


def noise_of(tiles: list[Array], step: float, ceiling: float, detector: Detector | None) -> Noise:
    """Return what the noise of one channel's tiles (y, x) tells.

    step: between two grey levels, 0 for real numbers. ceiling: grey level at which it saturates.
    """
    found = span(tiles)
    if found is None:
        return NOTHING
    low, width = found
    parts = [pixels((tile, low, width), (ceiling - low) / width) for tile in tiles]
    thinned = _thinned([part for part in parts if part is not None])
    if thinned is None:
        return NOTHING
    told = _told(*thinned, step / width, _scaled(detector, low, width))
    return _unscaled(told, low, width)


def _thinned(parts: list[Pixels]) -> tuple[Pixels, float] | None:
    """Return pixels in order of brightness, evenly thinned, and the bright region's grey level."""
    if sum(part.around.size for part in parts) < LEAST:
        return None
    around = np.concatenate([part.around for part in parts])
    thin = -(-around.size // MOST)
    several = Pixels(
        *(np.concatenate([getattr(part, name)[::thin] for part in parts]) for name in NAMES)
    )
    several = several[_order(several.around)]
    dark, top = (float(value) for value in _at(several.around, 0.1, 0.999))
    objects = float(np.mean(several.around > (dark + top) / 2))
    share = max(min(BRIGHT, OF_OBJECTS * objects), 25 / around.size)
    # chosen by their neighbours, so that a pixel is not bright for its own noise: the farther
    # ones are sure of wide objects, the nearer ones find the ridge of a thin one
    bright = max(_bright(parts, "around", share), _bright(parts, "beside", share))
    return several, bright


def _order(values: Array) -> Array:
    """Return the stable order of float32 values, of which none is NaN, in half of numpy's time.

    Their bits, with the sign turned, sort as whole numbers; behind them stands each one's place.
    """
    bits = (values + np.float32(0)).view(np.uint32)  # -0 is 0
    keys = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31)).astype(np.uint64) << np.uint64(32)
    keys |= np.arange(values.size, dtype=np.uint64)
    keys.sort()
    return (keys & np.uint64(0xFFFFFFFF)).astype(np.intp)


def _bright(parts: list[Pixels], by: str, share: float) -> float:
    """Return the mean of the pixels that are the brightest by their neighbours, all of them."""
    values = np.concatenate([getattr(part, by) for part in parts])
    own = np.concatenate([part.own for part in parts])
    count = max(1, round(share * values.size))
    return float(own[np.argpartition(values, -count)[-count:]].mean(dtype=np.float64))


def _at(ordered: Array, *parts: float) -> list[float]:
    """Return what is at these parts of values in order."""
    return [ordered[min(ordered.size - 1, int(part * ordered.size))] for part in parts]


def _told(several: Pixels, bright: float, step: float, detector: Detector | None) -> Noise:
    steps = _steps(several, step)
    if len(steps) < 2:
        return Noise(None, bright, None, None, None, "it has no bright and dark parts")
    x, variance, weight, shape = (np.array(column) for column in zip(*steps, strict=True))
    told = Noise(None, bright, None, None, float(np.average(variance, weights=weight)))
    if detector is not None and detector.gain > 0:
        photons = (bright - detector.offset) / detector.gain
        found = photons if photons > 0 else None
        return _with(told, found, detector.gain, detector.offset, "")
    if np.average(shape, weights=weight) < WHITE:
        return _with(told, None, None, None, "it was smoothed or compressed, its noise is gone")
    line = _line(x, variance, weight)
    if line is None:
        return _with(told, None, None, None, "its noise does not grow with its light")
    gain, offset = line
    photons = (bright - offset) / gain
    photons -= _read_noise(several, steps, gain, offset)
    if not 0.5 <= photons < 1e9:
        return _with(told, None, None, None, "its noise is not that of photons")
    return _with(told, photons, gain, offset, "")


def _with(
    told: Noise, photons: float | None, gain: float | None, offset: float | None, reason: str
) -> Noise:
    return Noise(photons, told.bright, gain, offset, told.variance, reason)


def _steps(several: Pixels, step: float) -> list[tuple[float, float, float, float]]:
    """Return (mean, noise variance, weight, whiteness) for steps of brightness.

    Of each step those are taken that are flat but for their noise, by the third with the least
    slope. Slope and noise are told by filters of opposite symmetry, so that choosing by one does
    not change the other.
    """
    low, high = several.around[0], _at(several.around, 0.9995)[0]
    edges = np.searchsorted(several.around, np.linspace(low, high, BINS + 1))
    edges[-1] = several.around.size
    found: list[tuple[float, float, float, float]] = []
    start = 0
    for end in edges[1:]:
        if end - start < IN_BIN:
            continue
        part = several[start:end]
        known = np.isfinite(part.corner)
        part = part if known.all() else part[known]
        start = end
        if part.own.size < IN_BIN:
            continue
        third = np.partition(part.slope, part.slope.size // 3)[part.slope.size // 3]
        by_noise = EXPLAINED * SLOPE * _spread(part.corner[part.slope <= third])
        flat = part[part.slope <= max(third, by_noise)]
        variance = _spread(flat.corner)
        side = _spread(flat.side)
        whiteness = variance / side if side > 0 else 1.0
        variance = _surer(variance, flat)
        variance = max(0.0, variance - step**2 / 12)
        found.append((float(flat.own.mean(dtype=np.float64)), variance, flat.own.size, whiteness))
    return found


def _surer(variance: float, flat: Pixels) -> float:
    """Return the variance from all frequencies where that agrees: it is surer, unless there is
    structure left, for each pixel counts whole.
    """
    apart = flat.own - flat.around
    whole = _spread(apart - apart.mean(dtype=np.float64)) / (1 + 1 / 24)
    if abs(whole - variance) > 2 * variance * math.sqrt(2 * SHARED / flat.own.size):
        return variance
    return (variance + SHARED * whole) / (1 + SHARED)


def _middle(values: Array) -> float:
    """Return the (upper) median, without the care that takes most of the time of numpy's."""
    values = values.copy()
    values.partition(values.size // 2)
    return float(values[values.size // 2])


def _spread(noise: Array) -> float:
    """Return the mean square without what is far out: an edge, a hot pixel."""
    square = np.square(noise, dtype=np.float64)
    limit = 25 * _middle(np.abs(noise)) ** 2 / 0.455
    near = square <= limit
    kept = square[near] if limit > 0 and not near.all() else square
    return float(np.add.reduce(kept)) / kept.size


def _line(x: Array, variance: Array, weight: Array) -> tuple[float, float] | None:
    """Return (gain, offset) of the line through means and variances, or None if it has no slope.

    Iteratively reweighted: a variance is known to a part of itself, and structure only adds to it.
    """
    floor = 1e-3 * float(np.average(variance, weights=weight)) + 1e-30
    w = weight / (variance + np.average(variance, weights=weight)) ** 2
    gain = cut = 0.0
    error = math.inf
    for _ in range(12):
        total = w.sum()
        mx, mv = (w * x).sum() / total, (w * variance).sum() / total
        sxx = (w * (x - mx) ** 2).sum()
        if not sxx > 0:
            return None
        gain = float((w * (x - mx) * (variance - mv)).sum() / sxx)
        cut = float(mv - gain * mx)
        model = np.maximum(gain * x + cut, floor)
        known = np.sqrt(10 / weight) + 0.03  # the filter's pixels overlap: fewer are independent
        off = (variance / model - 1) / known
        doubt = np.where(off > 2, (2 / np.maximum(off, 2)) ** 2, 1.0)
        doubt = np.where(off < -4, (4 / np.maximum(-off, 4)) ** 2, doubt)
        w = doubt / (model * known) ** 2
        error = float(1 / math.sqrt((w * (x - mx) ** 2).sum()))
    if not gain > SIGNIFICANT * error:
        return None
    return gain, -cut / gain


def _read_noise(
    several: Pixels, steps: list[tuple[float, float, float, float]], gain: float, offset: float
) -> float:
    """Return the variance of the read noise in photons, 0 where it is not certain.

    In the background, photons make noise that is skewed by gain^3 a photon; read noise does not.
    """
    at = int(np.argmax([weight for _, _, weight, _ in steps[: max(1, len(steps) // 2)]]))
    mean, variance, _, _ = steps[at]
    reach = math.sqrt(variance / 6) + 1e-30
    near = np.abs(several.around - mean) < reach
    part = several[near]
    if part.own.size < LEAST or not variance > 0:
        return 0.0
    part = part[part.slope <= _middle(part.slope)]
    apart = part.own.astype(np.float64) - part.own.mean(dtype=np.float64)
    apart = apart[np.abs(apart) < 8 * math.sqrt(variance)]
    if apart.size < LEAST:
        return 0.0
    skew = float((apart**3).mean())
    error = float((apart**3).std()) / math.sqrt(apart.size)
    total = (mean - offset) / gain
    lit = max(0.0, skew) / gain**3
    read = total - lit
    # the cube of the gain is known to a third or so
    return read if read > max(SIGNIFICANT * error / gain**3, lit / 3) else 0.0


def _scaled(detector: Detector | None, low: float, width: float) -> Detector | None:
    return detector and Detector(detector.gain / width, (detector.offset - low) / width)


def _unscaled(noise: Noise, low: float, width: float) -> Noise:
    def level(value: float | None) -> float | None:
        return None if value is None else value * width + low

    return Noise(
        noise.photons,
        level(noise.bright),
        None if noise.gain is None else noise.gain * width,
        level(noise.offset),
        None if noise.variance is None else noise.variance * width * width,
        noise.reason,
    )
