"""Everything that can be refused, and the HTTP status each refusal has.

CidError 500
├── BadInput 400      the caller can fix the request
│   ├── BadFile 400        this file cannot be read as an image
│   ├── BadParameter 400   a parameter is unknown, missing or ill-typed
│   ├── PromiseBroken 400  a run did not write what its template promises
│   ├── TooCostly 400      a search that would take too long; ask for less
│   ├── OtherVersion 412   a version of the upload protocol that is not spoken here
│   ├── WrongType 415      a body of another media type than this address takes
│   └── WrongDigest 460    bytes that are not what was announced
├── NotLoggedIn 401   nobody, or a token that has ended
├── NotAllowed 403    visible, but this action is not permitted
├── NotFound 404      absent, or hidden from this caller: the same answer
│   └── Gone 410           an upload whose time has passed
├── Conflict 409      the state moved on; reload and retry
│   ├── Busy 423           somebody else writes to it at this moment
│   └── BytesChanged 409   a file that stays where it was is not what was registered
├── OverQuota 413     accepting this would exceed the project's allocation
├── TooLarge 413      more bytes than this address takes at once
├── TooMany 429       more requests than one person may send; wait as Retry-After says
└── Unavailable 503   a part that is needed does not answer; retry later
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class CidError(Exception):
    """The root of the tree; its message is written for the caller, one line."""

    status: ClassVar[int] = 500
    retry_after: int | None = None  # seconds

    @property
    def name(self) -> str:
        """The word a client can branch on."""
        return type(self).__name__


class BadInput(CidError):
    """The caller can fix the request. `fields` says of several what is wrong with each."""

    status = 400

    def __init__(self, message: str = "", fields: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message)
        self.fields = fields


class BadFile(BadInput):
    """This file cannot be read as an image."""


class BadParameter(BadInput):
    """A parameter is unknown, missing or ill-typed."""


class PromiseBroken(BadInput):
    """A run did not write what its template promises."""


class TooCostly(BadInput):
    """A search that would take too long; more words or one project make it quick."""


class OtherVersion(BadInput):
    """A version of the upload protocol that is not spoken here."""

    status = 412


class WrongType(BadInput):
    """A body of another media type than this address takes."""

    status = 415


class WrongDigest(BadInput):
    """Bytes that are not what was announced; the protocol of uploads has this status."""

    status = 460


class NotLoggedIn(CidError):
    """Nobody, or a token that has ended."""

    status = 401


class NotAllowed(CidError):
    """Visible, but this action is not permitted."""

    status = 403


class NotFound(CidError):
    """Absent, or hidden from this caller: the answer is the same."""

    status = 404


class Gone(NotFound):
    """An upload whose time has passed: begin it anew."""

    status = 410


class Conflict(CidError):
    """The state moved on; reload and retry. `changed` says what moved, newest first."""

    status = 409

    def __init__(self, message: str, changed: Sequence[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.changed = changed


class Busy(Conflict):
    """Somebody else writes to it at this moment."""

    status = 423


class BytesChanged(Conflict):
    """A file that stays where it was is not what was registered: it is not given out."""


class OverQuota(CidError):
    """Accepting this would exceed the project's allocation."""

    status = 413


class TooLarge(CidError):
    """More bytes than this address takes at once."""

    status = 413


class TooMany(CidError):
    """More requests than one person may send at once."""

    status = 429

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(CidError):
    """A part that is needed does not answer; retry later."""

    status = 503
    retry_after = 2
