from __future__ import annotations

import json
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scenes
from numpy.typing import NDArray

from cid_server_ext.storage import omezarr, quality
from cid_server_ext.storage.quality import Detector
from cid_server_ext.storage.quality.noise import noise_of
from cid_server_ext.storage.readers.source import Source

Measure = Callable[..., dict[str, Any]]
SIZES = {2: (384, 384), 3: (6, 256, 256)}


@pytest.fixture
def measure(make: Callable[..., Source], tmp_path: Path) -> Measure:
    """Return the quality of an array that was imported: measure(pixels, "zyx")."""

    def measured(pixels: Any, axes: str = "yx", kind: str = "image", **how: Any) -> dict[str, Any]:
        store = tmp_path / "image.ome.zarr"
        shutil.rmtree(store, ignore_errors=True)
        store.mkdir()
        xml = how.pop("ome_xml", None)
        omezarr.write(make(pixels, axes, ome_xml=xml), store, kind)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = quality.measure(store, **how)
        json.dumps(found, allow_nan=False)
        return found  # type: ignore[return-value]

    return measured


def flat(pixels: NDArray[Any]) -> list[NDArray[Any]]:
    return [pixels] if pixels.ndim == 2 else list(pixels)


@pytest.mark.parametrize("kind", ["uint8", "uint12", "uint16", "float"])
@pytest.mark.parametrize("scene", scenes.SCENES)
def test_snr_is_within_a_tenth_of_the_truth(scene: str, kind: str) -> None:
    wrong, offset = [], {"uint8": 10.0}.get(kind, 100.0)
    ceiling = {"uint8": 255.0, "uint12": 4095.0, "uint16": 65535.0}.get(kind, np.inf)
    for number, (cover, dims) in enumerate([(0.06, 2), (0.25, 3), (0.6, 2)]):
        shape = scenes.SCENES[scene](SIZES[dims], cover, 20 + number)
        for snr in (3.0, 12.0, 40.0):
            photons = scenes.lit(shape, snr)
            grey = scenes.exposed(photons, kind, int(snr) + number, offset, read=0.3)
            told = noise_of(flat(grey), 0.0 if kind == "float" else 1.0, ceiling, None)
            real = scenes.truth(photons)
            if told.snr is None or abs(told.snr / real - 1) > 0.1:
                wrong.append((cover, dims, snr, told.snr, real, told.reason))
    assert wrong == []


def test_snr_is_one_number_a_channel_and_said_by_a_known_gain_too(measure: Measure) -> None:
    shape = scenes.discs((384, 384), 0.3, 1)
    grey = np.stack([scenes.exposed(scenes.lit(shape, snr), "uint16", 5, 100) for snr in (5, 25)])
    found = measure(grey, "cyx")
    assert [channel["snr"] for channel in found["channels"]] == pytest.approx([5, 25], rel=0.1)
    gains = [channel["gain"] for channel in found["channels"]]
    known = {0: Detector(20.0, 100.0)}  # 20 grey levels a photon is what `exposed` gives at most
    assert gains[0] == pytest.approx(20, rel=0.15)
    assert measure(grey, "cyx", detector=known)["channels"][0]["snr"] == pytest.approx(5, rel=0.04)


def test_noise_that_is_not_of_photons_has_no_snr(measure: Measure) -> None:
    rng = np.random.default_rng(3)
    shape = scenes.discs((300, 300), 0.3, 1)
    even = measure((1000 + 500 * shape + rng.normal(0, 9, shape.shape)).astype("u2"))["channels"][0]
    assert (even["snr"], even["reason"]) == (None, "its noise does not grow with its light")
    grey = scenes.exposed(scenes.lit(shape, 12), "uint16", 5, 100)
    soft = scenes.blurred(scenes.blurred(grey.astype("f4"), 1.2, 0), 1.2, 1)
    assert "smoothed or compressed" in measure(soft)["channels"][0]["reason"]


@pytest.mark.parametrize(
    ("top", "bits", "shift"), [(4095, 12, 0), (16383, 14, 0), (65535, 16, 0), (4095, 12, 4)]
)
def test_saturation_is_where_pixels_pile_up(
    measure: Measure, top: int, bits: int, shift: int
) -> None:
    rng = np.random.default_rng(4)
    light = np.linspace(0.05, 1.3, 300)[None] * top * np.ones((300, 1))
    grey = np.minimum(rng.poisson(light / 4) * 4, top).astype(np.uint16)
    clipped = float((grey == top).mean())
    channel = measure(grey << shift)["channels"][0]
    assert (channel["bits"], channel["bits_from"]) == (bits, "pixels")
    assert channel["saturated"] == pytest.approx(clipped, rel=0.01)
    assert channel["range"] > 0.9


def test_what_the_file_says_of_its_bits_counts(measure: Measure) -> None:
    ome = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SignificantBits="11" '
        'SizeX="90" SizeY="90" SizeZ="1" SizeC="1" SizeT="1"/></Image></OME>'
    )
    grey = np.random.default_rng(1).integers(90, 1100, (90, 90)).astype(np.uint16)
    told = measure(grey, ome_xml=ome)["channels"][0]
    assert (told["bits"], told["bits_from"]) == (11, "file")
    assert told["range"] == pytest.approx(0.493, abs=0.01)
    assert measure(grey, ome_xml="<no>xml")["channels"][0]["bits"] == 12


def test_focus_falls_with_blur_and_not_with_exposure(measure: Measure) -> None:
    shape = scenes.filaments((384, 384), 0.2, 2)

    def focus(wide: float, snr: float, offset: float) -> float:
        seen = shape
        if wide:
            seen = scenes.blurred(scenes.blurred(shape, wide, 0), wide, 1)
        photons = scenes.lit(seen, snr)
        grey = scenes.exposed(photons, "uint16", 3, offset)
        return float(measure(grey)["channels"][0]["focus"])

    sharp = focus(0, 20, 100)
    assert focus(0, 5, 0) == pytest.approx(sharp, rel=0.1)
    assert sharp > 1.5 * focus(3, 20, 100) > 2.5 * focus(9, 20, 100)


def test_the_sharpest_plane_of_a_stack_is_found(measure: Measure) -> None:
    shape = scenes.filaments((200, 200), 0.2, 2)
    planes = []
    for z in range(31):
        wide = 0.4 + 0.5 * abs(z - 19)
        seen = scenes.blurred(scenes.blurred(shape, wide, 0), wide, 1)
        planes.append(scenes.exposed(scenes.lit(seen, 20), "uint12", z, 20))
    assert abs(measure(np.stack(planes), "zyx")["channels"][0]["sharpest"] - 19) <= 1


def test_an_uneven_background_is_told_from_an_even_one(measure: Measure) -> None:
    shape = scenes.discs((400, 400), 0.15, 3)
    even = scenes.exposed(scenes.lit(shape, 12), "uint16", 1, 100)
    channel = measure(even)["channels"][0]
    assert channel["background"] == pytest.approx(np.median(even[shape == 0]), rel=0.05)
    assert channel["unevenness"] < 0.05
    slope = np.linspace(0, 80, 400)[None] * np.ones((400, 1))
    tilted = scenes.exposed(scenes.lit(shape, 12) + slope, "uint16", 1, 100)
    assert measure(tilted)["channels"][0]["unevenness"] == pytest.approx(0.3, abs=0.12)


def test_empty_and_repeated_planes_are_named(measure: Measure) -> None:
    rng = np.random.default_rng(6)
    stack = rng.integers(0, 900, (2, 2, 3, 300, 300)).astype(np.uint16)
    stack[1, 0, 2] = 0
    stack[0, 1, 1] = 77
    stack[1, 1, 2] = stack[0, 0, 0]
    stack[1, 1, 1] = stack[0, 0, 1]
    stack[1, 1, 1, 5, 5] += 1  # as good as equal is not equal
    planes = measure(stack, "tczyx")["planes"]
    assert (planes["looked"], planes["empty"], planes["duplicate"]) == (12, 2, 1)
    assert planes["empty_at"] == [{"t": 0, "c": 1, "z": 1}, {"t": 1, "c": 0, "z": 2}]
    first = {"t": 0, "c": 0, "z": 0}
    assert planes["duplicate_at"] == [{"t": 1, "c": 1, "z": 2, "of": first}]


ODD: dict[str, NDArray[Any]] = {
    "zero": np.zeros((256, 256), "u2"),
    "constant": np.full((70, 70), 7.5, "f4"),
    "full": np.full((300, 300), 65535, "u2"),
    "nan": np.full((64, 64), np.nan, "f4"),
    "inf": np.full((64, 64), -np.inf, "f8"),
    "one": np.ones((1, 1), "u1"),
    "line": np.arange(500, dtype="i4")[None],
    "column": np.arange(500, dtype="u1")[:, None],
    "small": np.arange(36, dtype="u2").reshape(6, 6),
    "binary": np.random.default_rng(0).integers(0, 2, (99, 99)).astype("u1"),
    "signed": np.random.default_rng(0).integers(-99, 99, (99, 99)).astype("i1"),
    "huge": np.random.default_rng(0).normal(0, 1e300, (99, 99)),
    "tiny": np.random.default_rng(0).normal(0, 1e-300, (99, 99)),
    "wide": np.random.default_rng(0).integers(-(2**62), 2**62, (99, 99)),
    "u8": np.random.default_rng(0).integers(0, 2**63, (99, 99)).astype("u8") * 2,
    "mixed": np.where(np.random.default_rng(0).random((99, 99)) < 0.1, np.nan, 1e30).astype("f4"),
    "spike": np.pad(np.full((1, 1), 1e38, "f4"), 60),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_pixels_give_null_and_neither_crash_nor_warning(measure: Measure, name: str) -> None:
    found = measure(ODD[name])
    (channel,) = found["channels"]
    assert set(channel) == {"name", *quality.MEASURES}
    assert channel["snr"] is None
    assert "could not be measured" not in channel["reason"]


def test_nan_is_counted_and_does_not_spoil_the_rest(measure: Measure) -> None:
    photons = scenes.lit(scenes.discs((384, 384), 0.3, 1), 12)
    grey = scenes.exposed(photons, "float", 5)
    grey[::40, ::40] = np.nan
    grey[7, 9] = np.inf
    channel = measure(grey)["channels"][0]
    assert (channel["nan"], channel["infinite"]) == (100, 1)
    assert channel["snr"] == pytest.approx(12, rel=0.1)


def test_labels_have_no_quality(measure: Measure) -> None:
    assert measure(np.arange(900, dtype="u2").reshape(30, 30), kind="labels") is None


def test_of_a_large_image_little_is_read_and_it_is_the_same_each_time(
    measure: Measure, tmp_path: Path
) -> None:
    photons = scenes.lit(scenes.discs((1024, 1024), 0.2, 1), 9)
    plane = scenes.exposed(photons, "uint12", 5, 50)
    stack = np.stack([np.roll(plane, 37 * z, 1) for z in range(48)])
    once = measure(stack, "zyx")
    assert once["channels"][0]["snr"] == pytest.approx(9, rel=0.1)
    assert quality.measure(tmp_path / "image.ome.zarr") == once
    told = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path / "image.ome.zarr")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(told.stdout) < 300 << 20


MEMORY = """
import resource, sys
from pathlib import Path
from cid_server_ext.storage import quality
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
quality.measure(Path(sys.argv[1]))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10)
"""
