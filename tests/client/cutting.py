"""A proxy that cuts lines: after so many bytes from the client, when it is told, or by chance."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Cutting:
    """What passed from the client to the server, and where the lines are cut."""

    port: int
    cuts: list[int] = field(default_factory=list)  # ascending counts of bytes
    passed: int = 0
    made: int = 0  # cuts
    wall: int = 1 << 62  # from here on nothing passes, and no line is cut
    bad: random.Random | None = None  # pieces of any length come late, and lines are reset
    odds: float = 0.0  # of a reset at a piece, whichever way it goes
    at_wall: threading.Event = field(default_factory=threading.Event)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield what was read as it passes on: at once, or late, in pieces, and not all of it."""
        while data and self.bad is not None:
            with self._turn:
                at, late = self.bad.randrange(1, 65537), self.bad.random() * 0.003
                lost = self.bad.random() < self.odds
                self.made += lost
            time.sleep(late)
            if lost:
                raise ConnectionResetError
            yield data[:at]
            data = data[at:]
        if data:
            yield data

    def let(self, nbytes: int) -> bool:
        """Count bytes; return whether they may pass."""
        with self._turn:
            if self.passed + nbytes > self.wall:
                self.at_wall.set()
                return False
            self.passed += nbytes
            if self.cuts and self.passed >= self.cuts[0]:
                self.cuts.pop(0)
                self.made += 1
                return False
            return True


@contextmanager
def cutting(port: int) -> Iterator[Cutting]:
    """Listen in front of a server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Cutting(listener.getsockname()[1])
        lines: list[socket.socket] = []
        listener.settimeout(0.1)
        ending = threading.Event()

        def accept() -> None:
            while not ending.is_set():
                try:
                    near = listener.accept()[0]
                except TimeoutError:
                    continue
                near.settimeout(None)
                far = socket.create_connection(("127.0.0.1", port))
                lines.extend((near, far))
                threading.Thread(target=forth, args=(near, far), daemon=True).start()
                threading.Thread(target=back, args=(near, far), daemon=True).start()

        def forth(near: socket.socket, far: socket.socket) -> None:
            with suppress(OSError):
                while data := near.recv(65536):
                    if not proxy.let(len(data)):
                        if proxy.at_wall.is_set():
                            ending.wait()
                        break
                    for piece in proxy.pieces(data):
                        far.sendall(piece)
            hang_up(near, far)

        def back(near: socket.socket, far: socket.socket) -> None:
            with suppress(OSError):
                while data := far.recv(65536):
                    for piece in proxy.pieces(data):
                        near.sendall(piece)
            hang_up(near, far)

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield proxy
        finally:
            ending.set()
            accepting.join()
            hang_up(*lines)


def hang_up(*lines: socket.socket) -> None:
    for line in lines:
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
        line.close()
