"""Measures what a run takes while it runs: time, processor, memory, and how busy GPUs are."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

EVERY = 1.0  # seconds between two looks at the kernel
FIRST = 0.3  # and before the first
KIB = 1024


class Meter:
    """Looks at a kernel and the processes it started; `usage` says what they took.

    Processor time is exact when they have ended; memory is the most of all of them at one look, or
    the most of a single one that was seen at any time, whichever is more.
    """

    def __init__(self) -> None:
        self.memory = 0  # bytes now
        self._peak = 0
        self._cpu = 0.0
        self._started = time.monotonic()
        self._before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self._gpus: Gpus | None = None
        self._client: Any = None

    @contextlib.contextmanager
    def over(self, client: Any) -> Iterator[None]:
        """Measure the kernel of an nbclient client while the block runs."""
        self._client = client
        done = threading.Event()
        thread = threading.Thread(target=self._look_on, args=(done,), daemon=True)
        thread.start()
        with Gpus() as self._gpus:
            try:
                yield
            finally:
                done.set()
                thread.join()

    def usage(self, read: int = 0, written: int = 0, workers: int = 1) -> dict[str, Any]:
        """Return what it took until now, with what is told of the bytes it moved."""
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        ended = now.ru_utime + now.ru_stime - self._before.ru_utime - self._before.ru_stime
        # the kernel is the largest child there ever was, or another was larger
        largest = now.ru_maxrss * KIB if now.ru_maxrss > self._before.ru_maxrss else 0
        return {
            "wall_seconds": round(time.monotonic() - self._started, 3),
            "cpu_seconds": round(max(ended, self._cpu), 3),
            "gpu_seconds": self._gpus and self._gpus.seconds,
            "peak_memory": max(self._peak, largest),
            "bytes_read": read,
            "bytes_written": written,
            "workers": workers,
        }

    def look(self) -> None:
        """Look at the kernel now, if it lives: the last look is due before it is shut down."""
        pid = getattr(getattr(self._client.km, "provisioner", None), "pid", None)
        if pid is None:
            return
        memory, most, cpu = 0, 0, 0.0
        for process in _family(pid):
            with contextlib.suppress(psutil.Error), process.oneshot():
                times = process.cpu_times()
                memory += process.memory_info().rss
                most = max(most, _most_memory(process.pid))
                cpu += times.user + times.system + times.children_user + times.children_system
        self.memory = memory
        self._peak, self._cpu = max(self._peak, memory, most), max(self._cpu, cpu)

    def _look_on(self, done: threading.Event) -> None:
        pause = FIRST
        while not done.wait(pause):
            pause = EVERY
            self.look()


class Gpus:
    """The GPUs that a run may use: seconds in which they were busy, or None without any.

    A GPU that is half busy for a second counts half of it. One that cannot tell counts nothing.
    """

    def __init__(self) -> None:
        self.seconds: float | None = None
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Gpus:
        seen = os.environ.get("CUDA_VISIBLE_DEVICES")
        program = shutil.which("nvidia-smi")
        if program is None or seen in ("", "-1", "NoDevFiles"):
            return self
        command = [program, "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
        which = [f"--id={seen}"] if seen else []
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                [*command, *which, "--loop=1"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                stdin=subprocess.DEVNULL,
                text=True,
            )
            self._thread = threading.Thread(target=self._take, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._thread.join()

    def _take(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if line.strip().isdecimal():
                    self.seconds = round((self.seconds or 0.0) + int(line) / 100, 2)


def _most_memory(pid: int) -> int:
    """Return the most bytes that the process held at any time, or 0 where the system can't tell."""
    with contextlib.suppress(OSError), Path(f"/proc/{pid}/status").open() as lines:
        for line in lines:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * KIB
    return 0


def _family(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        kernel = psutil.Process(pid)
        return [kernel, *kernel.children(recursive=True)]
    return []
