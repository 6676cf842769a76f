"""Reads what is kept again, some of it each night, and tells staff what is not as it came.

A night goes on where the last one ended and begins anew after the last record, so that all is read
in turn; how much a night reads is bounded. What is damaged is in the log as an error and in the
journal as "damage found", for staff and the members of its project. Nothing is repaired.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from sqlalchemy import select

from ..core import journal
from ..core.catalog import references
from ..core.ledger.lines import MARGIN
from ..db import clock
from ..db.session import Sessions, reading
from ..db.tables import Record
from ..storage import inspect
from ..storage.inspect import Fault, Promise
from ..storage.roots import Folder
from .rounds import Rounds
from .turn import Turn

log = logging.getLogger(__name__)

KEY = "state/checked.json"
A_NIGHT = 10**12  # bytes
HELD, RENEWED = 600.0, 60.0  # seconds
BATCH = 50
TOLD = 20  # faults of one record that are told


@dataclass(frozen=True, slots=True)
class Place:
    """How far it has come: the night that is done, the last record read, when this round began."""

    night: str
    after: int = 0
    round_began: str = ""
    rounds: int = 0


class Checker(Rounds):
    """Checks each night; one process does it for all."""

    name, every = "checker", 3600.0

    def __init__(self, sessions: Sessions, root: Folder, a_night: int = A_NIGHT) -> None:
        super().__init__()
        self._sessions, self._root, self._a_night = sessions, root, a_night
        self._turn = Turn(sessions, "check", HELD, RENEWED)

    def start(self) -> Self:
        """Begin; the first night is the next one."""
        return super().start() if self._a_night > 0 else self

    def look(self) -> int:
        """Check what tonight has room for, if nobody has; return how many records were read."""
        night = self._night()
        place = kept(self._root.root)
        if place is None:  # a catalog that has just begun has nothing old
            keep(self._root.root, Place(night, round_began=night))
            return 0
        if place.night >= night or not self._mine():
            return 0
        return self._check(place, night)

    def _check(self, place: Place, night: str) -> int:
        after, nbytes, read, rounds = place.after, 0, 0, place.rounds
        began = place.round_began
        while nbytes < self._a_night and self._mine():
            rows = self._rows(Record.id > after)
            for row in rows:
                if nbytes >= self._a_night or self.stopping.is_set():
                    break
                started = time.monotonic()
                self._read(row)
                after, nbytes, read = row.id, nbytes + row.nbytes, read + 1
                # others want the disk too: it is theirs for as long again
                self.stopping.wait(time.monotonic() - started)
            keep(self._root.root, Place(place.night, after, began, rounds))
            if len(rows) < BATCH and (not rows or after == rows[-1].id):
                after, rounds, began = 0, rounds + 1, night
                break
        if self.stopping.is_set():
            return read
        keep(self._root.root, Place(night, after, began, rounds))
        log.info("checked %s records, %s bytes", read, nbytes)
        return read

    def _read(self, row: Any) -> None:
        if not self._faults(row):
            return
        for now in self._rows(Record.id == row.id):  # it may have been moved or purged meanwhile
            if faults := self._faults(now):
                self._tell(now, faults)

    def _faults(self, row: Any) -> list[Fault]:
        look = inspect.image_faults if row.type == "image" else inspect.file_faults
        promise = Promise(row.prefix, row.name, row.nbytes, row.sha256)
        return list(look(self._root.path(row.prefix), promise, deep=True))

    def _tell(self, row: Any, faults: list[Fault]) -> None:
        for fault in faults[:TOLD]:
            log.error("%s: %s, %s", fault.key, fault.notion, fault.reason)
        told = [{"key": f.key, "notion": f.notion, "reason": f.reason} for f in faults[:TOLD]]
        with self._sessions.begin() as session:
            subject = f"{row.type}:{row.uid}"
            detail = {"faults": told, "number": len(faults)}
            journal.record(
                session, "cid", "damage found", subject, detail, project_id=row.project_id
            )

    def _rows(self, which: Any) -> Sequence[Any]:
        columns = (Record.id, Record.uid, Record.type, Record.project_id, Record.prefix)
        chosen = select(*columns, Record.name, Record.nbytes, Record.sha256)
        here = (Record.purged_at.is_(None), Record.tier == "online", references.ours())
        found = chosen.where(which, *here).order_by(Record.id).limit(BATCH)
        with reading(self._sessions) as session:
            return session.execute(found).all()

    def _night(self) -> str:
        with reading(self._sessions) as session:
            return (clock.now(session) - MARGIN).date().isoformat()

    def _mine(self) -> bool:
        return not self.stopping.is_set() and self._turn.mine()


def kept(root: Path) -> Place | None:
    """Return how far the checking of this storage has come; None: it has not begun."""
    try:
        return Place(**json.loads((root / KEY).read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def keep(root: Path, place: Place) -> None:
    """Remember how far it has come, whole or not at all."""
    path = root / KEY
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(asdict(place)), encoding="utf-8")
    os.replace(beside, path)
