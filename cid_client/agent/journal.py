"""What became of each acquisition, in a SQLite file of the state folder: it outlives any kill.

    seen → growing → complete → hashed → uploading → verified
           quarantined: it goes nowhere yet, and why      failed: why, and when it is tried again

A row is one path in one state of its bytes: what changes after it was verified is a row of its own.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import NotFound
from .rules import Goal
from .units import Unit

STATES = (
    *("seen", "growing", "complete", "hashed", "uploading"),
    *("verified", "quarantined", "failed"),
)
KEPT = ("uploading", "verified")  # whatever becomes of the file
WORK = ("uploading", "hashed", "complete", "failed")
SAME = (  # the same bytes are on their way by another name
    "SELECT 1 FROM unit o WHERE o.sha256 = unit.sha256 AND o.id <> unit.id"
    " AND o.state = 'uploading'"
)
SCHEMA = """
CREATE TABLE IF NOT EXISTS unit (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL, folder TEXT NOT NULL, watch TEXT NOT NULL,
    nbytes INTEGER NOT NULL, mtime INTEGER NOT NULL, count INTEGER NOT NULL,
    signature TEXT NOT NULL, sha256 TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
    since REAL NOT NULL, changed REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, next_try REAL NOT NULL DEFAULT 0,
    goal TEXT NOT NULL DEFAULT '', deposit TEXT NOT NULL DEFAULT '',
    became TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS unit_folder ON unit (folder);
CREATE INDEX IF NOT EXISTS unit_state ON unit (state, next_try);
CREATE INDEX IF NOT EXISTS unit_sha256 ON unit (sha256);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one path in one state of its bytes; became: what it is in the catalog."""

    id: int
    path: str
    folder: str
    watch: str
    nbytes: int
    mtime: int
    count: int
    signature: str
    sha256: str
    state: str
    reason: str
    since: float
    changed: float
    tries: int
    next_try: float
    goal: str
    deposit: str
    became: str

    def where(self) -> Goal:
        """Return where it goes."""
        return Goal(**json.loads(self.goal))


class Journal:
    """The rows; threads share it, and each call is one transaction unless `together`."""

    def __init__(self, file: Path, *, read_only: bool = False) -> None:
        if read_only:
            where = f"{file.resolve().as_uri()}?mode=ro"
            self._db = sqlite3.connect(where, uri=True, check_same_thread=False, timeout=30)
            if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'fact'").fetchall():
                self._db.close()
                raise NotFound(f"{file} is empty: the agent is just beginning")
        else:
            self._db = sqlite3.connect(file, check_same_thread=False, timeout=30)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")  # a power cut forgets no deposit
            self._db.executescript(f"BEGIN IMMEDIATE;{SCHEMA}COMMIT;")
        self._db.isolation_level = None
        self._turn = threading.RLock()
        if not read_only:
            with self.together():
                self._do("INSERT OR IGNORE INTO fact VALUES ('name', ?)", secrets.token_hex(16))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make several changes one transaction."""
        with self._turn:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def of_folder(self, folder: Path) -> dict[str, Row]:
        """Return the newest row of each path in a folder."""
        rows = self._rows("SELECT * FROM unit WHERE folder = ? ORDER BY id", str(folder))
        return {row.path: row for row in rows}

    def see(self, unit: Unit, known: Row | None, now: float) -> Row:
        """Return the row of a unit as it is now, a new one where what is known must stay."""
        if known is not None and known.signature == unit.signature:
            return known
        is_ = (unit.nbytes, unit.mtime, unit.count, unit.signature, now, now)
        with self.together():
            if known is None or known.state in KEPT:
                place = (str(unit.path), str(unit.path.parent), str(unit.watch.folder))
                row_id = self._do(
                    "INSERT INTO unit (nbytes, mtime, count, signature, since, changed, state,"
                    " path, folder, watch) VALUES (?, ?, ?, ?, ?, ?, 'seen', ?, ?, ?)",
                    *(*is_, *place),
                ).lastrowid
            else:
                row_id = known.id
                self._do(
                    "UPDATE unit SET nbytes = ?, mtime = ?, count = ?, signature = ?, since = ?,"
                    " changed = ?, state = 'growing', reason = '', sha256 = '', tries = 0,"
                    " next_try = 0 WHERE id = ? AND state NOT IN ('uploading', 'verified')",
                    *(*is_, row_id),
                )
            return next(self._rows("SELECT * FROM unit WHERE id = ?", row_id))

    def move(
        self, row: Row, state: str, now: float, *, frm: Collection[str] = (), **to: Any
    ) -> bool:
        """Give a row a state, if it is in one of `frm` (that of `row`); return whether it was."""
        changes = {"state": state, "changed": now, "reason": "", **to}
        named = ", ".join(f"{key} = ?" for key in changes)
        before = tuple(frm) or (row.state,)
        marks = ", ".join("?" * len(before))
        statement = f"UPDATE unit SET {named} WHERE id = ? AND state IN ({marks})"
        with self.together():
            return self._do(statement, *changes.values(), row.id, *before).rowcount == 1

    def begin(self, row: Row, now: float) -> bool:
        """Let a row be uploaded, unless the same bytes are on their way already."""
        with self.together():
            return (
                self._do(
                    "UPDATE unit SET state = 'uploading', reason = '', changed = ? WHERE id = ? AND"
                    f" state IN ('hashed', 'uploading') AND NOT EXISTS ({SAME})",
                    *(now, row.id),
                ).rowcount
                == 1
            )

    def put_off(self, row: Row, until: float, reason: str) -> None:
        """Try a row again later, as it is."""
        with self.together():
            self._do(
                "UPDATE unit SET next_try = ?, reason = ?, tries = tries + 1 WHERE id = ?",
                *(until, reason, row.id),
            )

    def due(self, now: float, busy: Collection[int]) -> Row | None:
        """Return what to work on next: what was begun first, then the oldest; nothing of `busy`."""
        marks = ", ".join("?" * len(busy))
        states = ", ".join("?" * len(WORK))
        found = self._rows(
            f"SELECT * FROM unit WHERE state IN ({states}) AND next_try <= ? AND goal <> ''"
            f" AND id NOT IN ({marks})"
            f" AND NOT (state = 'hashed' AND EXISTS ({SAME}))"
            " ORDER BY state <> 'uploading', tries, since, id LIMIT 1",
            *(*WORK, now, *busy),
        )
        return next(found, None)

    def leave(self, row: Row) -> None:
        """Forget what is no longer on disk and never was on its way."""
        with self.together():
            self._do("DELETE FROM unit WHERE id = ? AND state NOT IN (?, ?)", row.id, *KEPT)

    def tidy(self, row: Row) -> None:
        """Forget a row that did not go in, when its path has a newer one."""
        newer = "SELECT 1 FROM unit o WHERE o.path = ? AND o.id > ?"
        with self.together():
            self._do(
                f"DELETE FROM unit WHERE id = ? AND state NOT IN (?, ?) AND EXISTS ({newer})",
                *(row.id, *KEPT, row.path, row.id),
            )

    def folders(self, watch: Path) -> list[str]:
        """Return the folders below a watched one where something lies that is not done yet."""
        asked = "SELECT DISTINCT folder FROM unit WHERE watch = ? AND state NOT IN (?, ?)"
        with self._turn:
            return [one for (one,) in self._db.execute(asked, (str(watch), *KEPT))]

    def counts(self) -> dict[str, tuple[int, int]]:
        """Return how many rows are in each state, and their bytes."""
        asked = "SELECT state, COUNT(*), SUM(nbytes) FROM unit GROUP BY state"
        with self._turn:
            found = {state: (n, size) for state, n, size in self._db.execute(asked)}
        return {state: found.get(state, (0, 0)) for state in STATES}

    def latest(self, *states: str, limit: int = 100) -> list[Row]:
        """Return rows of these states, those that changed last first."""
        marks = ", ".join("?" * len(states))
        asked = (
            f"SELECT * FROM unit WHERE state IN ({marks}) ORDER BY changed DESC, id DESC LIMIT ?"
        )
        return list(self._rows(asked, *states, limit))

    def noted(self, limit: int = 100) -> list[Row]:
        """Return rows of which something is to be said though all is well, newest first."""
        asked = (
            "SELECT * FROM unit WHERE state IN ('verified', 'uploading', 'hashed', 'complete')"
            " AND reason <> '' ORDER BY id DESC LIMIT ?"
        )
        return list(self._rows(asked, limit))

    def tell(self, name: str, value: str) -> None:
        """Keep one fact about the agent."""
        with self.together():
            self._do("INSERT OR REPLACE INTO fact VALUES (?, ?)", name, value)

    def key(self, row: Row) -> str:
        """Return what a row's deposit is opened with: the same while row and goal are the same."""
        told = "\0".join((self.facts()["name"], str(row.id), row.sha256, row.goal))
        return hashlib.sha256(told.encode()).hexdigest()[:32]

    def facts(self) -> dict[str, str]:
        """Return what is known of the agent."""
        with self._turn:
            return dict(self._db.execute("SELECT name, value FROM fact").fetchall())

    def close(self) -> None:
        """Close the file."""
        with self._turn:
            self._db.close()

    def _do(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return self._db.execute(statement, values)

    def _rows(self, asked: str, *values: Any) -> Iterator[Row]:
        with self._turn:
            return iter([Row(*row) for row in self._db.execute(asked, values)])


def written(goal: Goal) -> str:
    """Return a goal as a row keeps it."""
    return json.dumps(
        {key: getattr(goal, key) for key in Goal.__dataclass_fields__}, ensure_ascii=False
    )
