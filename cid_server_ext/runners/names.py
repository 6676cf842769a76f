"""The name under which a conductor leases runs; it tells on which machine to look whether it lives.

A conductor that is started again does not go on with the clusters of its earlier life: results come
back to the connection that submitted a task, and that ended with the process. But its runs need not
wait for their leases: who shares its process numbers knows that it is dead.
"""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path


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
