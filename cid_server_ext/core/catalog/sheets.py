"""The tags of many records as a table: one row a record, one column a term."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Dataset, Project, Record, Tag, Term, Value
from ...errors import BadInput, NotFound
from .. import names, policy
from ..actor import Actor
from . import cells, tagging, vocabulary
from .cells import Cell
from .spelling import Word

MOST_ROWS = 10_000
MOST_COLUMNS = 200
FIXED = ("uid", "name", "dataset")  # what says which record a row is; not changed by a sheet

Rows = list[list[Cell]]
Said = dict[tuple[int, int], list[Word]]  # by record and term


@dataclass(frozen=True, slots=True)
class Columns:
    """The terms of a table, and the header of each."""

    terms: list[Term]
    headers: list[str]


def export(
    session: Session,
    actor: Actor,
    project: str,
    dataset: str | None = None,
    chosen: Iterable[int] | None = None,
) -> Rows:
    """Return the table of a project's records, or of one dataset, or of the `chosen` of them.

    Its first row is the header. Raises BadInput when it would have more than 10,000 rows.
    """
    row = policy.find(session, actor, Project, project)
    records = _records(session, actor, row, dataset, chosen)
    ids = [record.id for record in records]
    said = words_of(session, ids)
    columns = columns_of(session, row.id, {term_id for _, term_id in said})
    table: Rows = [[*FIXED, *(cells.guard(header) for header in columns.headers)]]
    for record in records:
        tagged = [cells.shown(term, said.get((record.id, term.id), [])) for term in columns.terms]
        table.append([*fixed(record), *tagged])
    return table


def fixed(record: Record) -> list[Cell]:
    """Return the cells that say which record a row is."""
    return [record.uid, cells.guard(record.name), cells.guard(record.dataset.path)]


def columns_of(session: Session, project_id: int, used: set[int]) -> Columns:
    """Return the columns of a project's table: its vocabulary, and what its records use beside."""
    terms = [t for t in vocabulary.terms(session, project_id) if t.id in used or not t.retired]
    strange = used - {term.id for term in terms}  # of records that came from another project
    terms += session.scalars(select(Term).where(Term.id.in_(strange)).order_by(Term.id))
    kept = sorted(terms, key=lambda term: term.id not in used)[: MOST_COLUMNS - len(FIXED)]
    terms = [term for term in terms if term in kept]
    headers: list[str] = []
    for term in terms:
        header = f"{term.key} [{term.unit}]" if term.unit else term.key
        taken = {*FIXED, *headers}
        n = next(n for n in range(1, len(terms) + 5) if _numbered(header, n) not in taken)
        headers.append(_numbered(header, n))
    return Columns(terms, headers)


def words_of(session: Session, record_ids: Sequence[int]) -> Said:
    """Return what the records' tags say, each record's in the order they were given."""
    said: Said = {}
    chosen = select(Tag.record_id, Tag.term_id, Tag.number, Tag.text, Value)
    chosen = chosen.outerjoin(Value, Tag.value_id == Value.id).order_by(Tag.id)
    for batch in tagging.batches(sorted(record_ids)):
        for record_id, term_id, number, text, value in session.execute(
            chosen.where(Tag.record_id.in_(batch))
        ):
            word = Word(text or "", number) if value is None else Word(value.text, None, value)
            said.setdefault((record_id, term_id), []).append(word)
    return said


def _records(
    session: Session,
    actor: Actor,
    project: Project,
    dataset: str | None,
    chosen: Iterable[int] | None,
) -> list[Record]:
    """Return the records whose home the project is, in the order they came."""
    mine = policy.visible(actor, Record).where(
        Record.project_id == project.id, Record.kind != "original"
    )
    if dataset is not None:
        path = names.dataset_path(dataset)
        found = session.scalar(
            policy.visible(actor, Dataset).where(
                Dataset.project_id == project.id, Dataset.path == path
            )
        )
        if found is None:
            raise NotFound(f"no dataset {path!r} in {project.name!r} that you can see")
        mine = mine.where(Record.dataset_id == found.id)
    if chosen is None:
        records = list(session.scalars(mine.order_by(Record.id).limit(MOST_ROWS + 1)))
    else:
        records = []
        for batch in tagging.batches(sorted(set(chosen))):
            records += session.scalars(mine.where(Record.id.in_(batch)).order_by(Record.id))
    if len(records) > MOST_ROWS:
        raise BadInput(f"q: a sheet has at most {MOST_ROWS} rows; ask for fewer records")
    session.scalars(select(Dataset).where(Dataset.project_id == project.id)).all()  # read once
    return records


def _numbered(header: str, n: int) -> str:
    return header if n == 1 else f"{header} ({n})"
