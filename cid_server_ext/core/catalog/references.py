"""Records whose bytes stay where they are: where that is, and how they are there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from sqlalchemy import ColumnElement, and_, not_, select
from sqlalchemy.orm import Session

from ...db.tables import File, Image, Record, Reference
from .. import journal

Form = Literal["file", "set", "tree"]
STATES = ("ok", "changed", "moved", "missing")
UNHASHED = "unhashed"  # how a search names those whose chunks nobody has read yet
BATCH = 500


@dataclass(frozen=True, slots=True)
class Where:
    """The place of a record's bytes; see `db.tables.Reference`."""

    root: str
    path: str
    form: Form
    nbytes: int
    mtime_ns: int

    @property
    def changed(self) -> bool:
        """Whether other bytes were found there: these are given out to nobody."""
        return self.nbytes < 0


def get(session: Session, record: Record) -> Reference | None:
    """Return the reference of a file, or of the store that an image lies in; None: it is ours."""
    if isinstance(record, Image):
        inside = record.inside is not None and record.original_id is not None
        return session.get(Reference, record.original_id) if inside else None
    return session.get(Reference, record.id)


def where(session: Session, record: Record) -> Where | None:
    """Return where a record's bytes lie; None: below its prefix, as most do."""
    found = get(session, record)
    return None if found is None else _where(found, record)


def places(session: Session, records: Iterable[Record]) -> dict[int, Where]:
    """Return by id where the bytes lie of those that are not below their prefixes."""
    by_file: dict[int, list[Record]] = {}
    for record in records:
        if not isinstance(record, Image):
            by_file.setdefault(record.id, []).append(record)
        elif record.inside is not None and record.original_id is not None:
            by_file.setdefault(record.original_id, []).append(record)
    found: dict[int, Where] = {}
    several = sorted(by_file)
    for at in range(0, len(several), BATCH):
        some = Reference.record_id.in_(several[at : at + BATCH])
        for row in session.scalars(select(Reference).where(some)):
            found |= {record.id: _where(row, record) for record in by_file[row.record_id]}
    return found


def _where(found: Reference, record: Record) -> Where:
    inside = record.inside if isinstance(record, Image) else ""
    path = f"{found.path}/{inside}" if inside else found.path
    if found.state == "changed":  # nothing is as small, or as old: it is not given out
        return Where(found.root, path, cast(Form, found.form), -1, -1)
    return Where(found.root, path, cast(Form, found.form), found.nbytes, found.mtime_ns)


def ours() -> ColumnElement[bool]:
    """Return the clause that keeps records whose bytes lie below their prefixes."""
    elsewhere = Record.id.in_(select(Reference.record_id))
    return and_(not_(elsewhere), Image.__table__.c.inside.is_(None))


def known(session: Session, root: str, paths: Sequence[str]) -> dict[str, str]:
    """Return the uid of the record by the path below a root that it refers to."""
    found: dict[str, str] = {}
    for at in range(0, len(paths), BATCH):
        asked = select(Reference.path, File.uid).join(File, File.id == Reference.record_id)
        some = (Reference.root == root) & Reference.path.in_(paths[at : at + BATCH])
        found |= dict(iter(session.execute(asked.where(some))))
    return found


def flag(session: Session, row: Reference, state: str, reason: str, person: str = "cid") -> bool:
    """Say how the bytes were found; return whether that is news. The caller commits."""
    if (row.state, row.reason) == (state, reason):
        return False
    file = session.get_one(File, row.record_id)
    detail = {"from": row.state, "state": state, "reason": reason, "path": f"{row.root}:{row.path}"}
    about = f"file:{file.uid}"
    journal.record(session, person, "fixity", about, detail, project_id=file.project_id)
    row.state, row.reason = state, reason[:300]
    return True
