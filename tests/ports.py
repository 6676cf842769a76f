"""Ports that are ours until this process ends: no other test process of this machine gets them.

They lie below those that the system gives to clients and to whoever asks for port 0, and below
those that `hub_config.ports` chooses from: nobody else takes one before it is listened on.
"""

from __future__ import annotations

import random
import socket
from contextlib import suppress

POOL = range(10_000, 20_000)

_kept: dict[int, socket.socket] = {}


def free_port() -> int:
    """Return a port on loopback on which nothing listens, and that nobody else is given."""
    return free_ports(1)


def free_ports(count: int) -> int:
    """Return the first of `count` such ports in a row."""
    while True:
        first = random.choice(POOL[: 1 - count or None])
        row = range(first, first + count)
        if all(_reserve(port) for port in row) and all(map(_is_free, row)):
            return first


def _reserve(port: int) -> bool:
    """Take the port's name; it is given back when this process ends, however that happens."""
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0cid-tests-port-{port}")
    except OSError:
        name.close()
        return False
    _kept[port] = name
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False
