"""The service's end of the nursery: start a child, hear it, learn how it ended."""

from __future__ import annotations

import atexit
import functools
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..errors import Unavailable
from ..nursery import pair, told
from . import sandbox
from .limits import Limits

log = logging.getLogger(__name__)

MESSAGE = 128 << 10
# All that readers need. One thread until a child starts its own, and allocators that do not reserve
# address space they may never use: the limit on it would end honest files. What was freed is kept
# for the next block: pages that are new again and again cost a tenth of a conversion.
CLEAN = {
    "PATH": "/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/nonexistent",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "MALLOC_TOP_PAD_": str(64 << 20),
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "PYTHONDONTWRITEBYTECODE": "1",
}
SETTINGS = ("CID_BIOFORMATS_JAR", "CID_BIOFORMATS_JVM", "JAVA_HOME")  # of readers, passed on


@dataclass
class _Server:
    """The one nursery of this process."""

    process: subprocess.Popen[bytes] | None = None
    control: socket.socket | None = None
    environ: Mapping[str, str] | None = None


_server = _Server()
_lock = threading.Lock()


def warm_up(environ: Mapping[str, str] | None = None) -> None:
    """Start the nursery, so that the first import does not wait for its readers to load.

    environ: all that the nursery and its children will have as environment; by default a few
    neutral settings, and those of readers. Nothing else of this process's own ever reaches them.
    """
    with _lock:
        if environ is not None and environ != _server.environ:
            _stop()
            _server.environ = dict(environ)
        _ensure()


def cool_down() -> None:
    """End the nursery and its children; the next import starts another."""
    with _lock:
        _stop()


class Child:
    """One limited child that does jobs. Close it, and it is gone."""

    def __init__(self, limits: Limits) -> None:
        ours, theirs = zip(*(pair(), pair()), strict=True)
        self.heard = 0  # bytes
        self.fate, self.talk = ours
        try:
            with _lock:
                _send(theirs)
            self.talk.send(json.dumps(bounds(limits)).encode())
        except OSError as error:
            self.close()
            raise Unavailable("the import helper has ended: try again") from error
        finally:
            for end in theirs:
                end.close()

    def give(self, job: dict[str, Any]) -> None:
        """Give it a job; it is done when it says so."""
        with suppress(ConnectionError):  # it may have died: `hear` will tell
            self.talk.send(json.dumps(job).encode())

    def hear(self, seconds: float) -> dict[str, Any] | None:
        """Return the next message, {} when nothing came for `seconds`, None when it has ended.

        ValueError: what it sent is no message of ours. Its words are data, never code.
        """
        self.talk.settimeout(seconds)
        try:
            data = self.talk.recv(MESSAGE)
        except TimeoutError:
            return {}
        except ConnectionError:
            return None
        if not data:
            return None
        self.heard += len(data)
        message = json.loads(data)
        if not isinstance(message, dict):
            raise ValueError("not a message")
        return message

    def go(self) -> None:
        """Let it write."""
        with suppress(ConnectionError):  # it may have died: `hear` will tell
            self.talk.send(b'"go"')

    def ended(self, seconds: float = 10.0) -> int | None:
        """Return its exit code, negative for a signal; None when nobody can tell."""
        self.fate.settimeout(seconds)
        try:
            return told(self.fate, "code")
        except OSError:
            return None

    def close(self) -> None:
        """Let go of it: it is killed if it still runs, and gone when this returns."""
        self.talk.close()
        with suppress(OSError):
            self.fate.shutdown(socket.SHUT_WR)  # the nursery reads the end, and ends the child
        self.ended()
        self.fate.close()


def bounds(limits: Limits) -> dict[str, Any]:
    """Return the message that binds a child."""
    return {name: getattr(limits, name) for name in Limits.__slots__}


def _environ() -> dict[str, str]:
    return CLEAN | {name: os.environ[name] for name in SETTINGS if name in os.environ}


def _send(ends: tuple[socket.socket, ...]) -> None:
    handles = [end.fileno() for end in ends]
    try:
        socket.send_fds(_ensure(), [b"child"], handles)
    except OSError:  # it was ended from outside, by a full machine perhaps: start another
        _stop()
        socket.send_fds(_ensure(), [b"child"], handles)


def _ensure() -> socket.socket:
    if _server.process is None or _server.process.poll() is not None or _server.control is None:
        _stop()
        ours, theirs = pair()
        with theirs:
            _server.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "cid_server_ext.ingest.nursery"],
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                env=dict(_server.environ or _environ()),
                start_new_session=True,
                cwd="/",
            )
        _server.control = ours
        _say_what_is_missing()
    return _server.control


@functools.cache
def _say_what_is_missing() -> None:
    if lacks := sandbox.missing():
        log.warning("what reads foreign files is not kept from %s", lacks)


def _stop() -> None:
    if _server.control is not None:
        _server.control.close()
    if _server.process is not None:
        try:
            _server.process.wait(5)
        except subprocess.TimeoutExpired:
            _server.process.kill()
            _server.process.wait()
    _server.process = _server.control = None


atexit.register(cool_down)
