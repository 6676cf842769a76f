"""Each real TIFF is what the list of real files says it is, pixel for pixel."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

DATA = Path(__file__).parents[4] / "shared" / "data"
HERE = (
    "formats/imagej",
    "formats/ometiff/",
    "formats/lsm",
    "formats/slide",
    "hcs/BBBC",
    "beads",
    "tracking",
    "roi/measure_shapes_labels",
    "segmentation",
)
LISTED = json.loads((DATA / "MANIFEST.json").read_text()) if DATA.is_dir() else []
TOLD = [
    (entry["file"], entry["shape"], entry["axes"], entry["dtype"])
    for entry in LISTED
    if entry.get("shape")
    and entry["file"].startswith(HERE)
    and "multifile" not in entry["file"]
    and entry["file"].lower().endswith((".tif", ".tiff", ".lsm", ".svs", ".ndpi"))
]
# of the time lapse, 30 files alike, some are enough
FILES = [told for at, told in enumerate(TOLD) if "tracking" not in told[0] or at % 10 == 0]


@pytest.mark.parametrize(("name", "shape", "axes", "dtype"), FILES or [("absent", [], "", "")])
def test_shape_type_and_pixels_are_those_of_the_list(
    real: Path, only, name: str, shape: list[int], axes: str, dtype: str
) -> None:
    image = only(real / name)
    named = axes.lower().replace("s", "c").replace("q", "z").replace("i", "z")
    size = dict(zip(named, shape, strict=True))
    assert dict(zip(image.axes, image.shape, strict=True)) == {
        axis: length for axis, length in size.items() if length > 1
    }
    assert image.dtype == np.dtype(dtype)
    with tifffile.TiffFile(real / name) as file:
        expected = file.series[0].asarray()
    order = [named.index(axis) for axis in image.axes]
    found = image.array.compute()
    assert np.array_equal(found, expected.transpose(order), equal_nan=found.dtype.kind == "f")
