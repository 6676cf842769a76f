"""A body that comes straight from the line into two large buffers in turn, and is copied nowhere.

Tornado takes a body through three copies in new memory, a third of what an upload costs besides its
digests.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from tornado.iostream import IOStream


class Straight:
    """The stream of one request whose length is known: all else is as it was."""

    def __init__(self, stream: IOStream, nbytes: int) -> None:
        self._stream, self._at = stream, 0
        self._buffers = deque(memoryview(bytearray(nbytes)) for _ in range(2))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def turn(self) -> None:
        """Fill the other buffer from now on: what came into it is used, and overwritten."""
        self._buffers.rotate()
        self._at = 0

    def let_go(self) -> None:
        """Give the memory back: what comes yet is wanted by nobody."""
        self._buffers.clear()

    async def read_bytes(self, nbytes: int, partial: bool = True) -> bytes | memoryview:
        """Return at most so many bytes where they came to lie; they stay until the second turn."""
        if not self._buffers:
            return await self._stream.read_bytes(nbytes, partial=True)
        room = self._buffers[0][self._at : self._at + nbytes]
        came = room[: await self._stream.read_into(room, partial=True)]
        self._at += len(came)
        return came
