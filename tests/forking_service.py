"""Forks catalog services: each is in everything one of its own, but has its imports behind it.

Each line of standard input is one more service: `{"port", "environ", "log"}`; its process id is
the answer.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from typing import Any

import header_service

from cid_server_ext import services
from cid_server_ext.handlers import routes
from cid_server_ext.ingest import openers


def bury(*_: object) -> None:
    """Let go of those that have ended."""
    while True:
        try:
            pid, _status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return


def become(order: dict[str, Any]) -> None:
    """Be the service, until it ends."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(order["environ"])
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for theirs, ours in ((os.open(os.devnull, os.O_RDONLY), 0), (log, 1), (log, 2)):
        os.dup2(theirs, ours)
    sys.argv[1:] = [str(order["port"])]
    header_service.main()


def main() -> None:
    assert services
    assert routes
    assert openers  # what a service's first import would load
    gc.freeze()
    signal.signal(signal.SIGCHLD, bury)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            return become(json.loads(line))
        print(child, flush=True)


if __name__ == "__main__":
    main()
