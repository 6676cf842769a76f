"""CZI: scenes, stacks and colours, the same pixels by libCZI and by slideio, and ZEN's words."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import ome_types
import pytest
import tifffile

from cid_server_ext.errors import BadFile
from cid_server_ext.storage.readers import open_images
from cid_server_ext.storage.readers.source import Source
from cid_server_ext.storage.readers.zeiss import czi

FILES = {
    "neubias_multiple_images": [("zyx", (2, 251, 251))] * 2,
    "pfm_test_image": [("cyx", (3, 513, 639))],
    "zeiss_CellDivision_T3_Z5_CH2": [("tczyx", (3, 2, 5, 170, 240))],
}


@pytest.fixture(params=["libCZI", "slideio"])
def opened(request, monkeypatch, real: Path):
    """Return how a CZI of the real files is opened, with libCZI and without."""
    if request.param == "slideio":
        monkeypatch.setitem(sys.modules, "pylibCZIrw", None)
    return lambda name: open_images(real / f"formats/czi/{name}.czi")


@pytest.mark.parametrize("name", FILES)
def test_scenes_are_images(opened, name: str) -> None:
    assert [(one.axes, one.shape) for one in opened(name)] == FILES[name]


def test_a_colour_picture_equals_its_ome_tiff_twin(opened, real: Path) -> None:
    (image,) = opened("pfm_test_image")
    twin = tifffile.imread(real / "formats/ometiff/pfm_test_image.ome.tif").astype(int)
    assert np.abs(twin - image.array.compute()).max() <= 3
    assert [one["name"] for one in image.channels] == ["Red", "Green", "Blue"]
    assert image.scale == {}  # its scaling is in pixels


@pytest.mark.parametrize("name", FILES)
def test_both_libraries_give_the_same(real: Path, monkeypatch, name: str) -> None:
    path = real / f"formats/czi/{name}.czi"
    by_libczi = open_images(path)
    monkeypatch.setitem(sys.modules, "pylibCZIrw", None)
    by_slideio = open_images(path)
    for one, other in zip(by_libczi, by_slideio, strict=True):
        assert (one.array.compute() == other.array.compute()).all()
        assert (one.name, one.axes, one.scale, one.channels, one.tags) == (
            other.name,
            other.axes,
            other.scale,
            other.channels,
            other.tags,
        )


def tags(image: Source) -> dict[str, str]:
    return {key: text for key, text, _ in image.tags}


def test_what_zen_says_of_a_time_lapse(real: Path) -> None:
    (image,) = open_images(real / "formats/czi/zeiss_CellDivision_T3_Z5_CH2.czi")
    told = tags(image)
    assert told["Acquisition software"].startswith("ZEN 3.2 (blue edition)")
    assert told["Acquisition date"].startswith("2016-02-12T09:41:02.49")
    assert told["User"] == "M1SRH"
    assert told["Objective"].startswith("Plan-Apochromat 50x/1.2")
    assert told["Tube/Detector"] == "Axiocam506m"
    assert "412 - 438 nm" in told["Filters"]
    assert "Lasers" in image.unknown  # LEDs lit it
    assert image.scale == pytest.approx(
        {"t": 60.075, "z": 0.32, "y": 0.090577, "x": 0.090577}, 1e-4
    )
    assert [(one["name"], one["color"]) for one in image.channels] == [
        ("LED555", "FF7E00"),
        ("LED470", "00FF33"),
    ]
    ome = ome_types.from_xml(image.ome_xml or "")
    assert [one.fluor for one in ome.images[0].pixels.channels] == [
        "Alexa Fluor 555",
        "Alexa Fluor 488",
    ]
    assert [one.emission_wavelength for one in ome.images[0].pixels.channels] == [568, 517]
    assert ome.images[0].objective_settings.refractive_index == 1.33


def test_what_zen_black_says_of_a_confocal(real: Path) -> None:
    image, other = open_images(real / "formats/czi/neubias_multiple_images.czi")
    assert (image.name, other.name) == ("scene 1", "scene 2")
    told = tags(image)
    assert told["Lasers"].startswith("DPSS 561-10")
    assert told["Microscope"] == "Carl Zeiss LSM 880, AxioObserver"
    assert told["Filters"] == "BP 420-480 + BP 495-620"
    assert image.scale == pytest.approx({"z": 0.3, "y": 0.195644, "x": 0.195644}, rel=1e-5)
    assert not image.unknown


def test_a_window_is_what_the_whole_has_there(opened) -> None:
    (image,) = opened("zeiss_CellDivision_T3_Z5_CH2")
    whole = image.array.compute()
    assert (image.array[1, 0, 3, 20:90, 30:31].compute() == whole[1, 0, 3, 20:90, 30:31]).all()


def mosaic(path: Path) -> np.ndarray:
    """Write a CZI of two tiles in two scenes by libCZI; return what the first scene shows."""
    from pylibCZIrw import czi

    random = np.random.default_rng(3)
    left, right, other = random.integers(0, 60000, (3, 40, 50, 1), dtype=np.uint16)
    with czi.create_czi(str(path)) as file:
        for pixels, x, scene in ((left, 0, 0), (right, 50, 0), (other, 400, 1)):
            file.write(pixels, plane={"C": 0, "Z": 0, "T": 0}, location=(x, 10), scene=scene)
    return np.concatenate([left, right], axis=1)[..., 0]


def test_tiles_of_a_scene_are_joined(tmp_path: Path, monkeypatch) -> None:
    joined = mosaic(tmp_path / "m.czi")
    first, second = open_images(tmp_path / "m.czi")
    assert (first.shape, second.shape) == ((40, 100), (40, 50))
    assert (first.array.compute() == joined).all()


def test_channels_taken_at_fewer_z_are_read_and_told_of(tmp_path: Path, refused) -> None:
    from pylibCZIrw import czi as libczi

    def write(path: Path, places: list[tuple[int, int]]) -> None:
        with libczi.create_czi(str(path)) as file:
            for c, z in places:
                pixels = np.full((8, 9, 1), 100 * (c % 50) + z + 1, np.uint16)
                file.write(pixels, plane={"C": c, "Z": z, "T": 0})

    write(tmp_path / "a.czi", [(0, z) for z in range(10)] + [(1, 0), (2, 0)])
    (image,) = open_images(tmp_path / "a.czi")
    assert (image.axes, image.shape) == ("czyx", (3, 10, 8, 9))
    found = image.array.compute()[:, :, 0, 0]
    assert found.tolist() == [list(range(1, 11)), [101, *[0] * 9], [201, *[0] * 9]]
    assert tags(image)["Missing planes"].startswith("at least 18 ")
    write(tmp_path / "b.czi", [(0, 0), (300, 0)])  # a damaged number
    assert "more planes than its 2 blocks" in refused(tmp_path / "b.czi")


@pytest.mark.parametrize("tenths", range(10))
def test_a_czi_cut_anywhere_is_refused(real: Path, tmp_path: Path, tenths: int, refused) -> None:
    data = (real / "formats/czi/zeiss_CellDivision_T3_Z5_CH2.czi").read_bytes()
    path = tmp_path / "a.czi"
    path.write_bytes(data[: len(data) * tenths // 10 + 20])
    assert "truncated" in refused(path)


def test_without_libczi_a_kind_that_slideio_cannot_read_names_the_extra(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setitem(sys.modules, "pylibCZIrw", None)
    path = tmp_path / "a.czi"
    path.write_bytes(b"ZISRAWFILE" + bytes(2000))
    with pytest.raises(BadFile, match="extra `czi`"):
        czi.open_czi(path)
