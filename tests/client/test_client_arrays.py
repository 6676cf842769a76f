"""Pixels as xarray: lazy, named, calibrated, and equal to what was stored."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_catalog import Tiny

import cid_client as cid
from cid_client.pixels.chunks import PIECE_BYTES, grown


def bytes_sent(tiny: Tiny) -> int:
    return sum(seen.sent for seen in tiny.asked("GET", "data/") if "/c/" in seen.path)


def test_the_pixels_are_those_that_were_stored(cell: cid.Image, pixels: np.ndarray) -> None:
    array = cell.to_xarray()
    assert array.dims == ("c", "z", "y", "x")
    assert array.dtype == "uint16"
    np.testing.assert_array_equal(array.values, pixels)
    np.testing.assert_array_equal(cell.to_xarray(level=1).values, pixels[..., ::2, ::2])


def test_no_pixel_is_read_before_it_is_computed(cell: cid.Image, tiny: Tiny) -> None:
    array = cell.to_xarray()
    assert bytes_sent(tiny) == 0
    array.isel(c=0, z=0).compute()
    assert bytes_sent(tiny) > 0


def test_a_small_part_reads_chunks_and_not_shards(
    cell: cid.Image, tiny: Tiny, pixels: np.ndarray
) -> None:
    part = cell.to_xarray().isel(c=1, z=5, y=slice(0, 64), x=slice(0, 64))
    np.testing.assert_array_equal(part.values, pixels[1, 5, :64, :64])
    chunk = 64 * 64 * 2
    assert chunk / 2 < bytes_sent(tiny) < 3 * chunk
    assert all("range" in seen.headers for seen in tiny.asked("GET", "data/") if "/c/" in seen.path)


def test_coordinates_are_physical_and_channels_have_names(cell: cid.Image) -> None:
    array = cell.to_xarray()
    np.testing.assert_allclose(array.x[:3], [0, 0.1, 0.2])
    np.testing.assert_allclose(array.z[-1], 3.5)
    assert array.x.attrs["units"] == "micrometer"
    assert list(array.c.values) == ["DAPI", "GFP"]
    assert array.sel(c="GFP", x=0.5, method=None).shape == (8, 256)
    assert array.attrs == {"uid": "cell", "name": "cell", "calibrated": "zyx"}


def test_coordinates_of_a_smaller_level_follow_the_store(cell: cid.Image) -> None:
    half = cell.to_xarray(level=1)
    np.testing.assert_allclose(half.y[:2], [0.05, 0.25])  # NGFF scale 0.2, translation 0.05
    np.testing.assert_allclose(half.z[:2], [0, 0.5])


def test_an_axis_that_is_not_calibrated_has_no_coordinate(
    cell: cid.Image, catalog: cid.Catalog, tiny: Tiny
) -> None:
    tiny.images["cell"]["scale"] = {"z": 0.5}
    tiny.images["cell"]["units"] = {}
    array = catalog.image("cell").to_xarray()
    assert set(array.coords) == {"c", "z"}
    assert array.z.attrs == {}
    assert array.attrs["calibrated"] == "z"


@pytest.mark.parametrize("level", [-1, 2])
def test_a_level_it_does_not_have_is_refused(cell: cid.Image, level: int) -> None:
    with pytest.raises(cid.BadInput, match="levels 0 to 1"):
        cell.to_xarray(level)


def test_a_store_that_is_gone_is_not_found(cell: cid.Image, tiny: Tiny) -> None:
    (tiny.folder / "cell" / "image.ome.zarr" / "zarr.json").unlink()
    with pytest.raises(cid.NotFound, match="not in storage"):
        cell.to_xarray()


def test_a_chunk_that_was_never_written_is_background(cell: cid.Image, tiny: Tiny) -> None:
    (tiny.folder / "cell" / "image.ome.zarr" / "0" / "c" / "0" / "0" / "0" / "0").unlink()
    corner = cell.to_xarray().isel(c=0, z=slice(0, 4), y=slice(0, 128), x=slice(0, 64))
    assert not corner.values.any()


def test_the_same_pixels_have_the_same_dask_name(cell: cid.Image, catalog: cid.Catalog) -> None:
    assert cell.to_xarray().data.name == catalog.image("cell").to_xarray().data.name


@pytest.mark.parametrize(
    ("shape", "block", "piece"),
    [
        ((3, 100, 4096, 4096), (1, 8, 2048, 2048), (1, 8, 2048, 2048)),  # 64 MiB: one shard
        ((3, 100, 4096, 4096), (1, 1, 512, 512), (1, 1, 2048, 4096)),  # grown to 16 MiB
        ((10, 256, 256), (1, 256, 256), (10, 256, 256)),  # small: whole
        ((5, 5), (512, 512), (5, 5)),
    ],
)
def test_dask_chunks_are_whole_shards_of_a_sensible_size(
    shape: tuple[int, ...], block: tuple[int, ...], piece: tuple[int, ...]
) -> None:
    assert grown(shape, block, 2) == piece
    for n, whole, b in zip(piece, shape, block, strict=True):
        assert n == whole or n % b == 0
    assert np.prod(piece) * 2 <= max(PIECE_BYTES, np.prod(block) * 2)
