"""What a tiny catalog can be made to hold: images, files, the looks of a run."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from tiny_catalog import Tiny

SHAPE = (2, 8, 256, 192)  # c z y x
PNG = b"\x89PNG not really"


def store_image(path: Path, pixels: np.ndarray) -> None:
    """Write an OME-Zarr 0.5 as the catalog stores it: sharded, y and x halved at level 1."""
    top, half = [1, 0.5, 0.1, 0.1], [1, 0.5, 0.2, 0.2]
    shift = {"type": "translation", "translation": [0, 0, 0.05, 0.05]}
    transforms = [[{"type": "scale", "scale": top}], [{"type": "scale", "scale": half}, shift]]
    levels = [
        {"path": str(n), "coordinateTransformations": made} for n, made in enumerate(transforms)
    ]
    axes = [{"name": name, "type": "channel" if name == "c" else "space"} for name in "czyx"]
    ome = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": levels}]}
    group = zarr.open_group(path, mode="w", zarr_format=3, attributes={"ome": ome})
    for n, level in enumerate((pixels, pixels[..., ::2, ::2])):
        array = group.create_array(
            str(n), shape=level.shape, chunks=(1, 1, 64, 64), shards=(1, 4, 128, 64),
            dtype=level.dtype,
        )  # fmt: skip
        array[...] = level


def look(uid: str, state: str, fraction: float = 0.0, **more: Any) -> dict[str, Any]:
    return {
        "uid": uid, "batch": "b1", "state": state, "project": "demo", "person": "researcher",
        "template": {"name": "segment-cells", "version": "1.0.0", "digest": "d"},
        "parameters": {}, "inputs": [{"uid": "i", "name": f"image {uid}", "role": "image"}],
        "progress": {"fraction": fraction, "text": f"cell {fraction}"}, "error": None,
        "outputs": {"images": [], "files": []}, "notebook": None, "metrics": {}, **more,
    }  # fmt: skip


def store(tiny: Tiny, uid: str, name: str, kind: str, content: bytes) -> dict[str, Any]:
    (tiny.folder / uid).mkdir(parents=True)
    (tiny.folder / uid / name).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    tiny.files[uid] = {"uid": uid, "name": name, "kind": kind, "sha256": digest, "nbytes": 1}
    return {"uid": uid, "name": name, "kind": kind, "sha256": digest}
