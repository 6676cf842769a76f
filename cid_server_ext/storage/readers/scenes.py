"""Reading scenes through slideio: a region of one plane at a time, never a label or an overview."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadFile


@dataclass(frozen=True)
class Scene:
    """One image of a file, its planes read by window.

    samples: 3 when each channel is a colour picture, its samples in the order red, green, blue.
    dtypes: one for each channel.
    """

    name: str
    size: dict[str, int]  # t c z y x
    dtypes: tuple[np.dtype[Any], ...]
    samples: int
    read: Any  # (t, c, z, rows, columns) -> (rows, columns, samples)
    number: int = 0  # of the scene, where several images are views of one
    extra: Any = None  # the reader's own scene


def open_slide(path: Path, driver: str) -> tuple[list[Scene], str]:
    """Return the scenes of a file and its metadata as text."""
    import slideio

    slideio.set_log_level("FATAL")
    slide = slideio.open_slide(str(path), driver)
    scenes = [_scene(slide, slide.get_scene(at)) for at in range(slide.num_scenes)]
    return scenes, str(slide.raw_metadata)


def _scene(slide: Any, scene: Any) -> Scene:
    _, _, width, height = scene.rect
    size = {
        "t": max(1, scene.num_t_frames),
        "c": scene.num_channels,
        "z": max(1, scene.num_z_slices),
        "y": height,
        "x": width,
    }
    dtypes = tuple(np.dtype(scene.get_channel_data_type(at)) for at in range(scene.num_channels))

    def read(t: int, c: int, z: int, rows: slice, columns: slice) -> NDArray[Any]:
        wide, high = columns.stop - columns.start, rows.stop - rows.start
        block = scene.read_block(
            (columns.start, rows.start, wide, high), (wide, high), [c], (z, z + 1), (t, t + 1)
        )
        pixels = np.asarray(block)
        if pixels.size != wide * high:
            raise BadFile("the file gave fewer pixels than it promised: it is damaged")
        return pixels.reshape(high, wide, 1)[:: rows.step or 1, :: columns.step or 1]

    read.slide = slide  # type: ignore[attr-defined]  # closed when its last image is forgotten
    return Scene(scene.name, size, dtypes, 1, read, extra=scene)
