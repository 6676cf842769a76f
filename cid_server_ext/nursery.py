"""The loop of a warm process that forks children, which have its imports behind them.

Its control is a socket of datagrams. Each order brings handles: `fate`, by which the nursery tells
{"pid"} and, in the end, {"code"}, and whose end ends the child with its session; and the child's
own. The nursery ends, and all children with it, when whoever started it closes the control.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass

MESSAGE = 128 << 10  # bytes of an order; a datagram is all or nothing
HANDLES = 4  # of an order, at most


@dataclass(frozen=True, slots=True)
class Born:
    """What a child is told: the order, and its own handles. It is the leader of a session."""

    order: bytes
    handles: list[int]


class Nursery:
    """Fork on order, report the dead, end the unwanted."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.children: dict[int, socket.socket] = {}  # pid -> fate
        self.watched: set[socket.socket] = set()
        self.selector = selectors.DefaultSelector()
        self.selector.register(control, selectors.EVENT_READ)
        self.bell, self.ringer = socket.socketpair()
        self.bell.setblocking(False)
        self.ringer.setblocking(False)
        self.selector.register(self.bell, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started it to handle
        signal.set_wakeup_fd(self.ringer.fileno())

    def run(self) -> Born | None:
        """Serve until the control is closed and return None; in a child, return what it is told."""
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.control:
                    order, handles, _, _ = socket.recv_fds(self.control, MESSAGE, HANDLES)
                    if not order or not handles:
                        return self._end_all()
                    if born := self._fork(order, handles):
                        return born
                elif key.fileobj is self.bell:
                    with suppress(BlockingIOError):
                        self.bell.recv(4096)
                    self._bury()
                else:
                    self._end(key.data)

    def _fork(self, order: bytes, handles: list[int]) -> Born | None:
        fate = socket.socket(fileno=handles[0])
        pid = os.fork()
        if pid == 0:
            self._leave(fate)
            return Born(order, handles[1:])
        for handle in handles[1:]:
            os.close(handle)
        self.children[pid] = fate
        self._watch(fate, pid)
        _tell(fate, pid=pid)
        return None

    def _leave(self, fate: socket.socket) -> None:
        """Let go of what is the nursery's, in a child."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        for other in (self.control, self.bell, self.ringer, fate, *self.children.values()):
            other.close()
        self.selector.close()

    def _bury(self) -> None:
        """Tell the fate of every child that has ended."""
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            fate = self.children.pop(pid)
            if fate in self.watched:
                self._unwatch(fate)
            _tell(fate, code=os.waitstatus_to_exitcode(status))
            fate.close()

    def _end(self, pid: int) -> None:
        """Somebody let go of a child: end it with all that it started."""
        if pid not in self.children:
            return  # the bell rang in the same moment: it is buried
        self._unwatch(self.children[pid])  # its end of the fate stays readable until it is buried
        _kill(pid)

    def _end_all(self) -> None:
        for pid in self.children:
            _kill(pid)

    def _watch(self, fate: socket.socket, pid: int) -> None:
        self.selector.register(fate, selectors.EVENT_READ, data=pid)
        self.watched.add(fate)

    def _unwatch(self, fate: socket.socket) -> None:
        self.selector.unregister(fate)
        self.watched.discard(fate)


def pair() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a control or a fate."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def told(fate: socket.socket, name: str) -> int | None:
    """Return the next word of that name which the nursery told; None when there will be none.

    Raises TimeoutError and BlockingIOError as the socket is set.
    """
    while data := fate.recv(64):
        words: dict[str, int] = json.loads(data)
        if name in words:
            return words[name]
    return None


def _tell(fate: socket.socket, **words: int) -> None:
    with suppress(OSError):  # nobody listens any more
        fate.send(json.dumps(words).encode())


def _kill(pid: int) -> None:
    """End a child that is not buried yet, and its session."""
    for kill in (os.kill, os.killpg):
        with suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)
