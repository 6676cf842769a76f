"""Reading Zeiss CZI: scenes become images, tiles are joined as ZEN joins them."""

from __future__ import annotations

import itertools
import math
import re
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import BadFile
from .. import xmltext
from ..lazy import latest, lazy
from ..scenes import Scene, open_slide
from ..source import Source, source
from . import zeissxml

MOST_IMAGES = 1000
MOST_SPARSE = 16  # planes for each block
TYPES = {
    "Gray8": ("uint8", 1),
    "Gray16": ("uint16", 1),
    "Gray32Float": ("float32", 1),
    "Bgr24": ("uint8", 3),
    "Bgr48": ("uint16", 3),
    "Bgr96Float": ("float32", 3),
}
VIEWS = "RIHVB"  # rotation, illumination, phase, view, block: each step is an image of its own


def open_czi(path: Path) -> list[Source]:
    """Return each scene (and each view of it) of a CZI; labels and previews are left alone.

    libCZI reads it where the extra `czi` is installed, else slideio. Tiles of a mosaic are joined;
    what no tile covers is 0.
    """
    try:
        from pylibCZIrw import czi
    except ImportError:
        (scenes, text), lost = _by_slideio(path), 0
    else:
        scenes, text, lost = _by_libczi(path, czi)
    if not scenes:
        raise BadFile("the CZI holds no image")
    if len(scenes) > MOST_IMAGES:
        raise BadFile(f"the CZI holds {len(scenes)} images, more than {MOST_IMAGES}")
    root = xmltext.parse(text, "metadata") if text.strip() else None
    found = [image for scene in scenes for image in _images(scene, root, len(scenes))]
    if not lost:
        return found
    tag = ("Missing planes", f"at least {lost} that the file has no pixels for", float(lost))
    return [replace(image, tags=(*image.tags, tag)) for image in found]


def _images(scene: Scene, root: Any, count: int) -> Iterator[Source]:
    """Yield an image for each type of pixels in the scene: most have one."""
    for dtype in dict.fromkeys(scene.dtypes):
        waves = [wave for wave, kind in enumerate(scene.dtypes) if kind == dtype]
        size = {**scene.size, "c": len(waves) * scene.samples}
        told = zeissxml.describe(root, scene.name, scene.number, waves, scene.samples)
        told.name = told.name if count > 1 else ""
        if len(waves) < len(scene.dtypes):
            told.name = f"{told.name or 'image'} {dtype}"
        shape = tuple(size[axis] for axis in "tczyx")
        read = latest(scene.read)

        def window(
            index: tuple[int, ...],
            rows: slice,
            columns: slice,
            read: Any = read,
            waves: list[int] = waves,
        ) -> NDArray[Any]:
            t, c, z = index
            pixels = read(t, waves[c // scene.samples], z, rows, columns)
            one: NDArray[Any] = pixels[..., c % scene.samples]
            return one

        pixels = lazy(shape, dtype, window, together=(1, scene.samples, 1))
        yield source(told.facts("tczyx", shape, dtype), "TCZYX", pixels)


def _by_slideio(path: Path) -> tuple[list[Scene], str]:
    try:
        scenes, text = open_slide(path, "CZI")
        bgr = "<PixelType>Bgr" in text
        return [_blue_first(one) if bgr else one for one in map(_titled, scenes)], text
    except BadFile:
        raise
    except Exception as error:
        told = " ".join(str(error).split())[:120]
        raise BadFile(
            f"this CZI could not be read ({told}): if it is whole, ask the facility to install the"
            " extra `czi` of CID, which reads more kinds"
        ) from None


def _titled(scene: Scene) -> Scene:
    """Name a scene of slideio, "title(s:0 i:0 v:0 h:0 r:0 b:0)", as we name those of libCZI."""
    at = {axis: int(place) for axis, place in re.findall(r"\b([sihvrb]):(\d+)", scene.name[-40:])}
    views = [f"{axis.upper()} {place + 1}" for axis, place in at.items() if axis != "s" and place]
    number = at.get("s", 0)
    return replace(scene, name=" ".join((f"scene {number + 1}", *views)), number=number)


def _blue_first(scene: Scene) -> Scene:
    """Join the channels that slideio makes of blue, green and red samples."""
    size = {**scene.size, "c": scene.size["c"] // 3}

    def read(t: int, c: int, z: int, rows: slice, columns: slice) -> NDArray[Any]:
        samples = [scene.read(t, 3 * c + at, z, rows, columns) for at in (2, 1, 0)]
        return np.concatenate(samples, axis=-1)

    return replace(scene, size=size, dtypes=scene.dtypes[::3], samples=3, read=read)


def _by_libczi(path: Path, czi: Any) -> tuple[list[Scene], str, int]:
    with _told_plainly():
        file = czi.CziReader(str(path))
    close = weakref.finalize(file, file._czi_reader.close)  # not `file` itself: it would never end
    try:
        bounds = file.total_bounding_box_no_pyramid
        lost = _lost(bounds, file._stats.subBlockCount)
        rectangles = file.scenes_bounding_rectangle_no_pyramid
        places: dict[int | None, Any] = dict(rectangles) or {
            None: file.total_bounding_rectangle_no_pyramid
        }
        views = [axis for axis in VIEWS if len(range(*bounds.get(axis, (0, 1)))) > 1]
        kinds = [kind for _, kind in sorted(file.pixel_types.items())]
        scenes = [
            _scene(file, bounds, kinds, number, rectangle, view)
            for number, rectangle in places.items()
            for view in _views(bounds, views)
        ]
        with _told_plainly():
            return scenes, file.raw_metadata, lost
    except BaseException:
        close()
        raise


def _lost(bounds: dict[str, tuple[int, int]], held: int) -> int:
    """Return how many planes have no block, at least; BadFile for more than any acquisition has.

    One was stopped early, or took some of its channels at one z or at fewer times.
    """
    length = {axis: len(range(*bounds.get(axis, (0, 1)))) for axis in f"TCZ{VIEWS}"}
    planes = math.prod(length.values())
    if planes > held * min(max(2, length["C"]), MOST_SPARSE):
        raise BadFile(f"its list promises more planes than its {held} blocks hold: it is damaged")
    return max(0, planes - held)


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Say of a file that ends too early that it does; libCZI speaks of offsets."""
    try:
        yield
    except RuntimeError as error:
        if "Not enough data" not in str(error):
            raise
        raise BadFile("it is truncated: some of it lies past its end. Copy it again") from None


def _views(bounds: dict[str, tuple[int, int]], axes: list[str]) -> Iterator[dict[str, int]]:
    for place in itertools.product(*(range(*bounds[axis]) for axis in axes)):
        yield dict(zip(axes, place, strict=True))


def _scene(
    file: Any,
    bounds: dict[str, tuple[int, int]],
    kinds: list[str],
    number: int | None,
    rectangle: Any,
    view: dict[str, int],
) -> Scene:
    unknown = [kind for kind in kinds if kind not in TYPES]
    if unknown or not kinds:
        raise BadFile(f"the CZI has pixels of type {unknown or 'unknown'}: convert it in ZEN")
    samples = {TYPES[kind][1] for kind in kinds}
    if len(samples) > 1:
        raise BadFile("the CZI mixes colour and grey channels: export them one by one in ZEN")
    start = {axis: bounds.get(axis, (0, 1))[0] for axis in "TCZ"}
    size = {axis.lower(): bounds.get(axis, (0, 1))[1] - start[axis] for axis in "TCZ"}
    size |= {"y": rectangle.h, "x": rectangle.w}
    dtypes = tuple(np.dtype(TYPES[kind][0]) for kind in kinds[: size["c"]])

    def read(t: int, c: int, z: int, rows: slice, columns: slice) -> NDArray[Any]:
        place = {"T": start["T"] + t, "C": start["C"] + c, "Z": start["Z"] + z, **view}
        corner = (rectangle.x + columns.start, rectangle.y + rows.start)
        extent = (columns.stop - columns.start, rows.stop - rows.start)
        with _told_plainly():
            pixels: NDArray[Any] = file.read(roi=(*corner, *extent), plane=place, scene=number)
        found = np.ascontiguousarray(pixels[..., ::-1])  # libCZI gives blue first
        return found[:: rows.step or 1, :: columns.step or 1]

    name = "" if number is None else f"scene {number + 1}"
    parts = [name, *(f"{axis} {at + 1}" for axis, at in view.items())]
    title = " ".join(filter(None, parts))
    return Scene(title, size, dtypes, samples.pop(), read, number or 0, file)
