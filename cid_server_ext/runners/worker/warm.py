"""A preload of Dask: a worker has imported what runs need before it says that it is there."""

from __future__ import annotations

import contextlib


def dask_setup(worker: object) -> None:
    """Import papermill, which takes two seconds, and have kernels ready to be forked."""
    with contextlib.suppress(ImportError):  # an image for imports alone; a run says what it lacks
        from .. import hardware, inside, notebook  # noqa: F401
        from . import kernels

        kernels.warm_up()
        hardware.describe()


def dask_teardown(worker: object) -> None:
    """End the kernels with their worker."""
    with contextlib.suppress(ImportError):
        from . import kernels

        kernels.cool_down()
