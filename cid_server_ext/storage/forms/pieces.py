"""Bytes that are made of parts, each of which can be read at any place without those before it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

PIECE = 1 << 20  # bytes that are given at once
Read = Callable[[int, int], Iterator[bytes]]
Part = tuple[int, Read]  # how many bytes, and what gives those from `start` to `stop`


class Pieces:
    """Parts one after the other."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._reads = [read for nbytes, read in parts if nbytes]
        self._starts = list(accumulate((nbytes for nbytes, _ in parts if nbytes), initial=0))

    @property
    def nbytes(self) -> int:
        """How many bytes all parts have."""
        return self._starts[-1]

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Give these bytes; no part is asked for what is not among them."""
        part, stop = bisect_right(self._starts, start) - 1, min(stop, self.nbytes)
        while start < stop:
            first, last = self._starts[part], min(self._starts[part + 1], stop)
            yield from self._reads[part](start - first, last - first)
            start, part = last, part + 1


def constant(content: bytes) -> Part:
    """Return a part that is known."""

    def read(start: int, stop: int) -> Iterator[bytes]:
        yield content[start:stop]

    return len(content), read


def repeated(count: int, nbytes: int, make: Callable[[int], bytes]) -> Part:
    """Return a part of so many records of one length, each made when it is read."""

    def read(start: int, stop: int) -> Iterator[bytes]:
        while start < stop:
            index, inside = divmod(start, nbytes)
            yield (piece := make(index)[inside : inside + stop - start])
            start += len(piece)

    return count * nbytes, read
