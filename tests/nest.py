"""Where the tests' services come from: one process with all imports behind it forks each of them.

A service of its own would spend seconds on imports, and there are some forty in a run of the tests.
The hub's tests start the service as a facility does.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path


class Forked:
    """A service that was forked, with what tests use of `subprocess.Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle: int | None = None
        with suppress(ProcessLookupError):  # it may have ended by now
            self._handle = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Return 0 if it has ended, however it did."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float) -> int:
        """Return 0 when it has ended."""
        if self._handle is not None:
            ended = select.poll()
            ended.register(self._handle, select.POLLIN)
            if not ended.poll(timeout * 1000):
                raise subprocess.TimeoutExpired("service", timeout)
            os.close(self._handle)
            self._handle = None
        return 0

    def terminate(self) -> None:
        """Ask it to end."""
        if self._handle is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGTERM)


class Nest:
    """The process that forks; it starts with the first service and ends with the tests."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def fork(self, port: int, environ: dict[str, str], log: Path) -> Forked:
        """Return a service on this port, in this environment."""
        with self._lock:
            if self._process is None:
                self._process = self._start()
            assert self._process.stdin
            assert self._process.stdout
            order = {"port": port, "environ": environ, "log": str(log)}
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return Forked(int(self._process.stdout.readline()))

    def _start(self) -> subprocess.Popen[str]:
        home = tempfile.TemporaryDirectory(prefix="cid-nest-")
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("forking_service.py"))],
            env={"PATH": os.environ["PATH"], "HOME": home.name, "JUPYTER_NO_CONFIG": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

        def end() -> None:
            process.communicate()
            home.cleanup()

        atexit.register(end)
        return process


NEST = Nest()
