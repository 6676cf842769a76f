"""A warm process that forks Python kernels: what each would import is imported once.

Nothing of a notebook ever runs here, so a kernel that was forked is one that was started. What is
imported here starts no thread and reads no variable that two runs have different.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sys
import time

from ...nursery import Born, Nursery

MODULES = (
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "IPython.core.completerlib",
    "IPython.extensions.storemagic",
    "tornado.platform.asyncio",
    "tornado.queues",
)


def load() -> dict[str, str]:
    """Import what kernels import as they start; return the variables that this set."""
    before = set(os.environ)
    for name in MODULES:
        importlib.import_module(name)
    return {name: value for name, value in os.environ.items() if name not in before}


def become(born: Born, made: dict[str, str]) -> None:
    """Be the kernel that the order describes, until it ends; its handles are stdout and stderr."""
    from ipykernel.kernelapp import launch_new_instance

    order = json.loads(born.order)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, handle in enumerate(born.handles, 1):
        os.dup2(handle, number)
        os.close(handle)
    os.environ.clear()
    os.environ.update(made | order["environ"])
    time.tzset()
    os.chdir(order["folder"])
    # a kernel ends when its parent does, which is the nursery
    parent = f"--IPKernelApp.parent_handle={os.getppid()}"
    sys.argv = ["ipykernel_launcher", *order["arguments"], parent]
    launch_new_instance()


def main() -> None:
    """Serve the socket that is standard input."""
    control = socket.socket(fileno=os.dup(sys.stdin.fileno()))
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    sys.path.remove("/")  # a kernel's own folder comes first, and is none of the nursery's
    made = load()
    gc.freeze()  # kernels share what was imported, and never collect it
    if born := Nursery(control).run():
        become(born, made)


if __name__ == "__main__":
    main()
