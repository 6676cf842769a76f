"""Where a run was executed: Python, packages and machine, for its provenance."""

from __future__ import annotations

import os
import platform
from functools import lru_cache
from importlib.metadata import distributions
from typing import Any


def describe() -> dict[str, Any]:
    """Return Python and platform, every installed package's version, cores, and memory in bytes."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": _cores(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
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
