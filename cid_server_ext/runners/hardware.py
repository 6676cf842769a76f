"""Where a run was executed: Python, packages, machine and GPUs, for its provenance."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import distributions
from typing import Any

from .versions import TOLD

GPU_SECONDS = 10


def describe() -> dict[str, Any]:
    """Return Python and platform, every installed package's version, cores, and memory in bytes.

    Also the GPUs with their driver, and where the operator says so the image and its lock.
    """
    image = {
        name: os.environ[variable] for name, variable in TOLD.items() if variable in os.environ
    }
    return {
        **image,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": _cores(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "gpus": gpus(),
        "cid_client": _packages().get("jupyter-cid", "unknown"),
        "packages": _packages(),
    }


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux: those this process may use
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@lru_cache(maxsize=1)
def _packages() -> dict[str, str]:
    found = ((dist.metadata["Name"], dist.version) for dist in distributions())
    return dict(sorted((name.lower(), version) for name, version in found if name))


@lru_cache(maxsize=1)
def gpus() -> list[dict[str, Any]]:
    """Return name, driver and memory of each NVIDIA GPU that this process may use."""
    found = []
    for line in _asked().splitlines():
        with suppress(ValueError):  # a line of another kind
            name, driver, memory = (part.strip() for part in line.split(","))
            found.append({"name": name, "driver": driver, "memory_mib": int(memory)})
    return found


def _asked() -> str:
    command = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total"]
    try:
        done = subprocess.run(
            [*command, "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=GPU_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
