"""What the framework and the database raise, said with the names of our own errors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DataError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from tornado import web

from ..db.session import overdue
from ..errors import (
    BadInput,
    CidError,
    Conflict,
    NotAllowed,
    NotFound,
    NotLoggedIn,
    TooCostly,
    TooLarge,
    Unavailable,
)

log = logging.getLogger(__name__)

T = TypeVar("T")
TRIES = 4  # of a transaction that the database ends for another's sake

BY_STATUS: dict[int, type[CidError]] = {
    400: BadInput,
    401: NotLoggedIn,
    403: NotAllowed,
    404: NotFound,
    405: NotAllowed,
    413: TooLarge,
    503: Unavailable,
}
# PostgreSQL: serialization failure, deadlock; what is tried again from the start succeeds
GAVE_WAY = {"40001", "40P01"}
FULL = {"53100", "SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"}
# unique and foreign keys: somebody else made, or removed, the same a moment ago
RACED = {
    "23505",
    "23503",
    "SQLITE_CONSTRAINT_UNIQUE",
    "SQLITE_CONSTRAINT_PRIMARYKEY",
    "SQLITE_CONSTRAINT_FOREIGNKEY",
}


def of_framework(error: web.HTTPError) -> CidError:
    """Return what jupyter-server or the hub refused before our own code was asked."""
    if error.status_code >= 500:
        log.warning("the hub: %s", error.status_code)
        return Unavailable("the hub does not say who you are: try again in a moment")
    if error.status_code == 404:  # jupyter-server's word for a page of another origin
        return NotAllowed("a page of another origin may not ask with your cookie")
    return BY_STATUS.get(error.status_code, BadInput)(said(error))


def said(error: web.HTTPError) -> str:
    """Return the message of an HTTPError, which tornado keeps as a format."""
    message = str(error.log_message or error.reason or "refused")
    return message % error.args if error.args else message.replace("%%", "%")


def named(work: Callable[[], T]) -> T:
    """Return what `work`, a whole transaction, returns; its errors have names of ours.

    It is done again when the database ended it for another's sake.
    """
    for left in reversed(range(TRIES)):
        try:
            return work()
        except SQLAlchemyError as error:
            if left and _gave_way(error):
                continue
            refusal = of_database(error)
            if refusal is None:
                raise
            raise refusal from error
    raise AssertionError("not reached")


def of_database(error: Exception) -> CidError | None:
    """Return what a database's error is to the caller; None for a defect of ours."""
    if overdue(error):
        return TooCostly("this search takes too long: add a word, or look in one project")
    if isinstance(error, DataError):
        log.warning("database: %s", type(error.orig).__name__)
        return BadInput("a value is longer or larger than the catalog can keep")
    if isinstance(error, StaleDataError) or _raced(error):
        return Conflict("somebody else changed the same at the same moment: reload and retry")
    if _full(error):
        log.error("database: its disk is full")
        return Unavailable("the database's disk is full: tell staff; what is there can be read")
    if isinstance(error, OperationalError | PoolTimeout):
        log.warning("database: %s", type(error).__name__)
        return Unavailable("the database is busy: try again in a moment")
    return None


def _gave_way(error: Exception) -> bool:
    """Return whether the database ended this transaction for another's sake."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) in GAVE_WAY


def _full(error: Exception) -> bool:
    told = getattr(error, "orig", None)
    known = getattr(told, "sqlstate", None) or getattr(told, "sqlite_errorname", None)
    return known in FULL


def _raced(error: Exception) -> bool:
    if not isinstance(error, IntegrityError):
        return False
    told = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)
    return told in RACED
