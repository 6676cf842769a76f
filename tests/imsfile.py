"""Writes small IMS files as Imaris does: texts letter by letter, pixels padded to whole chunks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

CHUNK = (2, 4, 4)
INFO = {
    "Image": {
        "Name": "D:\\data\\embryo.lif",
        "ExtMin0": "1.5",
        "ExtMax0": "5",
        "ExtMin1": "-2",
        "ExtMax1": "-1",
        "ExtMin2": "0",
        "ExtMax2": "6",
        "Unit": "um",
        "RecordingDate": "2019-03-04 05:06:07.250",
        "LensPower": "63x",
        "NumericalAperture": "1.4",
        "Description": "(description not specified)",
        "MicroscopeMode": "Confocal",
    },
    "Channel 0": {
        "Name": "GFP",
        "Color": "0.000 1.000 0.500",
        "LSMExcitationWavelength": "488 nm",
        "LSMEmissionWavelength": "525.5",
    },
    "Channel 1": {"Name": "(name not specified)", "Color": "1 0 0", "ColorMode": "TableColor"},
    "TimeInfo": {
        "TimePoint1": "2019-03-04 05:06:08.000",
        "TimePoint2": "2019-03-04 05:06:38.500",
    },
    "ImarisDataSet": {"Creator": "Imaris x64", "Version": "9.5"},
}


def letters(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), "S1")


def write(path: Path, pixels: np.ndarray, info: dict[str, Any] = INFO, **packed: Any) -> Path:
    """Write an IMS of pixels (t, c, z, y, x). packed: what h5py is told of each dataset."""
    packed = {"chunks": CHUNK, "compression": "gzip"} | packed
    step = CHUNK if packed["chunks"] else (1, 1, 1)
    with h5py.File(path, "w") as file:
        for t, c in np.ndindex(pixels.shape[:2]):
            for level in range(2):
                own = pixels[t, c, :, :: 1 + level, :: 1 + level]
                group = file.create_group(
                    f"DataSet/ResolutionLevel {level}/TimePoint {t}/Channel {c}"
                )
                for axis, size in zip("ZYX", own.shape, strict=True):
                    group.attrs[f"ImageSize{axis}"] = letters(str(size))
                padding = [(0, -size % unit) for size, unit in zip(own.shape, step, strict=True)]
                group.create_dataset("Data", data=np.pad(own, padding), **packed)
        for name, told in info.items():
            group = file.create_group(f"DataSetInfo/{name}")
            for key, text in told.items():
                group.attrs[key] = letters(text)
    return path
