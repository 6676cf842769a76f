"""The conductor of a laptop: a child of the server, started when something is first run.

It uses processes of this machine instead of Dask Gateway; everything else is the same path.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from .services import Settings


class LaptopConductor:
    """Starts the conductor when it is needed and ends it with the server."""

    def __init__(self, settings: Settings, url: str) -> None:
        self._environ = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": os.environ.get("HOME", ""),
            "CID_DATABASE": settings.database,
            "CID_URL": url,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def wake(self) -> None:
        """Make sure that it runs."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "cid_server_ext.runners.conductor"],
                    env=self._environ,
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
