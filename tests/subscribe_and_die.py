"""A process that follows subscriptions and is killed: forked, with a database of its own."""

from __future__ import annotations

import gc
import os
import signal

from sqlalchemy import event
from sqlalchemy.orm import Session

from cid_server_ext.background.subscriber import Subscriber
from cid_server_ext.db.session import open_database


def look_and_die(url: str, moment: int) -> bool:
    """Look in a process that is killed at its `moment`-th step; return whether it was.

    A step is a flush of rows, or the moment right after a commit.
    """
    gc.collect()  # what a fork would close twice
    child = os.fork()
    if child == 0:
        try:
            _look(url, moment)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _look(url: str, moment: int) -> None:
    sessions = open_database(url)
    left = moment

    def step(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(sessions, "after_flush", step)
    event.listen(sessions, "before_commit", _outermost(step))
    event.listen(sessions, "after_commit", step)
    Subscriber(sessions, lambda: None).look()


def _outermost(step: object) -> object:
    def outermost(session: Session) -> None:
        if not session.in_nested_transaction():
            step()  # type: ignore[operator]

    return outermost
