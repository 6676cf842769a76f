"""A service that is killed and there again within a second, at the same address."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx
from processes import TESTS, free_port, stop, wait_until


class Phoenix:
    """One address, one database, one storage; a process that comes and goes."""

    def __init__(self, folder: Path, database: str) -> None:
        self.port = free_port()
        self.folder = folder
        self.url = f"http://127.0.0.1:{self.port}/services/cid/"
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "CID_STORAGE": str(folder / "storage"),
            "CID_DATABASE": database,
            "CID_RATE": "1000000",
            "CID_BURST": "1000000",
            "JUPYTER_NO_CONFIG": "1",
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        }
        with (folder / "service.log").open("ab") as log:
            self.nest = subprocess.Popen(
                [sys.executable, str(TESTS / "forking_service.py")],
                env=environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self.pid = 0
        self.rise()

    def rise(self) -> None:
        """Start the service and wait until it answers."""
        assert self.nest.stdin
        assert self.nest.stdout
        self.nest.stdin.write(f"{self.port}\n")
        self.nest.stdin.flush()
        self.pid = int(self.nest.stdout.readline())

        def answers() -> bool:
            with suppress(httpx.TransportError):
                headers = {"X-Test-User": '{"name": "anyone"}'}
                return httpx.get(f"{self.url}api/v1/whoami", headers=headers).status_code == 200
            os.kill(self.pid, 0)  # a service that does not start fails the test
            return False

        wait_until(answers, 60, "the service answers")

    def die(self) -> None:
        """Kill it with all that it started, as a power cut would."""
        os.killpg(self.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        with suppress(ProcessLookupError):
            while time.monotonic() < deadline:
                os.kill(self.pid, 0)
                time.sleep(0.01)

    def close(self) -> None:
        """End it for good."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
        wait_until(self._gone, 20, "the service ends")
        assert self.nest.stdin
        assert self.nest.stdout
        self.nest.stdin.close()
        self.nest.stdout.close()
        stop(self.nest)

    def _gone(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        return False
