"""A service that is killed and there again within a second, at the same address."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from processes import Service, start_service, stop


class Phoenix:
    """One address, one database, one storage; a process that comes and goes."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder, self._settings = folder, settings
        self._service = start_service(folder, **settings)
        self._port = int(self._service.origin.rpartition(":")[2])
        self.url = self._service.url

    @property
    def service(self) -> Service:
        """The service as it is now; what is asked of it goes to the same address later too."""
        return self._service

    def rise(self) -> None:
        """Start the service and wait until it answers."""
        self._service = start_service(self._folder, self._port, **self._settings)

    def die(self) -> None:
        """Kill it with all that it started, as a power cut would."""
        os.killpg(self._service.process.pid, signal.SIGKILL)
        self._service.process.wait(60)

    def close(self) -> None:
        """End it for good."""
        stop(self._service.process)
