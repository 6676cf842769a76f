"""The names by which conductors know each other and each other's tasks.

A conductor's name tells on which machine to look whether it lives: who shares its process numbers
need not wait for its leases to end before going on with its runs.
"""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

from ..core.queue.claims import Leased


def own() -> str:
    """Return a name that no other conductor has: machine, process numbers, process, random."""
    return f"{_here()}-{os.getpid()}-{secrets.token_hex(4)}"


def dead(name: str, living: str) -> bool:
    """Say whether the conductor `name` is known to live no more, by the one called `living`."""
    here, _, rest = name.rpartition("-")[0].rpartition("-")
    if here != _here() or not rest.isdecimal() or name == living:
        return False
    if int(rest) == os.getpid():
        return True  # this process has its number by now
    return not Path(f"/proc/{rest}").exists()


def task(run: Leased) -> str:
    """Return the key of a run's task, by which another conductor finds it on its cluster."""
    return f"run-{run.uid}-{run.attempt}"


def _here() -> str:
    try:
        space = os.stat("/proc/self/ns/pid").st_ino
    except OSError:  # no /proc: nobody is ever known to be dead
        space = os.getpid()
    return f"{socket.gethostname()[:60]}-{_boot()[:8]}-{space}"


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"
