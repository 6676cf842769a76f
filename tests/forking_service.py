"""Starts the catalog service again and again, in a process that has all imports behind it.

Each line of standard input is the port of one more service; its process id is the answer. What is
forked opens database and storage itself and is in everything a service of its own.
"""

from __future__ import annotations

import os
import signal
import sys

import header_service

from cid_server_ext import services
from cid_server_ext.handlers import routes


def main() -> None:
    assert services
    assert routes
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that are killed
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.setsid()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(2, 1)
            sys.argv[1:] = [line.strip()]
            try:
                header_service.main(warm=False)
            finally:
                os._exit(1)
        print(child, flush=True)


if __name__ == "__main__":
    main()
