"""Tickets: short signed rights to read, or to write, below one prefix. No query is needed."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import math
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Literal

from ..errors import NotLoggedIn
from .inplace import Place

LONGEST = 60  # seconds a ticket may be asked for
DOWNLOADING = 8 * 3600  # seconds for one that opens a batch download: < revoked.KEPT
STAGING = "staging/"  # the only place that a ticket opens for writing
STEP = 30  # expiry is rounded up to this, so that one URL stays good for the browser's cache


@dataclass(frozen=True, slots=True)
class Right:
    """What a ticket opens: reading below `prefix`, or writing at most `limit` bytes below it.

    Mode "d" opens the batch download that is listed at `prefix`.

    `who` names the person or run it was given to and `since` the last revocation that its signer
    knew of, for `storage.revoked`. Nothing but staging is ever opened for writing. `place`: bytes
    of the record at `prefix` lie there, in a tree of the operator's, and are read only.
    """

    prefix: str
    mode: Literal["r", "w", "d"]
    limit: int = 0
    who: str = ""
    since: int = 0
    place: Place | None = None

    def __post_init__(self) -> None:
        if self.mode == "w" and not self.prefix.startswith(STAGING):
            raise ValueError(f"{self.prefix!r} is never written: what is kept stays as it came")


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with the first key, verifies with all of them: keys rotate without a cut."""

    keys: tuple[bytes, ...]
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        if not self.keys or min(map(len, self.keys)) < 16:
            raise ValueError("a signer needs keys of at least 16 bytes")

    def sign(self, right: Right, seconds: int = LONGEST, until: float = math.inf) -> str:
        """Return a URL-safe ticket that lives `seconds` (60 at most), and up to 30 s more.

        It ends at `until`, in seconds since 1970, if that comes sooner. One for a download may
        live longer.
        """
        longest = DOWNLOADING if right.mode == "d" else LONGEST
        if not 0 < seconds <= longest:
            raise ValueError(f"a ticket lives 1 to {longest} s")
        ends = min(math.ceil((self.clock() + seconds) / STEP) * STEP, until)
        said = [right.prefix, right.mode, right.limit, ends, right.who, right.since]
        if right.mode == "w" and until < math.inf:
            said.append(until)  # an upload may outlive its ticket, but not the right to bring one
        if right.place is not None:
            said.append(astuple(right.place))
        body = json.dumps(said, separators=(",", ":"))
        packed = _pack(body.encode())
        return f"{packed}.{_pack(self._seal(self.keys[0], packed))}"

    def verify(self, ticket: str, late: float = 0) -> Right:
        """Return the right of a ticket that is ours and has not ended, or raise NotLoggedIn.

        `late`: it may have ended, at most so many seconds ago, while its holder's right lasts.
        """
        packed, _, seal = ticket.partition(".")
        try:
            shown = _unpack(seal)
            ours = [hmac.compare_digest(self._seal(key, packed), shown) for key in self.keys]
            if not any(ours):  # all keys are tried, in the same time whichever fits
                raise NotLoggedIn("this link was not signed here: ask the catalog for a new one")
            prefix, mode, limit, ends, who, since, *more = json.loads(_unpack(packed))
            place = Place(*more[-1]) if more and isinstance(more[-1], list) else None
            until = [one for one in more if isinstance(one, int | float)]
            right = Right(prefix, mode, limit, who, since, place)
        except (binascii.Error, UnicodeError, ValueError):
            raise NotLoggedIn("this link is damaged: ask the catalog for a new one") from None
        if self.clock() >= min([ends + late, *until]):
            raise NotLoggedIn("this link has ended: ask the catalog for a new one")
        return right

    @staticmethod
    def ends(ticket: str) -> float:
        """Return when a ticket that was just signed ends, in seconds since 1970."""
        return float(json.loads(_unpack(ticket.partition(".")[0]))[3])

    @staticmethod
    def _seal(key: bytes, packed: str) -> bytes:
        return hmac.digest(key, b"cid ticket 2:" + packed.encode(), "sha256")


def _pack(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unpack(text: str) -> bytes:
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _pack(data) != text:  # one right, one ticket: no second spelling of the same bytes
        raise ValueError("not canonical")
    return data
