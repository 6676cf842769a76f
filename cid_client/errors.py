"""Everything that can be refused, by the names the catalog uses, as exceptions.

CidError
├── NotConfigured          no address or no token is known; nothing was asked
├── BadInput 400           the caller can fix the request
│   ├── BadFile 400        this file cannot be read as an image
│   ├── BadParameter 400   a parameter is unknown, missing or ill-typed
│   ├── TooCostly 400      a search that would take too long
│   ├── OtherVersion 412   a version of the upload protocol that is not spoken there
│   ├── WrongType 415      a body of another media type than an address takes
│   └── WrongDigest 460    bytes that are not what was announced
├── NotLoggedIn 401        nobody, or a token that has ended
├── NotAllowed 403         visible, but this action is not permitted
├── NotFound 404           absent, or hidden from this caller: the same answer
│   └── Gone 410           an upload whose time has passed
├── Conflict 409           the state moved on; reload and retry
│   ├── Busy 423           somebody else writes to it at this moment
│   └── BytesChanged 409   a file that stays where it was is not what was registered
├── OverQuota 413          accepting this would exceed the project's allocation
├── TooLarge 413           more bytes than the catalog takes at once
├── TooMany 429            more requests than one person may send
├── Unavailable 503        a part that is needed does not answer; retry later
└── RunFailed              a run ended without its results
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


class CidError(Exception):
    """The root of the tree; `status` is the HTTP status of the refusal, 0 if none was involved."""

    status = 0


class NotConfigured(CidError):
    """No address or no token is known; the message says what to set."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with one field: of a file ("" for all), or in a line of a document."""

    field: str
    message: str
    file: str = ""
    line: int | None = None

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line else ""
        return ": ".join(part for part in (self.file, where, self.field, self.message) if part)


class BadInput(CidError):
    """The caller can fix the request; `fields` says of several what is wrong with each."""

    status = 400

    def __init__(self, message: str = "", fields: Iterable[Wrong] = ()) -> None:
        super().__init__(message)
        self.fields = tuple(fields)


class BadFile(BadInput):
    """This file cannot be read as an image."""


class BadParameter(BadInput):
    """A parameter is unknown, missing or ill-typed."""


class PromiseBroken(BadInput):
    """A run did not write what its template promises."""


class TooCostly(BadInput):
    """A search that would take too long; more words or one project make it quick."""


class OtherVersion(BadInput):
    """A version of the upload protocol that is not spoken there."""

    status = 412


class WrongType(BadInput):
    """A body of another media type than an address takes."""

    status = 415


class WrongDigest(BadInput):
    """Bytes that are not what was announced."""

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
    """An upload whose time has passed: it begins anew."""

    status = 410


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was done: who, what, to what ("image:<uid>"), when (ISO, UTC)."""

    person: str
    action: str
    subject: str = ""
    at: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return f"{self.person}: {self.action}, {self.at[:16].replace('T', ' ')}"


class Conflict(CidError):
    """The state moved on: `refresh()` what you have and try again.

    `changed` says who did what since, newest first, where the catalog knows.
    """

    status = 409
    changed: tuple[Change, ...] = ()


class Busy(Conflict):
    """Somebody else writes to it at this moment."""

    status = 423


class BytesChanged(Conflict):
    """A file that stays where it was is not what was registered: it is not given out."""


class OverQuota(CidError):
    """Accepting this would exceed the project's allocation."""

    status = 413


class TooLarge(CidError):
    """More bytes than the catalog takes at once."""

    status = 413


class TooMany(CidError):
    """More requests than one person may send; there is room again after `retry_after` seconds."""

    status = 429
    retry_after = 1.0


class Unavailable(CidError):
    """A part that is needed does not answer; retry later."""

    status = 503


class RunFailed(CidError):
    """A run ended without its results. `error` is its name, `cell` where it stopped, or None."""

    def __init__(self, message: str, *, error: str = "", cell: int | None = None) -> None:
        super().__init__(message)
        self.error = error
        self.cell = cell


def from_answer(status: int, answer: Any, instead: str) -> CidError:
    """Return the exception an answer stands for: by its name, else by its status.

    `instead` is the message when the answer carries none that is ours.
    """
    told: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {}
    kind = _BY_NAME.get(str(told.get("error"))) or _BY_STATUS.get(status)
    error = (kind or CidError)(one_line(str(told.get("message") or instead)))
    error.status = status
    if isinstance(error, BadInput):
        error.fields = tuple(_wrong(one) for one in told.get("fields") or ())
    if isinstance(error, Conflict):
        error.changed = tuple(_change(one) for one in told.get("changed") or ())
    return error


def from_record(told: Mapping[str, Any]) -> CidError:
    """Return the exception for an error that a record keeps: `{"error": name, "message": ...}`."""
    kind = _BY_NAME.get(str(told.get("error")), CidError)
    return kind(one_line(str(told.get("message") or "failed without a reason")))


def one_line(message: str) -> str:
    """Return the message on one line of at most 500 characters."""
    line = " ".join(message.split())
    return line if len(line) <= 500 else line[:499] + "…"


def _change(told: Mapping[str, Any]) -> Change:
    return Change(**{name: told[name] for name in Change.__dataclass_fields__ if name in told})


def _wrong(told: Mapping[str, Any]) -> Wrong:
    return Wrong(**{name: told[name] for name in Wrong.__dataclass_fields__ if name in told})


def _below(kind: type[CidError]) -> Iterator[type[CidError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


_BY_NAME = {kind.__name__: kind for kind in _below(CidError) if kind.status}
_BY_STATUS = {kind.status: kind for kind in _BY_NAME.values() if kind.__base__ is CidError}
_BY_STATUS |= {502: Unavailable, 504: Unavailable}  # what a proxy says of a service that is down
