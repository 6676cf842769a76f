"""What a laptop's server adds to the catalog: its kernels find it, and it conducts its own runs.

Runs use processes of this machine instead of Dask Gateway; everything else is the same path.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable

from .services import Settings


def show_to_kernels(url: str, token: str) -> None:
    """Let `cid_client.connect()` work in every kernel that this server starts from now on."""
    os.environ["CID_URL"] = url
    if token:
        os.environ["CID_TOKEN"] = token


class LaptopConductor:
    """Starts the conductor when it is needed and ends it with the server.

    `url` is asked for the catalog's address when it starts: the port is known only then.
    """

    def __init__(self, settings: Settings, url: Callable[[], str]) -> None:
        self._database = settings.database
        self._url = url
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def wake(self) -> None:
        """Make sure that it runs."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "cid_server_ext.runners.conductor"],
                    env={
                        "PATH": os.environ.get("PATH", os.defpath),
                        "HOME": os.environ.get("HOME", ""),
                        "CID_DATABASE": self._database,
                        "CID_URL": self._url(),
                    },
                    stdin=subprocess.DEVNULL,
                )

    def close(self) -> None:
        """End it; runs under way go back to the queue."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                self._process.terminate()
                try:
                    self._process.wait(10)
                except subprocess.TimeoutExpired:
                    self._process.kill()
