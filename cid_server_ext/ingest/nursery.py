"""A warm process that forks one child for each foreign file.

Importing the readers costs seconds; here it is done once. The nursery is started with a clean
environment and holds no secret, no database and no open file of the service, so neither does a
child. The handle that each is given is the socket on which it talks.
"""

from __future__ import annotations

import gc
import os
import socket
import sys

from PIL import Image

from ..nursery import Born, Nursery
from . import child


def become(born: Born) -> None:
    """Be a child until nobody talks any more."""
    code = 1
    try:
        with open(os.devnull, "wb") as nothing:  # a file's own words do not reach the log
            os.dup2(nothing.fileno(), sys.stderr.fileno())
        child.main(socket.socket(fileno=born.handles[0]))
        code = 0
    finally:
        os._exit(code)


def main() -> None:
    """Serve the socket that is standard input."""
    control = socket.socket(fileno=os.dup(sys.stdin.fileno()))
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())  # a child must not speak for the service
    Image.preinit()  # what drawing loads late, loaded once
    gc.freeze()  # children share what was imported, and never collect it
    if born := Nursery(control).run():
        become(born)


if __name__ == "__main__":
    main()
