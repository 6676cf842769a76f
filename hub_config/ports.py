"""Which ports are free, and who holds one that is not."""

from __future__ import annotations

import random
import socket

import psutil

from .site import HOST, PORTS, Site


class PortBusy(Exception):
    """A port that is needed is taken; the message says by whom and what to do."""


def require_free(site: Site) -> None:
    """Raise PortBusy for the first port of `site` on which something listens already."""
    for port in site.ports.values():
        if not is_free(port):
            raise PortBusy(
                f"port {port} is in use by {holder(port)}: stop it, or choose another with "
                f"CID_PORT=... ({len(PORTS)} ports from there on are needed)"
            )


def is_free(port: int) -> bool:
    """Tell whether a server could listen on `port` now."""
    with socket.socket() as probe:
        # as servers do: what a closed connection leaves behind for a minute is no obstacle
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Return "pid N (name)" of the process that listens on `port`, as far as we may see it."""
    try:
        for found in psutil.net_connections("tcp"):
            listens = found.status == psutil.CONN_LISTEN
            if listens and getattr(found.laddr, "port", None) == port and found.pid:
                return f"pid {found.pid} ({psutil.Process(found.pid).name()})"
    except psutil.Error:
        pass
    return "a process of another user"


def free_base() -> int:
    """Return a port from which on as many are free as a site needs, below the ephemeral range."""
    for _ in range(200):
        base = random.randrange(20000, 32000)
        if all(is_free(base + offset) for offset in range(len(PORTS))):
            return base
    raise PortBusy("found no six free ports in a row between 20000 and 32000")
