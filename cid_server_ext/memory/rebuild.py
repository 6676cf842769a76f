"""A catalog made again from storage alone: the journal folded, mended, loaded.

The journal is read twice: once to find what is damaged and where the newest complete snapshot
begins, once to fold from there. Everything is loaded in one transaction, so that a rebuild that is
ended leaves a database that another may begin in.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import insert, inspect, select, text
from sqlalchemy.orm import Session

from ..core.memory import load, mend, snapshot
from ..core.memory.fold import Fold
from ..core.search import index
from ..db.session import Sessions, connect, migrate, open_database, schema_of
from ..db.tables import Grave, Journal, Record
from ..errors import BadInput, Conflict, NotFound
from ..storage import journal
from ..storage.journal import Damage, Line
from ..storage.roots import Folder, prefix_of

Told = Callable[[str, int, int], None]  # what is done, how much of how much


@dataclass
class Survey:
    """What a first reading of the journal found."""

    lines: int = 0
    damages: list[Damage] = field(default_factory=list)
    begins: int | None = None  # the entry that the newest complete snapshot begins with
    last: dict[str, Any] | None = None
    schemas: set[str] = field(default_factory=set)  # of entries that are folded


@dataclass
class Report:
    """What a rebuild did. Nothing in `damages`, `lost` and `mended`: nothing was lost."""

    lines: int
    damages: list[Damage]
    lost: list[tuple[str, tuple[Any, ...]]]  # rows that change, and whose beginning is lost
    mended: list[mend.Mended]
    rows: dict[str, int]
    seconds: float = 0.0

    @property
    def whole(self) -> bool:
        """Whether the catalog is exactly what it was."""
        return not (self.damages or self.lost or self.mended)


def rebuild(storage: Path, url: str, told: Told = lambda what, done, total: None) -> Report:
    """Make the catalog of `storage` in the empty database at `url`.

    Conflict: the database has data, or a service writes the journal. NotFound: there is none.
    BadInput: another release wrote it.
    """
    start = time.monotonic()
    folder = journal.folder_of(storage)
    if not journal.segments(folder):
        raise NotFound(f"{storage} holds no journal: nothing to make a catalog from")
    if journal.is_written(folder):
        raise Conflict("a service writes this journal: stop it first")
    _make_tables(url)
    sessions = open_database(url)
    try:
        _require_empty(sessions)
        found = survey(folder, told)
        _require_schema(found, schema_of(sessions))
        with tempfile.TemporaryDirectory(prefix="cid-rebuild-") as scratch:
            fold = Fold(Path(scratch) / "rows.sqlite")
            try:
                report = _rebuild(storage, sessions, found, fold, told)
            finally:
                fold.close()
    finally:
        sessions.kw["bind"].dispose()
    report.seconds = time.monotonic() - start
    return report


def survey(folder: Path, told: Told = lambda what, done, total: None) -> Survey:
    """Read the whole journal once."""
    found, complete = Survey(), snapshot.Complete()
    for each in journal.read(folder):
        if isinstance(each, Damage):
            found.damages.append(each)
            continue
        found.lines, found.last = found.lines + 1, each.entry
        complete.see(each.entry)
        if complete.begins != found.begins:
            found.begins, found.schemas = complete.begins, set()
        if each.entry["rows"]:
            found.schemas.add(each.entry["schema"])
        if found.lines % 1000 == 0:
            told("reading the journal", found.lines, 0)
    return found


def folded(folder: Path, found: Survey, fold: Fold) -> Iterator[Line]:
    """Fold the journal from its newest complete snapshot; yield every good line on the way."""
    for each in journal.read(folder):
        if isinstance(each, Line):
            if each.id >= (found.begins or 0):
                fold.apply(each.entry)
            else:
                fold.see(each.entry)
            yield each


def _rebuild(storage: Path, sessions: Sessions, found: Survey, fold: Fold, told: Told) -> Report:
    folder = journal.folder_of(storage)
    with sessions.begin() as session:
        entries = (line.entry for line in _counted(folded(folder, found, fold), found, told))
        undone = load.history(session, entries, fold)
        mended = [mend.Mended("journal", (number,), "emptied", "undoes") for number in undone]
        mended += mend.mend(fold)
        total, done = sum(fold.count(name) for name in fold.tables), 0

        def loaded(more: int) -> None:
            nonlocal done
            done += more
            told("loading", done, total)

        rows = load.tables(session, fold, loaded)
        last = max([found.last["id"] if found.last else 0, *(d.last or 0 for d in found.damages)])
        load.numbers(session, fold.highest | {"journal": last})
        _remember_graves(session, Folder(storage))
        told("making what searches read", 0, 0)
        index.remake(session)
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("ANALYZE"))  # the planner knows nothing of tables just filled
    lost = sorted(fold.begun_before, key=str)
    return Report(found.lines, found.damages, lost, mended, rows)


def _counted(lines: Iterator[Line], found: Survey, told: Told) -> Iterator[Line]:
    for number, line in enumerate(lines, 1):
        if number % 1000 == 0:
            told("folding", number, found.lines)
        yield line


def _make_tables(url: str) -> None:
    """Make the tables where there are none; a database that has some is not changed."""
    engine = connect(url)
    try:
        none = not inspect(engine).get_table_names()
    finally:
        engine.dispose()
    if none:
        migrate(url)


def _require_empty(sessions: Sessions) -> None:
    with sessions() as session:
        if snapshot.has_data(session) or session.scalar(select(Journal.id).limit(1)):
            raise Conflict("this database has data: a rebuild needs an empty one")


def _require_schema(found: Survey, schema: str) -> None:
    """What another release wrote has rows that this one may take for something else."""
    if other := sorted(found.schemas - {schema}):
        raise BadInput(
            f"the journal has schema {', '.join(other)}, this release {schema}: rebuild with the "
            "release that wrote it, then run `jupyter cid migrate` with this one"
        )


def _remember_graves(session: Session, root: Folder) -> None:
    """Note the bytes of purged records that still lie there, so that they are removed."""
    purged = select(Record.type, Record.uid).where(Record.purged_at.is_not(None))
    prefixes = (prefix_of(*row) for row in session.execute(purged))
    left = [{"prefix": prefix} for prefix in prefixes if root.path(prefix).exists()]
    if left:
        session.execute(insert(Grave), left)
