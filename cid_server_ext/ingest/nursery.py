"""A warm process that forks one child for each foreign file.

Importing the readers costs seconds; here it is done once. The nursery is started with a clean
environment and holds no secret, no database and no open file of the service, so neither does a
child. Its standard input is a socket: each message brings two more, `talk` for the child and
`fate`, by which the nursery tells how the child ended, and whose end ends the child.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import socket
import sys
from contextlib import suppress

from PIL import Image

from . import child


class Nursery:
    """The loop: fork on request, report the dead, end the unwanted."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.children: dict[int, socket.socket] = {}  # pid -> fate
        self.watched: set[socket.socket] = set()
        self.selector = selectors.DefaultSelector()
        self.selector.register(control, selectors.EVENT_READ)
        self.bell, ringer = socket.socketpair()
        self.bell.setblocking(False)
        ringer.setblocking(False)
        self.ringer = ringer
        self.selector.register(self.bell, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the service's to handle
        signal.set_wakeup_fd(ringer.fileno())

    def run(self) -> None:
        """Serve until the service closes its end; then end every child."""
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.control:
                    if not self._fork():
                        for pid in self.children:
                            _kill(pid)
                        return
                elif key.fileobj is self.bell:
                    with suppress(BlockingIOError):
                        self.bell.recv(4096)
                    self._bury()
                else:
                    self._end(key.data)

    def _fork(self) -> bool:
        message, handles, _, _ = socket.recv_fds(self.control, 16, 2)
        if not message or len(handles) != 2:
            return False
        talk, fate = (socket.socket(fileno=handle) for handle in handles)
        pid = os.fork()
        if pid == 0:
            self._become_child(talk, fate)
        talk.close()
        self.children[pid] = fate
        self._watch(fate, pid)
        return True

    def _become_child(self, talk: socket.socket, fate: socket.socket) -> None:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            for other in (self.control, self.bell, self.ringer, fate, *self.children.values()):
                other.close()
            self.selector.close()
            with open(os.devnull, "wb") as nothing:  # a file's own words do not reach the log
                os.dup2(nothing.fileno(), sys.stderr.fileno())
            child.main(talk)
            code = 0
        finally:
            os._exit(code)

    def _bury(self) -> None:
        """Tell the fate of every child that has ended."""
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            fate = self.children.pop(pid)
            if fate in self.watched:
                self._unwatch(fate)
            with suppress(OSError):
                fate.send(json.dumps(os.waitstatus_to_exitcode(status)).encode())
            fate.close()

    def _end(self, pid: int) -> None:
        """The service let go of a child: end it with all that it started."""
        if pid not in self.children:
            return  # the bell rang in the same moment: it is buried
        self._unwatch(self.children[pid])  # its end of the fate stays readable until it is buried
        _kill(pid)

    def _watch(self, fate: socket.socket, pid: int) -> None:
        self.selector.register(fate, selectors.EVENT_READ, data=pid)
        self.watched.add(fate)

    def _unwatch(self, fate: socket.socket) -> None:
        self.selector.unregister(fate)
        self.watched.discard(fate)


def _kill(pid: int) -> None:
    """End a child that is not buried yet, and its session."""
    for kill in (os.kill, os.killpg):
        with suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def main() -> None:
    """Serve the socket that is standard input."""
    control = socket.socket(fileno=os.dup(sys.stdin.fileno()))
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())  # a child must not speak for the service
    Image.preinit()  # what drawing loads late, loaded once
    gc.freeze()  # children share what was imported, and never collect it
    Nursery(control).run()


if __name__ == "__main__":
    main()
