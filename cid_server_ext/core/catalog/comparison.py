"""What a sheet says, compared cell by cell with what the catalog says now.

Cells that say the same, rows and columns that are absent are no change; an empty cell where there
is a tag takes it off. What cannot be is told for its cell.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Project, Record, Term
from ...errors import BadInput
from .. import policy, units
from ..actor import Actor
from . import cells, sheets, tagging, tags, typed
from .cells import Cell
from .sheets import Rows, Said
from .spelling import Speller, Told, Word

MOST_EDITS = 50_000


@dataclass(frozen=True, slots=True)
class Edit:
    """One cell that would change; `row` as a spreadsheet counts them. `problem`: why it cannot."""

    row: int
    record: str
    name: str
    key: str
    before: str
    after: str
    problem: str | None = None


@dataclass(slots=True)
class Plan:
    """What a sheet would change: the edits, and the changes of tags that they stand for."""

    rows: int = 0
    edits: list[Edit] = field(default_factory=list)
    changes: list[tagging.Change] = field(default_factory=list)
    told: dict[str, Told] = field(default_factory=dict)
    new_keys: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of tags: where it stands, what it means, the unit in its header."""

    at: int
    term: Term
    unit: str


@dataclass(frozen=True, slots=True)
class _Line:
    """One row of a record: its number in the sheet and its cells."""

    number: int
    record: Record
    cells: list[Cell]


def compare(session: Session, actor: Actor, project: Project, rows: Rows, *, saves: bool) -> Plan:
    """Return what the sheet would change; `saves`: its records are held, what is new is added."""
    header, body = shape(rows)
    speller = Speller(session, project.id, policy.projects(actor), saves=saves)
    plan = Plan(rows=len(body))
    lines = _lines(session, actor, project, header, body, plan, lock=saves)
    said = sheets.words_of(session, [line.record.id for line in lines])
    used = {term_id for _, term_id in said}
    columns = _columns(session, speller, project, header, lines, used, plan)
    _fixed(header, lines, plan)
    for column in columns:
        _read(speller, column, lines, said, plan)
        if len(plan.edits) > MOST_EDITS:
            raise BadInput(f"content: more than {MOST_EDITS} changes; send the sheet in parts")
    plan.edits.sort(key=lambda edit: edit.row)  # then in the order of the columns
    return plan


def shape(rows: Rows) -> tuple[list[str], list[tuple[int, list[Cell]]]]:
    """Return the header and the numbered rows that hold anything, or raise BadInput.

    Rows are numbered as spreadsheet programs do: the first one below the header is 2.
    """
    if not rows or "uid" not in (header := [cells.text(cell).strip() for cell in rows[0]]):
        raise BadInput("content: the first row must name the columns, one of them 'uid'")
    if len(header) > sheets.MOST_COLUMNS:
        raise BadInput(f"content: at most {sheets.MOST_COLUMNS} columns")
    named = [name for name in header if name]
    if twice := sorted(name for name, n in Counter(named).items() if n > 1):
        raise BadInput(f"content: the column {twice[0][:80]!r} stands there twice")
    body = [
        (number, [*row, *[None] * (len(header) - len(row))])
        for number, row in enumerate(rows[1:], 2)
        if any(cells.text(cell).strip() for cell in row)
    ]
    if len(body) > sheets.MOST_ROWS:
        raise BadInput(f"content: at most {sheets.MOST_ROWS} rows")
    return header, body


def _lines(
    session: Session,
    actor: Actor,
    project: Project,
    header: list[str],
    body: list[tuple[int, list[Cell]]],
    plan: Plan,
    *,
    lock: bool,
) -> list[_Line]:
    """Return the rows whose record the caller may annotate; tell of the others."""
    at = header.index("uid")
    uids = [cells.text(row[at]).strip() for _, row in body]
    mine = select(Record).where(
        policy.reachable(actor, "annotator", Record), Record.project_id == project.id
    )
    found: dict[str, Record] = {}
    for start in range(0, len(uids), tagging.BATCH):
        part = Record.uid.in_(uids[start : start + tagging.BATCH])
        found |= {record.uid: record for record in session.scalars(mine.where(part))}
    if lock:
        tagging.lock(session, [record.id for record in found.values()])
    lines: list[_Line] = []
    seen: set[str] = set()
    for (number, row), uid in zip(body, uids, strict=True):
        if uid not in found or uid in seen:
            why = "this record has a row above" if uid in seen else "no record of this project"
            plan.edits.append(Edit(number, uid[:80], "", "uid", "", uid[:80], why))
        else:
            lines.append(_Line(number, found[uid], row))
        seen.add(uid)
    return lines


def _columns(
    session: Session,
    speller: Speller,
    project: Project,
    header: list[str],
    lines: list[_Line],
    used: set[int],
    plan: Plan,
) -> list[_Column]:
    """Return what the columns mean; a key that is new becomes a plain term of the project."""
    known = sheets.columns_of(session, project.id, used)
    by_header = dict(zip(known.headers, known.terms, strict=True))
    found: list[_Column] = []
    for at, name in enumerate(header):
        if not name or name in sheets.FIXED:
            continue
        if name in by_header:
            found.append(_Column(at, by_header[name], ""))
            continue
        key, unit = _unit(name)
        term = speller.term(key)
        if term is None or term.retired:
            filled = [line.cells[at] for line in lines if cells.text(line.cells[at]).strip()]
            if not filled:
                continue
            numbers = all(isinstance(c, float) or typed.is_number(c or "") for c in filled)
            try:
                term = speller.term_or_new(key, [1.0] if numbers else [""], unit=unit)
            except BadInput as error:
                raise BadInput(f"content: column {name[:80]!r}: {error}") from None
            plan.new_keys.append(term.key)
        if term.id is not None and any(column.term.id == term.id for column in found):
            raise BadInput(f"content: two columns mean {term.key!r}")
        found.append(_Column(at, term, unit if unit != term.unit else ""))
    return found


def _unit(header: str) -> tuple[str, str]:
    """Return the key and the unit of "Size [µm]"; what is no unit belongs to the key."""
    key, bracket, rest = header.rpartition(" [")
    if bracket and rest.endswith("]"):
        try:
            return key, units.known(rest[:-1])
        except BadInput:
            pass
    return header, ""


def _fixed(header: list[str], lines: list[_Line], plan: Plan) -> None:
    """Tell of names and datasets that were edited: a sheet changes tags only."""
    for what in sheets.FIXED[1:]:
        if what not in header:
            continue
        at = header.index(what)
        for line in lines:
            now = dict(zip(sheets.FIXED, sheets.fixed(line.record), strict=True))[what]
            if not cells.same(now, line.cells[at]):
                why = f"a sheet does not change the {what}: put it back, or delete the column"
                plan.edits.append(_edit(line, what, now, line.cells[at], why))


def _read(speller: Speller, column: _Column, lines: list[_Line], said: Said, plan: Plan) -> None:
    """Find the cells of a column that say something else than the records do."""
    term, told = column.term, Told()
    other: list[tuple[_Line, list[Word], Cell]] = []
    for line in lines:
        held = said.get((line.record.id, term.id), []) if term.id is not None else []
        now = cells.shown(term, held)
        if not cells.same(now, line.cells[column.at]):
            other.append((line, held, now))
    meaning = _meanings(speller, column, [line.cells[column.at] for line, _, _ in other], told)
    for line, held, now in other:
        cell = line.cells[column.at]
        words = meaning[_token(cell)]
        if isinstance(words, BadInput):
            plan.edits.append(_edit(line, term.key, now, cell, str(words)))
        elif not _alike(held, words):
            plan.edits.append(_edit(line, term.key, now, cells.shown(term, words)))
            plan.changes.append(tagging.Change(line.record.id, term, words))
    plan.told[term.key] = told


def _meanings(
    speller: Speller, column: _Column, found: list[Cell], told: Told
) -> dict[str, list[Word] | BadInput]:
    """Return what each different cell of a column says, or why it says nothing."""
    term = column.term
    meaning: dict[str, list[Word] | BadInput] = {}
    asked: list[tuple[str, typed.Typed]] = []
    parts: dict[str, list[int]] = {}
    for cell in found:
        token = _token(cell)
        if token in meaning or token in parts:
            continue
        try:
            given = cells.read(term, cell, column.unit)
            read = [(typed.shown(one), typed.read(term, one)) for one in given]
            if len(read) > tags.MOST:
                raise BadInput(f"at most {tags.MOST} values")
        except BadInput as error:
            meaning[token] = error
            continue
        parts[token] = list(range(len(asked), len(asked) + len(read)))
        asked += read
    words = speller.tried(term, asked, told)
    for token, places in parts.items():
        meaning[token] = _fitting(term, [words[at] for at in places])
    return meaning


def _fitting(term: Term, found: list[Word | BadInput]) -> list[Word] | BadInput:
    for one in found:
        if isinstance(one, BadInput):
            return one
    return tags.fitting(term, [one for one in found if isinstance(one, Word)])


def _alike(held: list[Word], words: list[Word]) -> bool:
    return sorted((w.text, w.number or 0.0) for w in held) == sorted(
        (w.text, w.number or 0.0) for w in words
    )


def _token(cell: Cell) -> str:
    return f"#{cell!r}" if isinstance(cell, float) else f"'{cell or ''}"


def _edit(line: _Line, key: str, now: Cell, cell: Cell, problem: str | None = None) -> Edit:
    before, after = cells.text(now), cells.text(cell)
    record = line.record
    return Edit(line.number, record.uid, record.name, key, before, after[:400], problem)
