"""Writes the journal from the database to storage, within seconds of each commit.

Every service process has one; whoever holds the pen writes, the others wait for it. What is on
storage says where to go on, so nothing is lost or written twice, whenever a process dies.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from ..background.rounds import Rounds
from ..core.memory import snapshot
from ..db.session import Sessions, reading, schema_of
from ..errors import CidError, Conflict
from ..storage.journal import Pen, folder_of
from . import entries

log = logging.getLogger("cid.journal")

EVERY = 1.0  # seconds between two looks at the database
LATE = 5.0  # seconds from a commit to its line on disk that are worth a warning
AGAIN = 60.0  # seconds until the same trouble is told again
BATCH = 50  # entries that are flushed to disk at once: one may have hundreds of kB


class OtherHistory(CidError):
    """Storage holds the journal of another database, or of a newer state of this one."""


class Writer(Rounds):
    """Appends what was committed."""

    name, patience = "journal", 30.0

    def __init__(self, sessions: Sessions, storage: Path, every: float = EVERY) -> None:
        super().__init__()
        self._sessions, self._folder, self.every = sessions, folder_of(storage), every
        self._schema = schema_of(sessions)
        self._pen: Pen | None = None
        self._last = 0
        self._told = ("", 0.0)

    def close(self) -> None:
        """Stop, and write what is left."""
        super().close()
        if not self.looking:  # else it still holds the pen, and writes
            self.look()
            self.lay_down()

    def look(self) -> None:
        """Write what was committed since the last look; tell what is in the way."""
        try:
            self.step()
            self._told = ("", 0.0)
        except (OSError, DBAPIError, CidError) as error:
            self._tell(error)
        except Exception:
            log.exception("the journal is not written; trying again")
            self.lay_down()

    def step(self) -> None:
        """Write what was committed since the last look, if this process holds the pen."""
        if self._pen is None and not self._take_up():
            return
        assert self._pen is not None
        waited = 0.0
        with reading(self._sessions) as session:
            fresh = entries.after(session, self._last, self._schema)
            while batch := list(islice(fresh, BATCH)):
                self._pen.add(batch)
                self._last = batch[-1]["id"]
                waited = max(waited, _waited(batch[0]))
        if waited > LATE:
            log.warning("the journal was written %.0f s late", waited)

    def lay_down(self) -> None:
        """Let another process write."""
        if self._pen is not None:
            self._pen.close()
        self._pen = None

    def _take_up(self) -> bool:
        try:
            pen = Pen(self._folder)
        except Conflict:
            return False  # another process writes, and tells what troubles it
        try:
            self._know(pen)
        except BaseException:
            pen.close()
            raise
        self._pen, self._last = pen, pen.last.id if pen.last else 0
        return True

    def _know(self, pen: Pen) -> None:
        """Make sure that what is on storage is the beginning of what is in the database."""
        if pen.last is not None:
            with reading(self._sessions) as session:
                ours = entries.numbered(session, pen.last.id, self._schema)
            if ours is None or not entries.same(ours, pen.last.entry):
                raise OtherHistory(
                    f"{self._folder} goes to entry {pen.last.id}, which this database does not "
                    "have: nothing is written. Rebuild the database from storage, or move this "
                    "folder aside to begin a new journal"
                )
        with self._sessions.begin() as session:
            if snapshot.needed(session, self._schema):
                log.info("a snapshot of %d rows begins the journal", snapshot.take(session))

    def _tell(self, error: Exception) -> None:
        """Say what is wrong, once a minute; the pen is taken up anew."""
        self.lay_down()
        said, now = str(error), time.monotonic()
        if said != self._told[0] or now - self._told[1] > AGAIN:
            log.error("the journal is not written: %s; trying again", said)
            self._told = (said, now)


def _waited(entry: dict[str, Any]) -> float:
    """Return how many seconds ago an entry was made."""
    return (dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(entry["at"])).total_seconds()
