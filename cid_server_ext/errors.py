"""Everything that can be refused, and the HTTP status each refusal has.

CidError 500
├── BadInput 400      the caller can fix the request
│   ├── BadFile 400        this file cannot be read as an image
│   └── BadParameter 400   a parameter is unknown, missing or ill-typed
├── NotLoggedIn 401   nobody, or a token that has ended
├── NotAllowed 403    visible, but this action is not permitted
├── NotFound 404      absent, or hidden from this caller: the same answer
├── Conflict 409      the state moved on; reload and retry
├── OverQuota 413     accepting this would exceed the project's allocation
└── Unavailable 503   a part that is needed does not answer; retry later
"""

from __future__ import annotations


class CidError(Exception):
    """The root of the tree; its message is written for the caller, one line."""

    status = 500

    @property
    def name(self) -> str:
        """The word a client can branch on."""
        return type(self).__name__


class BadInput(CidError):
    """The caller can fix the request."""

    status = 400


class BadFile(BadInput):
    """This file cannot be read as an image."""


class BadParameter(BadInput):
    """A parameter is unknown, missing or ill-typed."""


class NotLoggedIn(CidError):
    """Nobody, or a token that has ended."""

    status = 401


class NotAllowed(CidError):
    """Visible, but this action is not permitted."""

    status = 403


class NotFound(CidError):
    """Absent, or hidden from this caller: the answer is the same."""

    status = 404


class Conflict(CidError):
    """The state moved on; reload and retry."""

    status = 409


class OverQuota(CidError):
    """Accepting this would exceed the project's allocation."""

    status = 413


class Unavailable(CidError):
    """A part that is needed does not answer; retry later."""

    status = 503
