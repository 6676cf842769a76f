"""Client, scheduler and worker of a batch are of one environment, or nothing of it starts.

What is compared are the packages that talk to each other, and Python itself: what differs in them
breaks in the middle of a run, or, worse, does not.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

NAMES = ("dask", "distributed", "cloudpickle", "msgpack", "tornado")
TOLD = {"lock": "CID_LOCK", "image": "CID_IMAGE"}  # what the operator says of a worker's image


class EnvironmentDiffers(Exception):
    """Two parts of a batch, or a worker and its template, are not of one environment."""


@lru_cache(maxsize=1)
def mine() -> dict[str, str]:
    """Return the versions of this process: Python's first two numbers, and of NAMES all."""
    return {"python": ".".join(platform.python_version_tuple()[:2]), **dict(map(_of, NAMES))}


def of_host(told: Mapping[str, Any]) -> dict[str, str]:
    """Return the same from what `distributed` says of a host."""
    packages = {name: str(found) for name, found in dict(told["packages"]).items()}
    python = ".".join(packages.get("python", "").split(".")[:2])
    return {"python": python, **{name: packages.get(name, "none") for name in NAMES}}


def require(who: str, theirs: Mapping[str, str], expected: Mapping[str, str]) -> None:
    """Raise EnvironmentDiffers, in one line, unless `who` has what is expected."""
    differing = [
        f"{name} {theirs.get(name) or 'none'} instead of {wanted}"
        for name, wanted in expected.items()
        if theirs.get(name) != wanted
    ]
    if differing:
        raise EnvironmentDiffers(
            f"the {who} has {', '.join(differing)}: tell staff, it must be of the same release"
        )


def require_declared(declared: Mapping[str, str], kernels: Mapping[str, Any]) -> None:
    """Raise EnvironmentDiffers unless this worker is what a template declares.

    A lock or an image is compared where the operator says which this worker has.
    """
    kernel = declared.get("kernel") or "python3"
    if kernel not in kernels:
        known = ", ".join(sorted(kernels)) or "none"
        raise EnvironmentDiffers(f"the worker has no kernel {kernel!r}; it has {known}")
    for name, variable in TOLD.items():
        wanted, has = declared.get(name) or "", os.environ.get(variable) or ""
        if wanted and has and wanted != has:
            raise EnvironmentDiffers(
                f"the worker's {name} is {has}, the template was published for {wanted}:"
                " run it where that is, or publish a version for this one"
            )


def _of(name: str) -> tuple[str, str]:
    try:
        return name, version(name)
    except PackageNotFoundError:
        return name, "none"
