"""IMS: level 0 without its padding, what Imaris says of it, and HDF5 that leads out or explodes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import imagecodecs
import numpy as np
import pytest
from imsfile import INFO, letters, write

from cid_server_ext.storage.readers import open_images, sort
from cid_server_ext.storage.readers.imaris import unpacked

RANDOM = np.random.default_rng(13)
DATA = "DataSet/ResolutionLevel 0/TimePoint 1/Channel 0/Data"


def stack(dtype: str = "uint16") -> np.ndarray:
    return RANDOM.integers(0, 250, (2, 2, 3, 5, 7)).astype(dtype)


def changed(path: Path, change: Callable[[h5py.File], None]) -> Path:
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def instead(path: Path, make: Callable[[h5py.Group], Any]) -> Path:
    """Write an IMS with something else in place of one of its datasets."""

    def change(file: h5py.File) -> None:
        group = file[DATA].parent
        del group["Data"]
        make(group)

    return changed(write(path, stack()), change)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "float32", ">u2"])
def test_padding_is_cut_off(tmp_path: Path, dtype: str, only) -> None:
    pixels = stack(dtype)
    image = only(write(tmp_path / "noname", pixels))
    assert (image.axes, image.shape) == ("tczyx", (2, 2, 3, 5, 7))
    assert image.dtype == np.dtype(dtype).newbyteorder("=")
    assert (image.array.compute() == pixels).all()
    assert (image.array[1, 0, 2, 1:5, 3:7:2].compute() == pixels[1, 0, 2, 1:5, 3:7:2]).all()


@pytest.mark.parametrize(
    "packed",
    [
        {"compression": None},
        {"compression": None, "chunks": None},
        {"shuffle": True},
        {"fletcher32": True},
        {"shuffle": True, "fletcher32": True, "compression_opts": 9},
        {"compression": None, "fletcher32": True},
    ],
    ids=str,
)
def test_each_packing_is_undone(tmp_path: Path, packed: dict[str, Any], only) -> None:
    pixels = stack()
    assert (only(write(tmp_path / "a.ims", pixels, **packed)).array.compute() == pixels).all()


def lz4(pixels: np.ndarray, chunk: tuple[int, int, int], spoil: Callable[[bytes], bytes]) -> Any:
    """Return what makes a Data of a whole number of chunks, packed as HDF5's filter 32004 does."""

    def make(group: h5py.Group) -> None:
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk(chunk)
        plan.set_filter(32004, h5py.h5z.FLAG_OPTIONAL, (0,))
        space = h5py.h5s.create_simple(pixels.shape)
        made = h5py.h5d.create(group.id, b"Data", h5py.h5t.STD_U16LE, space, plan)
        for corner in np.ndindex(*(n // c for n, c in zip(pixels.shape, chunk, strict=True))):
            at = tuple(i * c for i, c in zip(corner, chunk, strict=True))
            part = pixels[tuple(slice(a, a + c) for a, c in zip(at, chunk, strict=True))]
            packed = imagecodecs.lz4h5_encode(part.astype("<u2").tobytes(), blocksize=40)
            made.write_direct_chunk(at, spoil(packed))

    return make


def test_lz4_is_undone_and_bounded(tmp_path: Path, only, refused) -> None:
    pixels, chunk = np.arange(105, dtype=np.uint16).reshape(3, 5, 7), (1, 5, 7)
    whole = instead(tmp_path / "a.ims", lz4(pixels, chunk, lambda packed: packed))
    assert (only(whole).array[1, 0].compute() == pixels).all()
    bomb = instead(tmp_path / "b.ims", lz4(pixels, chunk, lambda p: b"\0\0\1\0\0\0\0\0" + p[8:]))
    assert "does not unpack to what it promised" in refused(bomb)
    damaged = instead(tmp_path / "c.ims", lz4(pixels, chunk, lambda p: p[:20]))
    assert "a chunk of it is damaged" in refused(damaged)


def test_a_chunk_that_was_never_written_is_empty(tmp_path: Path, only) -> None:
    def make(group: h5py.Group) -> None:
        made = group.create_dataset("Data", (4, 8, 8), "u2", chunks=(2, 4, 4))
        made[0, 0, 0] = 1

    pixels = only(instead(tmp_path / "a.ims", make)).array[1, 0].compute()
    assert (pixels[0, 0, 0], pixels.sum()) == (1, 1)


def test_what_was_never_written_and_is_not_0_is_refused(tmp_path: Path, refused) -> None:
    def make(group: h5py.Group) -> None:
        made = group.create_dataset("Data", (4, 8, 8), "u2", chunks=(2, 4, 4), fillvalue=9)
        made[0, 0, 0] = 1

    assert "never written" in refused(instead(tmp_path / "a.ims", make))


@pytest.mark.parametrize("chunks", [(2, 4, 4), None])
def test_a_channel_that_was_never_written_is_empty(tmp_path: Path, chunks: Any, only) -> None:
    def make(group: h5py.Group) -> None:
        group.create_dataset("Data", (4, 8, 8), "u2", chunks=chunks)

    pixels = only(instead(tmp_path / "a.ims", make)).array.compute()
    assert not pixels[1, 0].any()
    assert pixels[0, 0].any()


def test_a_chunk_is_unpacked_once_for_all_its_planes(tmp_path: Path, only, monkeypatch) -> None:
    asked = []
    theirs = unpacked._unpack
    monkeypatch.setattr(unpacked, "_unpack", lambda data, at: asked.append(at) or theirs(data, at))
    only(write(tmp_path / "a.ims", stack()[:1, :1])).array.compute()
    assert len(asked) == len(set(asked)) == 8


def test_what_imaris_says_is_told(tmp_path: Path, only) -> None:
    image = only(write(tmp_path / "a.ims", stack()))
    assert image.name == "embryo.lif"
    assert image.scale == pytest.approx({"x": 0.5, "y": 0.2, "z": 2, "t": 30.5})
    assert (image.units["x"], image.units["t"]) == ("micrometer", "second")
    assert image.channels == (
        {"name": "GFP", "color": "00FF80", "excitation": "488", "emission": "525.5"},
        {"name": "Channel 2"},
    )
    told = {key: text for key, text, _ in image.tags}
    assert told["Acquisition date"] == "2019-03-04T05:06:07.250000"
    assert told["Objective"] == "63x NA 1.4"
    assert image.unknown["Acquisition software"] == (
        "the file names only the program that wrote it: Imaris x64 9.5"
    )
    assert "Confocal" in image.ome_xml


def test_a_unit_that_is_no_length_is_no_calibration(tmp_path: Path, only) -> None:
    info = INFO | {"Image": INFO["Image"] | {"Unit": "pixel", "RecordingDate": ""}}
    image = only(write(tmp_path / "a.ims", stack(), info))
    assert set(image.scale) == {"t"}
    told = {key: text for key, text, _ in image.tags}
    assert told["Acquisition date"] == "2019-03-04T05:06:08"


def test_texts_of_other_writers_are_understood(tmp_path: Path, only) -> None:
    def change(file: h5py.File) -> None:
        image = file["DataSetInfo/Image"]
        for name, value in {"ExtMax0": "8.5", "ExtMax1": 8.0, "Name": b"bytes"}.items():
            del image.attrs[name]
            image.attrs[name] = value

    image = only(changed(write(tmp_path / "a.ims", stack()), change))
    assert (image.name, image.scale["x"], image.scale["y"]) == ("bytes", 1, 2)


def test_without_any_information_the_pixels_are_still_read(tmp_path: Path, only) -> None:
    pixels = stack()
    image = only(write(tmp_path / "a.ims", pixels, {"Image": {}}))
    assert (image.array.compute() == pixels).all()
    assert (image.scale, image.channels[0]) == ({}, {"name": "Channel 1"})


def test_another_hdf5_stays_a_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.ims", "w") as file:
        file["DataSet"] = np.zeros((4, 4))
    assert sort(tmp_path).others == ("a.ims",)


# --- hostile ----------------------------------------------------------------------------------


def outside(group: h5py.Group) -> None:
    group["Data"] = h5py.ExternalLink("/etc/passwd", "/Data")


def sideways(group: h5py.Group) -> None:
    group["Data"] = h5py.SoftLink("/DataSet/ResolutionLevel 1/TimePoint 0/Channel 0/Data")


def elsewhere(group: h5py.Group) -> None:
    group.create_dataset("Data", (4, 8, 8), "u2", external=[("/etc/passwd", 0, 512)])


def virtual(group: h5py.Group) -> None:
    layout = h5py.VirtualLayout((4, 8, 8), "u2")
    layout[:] = h5py.VirtualSource("/etc/passwd", "d", (4, 8, 8))
    group.create_virtual_dataset("Data", layout)


def lzf(group: h5py.Group) -> None:
    group.create_dataset("Data", (4, 8, 8), "u2", compression="lzf", chunks=(2, 4, 4))


def foreign(group: h5py.Group) -> None:
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((2, 4, 4))
    plan.set_scaleoffset(h5py.h5z.SO_INT, 3)
    space = h5py.h5s.create_simple((4, 8, 8))
    h5py.h5d.create(group.id, b"Data", h5py.h5t.STD_U16LE, space, plan)


def huge_chunk(group: h5py.Group) -> None:
    group.create_dataset("Data", (4, 1 << 15, 1 << 15), "u2", chunks=(1, 1 << 14, 1 << 14))


def compound(group: h5py.Group) -> None:
    group.create_dataset("Data", (4, 8, 8), [("a", "u2"), ("b", "O")][:1])


def folder(group: h5py.Group) -> None:
    group.create_group("Data")


def flat(group: h5py.Group) -> None:
    group.create_dataset("Data", (8, 8), "u2")


def nothing(group: h5py.Group) -> None:
    """Leave nothing in its place."""


HOSTILE = {
    outside: "'Data' in it is a link to somewhere else",
    sideways: "'Data' in it is a link to somewhere else",
    elsewhere: "lie in other files",
    virtual: "lie in other files",
    lzf: "packed with LZF (HDF5 filter 32000)",
    foreign: "packed with scale-offset (HDF5 filter 6)",
    huge_chunk: "chunks of (1, 16384, 16384)",
    compound: "cannot be kept",
    folder: "holds no pixels",
    flat: "time point 2 has no pixels",
    nothing: "time point 2 has no pixels",
}


@pytest.mark.parametrize("make", HOSTILE, ids=lambda make: make.__name__)
def test_what_leads_out_or_cannot_be_read_is_refused(
    tmp_path: Path, make: Callable[[h5py.Group], Any], refused
) -> None:
    assert HOSTILE[make] in refused(instead(tmp_path / "a.ims", make))


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path, refused) -> None:
    def change(file: h5py.File) -> None:
        del file["DataSet"]
        file["DataSet"] = h5py.ExternalLink("/etc/passwd", "/")

    assert "link" in refused(changed(write(tmp_path / "a.ims", stack()), change))


def test_a_bomb_is_unpacked_no_further_than_its_chunk(tmp_path: Path, refused) -> None:
    import zlib

    def make(group: h5py.Group) -> None:
        made = group.create_dataset("Data", (4, 8, 8), "u2", chunks=(2, 4, 4), compression="gzip")
        made.id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(4 << 20)))

    assert "does not unpack" in refused(instead(tmp_path / "a.ims", make))


def test_a_wrong_checksum_is_damage(tmp_path: Path, refused) -> None:
    def make(group: h5py.Group) -> None:
        made = group.create_dataset("Data", (4, 8, 8), "u2", chunks=(2, 4, 4), fletcher32=True)
        made.id.write_direct_chunk((0, 0, 0), bytes(range(64)) + b"abcd")

    assert "checksum" in refused(instead(tmp_path / "a.ims", make))


def test_more_pixels_than_the_file_can_hold_are_refused(tmp_path: Path, refused) -> None:
    def change(file: h5py.File) -> None:
        for level in file["DataSet"].values():
            for time in level.values():
                for channel in time.values():
                    del channel["Data"]
                    channel.create_dataset("Data", (1000,) * 3, "u2", chunks=(8, 64, 64))
                    for axis in "XYZ":
                        channel.attrs[f"ImageSize{axis}"] = letters("1000")

    assert "more than a file of its size" in refused(
        changed(write(tmp_path / "a.ims", stack()), change)
    )


@pytest.mark.parametrize("size", ["0", "9", "999999999999999999999"])
def test_a_size_that_is_not_there_is_refused(tmp_path: Path, size: str, refused) -> None:
    def change(file: h5py.File) -> None:
        file[DATA].parent.attrs["ImageSizeX"] = letters(size)

    assert "pixels along X" in refused(changed(write(tmp_path / "a.ims", stack()), change))


def test_channels_of_different_sizes_are_refused(tmp_path: Path, refused) -> None:
    def change(file: h5py.File) -> None:
        file[DATA].parent.attrs["ImageSizeX"] = letters("6")

    assert "differ in size" in refused(changed(write(tmp_path / "a.ims", stack()), change))


@pytest.mark.parametrize("tenths", range(1, 10))
def test_an_ims_cut_anywhere_is_no_image(tmp_path: Path, tenths: int, refused) -> None:
    path = write(tmp_path / "a.ims", stack())
    path.write_bytes(path.read_bytes()[: path.stat().st_size * tenths // 10])
    assert refused(path)


def test_a_file_is_closed_when_its_image_is_forgotten(tmp_path: Path) -> None:
    images = open_images(write(tmp_path / "a.ims", stack()))
    assert images[0].shape == (2, 2, 3, 5, 7)
    images.clear()
    with h5py.File(tmp_path / "a.ims", "r+") as file:
        assert len(file["DataSet"]) == 2
