"""Kernels that begin at once: forked by a warm nursery where they are Python's own, else started.

A worker calls `warm_up` before it takes runs. From then on Jupyter's own way to a kernel, the
kernel provisioner, is ours unless a kernel names another one.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from ...nursery import pair, told
from .. import environ

NAME = "cid-forked"  # as the package's metadata has it
LAUNCHER = ["-m", "ipykernel_launcher"]
# what the interpreter and its libraries read as they start, before a forked kernel is what it is
EARLY = ("PYTHON", "LD_", "MALLOC_", "LC_", "LANG")
QUIET = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}  # nobody debugs a nursery
BORN_SECONDS = 10.0
ENDING_SECONDS = 2.0
POLL_SECONDS = 0.005


class Warm:
    """The nursery of this process's kernels."""

    def __init__(self) -> None:
        ours, theirs = pair()
        self.environ = environ.inherited(os.environ)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"{__package__}.nursery"],
                stdin=theirs,
                env=self.environ | QUIET,
                start_new_session=True,
                cwd="/",  # whence nobody imports
            )
        self._control = ours
        self._lock = threading.Lock()

    def fork(self, order: Mapping[str, Any], out: int, err: int) -> Forked:
        """Return a kernel with these handles; OSError: there is no nursery any more."""
        ours, theirs = pair()
        ours.settimeout(BORN_SECONDS)
        try:
            with theirs, self._lock:
                handles = [theirs.fileno(), out, err]
                socket.send_fds(self._control, [json.dumps(order).encode()], handles)
            if (pid := told(ours, "pid")) is None:
                raise OSError("the nursery of kernels has ended")
        except OSError:
            ours.close()
            raise
        return Forked(pid, ours)

    def close(self) -> None:
        """End the nursery and its kernels."""
        self._control.close()
        self._process.wait()


class Forked:
    """A process of the nursery's, as jupyter_client wants a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, fate: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._fate = fate

    def fileno(self) -> int:
        """Return what can be read when it has ended."""
        return self._fate.fileno()

    def poll(self) -> int | None:
        """Return its exit code if it has ended; one that nobody tells is that of a kill."""
        return self._ended(0.0)

    def wait(self, timeout: float | None = None) -> int | None:
        """Return its exit code when it has ended, or None when the time is up."""
        return self._ended(timeout)

    def send_signal(self, number: int) -> None:
        """Signal it, if it lives."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            self._fate.settimeout(timeout)
            try:
                code = told(self._fate, "code")
            except (TimeoutError, BlockingIOError):
                return None
            except OSError:
                code = None
            self.returncode = -signal.SIGKILL if code is None else code
            self._fate.close()
        return self.returncode


_warm: list[Warm] = []


def warm_up() -> None:
    """Start the nursery of this process, and have Jupyter ask us for kernels."""
    if not _warm and hasattr(socket, "send_fds"):
        _warm.append(Warm())
        KernelProvisionerFactory.instance().default_provisioner_name = NAME


def cool_down() -> None:
    """End the nursery with its kernels; later ones are started as Jupyter does."""
    while _warm:
        _warm.pop().close()


class ForkedKernel(LocalProvisioner):
    """A kernel on this machine, forked where that gives the same kernel."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:
        """Fork the kernel or, where that is not the same or there is no nursery, start it."""
        forked = self._forked(cmd, **kwargs)
        if forked is None:
            return await super().launch_kernel(cmd, **kwargs)
        self.process, self.pid, self.pgid = forked, forked.pid, forked.pid
        self.cwd = kwargs.get("cwd") or Path.cwd()
        await self._listens()
        return self.connection_info

    async def shutdown_requested(self, restart: bool = False) -> None:
        """Wait for what was asked to end; whoever asked looks ten times a second only."""
        await self._over(ENDING_SECONDS)

    async def wait(self) -> int | None:
        """Return its exit code as soon as it has ended."""
        await self._over(None)
        return await super().wait()

    async def _over(self, seconds: float | None) -> None:
        """Return when it has ended, or the time is up; at once for one that was not forked."""
        if not isinstance(self.process, Forked) or self.process.poll() is not None:
            return
        loop, told = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self.process.fileno(), told.set)
        try:
            await asyncio.wait_for(told.wait(), seconds)
        except TimeoutError:
            pass
        finally:
            loop.remove_reader(self.process.fileno())

    async def _listens(self) -> None:
        """Wait until the kernel listens: who connects before that tries again after a while."""
        told: Mapping[str, Any] = self.connection_info
        ip, last = told["ip"], told["hb_port"]
        give_up = time.monotonic() + BORN_SECONDS
        while await self.poll() is None and time.monotonic() < give_up:
            try:
                if told["transport"] == "ipc":
                    _, writer = await asyncio.open_unix_connection(f"{ip}-{last}")
                else:
                    _, writer = await asyncio.open_connection(ip, last)
            except OSError:
                await asyncio.sleep(POLL_SECONDS)
            else:
                writer.close()
                return

    def _forked(
        self,
        cmd: list[str],
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        stdout: Any = None,
        stderr: Any = None,
        **_: Any,
    ) -> Forked | None:
        environment = dict(os.environ if env is None else env)
        out, err = _handle(stdout, 1), _handle(stderr, 2)
        usual = cmd[0] == sys.executable and cmd[1:3] == LAUNCHER and os.name == "posix"
        if not (_warm and usual and out is not None and err is not None):
            return None
        if _early(environment) != _early(_warm[0].environ):
            return None
        order = {"arguments": cmd[3:], "environ": environment, "folder": str(cwd or Path.cwd())}
        try:
            return _warm[0].fork(order, out, err)
        except OSError:  # it was ended from outside, by a full machine perhaps
            cool_down()
            warm_up()
            return None


def _handle(given: Any, usual: int) -> int | None:
    """Return the handle that is meant; None for a pipe that has yet to be made."""
    if given is None:
        return usual
    handle = given if isinstance(given, int) else given.fileno()
    return handle if handle >= 0 else None


def _early(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(EARLY)}
