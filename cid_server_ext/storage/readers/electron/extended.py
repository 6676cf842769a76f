"""What stands before the pixels of an MRC for each section: SerialEM's and FEI's tilt angles."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..described import positive
from ..lazy import Strides

LARGEST = 64 << 20  # bytes
# SerialEM keeps, for each bit that is set, so many bytes of a section; the first is the tilt.
SERIAL = {1: 2, 2: 6, 4: 4, 8: 2, 16: 2, 32: 4, 64: 2, 128: 4, 256: 2, 512: 4, 1024: 2}
NOTED = {
    "HT": "High tension (V)",
    "Magnification": "Magnification",
    "Dose": "Dose (electrons per square meter)",
    "Defocus": "Defocus (m)",
    "Integration time": "Integration time (s)",
}


@dataclass(frozen=True)
class Sections:
    """What is said of the sections; what is not is empty. pixel: by axis, in meters."""

    tilts: tuple[float, ...] = ()
    pixel: Mapping[str, float] = field(default_factory=dict)
    microscope: str = ""
    software: str = ""
    camera: str = ""
    notes: dict[str, str] = field(default_factory=dict)


def sections(pixels: Strides, header: Any, head: bytes, order: str) -> Sections:
    """Return what the extended header says, where its kind is one that is known."""
    count, nbytes = int(header["nz"]), int(header["nsymbt"])
    if not 0 < nbytes <= LARGEST:
        return Sections()
    kind = bytes(header["exttyp"])
    data = pixels.part(len(head), nbytes)
    if kind in (b"FEI1", b"FEI2"):
        return _fei(data, kind, order, count)
    each, bits = struct.unpack_from(f"{order}2h", head, 128)
    size = sum(nbytes for bit, nbytes in SERIAL.items() if bits & bit)
    whole = 0 < each == size and bits > 0 and not bits & ~sum(SERIAL)
    if not (whole and bits & 1 and each * count <= len(data)):
        return Sections()
    tilts = [struct.unpack_from(f"{order}h", data, at * each)[0] / 100 for at in range(count)]
    return Sections(_tilted(tilts))


def _fei(data: bytes, kind: bytes, order: str, count: int) -> Sections:
    from mrcfile.dtypes import get_ext_header_dtype

    known = get_ext_header_dtype(kind, order)
    each = int(np.frombuffer(data, f"{order}i4", 1)[0]) if len(data) >= 4 else 0
    each = each or known.itemsize
    if each < known.itemsize or each * count > len(data):
        return Sections()
    told = [np.frombuffer(data, known, 1, at * each)[0] for at in range(count)]
    first = told[0]
    return Sections(
        tilts=_tilted([float(one["Alpha tilt"]) for one in told]),
        pixel={
            axis: size
            for axis in "yx"
            if (size := positive(first[f"Pixel size {axis.upper()}"])) is not None
        },
        microscope=_text(first["Microscope type"]),
        software=f"{_text(first['Application'])} {_text(first['Application version'])}".strip(),
        camera=_text(first["Camera name"]),
        notes={
            title: f"{float(first[name]):g}" for name, title in NOTED.items() if first[name] != 0
        },
    )


def _tilted(tilts: list[float]) -> tuple[float, ...]:
    """Return the angles, or none where the sections were not tilted against each other."""
    rounded = [round(tilt, 3) for tilt in tilts]
    sound = all(-180 <= tilt <= 180 for tilt in rounded)
    return tuple(rounded) if sound and len(set(rounded)) > 1 else ()


def _text(value: Any) -> str:
    return bytes(value).split(b"\0")[0].decode("latin-1").strip()
