"""What tests let a worker do."""

from __future__ import annotations

import os
import time
from pathlib import Path


def environments() -> list[dict[str, str]]:
    """Return the environment of the worker and, from outside, of its nanny."""
    nanny = Path(f"/proc/{os.getppid()}/environ").read_bytes().decode()
    return [dict(os.environ), dict(line.split("=", 1) for line in nanny.split("\0") if line)]


def hold(folder: str) -> int:
    """Leave a file that says when it began, then wait, seceded as a run is, for a file "go"."""
    from distributed import secede

    secede()
    Path(folder, f"{time.monotonic_ns()}").touch()
    while not Path(folder, "go").exists():
        time.sleep(0.05)
    return os.getpid()
