"""How many seconds of cores and of GPUs images take: only those on GPUs take some of these."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..templates.manifest import Resources
from . import schedule
from .forecast import Forecast, pixels


def seconds(
    by: Forecast, resources: Resources, images: Sequence[Any], random: np.random.Generator
) -> dict[str, float]:
    """Return the likely seconds of "cpu" and of "gpu" that runs on these images are charged."""
    fast = [image for image in images if on_gpu(resources, image)]
    slow = [image for image in images if not on_gpu(resources, image)]
    took = [
        float(np.median(schedule.work(by, pixels(some), random))) if some else 0.0
        for some in (fast, slow)
    ]
    return {"cpu": sum(took) * resources.cores, "gpu": took[0] * resources.gpus}


def on_gpu(resources: Resources, image: Any) -> bool:
    """Say whether a run on the image takes the GPUs that its template asks for."""
    if not resources.gpus:
        return False
    return resources.gpu_above is None or math.prod(image.shape) > resources.gpu_above
