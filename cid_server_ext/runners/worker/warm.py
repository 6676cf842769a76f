"""A preload of Dask: a worker has imported what runs need before it says that it is there."""

from __future__ import annotations

import contextlib


def dask_setup(worker: object) -> None:
    """Import papermill, which takes two seconds, and what describes the machine."""
    with contextlib.suppress(ImportError):  # an image for imports alone; a run says what it lacks
        from .. import hardware, inside, notebook  # noqa: F401

        hardware.describe()
