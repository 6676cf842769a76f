"""What an image is given out as is the image, from any byte on, for other people's programs."""

from __future__ import annotations

import hashlib
import io
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import ome_types
import pytest
import slideio
import tifffile
from PIL import Image as Pillow

from cid_server_ext.errors import BadInput
from cid_server_ext.storage import layout, omezarr, stores
from cid_server_ext.storage.forms import Computed, Said, made, planes
from cid_server_ext.storage.pyramid import halve
from cid_server_ext.storage.readers.source import RGB

SAID = Said("0c1d", 'cells "µ" <1>', (("Objective", "63x / 1.4 µ"), ("Staining", "DAPI & GFP")))
TYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"]
AXES = {"yx": (33, 47), "czyx": (2, 3, 33, 47), "tczyx": (2, 3, 4, 33, 47), "tyx": (5, 600, 520)}
OWN = """
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" Creator="Scope 3">
  <Instrument ID="Instrument:0">
    <Microscope Model="Ti2"/>
    <Objective ID="Objective:0" NominalMagnification="63" LensNA="1.4" Immersion="Oil"/>
  </Instrument>
  <Image ID="Image:7" Name="old">
    <Description>seen at night</Description>
    <InstrumentRef ID="Instrument:0"/>
    <ObjectiveSettings ID="Objective:0"/>
    <Pixels ID="Pixels:7" BigEndian="true" DimensionOrder="XYZCT" Type="uint16"
        SizeX="1" SizeY="1" SizeZ="1" SizeC="2" SizeT="1">
      <Channel ID="Channel:7:0" Name="a" EmissionWavelength="520"/>
      <Channel ID="Channel:7:1" Name="b"/>
      <TiffData IFD="3">
        <UUID FileName="lost.tif">urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427</UUID>
      </TiffData>
      <Plane TheZ="0" TheT="0" TheC="0" ExposureTime="0"/>
      <Plane TheZ="0" TheT="0" TheC="1" ExposureTime="1"/>
      <Plane TheZ="0" TheT="0" TheC="2" ExposureTime="2"/>
    </Pixels>
  </Image>
</OME>
"""


def noise(shape: tuple[int, ...], dtype: str = "uint16") -> np.ndarray:
    chance = np.random.default_rng(5)
    if np.dtype(dtype).kind == "f":
        return chance.normal(size=shape).astype(dtype)
    limits = np.iinfo(dtype)
    return chance.integers(limits.min, limits.max, shape, dtype, endpoint=True)


@pytest.fixture
def store(make, tmp_path: Path) -> Callable[..., Path]:
    """Return where an image lies as we store it: store(pixels, "zyx", scale={...})."""

    def store(pixels: np.ndarray, axes: str, kind: str = "image", **told: Any) -> Path:
        place = tmp_path / f"{len(list(tmp_path.iterdir()))}.ome.zarr"
        place.mkdir()
        omezarr.write(make(pixels, axes, **told), place, kind)
        return place

    return store


def given(store: Path, form: str, said: Said = SAID) -> bytes:
    """Return the file, which is as long as was said and the same from any place on."""
    file = made(store, form, said)
    whole = b"".join(file.read(0, file.nbytes))
    assert len(whole) == file.nbytes
    chance = random.Random(3)
    for _ in range(25):
        start = chance.randrange(len(whole))
        stop = min(len(whole), start + chance.choice([1, 40, 5000, 300_000]))
        assert b"".join(file.read(start, stop)) == whole[start:stop]
    made.cache_clear()
    again = made(store, form, said)  # as by another process, much later
    half = len(whole) // 2
    assert b"".join(again.read(half, again.nbytes)) == whole[half:]
    return whole


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_every_shape_comes_back_pixel_for_pixel(store, axes: str, dtype: str) -> None:
    pixels = noise(AXES[axes], dtype)
    place = store(pixels, axes)
    full = pixels.reshape([pixels.shape[axes.index(a)] if a in axes else 1 for a in "tczyx"])
    with tifffile.TiffFile(io.BytesIO(given(place, "ome-tiff"))) as tiff:
        assert (tiff.is_ome, tiff.is_bigtiff, len(tiff.series)) == (True, False, 1)
        assert tiff.series[0].axes.lower() == axes
        assert np.array_equal(tiff.asarray(), pixels)
    with tifffile.TiffFile(io.BytesIO(given(place, "imagej"))) as tiff:
        assert tiff.is_imagej
        assert len(tiff.pages) == full[..., 0, 0].size
        [series] = tiff.series
        assert series.axes.lower() == "".join(a for a in "tzcyx" if a in axes)
        back = series.asarray(squeeze=False)[..., 0]
        assert np.array_equal(back.transpose(0, 2, 1, 3, 4), full)


@pytest.mark.parametrize("dtype", [*TYPES, "int64", "uint64"])
def test_every_type_comes_back_or_is_refused_by_name(store, dtype: str) -> None:
    pixels = noise((3, 40, 30), dtype)
    place = store(pixels, "zyx")
    if dtype in TYPES:
        back = tifffile.imread(io.BytesIO(given(place, "ome-tiff")))
        assert (back.dtype, np.array_equal(back, pixels)) == (dtype, True)
    else:
        with pytest.raises(BadInput, match=f"no {dtype}: take it as ome-zarr"):
            made(place, "ome-tiff", SAID)
    if dtype in ("uint8", "uint16", "float32", "int8", "int16"):  # the last two fit in float32
        back = tifffile.imread(io.BytesIO(given(place, "imagej")))
        assert back.dtype == (dtype if dtype[0] in "uf" else "float32")
        assert np.array_equal(back, pixels)
    else:
        with pytest.raises(BadInput, match=f"ImageJ has no {dtype}: take it as ome-tiff"):
            made(place, "imagej", SAID)


def test_a_wide_plane_has_tiles_and_its_pyramid(store, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(planes, "BLOCK", 1 << 20)  # rows of tiles in parts
    pixels = noise((2, 700, 2100), "uint8")
    place = store(pixels, "zyx")
    file = tmp_path / "wide.ome.tif"
    file.write_bytes(given(place, "ome-tiff"))
    with tifffile.TiffFile(file) as tiff:
        levels = tiff.series[0].levels
        assert len(levels) == len(layout.levels("zyx", pixels.shape)) == 5
        expected = pixels
        for level in levels:
            assert level.keyframe.is_tiled
            assert np.array_equal(level.asarray(), expected)
            expected = halve(expected, "image")
    scene = slideio.open_slide(str(file), "OMETIFF").get_scene(0)
    part = scene.read_block((300, 90, 1500, 600), slices=(1, 2))
    assert np.array_equal(np.asarray(part).squeeze(), pixels[1, 90:690, 300:1800])
    rows = tifffile.imread(io.BytesIO(given(place, "imagej")))
    assert np.array_equal(rows, pixels)


def test_a_colour_picture_is_one(store, tmp_path: Path) -> None:
    pixels = noise((2, 60, 80, 3), "uint8")
    place = store(pixels.transpose(0, 3, 1, 2), "zcyx")
    assert "rgb" not in str(stores.group(place))
    ome = stores.group(place)
    for channel, told in zip(ome["omero"]["channels"], RGB, strict=False):
        channel["label"] = told["name"]
    stores.write_group(place, ome)
    for form in ("ome-tiff", "imagej"):
        file = given(place, form)
        assert np.array_equal(tifffile.imread(io.BytesIO(file)), pixels)
        with Pillow.open(io.BytesIO(file)) as opened:
            assert (opened.mode, opened.n_frames) == ("RGB", 2)
            opened.seek(1)
            assert np.array_equal(np.asarray(opened), pixels[1])
    told = ome_types.from_tiff(io_file(tmp_path, given(place, "ome-tiff"))).images[0].pixels
    assert (told.size_c, [one.samples_per_pixel for one in told.channels]) == (3, [3])
    wide = noise((3, 520, 2100), "uint8")
    other = store(wide, "cyx")
    stores.write_group(other, {**stores.group(other), "omero": ome["omero"]})
    assert np.array_equal(
        tifffile.imread(io.BytesIO(given(other, "ome-tiff"))), wide.transpose(1, 2, 0)
    )


def io_file(folder: Path, content: bytes) -> Path:
    path = folder / f"{hashlib.sha256(content).hexdigest()[:8]}.ome.tif"
    path.write_bytes(content)
    return path


def test_what_is_known_of_it_travels_along(store, only, tmp_path: Path) -> None:
    scale = {"z": 0.3, "y": 0.1083, "x": 0.1083, "t": 2.5}
    channels = ({"name": "DAPI", "color": "0000FF"}, {"name": "GFP", "color": "00FF00"})
    place = store(noise((2, 2, 3, 40, 50)), "tczyx", scale=scale, channels=channels)
    rich = tmp_path / "rich.ome.tif"
    rich.write_bytes(given(place, "ome-tiff"))
    ome = ome_types.from_tiff(rich, validate=True)
    [image] = ome.images
    pixels = image.pixels
    assert (image.name, pixels.dimension_order.value, pixels.type.value) == (
        SAID.name,
        "XYZCT",
        "uint16",
    )
    assert (pixels.physical_size_x, pixels.physical_size_z, pixels.time_increment) == (
        0.1083,
        0.3,
        2.5,
    )
    assert [(one.name, one.color.as_hex("long")) for one in pixels.channels] == [
        ("DAPI", "#0000ff"),
        ("GFP", "#00ff00"),
    ]
    [block] = pixels.tiff_data_blocks
    assert (block.ifd, block.plane_count) == (0, 12)
    [told] = ome.structured_annotations.map_annotations
    assert {one.k: one.value for one in told.value.ms} == {"CID": "0c1d", **dict(SAID.tags)}
    assert [one.id for one in image.annotation_refs] == [told.id]
    assert ome.uuid.startswith("urn:uuid:")
    back = only(rich)  # as it would be imported again
    assert (back.axes, back.scale["x"], [one["name"] for one in back.channels]) == (
        "tczyx",
        0.1083,
        ["DAPI", "GFP"],
    )
    with tifffile.TiffFile(io.BytesIO(given(place, "imagej"))) as tiff:
        said = tiff.imagej_metadata
        assert (said["unit"], said["spacing"], said["finterval"]) == ("micron", 0.3, 2.5)
        assert said["mode"] == "composite"
        assert "Objective = 63x / 1.4 µ" in said["Info"]
        assert said["Labels"][:3] == ["DAPI", "GFP", "DAPI"]
        assert [palette[:, 255].tolist() for palette in said["LUTs"]] == [[0, 0, 255], [0, 255, 0]]
        top, under = tiff.pages[0].tags["XResolution"].value
        assert top / under == pytest.approx(1 / 0.1083, rel=1e-6)


def test_its_own_ome_xml_is_kept_and_told_anew_where_the_file_differs(store, tmp_path) -> None:
    place = store(noise((2, 30, 40)), "cyx", scale={"y": 0.2, "x": 0.2})
    (place / "OME").mkdir(exist_ok=True)
    (place / "OME/METADATA.ome.xml").write_text(OWN)
    file = io_file(tmp_path, given(place, "ome-tiff"))
    ome = ome_types.from_tiff(file, validate=True)
    [image] = ome.images
    assert (ome.creator, image.name, image.description) == ("Scope 3", SAID.name, "seen at night")
    assert ome.instruments[0].objectives[0].lens_na == 1.4
    assert image.pixels.channels[0].emission_wavelength == 520
    assert (image.pixels.size_x, image.pixels.size_y, image.pixels.big_endian) == (40, 30, False)
    assert [(one.the_c, one.exposure_time) for one in image.pixels.planes] == [(0, 0), (1, 1)]
    assert image.pixels.tiff_data_blocks[0].uuid is None
    (place / "OME/METADATA.ome.xml").write_text("<OME")
    made.cache_clear()
    again = ome_types.from_tiff(io_file(tmp_path, given(place, "ome-tiff")), validate=True)
    assert again.images[0].name == SAID.name


@pytest.mark.parametrize(
    "name", ["czi/zeiss_CellDivision_T3_Z5_CH2.czi", "imagej/xy_rgb__cells.tif"]
)
def test_a_real_file_comes_back_with_all_that_it_said(only, real, tmp_path, name: str) -> None:
    image = only(real / "formats" / name)
    place = tmp_path / "image.ome.zarr"
    place.mkdir()
    omezarr.write(image, place)
    file = io_file(tmp_path, given(place, "ome-tiff"))
    assert len(ome_types.from_tiff(file, validate=True).images) == 1
    back = only(file)
    assert (back.axes, back.shape, back.scale) == (image.axes, image.shape, image.scale)
    assert [one["name"] for one in back.channels] == [one["name"] for one in image.channels]
    assert {key for key, _, _ in image.tags} <= {key for key, _, _ in back.tags}
    assert np.array_equal(back.array.compute(), image.array.compute())


def test_labels_are_the_same_objects(store) -> None:
    labels = np.zeros((300, 2100), "uint32")
    labels[10:200, 5:2000] = 70_000
    place = store(labels, "yx", "labels")
    with tifffile.TiffFile(io.BytesIO(given(place, "ome-tiff"))) as tiff:
        assert np.array_equal(tiff.asarray(), labels)
        assert set(np.unique(tiff.series[0].levels[2].asarray())) == {0, 70_000}


@pytest.mark.parametrize(("form", "name"), [("ome-tiff", "a.ome.tif"), ("imagej", "a.tif")])
def test_six_gigabytes_are_streamed_and_not_held(tmp_path: Path, form: str, name: str) -> None:
    axes, shape = "tzyx", (48, 16, 2048, 2048)  # 6.4 GB of which nothing is stored: all is 0
    place = tmp_path / "image.ome.zarr"
    cuts = layout.layouts(axes, shape, 2)
    levels = [
        stores.create_level(place, at, axes, cut, np.dtype("uint16")) for at, cut in enumerate(cuts)
    ]
    mark = np.arange(2048, dtype="uint16")
    levels[0][47, 15, 2047].write(mark).result()
    told = [{"name": axis, "type": omezarr.TYPES[axis]} for axis in axes]
    scales = [{"path": str(at), "coordinateTransformations": [{"type": "scale", "scale": [1] * 4}]}
              for at in range(len(cuts))]  # fmt: skip
    stores.write_group(
        place, {"version": "0.5", "multiscales": [{"axes": told, "datasets": scales}]}
    )
    file = made(place, form, SAID)
    assert 6.4e9 < file.nbytes < 6.5e9
    with tifffile.TiffFile(Streamed(file)) as tiff:
        assert tiff.is_bigtiff == (form == "ome-tiff")
        series = tiff.series[0]
        assert (series.shape, series.kind) == (shape, "ome" if form == "ome-tiff" else "imagej")
        if form == "ome-tiff":
            last = series.pages[-1]
            assert last.dataoffsets[0] > 6.4e9
            assert np.array_equal(last.asarray()[-1], mark)
        else:
            assert (len(tiff.pages), tiff.pages[0].is_final) == (1, True)
            assert series.dataoffset + 48 * 16 * 2048 * 2048 * 2 == file.nbytes
    assert b"".join(file.read(file.nbytes - 4096, file.nbytes)) == mark.tobytes()
    tracemalloc.start()
    came = sum(len(piece) for piece in file.read(5 << 30, (5 << 30) + (256 << 20)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert came == 256 << 20
    assert peak < 40 << 20


class Streamed(io.RawIOBase):
    """A computed file that can be read anywhere."""

    name = "streamed"

    def __init__(self, file: Any) -> None:
        self.file, self.at = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset + (0, self.at, self.file.nbytes)[whence]
        return self.at

    def tell(self) -> int:
        return self.at

    def readinto(self, buffer: memoryview) -> int:
        view = memoryview(buffer).cast("B")
        data = b"".join(self.file.read(self.at, self.at + len(view)))
        view[: len(data)] = data
        self.at += len(data)
        return len(data)


def test_a_store_that_changed_gives_fewer_bytes_not_other_ones(store, caplog) -> None:
    place = store(noise((4, 64, 64)), "zyx")
    file = made(place, "imagej", SAID)
    shard = next(path for path in (place / "0/c").rglob("*") if path.is_file())
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    made.cache_clear()
    computed = Computed(place, "imagej", SAID, file.nbytes)
    assert sum(map(len, computed.read(0, file.nbytes))) < file.nbytes
    assert "cannot be given out as imagej" in caplog.text
    longer = Computed(place, "imagej", SAID, file.nbytes + 1)
    assert list(longer.read(0, 100)) == []
    lost = Computed(place.parent / "lost", "ome-tiff", SAID, 100)
    assert list(lost.read(0, 100)) == []
