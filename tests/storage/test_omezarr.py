"""What is written is the image, valid OME-Zarr 0.5, and readable by everybody's libraries."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import bioio_ome_zarr
import dask.array as da
import numpy as np
import ome_zarr_models.v05 as ngff
import pytest
import tensorstore as ts
import zarr

from cid_server_ext.errors import BadFile
from cid_server_ext.storage import layout, omezarr, stores
from cid_server_ext.storage.layout import planned_bytes
from cid_server_ext.storage.pyramid import halve
from cid_server_ext.storage.readers.lazy import lazy

DTYPES = [
    *("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"),
    *("float32", "float64"),
]


def pixels(shape: tuple[int, ...], dtype: str = "uint16", seed: int = 3) -> np.ndarray:
    random = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return random.normal(size=shape).astype(dtype)
    limits = np.iinfo(dtype)
    return random.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def stored(source, folder: Path, kind: str = "image") -> Path:
    store = folder / "image.ome.zarr"
    store.mkdir(parents=True)
    omezarr.write(source, store, kind, prove=True)
    omezarr.verify(store, source)
    return store


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_comes_back_bit_for_bit(make, tmp_path: Path, dtype: str) -> None:
    image = pixels((2, 70, 90), dtype)
    store = stored(make(image, "cyx"), tmp_path)
    back = zarr.open_array(store / "0", mode="r")[:]
    assert back.dtype == dtype
    assert back.tobytes() == image.tobytes()


def test_values_that_equal_zero_but_are_not_the_same_come_back(make, tmp_path: Path) -> None:
    image = np.zeros((40, 40), np.float32)
    image[:20] = -0.0
    image[5, 5], image[6, 6] = np.nan, np.inf
    store = stored(make(image, "yx"), tmp_path)
    assert stores.open_level(store, 0).read().result().tobytes() == image.tobytes()


@pytest.mark.parametrize(
    ("axes", "shape"),
    [
        ("yx", (1, 1)),
        ("yx", (700, 3)),
        ("tczyx", (3, 2, 4, 300, 513)),
        ("tyx", (20, 40, 30)),
        ("zyx", (9, 600, 520)),
    ],
)
def test_each_level_halves_the_one_before(make, tmp_path: Path, axes: str, shape) -> None:
    image = pixels(shape)
    store = stored(make(image, axes), tmp_path)
    ngff.Image.from_zarr(zarr.open_group(store, mode="r"))
    expected = image
    for level in range(len(layout.levels(axes, shape))):
        found = zarr.open_array(store / str(level), mode="r")
        assert (found[:] == expected).all()
        expected = halve(expected, "image")


def test_planes_too_large_for_memory_give_the_same_store(
    make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plane that is streamed in pieces is halved from what was written: the same pixels."""
    image = pixels((2, 2500, 4300), "uint8")
    source = make(image, "cyx", chunks=(1, 700, 900))
    whole = stored(source, tmp_path / "whole")
    monkeypatch.setattr(layout, "PLANE_BYTES", 1 << 20)
    assert (
        len(list(layout.blocks("cyx", layout.layouts("cyx", source.shape, 1)[0], (1, 700, 900), 1)))
        > 4
    )
    pieces = stored(source, tmp_path / "pieces")
    for level in range(6):
        a, b = (stores.open_level(store, level).read().result() for store in (whole, pieces))
        assert (a == b).all()


def test_what_is_read_in_one_piece_is_not_copied(make) -> None:
    """A channel is one piece where there is one t, and two where there are two."""
    for times in (1, 2):
        image = pixels((times, 3, 300, 333))
        array = lazy(image.shape, image.dtype, lambda at, y, x, of=image: of[at][y, x])
        source = replace(make(image, "tcyx"), array=array)
        cut = layout.layouts("tcyx", image.shape, 2)[0]
        found = [(image[block], plane) for block, plane, _ in omezarr.read_ahead(source, cut)]
        assert len(found) == 3
        assert all((was == plane).all() for was, plane in found)
        assert all(np.shares_memory(image, plane) == (times == 1) for _, plane in found)


def test_a_source_in_too_large_pieces_is_refused(make, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(omezarr, "BLOCK_BYTES", 1000)
    with pytest.raises(BadFile, match="tiled TIFF"):
        stored(make(pixels((100, 100)), "yx"), tmp_path)


def test_metadata_says_what_is_known_and_only_that(make, tmp_path: Path) -> None:
    source = make(
        pixels((2, 3, 300, 400)),
        "tcyx",
        scale={"y": 0.1, "x": 0.2},
        channels=({"name": "DAPI", "color": "0000FF"}, {"name": "GFP"}, {"name": "brightfield"}),
        ome_xml="<OME/>",
    )
    store = stored(source, tmp_path)
    ome = json.loads((store / "zarr.json").read_text())["attributes"]["ome"]
    multiscale = ome["multiscales"][0]
    assert multiscale["axes"] == [
        {"name": "t", "type": "time"},
        {"name": "c", "type": "channel"},
        {"name": "y", "type": "space", "unit": "micrometer"},
        {"name": "x", "type": "space", "unit": "micrometer"},
    ]
    first, second = (level["coordinateTransformations"] for level in multiscale["datasets"])
    assert first == [{"type": "scale", "scale": [1, 1, 0.1, 0.2]}]
    assert second[0] == {"type": "scale", "scale": [1, 1, 0.2, 0.4]}
    assert second[1] == {"type": "translation", "translation": [0, 0, 0.05, 0.1]}
    channels = ome["omero"]["channels"]
    assert [c["label"] for c in channels] == ["DAPI", "GFP", "brightfield"]
    assert [c["color"] for c in channels] == ["0000FF", "00FF00", "FF00FF"]
    assert all(c["window"]["start"] < c["window"]["end"] for c in channels)
    assert (store / "OME" / "METADATA.ome.xml").read_text() == "<OME/>"
    assert ngff.Image.from_zarr(zarr.open_group(store, mode="r"))


def test_others_read_it(make, tmp_path: Path) -> None:
    image = pixels((2, 3, 4, 300, 260))
    source = make(image, "tczyx", scale={"t": 2.0, "z": 0.5, "y": 0.1, "x": 0.1})
    store = stored(source, tmp_path)
    reader = bioio_ome_zarr.Reader(store)
    assert reader.xarray_dask_data.dims == ("T", "C", "Z", "Y", "X")
    assert tuple(reader.physical_pixel_sizes) == (0.5, 0.1, 0.1)
    assert (reader.xarray_data.data == image).all()
    assert (da.from_zarr(str(store / "0")).compute() == image).all()


def test_labels_keep_their_names_at_every_level(make, tmp_path: Path) -> None:
    labels = np.kron(pixels((60, 60), "uint32"), np.ones((10, 10), np.uint32))
    store = stored(make(labels, "yx"), tmp_path, "labels")
    ome = json.loads((store / "zarr.json").read_text())["attributes"]["ome"]
    assert "image-label" in ome
    assert "omero" not in ome
    for level in range(len(ome["multiscales"][0]["datasets"])):
        assert np.isin(zarr.open_array(store / str(level), mode="r")[:], labels).all()
    assert ngff.ImageLabel.from_zarr(zarr.open_group(store, mode="r"))


def test_verify_sees_one_changed_pixel(make, tmp_path: Path) -> None:
    image = pixels((5, 300, 300))
    store = stored(make(image, "zyx"), tmp_path)
    image = image.copy()
    image[3, 200, 100] ^= 1
    with pytest.raises(BadFile, match="differs"):
        omezarr.verify(store, make(image, "zyx"))


@pytest.mark.parametrize("place", [0.0, 0.2, 0.5, 0.9, -10])
def test_one_flipped_bit_is_noticed(make, tmp_path: Path, place: float) -> None:
    """In a chunk or, at -10, in the shard's index: never other pixels than those that came."""
    store = stored(make(pixels((100, 100)), "yx"), tmp_path)
    (shard,) = (path for path in (store / "0" / "c").rglob("*") if path.is_file())
    data = bytearray(shard.read_bytes())
    data[int(place * len(data)) if place >= 0 else int(place)] ^= 1
    shard.write_bytes(data)
    with pytest.raises(ValueError, match=r"Digest mismatch|Invalid"):
        stores.open_level(store, 0).read().result()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
@pytest.mark.parametrize("shape", [(130, 133), (513, 515), (1, 1), (2049, 700)])
def test_the_plan_is_never_exceeded_even_by_noise(make, tmp_path, dtype: str, shape) -> None:
    store = stored(make(pixels(shape, dtype), "yx"), tmp_path)
    written = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
    assert written <= planned_bytes("yx", shape, np.dtype(dtype).itemsize)


def test_all_arrays_of_a_process_share_one_pool(make, tmp_path: Path, monkeypatch) -> None:
    """A pool of its own for each array crashed the process once in some thousand arrays."""
    pools = []
    opens = ts.open
    monkeypatch.setattr(
        ts, "open", lambda *spec, **how: pools.append(how["context"]) or opens(*spec, **how)
    )
    store = stored(make(pixels((8, 8)), "yx"), tmp_path)
    stores.open_level(store, 0)
    stores.open_array(store / "0")
    assert len(pools) >= 4
    assert len(set(map(id, pools))) == 1
