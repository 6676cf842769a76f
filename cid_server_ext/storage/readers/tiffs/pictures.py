"""Reading PNG and JPEG through bioio, after a look at how large they claim to be."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import bioio_imageio
import dask.array as da
import numpy as np
from PIL import Image

from ....errors import BadFile
from ..source import Facts, Source, source

LARGEST = 1 << 28  # pixels: these formats are decoded in one piece
SUFFIX = {"PNG": ".png", "JPEG": ".jpg"}


def open_picture(path: Path) -> list[Source]:
    """Return the one image of a PNG or JPEG. An alpha channel that is opaque all over is left out.

    Print resolutions and camera tags are no calibration: a picture's pixel size stays unknown.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=tuple(SUFFIX)) as header:
                kind, mode, (width, height) = str(header.format), header.mode, header.size
    except Image.DecompressionBombError:
        raise BadFile(f"the picture claims more than {LARGEST} pixels: save it as TIFF") from None
    except OSError as error:
        raise BadFile(f"the picture is damaged: {error}. Copy it again") from None
    if width * height > LARGEST:
        raise BadFile(f"the picture claims {width} x {height} pixels: save it as a tiled TIFF")
    pixels, dims = _decode(path, kind)
    if mode in {"LA", "RGBA", "PA"} or dims.endswith("S"):
        pixels, dims = _without_opaque_alpha(pixels, dims)
    return [source(Facts(), dims, da.from_array(pixels, chunks=-1, name=False))]


def _decode(path: Path, kind: str) -> tuple[np.ndarray, str]:
    """Return (pixels, axes). The reader goes by the suffix, so it is shown the right one."""
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder, f"picture{SUFFIX[kind]}")
        shown.symlink_to(path.resolve())
        try:
            data = bioio_imageio.Reader(shown).xarray_data
        except (OSError, ValueError, SyntaxError) as error:
            raise BadFile(f"the {kind} is damaged or truncated: {error}") from None
    return np.asarray(data.data), "".join(map(str, data.dims))


def _without_opaque_alpha(pixels: np.ndarray, dims: str) -> tuple[np.ndarray, str]:
    if pixels.ndim != 3 or pixels.shape[-1] not in (2, 4):
        return pixels, dims
    opaque = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1
    if (pixels[..., -1] == opaque).all():
        pixels = pixels[..., :-1]
    return pixels, dims
