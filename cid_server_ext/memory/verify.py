"""Storage compared with the catalog, or with the journal where there is no database. Reads only.

Nothing is repaired or deleted: what is told is for people to decide.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from ..core.memory.fold import Fold
from ..db.session import Sessions, open_database, reading, schema_of
from ..db.tables import Journal, Record, Reference
from ..errors import NotFound
from ..storage import inspect, journal, presence
from ..storage.inplace import Place, Roots
from ..storage.inspect import INCOMPLETE, INVALID, Fault, Promise
from ..storage.journal import Damage, Line
from ..storage.presence import Known
from ..storage.roots import Folder, prefix_of
from . import entries, strangers
from .rebuild import Survey, folded, survey

Told = Callable[[str, int, int], None]
STATES = ("valid", INCOMPLETE, INVALID)
NOTIONS = {"damaged": INVALID, "missing": INCOMPLETE}


@dataclass
class Report:
    """What was found. `in_progress`: on its way in or out, and no fault."""

    records: int = 0
    entries: int = 0
    faults: list[Fault] = field(default_factory=list)
    in_progress: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        """0: valid, 1: incomplete, 2: invalid, the worse one where there are both."""
        return max((STATES.index(fault.notion) for fault in self.faults), default=0)

    @property
    def state(self) -> str:
        """The status in a word."""
        return STATES[self.status]


@dataclass(frozen=True, slots=True)
class Expected:
    """One record as the catalog has it."""

    type: str  # image or file
    promise: Promise
    gone: bool  # purged: its bytes are gone, or about to go
    away: bool  # in the archive
    there: Known | None = None  # its bytes lie in place
    inside: bool = False  # its bytes are a part of what lies in place


def verify(
    storage: Path,
    database: str | None = None,
    *,
    deep: bool = False,
    told: Told = lambda what, done, total: None,
    roots: Roots | None = None,
) -> Report:
    """Compare the storage with a database, or with its own journal; `deep` reads every byte.

    roots: the trees whose files were adopted in place.
    """
    with tempfile.TemporaryDirectory(prefix="cid-verify-") as scratch:
        known = _Known(Path(scratch) / "known.sqlite")
        look = _Look(storage, deep, told, known, roots or Roots())
        try:
            found = look.journal()
            if database is None:
                look.against_journal(found, Path(scratch))
            else:
                look.against_database(found, database)
        finally:
            look.known.close()
        return look.report


@dataclass
class _Look:
    """One verification: what it looks at, and what it has found so far."""

    storage: Path
    deep: bool
    told: Told
    known: _Known
    roots: Roots
    report: Report = field(default_factory=Report)

    def journal(self) -> Survey:
        """Read the journal and tell where it is not whole."""
        found = survey(journal.folder_of(self.storage), self.told)
        self.report.entries = found.lines
        for damage in found.damages:
            key = f"journal/{damage.segment} line {damage.number}"
            if damage.kind == "torn":
                self.report.in_progress.append(key)
            else:
                self._fault(key, NOTIONS[damage.kind], _reason(damage))
        return found

    def against_journal(self, found: Survey, scratch: Path) -> None:
        """Compare with the records that the journal tells of."""
        fold = Fold(scratch / "rows.sqlite")
        try:
            for _ in folded(journal.folder_of(self.storage), found, fold):
                pass
            places = {row["record_id"]: row for row in fold.rows("reference")}
            rows = (_expected(row, places) for row in fold.rows("record"))
            self._compare(rows, fold.count("record"))
        finally:
            fold.close()
        self._strangers(lambda keys: set())

    def against_database(self, found: Survey, url: str) -> None:
        """Compare with the records of a database."""
        sessions = open_database(url)
        try:
            self._ends(sessions, found)
            self._line_by_line(sessions, found)
            with reading(sessions) as session:
                total = session.scalar(select(func.count()).select_from(Record)) or 0
                places = {
                    row.record_id: dict(row._mapping) for row in session.execute(select(*_PLACE))
                }
                chosen = select(*_COLUMNS).order_by(Record.id)
                rows = session.execute(chosen, execution_options={"yield_per": 1000})
                self._compare((_expected(dict(row._mapping), places) for row in rows), total)
            self._strangers(lambda keys: strangers.moving(sessions, keys))
        finally:
            sessions.kw["bind"].dispose()

    def _compare(self, expected: Iterable[Expected], total: int) -> None:
        root = Folder(self.storage)
        for each in expected:
            self.report.records += 1
            self.told("comparing records", self.report.records, total)
            self.known.add(each.promise.prefix, each.gone)
            if each.gone or each.away or each.inside:
                continue
            if each.there is not None:
                self._in_place(root, each.there)
                continue
            look = inspect.image_faults if each.type == "image" else inspect.file_faults
            folder = root.path(each.promise.prefix)
            self.report.faults += look(folder, each.promise, deep=self.deep)

    def _in_place(self, root: Folder, known: Known) -> None:
        """Tell what is wrong with a file that stays where it was, or that its tree is not there."""
        key = f"{known.place.root}:{known.place.path}"
        try:
            seen = presence.see(self.roots, root, known, deep=self.deep)
        except NotFound as error:
            self._fault(key, INCOMPLETE, str(error))
            return
        if seen.state != "ok":
            self._fault(key, INVALID if seen.state == "changed" else INCOMPLETE, seen.reason)

    def _strangers(self, moving: Callable[[list[str]], set[str]]) -> None:
        """Tell the bytes without a record, and what is on its way."""
        unknown = [key for key in strangers.folders(self.storage) if not self.known.has(key)]
        on_its_way = moving(unknown)
        for key in unknown:
            if key in on_its_way:
                self.report.in_progress.append(key)
            else:
                reason = "purged" if self.known.purged(key) else "not in the catalog"
                self._fault(key, INCOMPLETE, f"bytes without a record: it is {reason}")
        staging = self.storage / "staging"
        if staging.is_dir():
            self.report.in_progress += sorted(f"staging/{name}" for name in os.listdir(staging))

    def _ends(self, sessions: Sessions, found: Survey) -> None:
        """Compare where the journal ends on storage and in the database."""
        last: dict[str, Any] = found.last or {"id": 0}
        with reading(sessions) as session:
            newest = session.scalar(select(func.max(Journal.id))) or 0
            ours = entries.numbered(session, last["id"], schema_of(sessions))
        if last["id"] and (ours is None or not entries.same(ours, last)):
            older = "it is older than the storage" if ours is None else "it has another history"
            self._fault("journal", INCOMPLETE, f"the database lacks entry {last['id']}: {older}")
        elif newest > last["id"]:
            self.report.in_progress.append(f"journal entries {last['id'] + 1} to {newest}")

    def _line_by_line(self, sessions: Sessions, found: Survey) -> None:
        """Compare all lines with the database's entries: whoever writes a chain anew is found out.

        What the chain itself tells of is not told again.
        """
        lost = [range(d.first, (d.last or d.first) + 1) for d in found.damages if d.first]
        lines = (x for x in journal.read(journal.folder_of(self.storage)) if isinstance(x, Line))
        line = next(lines, None)
        with reading(sessions) as session:
            for row in entries.after(session, 0, schema_of(sessions)):
                if line is None:
                    break  # `_ends` tells of what is not written yet, or lost
                if row["id"] < line.id:
                    if not any(row["id"] in gone for gone in lost):
                        self._fault("journal", INCOMPLETE, f"entry {row['id']} is missing")
                    continue
                if row["id"] == line.id and not _tells(line.entry, row):
                    key = f"journal/{line.segment} line {line.number}"
                    self._fault(key, INVALID, f"it is not the database's entry {line.id}")
                while line is not None and line.id <= row["id"]:
                    line = next(lines, None)

    def _fault(self, key: str, notion: str, reason: str) -> None:
        self.report.faults.append(Fault(key, notion, reason))


def _tells(entry: dict[str, Any], row: dict[str, Any]) -> bool:
    """Say whether they are the same; a rebuild leaves out the undo of an entry that is lost."""
    left_out = {"undoes": None} if row["undoes"] is None else {}
    return entries.same(entry | left_out, row)


def _reason(damage: Damage) -> str:
    if damage.first is None:
        return f"{damage.reason}; no entry is lost"
    return f"{damage.reason}; entries {damage.first} to {damage.last or 'the end'}"


def _expected(row: dict[str, Any], places: dict[int, dict[str, Any]]) -> Expected:
    gone = row.get("purged_at") is not None
    prefix = prefix_of(row["type"], row["uid"]) if gone else row["prefix"]
    promise = Promise(prefix, row["name"], row["nbytes"], row["sha256"])
    away, inside = row.get("tier", "online") != "online", row.get("inside") is not None
    there = places.get(row["id"])
    return Expected(row["type"], promise, gone, away, there and _there(row, there), inside)


def _there(row: dict[str, Any], there: dict[str, Any]) -> Known:
    fields = ("root", "path", "form", "nbytes", "mtime_ns")
    place = Place(*(there[name] for name in fields))
    return Known(row["uid"], row["prefix"], row["sha256"], place, bool(there.get("hashed_at")))


class _Known:
    """The prefixes that the catalog knows, in a scratch file; memory stays small."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA synchronous=OFF")
        self.db.execute("BEGIN")
        self.db.execute("CREATE TABLE known (prefix TEXT PRIMARY KEY, purged INT) WITHOUT ROWID")

    def add(self, prefix: str, purged: bool) -> None:
        self.db.execute("INSERT OR REPLACE INTO known VALUES (?, ?)", (prefix, purged))

    def has(self, prefix: str) -> bool:
        """Say whether there is a record whose bytes belong there."""
        return bool(self._ask(prefix) == (0,))

    def purged(self, prefix: str) -> bool:
        return bool(self._ask(prefix) == (1,))

    def close(self) -> None:
        self.db.close()

    def _ask(self, prefix: str) -> Any:
        return self.db.execute("SELECT purged FROM known WHERE prefix = ?", (prefix,)).fetchone()


_PLACE = (
    Reference.record_id,
    Reference.root,
    Reference.path,
    Reference.form,
    Reference.nbytes,
    Reference.mtime_ns,
    Reference.hashed_at,
)
_COLUMNS = (
    Record.id,
    Record.__table__.c.inside,  # as Image.inside it would keep images only
    Record.type,
    Record.uid,
    Record.prefix,
    Record.name,
    Record.nbytes,
    Record.sha256,
    Record.purged_at,
    Record.tier,
)
