"""Axes get their names and order, samples become channels, and types become storable."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from cid_server_ext.errors import BadFile
from cid_server_ext.storage.readers.source import Facts, source, unreadable


def build(dims: str, shape: tuple[int, ...], dtype: str = "uint8", keep: str = "", **told):
    pixels = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    return source(Facts(**told), dims, da.from_array(pixels), keep=keep), pixels


def test_axes_are_put_in_order() -> None:
    made, pixels = build("XCYTZ", (2, 3, 4, 5, 6))
    assert (made.axes, made.shape) == ("tczyx", (5, 3, 6, 4, 2))
    assert (made.array.compute() == pixels.transpose(3, 1, 4, 2, 0)).all()


def test_axes_that_the_file_does_not_really_have_are_dropped() -> None:
    assert build("TCZYX", (1, 1, 1, 4, 5))[0].axes == "yx"
    assert build("TCZYX", (1, 1, 1, 1, 1))[0].axes == "yx"
    assert build("CYX", (1, 4, 5), keep="c")[0].axes == "cyx"


def test_samples_become_channels_red_green_blue() -> None:
    made, pixels = build("YXS", (4, 5, 3))
    assert (made.axes, made.shape) == ("cyx", (3, 4, 5))
    assert [c["name"] for c in made.channels] == ["Red", "Green", "Blue"]
    assert (made.array[1].compute() == pixels[..., 1]).all()


def test_samples_of_several_channels_are_told_apart() -> None:
    made, pixels = build("CYXS", (2, 4, 5, 3), channels=({"name": "a"}, {"name": "b"}))
    assert [c["name"] for c in made.channels][2:4] == ["a Blue", "b Red"]
    assert (made.array[4].compute() == pixels[1, ..., 1]).all()


def test_an_axis_without_a_name_of_ours_becomes_a_free_one() -> None:
    assert build("QYX", (3, 4, 5))[0].axes == "zyx"
    assert build("QZYX", (3, 2, 4, 5))[0].axes == "tzyx"
    with pytest.raises(BadFile, match="more axes"):
        build("TCZQYX", (2, 2, 2, 2, 4, 5))


def test_channels_are_named_once_for_each_c() -> None:
    assert build("CYX", (2, 4, 5))[0].channels == ({"name": "Channel 1"}, {"name": "Channel 2"})
    assert build("YX", (4, 5), channels=({"name": "DAPI"},))[0].channels == ({"name": "DAPI"},)
    wrong = build("CYX", (2, 4, 5), channels=({"name": "DAPI"},))[0]
    assert [c["name"] for c in wrong.channels] == ["Channel 1", "Channel 2"]


def test_calibration_of_axes_that_are_not_there_is_left_out() -> None:
    told = {"scale": {"z": 1.0, "x": 0.1}, "units": {"z": "micrometer", "x": "micrometer"}}
    made, _ = build("YX", (4, 5), **told)
    assert (made.scale, made.units) == ({"x": 0.1}, {"x": "micrometer"})


@pytest.mark.parametrize(
    ("given", "kept"),
    [("bool", "uint8"), (">u2", "uint16"), ("float16", "float32"), ("int64", "int64")],
)
def test_types_become_storable_without_loss(given: str, kept: str) -> None:
    made, pixels = build("YX", (1, 2), given)
    assert made.dtype == np.dtype(kept)
    assert made.dtype.isnative
    assert (made.array.compute() == pixels).all()


@pytest.mark.parametrize("dtype", ["complex64", "S3", "datetime64[s]", "object"])
def test_types_that_are_no_pixels_are_refused(dtype: str) -> None:
    pixels = da.from_array(np.zeros((2, 2), dtype), chunks=2)
    with pytest.raises(BadFile, match="type"):
        source(Facts(), "YX", pixels)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (2**31 + 1, 1), (2**26, 2**26)])
def test_impossible_sizes_are_refused_before_anything_is_read(shape: tuple[int, int]) -> None:
    with pytest.raises(BadFile):
        source(Facts(), "YX", da.zeros(shape, dtype="uint8", chunks=2**25))


def test_a_line_is_no_image() -> None:
    with pytest.raises(BadFile, match="no plane"):
        source(Facts(), "X", da.zeros(5))


def test_more_channels_than_can_be_told_are_refused_before_a_pixel_is_read() -> None:
    with pytest.raises(BadFile, match="2000 channels"):
        source(Facts(), "CYX", da.zeros((65535, 900, 900), dtype="uint8"))


def test_a_reader_that_stumbles_is_not_quoted_and_what_is_said_well_stays() -> None:
    said = BadFile("it is truncated: copy it again")
    assert unreadable(said) is said
    for error in (TypeError("'<' not supported between 'str' and 'int'"), KeyError("x")):
        assert "does not fit together" in str(unreadable(error))
    assert "bad checksum" in str(unreadable(ValueError("bad checksum")))
