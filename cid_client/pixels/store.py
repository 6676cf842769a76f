"""A read-only zarr store over the data plane: byte ranges by a ticket that renews itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from typing import Any

from zarr.abc.store import (
    ByteRequest,
    OffsetByteRequest,
    RangeByteRequest,
    Store,
    SuffixByteRequest,
)
from zarr.core.buffer import Buffer, BufferPrototype

from ..wire.session import Session, below
from ..wire.tickets import Ticket

READERS = 8  # requests under way at once in one process


class TicketStore(Store):
    """The OME-Zarr of one image as zarr sees it.

    Reads run in threads of our own, so any event loop may ask and zarr's codecs keep theirs. A
    pickle holds the catalog's address and the image's path: a Dask worker reconnects as what its
    own environment says it is, and never as the one who pickled.
    """

    supports_writes = False
    supports_deletes = False
    supports_listing = False
    supports_consolidated_metadata = False

    def __init__(self, ticket: Ticket) -> None:
        super().__init__(read_only=True)
        self.ticket = ticket

    async def get(
        self,
        key: str,
        prototype: BufferPrototype,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Return the bytes of a key, or None if it is absent: zarr then takes the fill value."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(_readers(os.getpid()), self._read, key, byte_range)
        return None if found is None else prototype.buffer.from_bytes(found)

    async def get_partial_values(
        self,
        prototype: BufferPrototype,
        key_ranges: Iterable[tuple[str, ByteRequest | None]],
    ) -> list[Buffer | None]:
        """Return several ranges, read at once, in the order asked."""
        asked = [self.get(key, prototype, byte_range) for key, byte_range in key_ranges]
        return list(await asyncio.gather(*asked))

    async def exists(self, key: str) -> bool:
        """Return whether the key is there."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_readers(os.getpid()), self._exists, key)

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse: committed pixels never change."""
        self._check_writable()

    async def delete(self, key: str) -> None:
        """Refuse: committed pixels never change."""
        self._check_writable()

    def list(self) -> AsyncIterator[str]:
        """Refuse: the data plane does not list."""
        raise NotImplementedError("the data plane does not list its keys")

    def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Refuse: the data plane does not list."""
        return self.list()

    def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Refuse: the data plane does not list."""
        return self.list()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TicketStore) and repr(self) == repr(other)

    def __reduce__(self) -> tuple[Any, tuple[Session, str]]:
        return _opened, (self.ticket.session, self.ticket.path)

    def __repr__(self) -> str:
        return f"<TicketStore {self.ticket.session.url} {self.ticket.path}>"

    def _read(self, key: str, byte_range: ByteRequest | None) -> bytes | None:
        asked = None if byte_range is None else _header(byte_range)
        if asked == "":
            return b""
        response = self.ticket.find(below(key), byte_range=asked)
        if response is None:
            return None
        whole = byte_range is not None and response.status_code != 206
        return _cut(response.content, byte_range) if whole else response.content

    def _exists(self, key: str) -> bool:
        return self.ticket.find(below(key), verb="HEAD") is not None


def open_store(session: Session, path: str, record: dict[str, Any] | None = None) -> TicketStore:
    """Return the store of the image that the API has at `path`."""
    return TicketStore(Ticket(session, path, "data", record))


@lru_cache(maxsize=256)
def _opened(session: Session, path: str) -> TicketStore:
    """Return this process's store of an image: its many unpickled copies share one ticket."""
    return open_store(session, path)


@cache
def _readers(pid: int) -> ThreadPoolExecutor:
    """Return this process's readers: a forked child has none of its parent's threads."""
    return ThreadPoolExecutor(READERS, thread_name_prefix=f"cid-read-{pid}")


def _header(asked: ByteRequest) -> str:
    """Return the Range header that asks for it; "" where nothing is asked for."""
    match asked:
        case RangeByteRequest(start=start, end=end):
            return f"bytes={start}-{end - 1}" if end > start else ""
        case OffsetByteRequest(offset=offset):
            return f"bytes={offset}-"
        case SuffixByteRequest(suffix=suffix):
            return f"bytes=-{suffix}" if suffix else ""
    raise NotImplementedError(f"byte range {asked!r}")


def _cut(content: bytes, asked: ByteRequest | None) -> bytes:
    """Return the part asked for of a whole answer: a proxy may have dropped the Range header."""
    match asked:
        case RangeByteRequest(start=start, end=end):
            return content[start:end]
        case OffsetByteRequest(offset=offset):
            return content[offset:]
        case SuffixByteRequest(suffix=suffix):
            return content[-suffix:]
    return content
