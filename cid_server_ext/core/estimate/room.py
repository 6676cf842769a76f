"""How many bytes to reserve for what a run writes."""

from __future__ import annotations

import math

from ...db.tables import Image
from ..templates.manifest import Manifest

OVERHEAD = 4_000_000  # executed notebook, tables and metadata of one run, in bytes


def output_bytes(manifest: Manifest, image: Image) -> int:
    """Return the bytes to reserve: uncompressed labels with their pyramid, and the small things."""
    plane: int = math.prod(
        length for axis, length in zip(image.axes, image.shape, strict=True) if axis != "c"
    )
    outputs = manifest.outputs
    stores = len(outputs.labels) + len(outputs.images)
    return stores * plane * outputs.labels_bytes_per_pixel * 4 // 3 + OVERHEAD
