"""The demo's images: two pictures that ship inside scikit-image, and simulated nuclei."""

from __future__ import annotations

import shutil
from pathlib import Path

import imageio.v3
import skimage.data
import tifffile

from . import nuclei

NUCLEI = "nuclei.ome.tif"


def prepare(folder: Path) -> list[Path]:
    """Write three images of three formats below `folder` and return them.

    `cell` (light microscopy, one channel) as the TIFF that ImageJ writes, `ihc` (stained tissue,
    RGB) as the PNG it is, and the nuclei as a 5D OME-TIFF. Nothing is downloaded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shipped = Path(skimage.data.__file__).parent
    cell, ihc, simulated = folder / "cell.tif", folder / "ihc.png", folder / NUCLEI
    tifffile.imwrite(cell, imageio.v3.imread(shipped / "cell.png"), imagej=True)
    shutil.copyfile(shipped / "ihc.png", ihc)
    nuclei.write(simulated, nuclei.simulate())
    return [cell, ihc, simulated]
