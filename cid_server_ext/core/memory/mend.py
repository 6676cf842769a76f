"""What damage to the journal leaves behind: rows that point to nothing, names that are there twice.

A database would refuse them. Nothing is invented: a reference that a row can do without is
emptied, another takes its row away, and of two rows with one name the older gets its number added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, String, Table, UniqueConstraint

from .fold import Fold

# references that may be empty, but mean something else then: a tag without its value is no tag
PART_OF_IT = {
    ("tag", "value_id"),
    ("term", "project_id"),
    ("note", "dataset_id"),
    ("note", "record_id"),
}


@dataclass(frozen=True, slots=True)
class Mended:
    """One row that could not stay as it was. done: dropped, emptied or renamed; why: a column."""

    table: str
    key: tuple[Any, ...]
    done: str
    column: str


def mend(fold: Fold) -> list[Mended]:
    """Make the folded rows fit together and return what was done."""
    done: list[Mended] = []
    while found := [*_dangling(fold), *_twins(fold)]:
        done += found
    return done


def _dangling(fold: Fold) -> Iterator[Mended]:
    for table in fold.tables.values():
        references = sorted(table.foreign_keys, key=lambda key: key.column.table is table)
        for reference in references:
            yield from _without(fold, table, reference)


def _without(fold: Fold, table: Table, reference: ForeignKey) -> Iterator[Mended]:
    column, remote = reference.parent, reference.column
    assert isinstance(column, Column)
    lost = fold.db.execute(
        f"SELECT {_keys(table)} FROM {_at(table)} AS here"
        f" WHERE {_said(column)} IS NOT NULL AND NOT EXISTS"
        f" (SELECT 1 FROM {_at(remote.table)} AS there"
        f' WHERE there."{remote.name}" = {_said(column, "here.")})'
    ).fetchall()
    for key in lost:
        if column.nullable and (table.name, column.name) not in PART_OF_IT:
            _set(fold, table, key, f"json_remove(row, '$.{column.name}')")
            yield Mended(table.name, key, "emptied", column.name)
        else:
            fold.db.execute(f"DELETE FROM {_at(table)} WHERE {_where(table)}", key)
            yield Mended(table.name, key, "dropped", column.name)


def _twins(fold: Fold) -> Iterator[Mended]:
    for table in fold.tables.values():
        for columns, condition in _unique(table):
            yield from _of_two(fold, table, columns, condition)


def _of_two(
    fold: Fold, table: Table, columns: list[Column[Any]], condition: str
) -> Iterator[Mended]:
    said = [_said(column) for column in columns]
    newest = ", ".join(f'"{key.name}" DESC' for key in table.primary_key.columns)
    older = fold.db.execute(
        f"SELECT {_keys(table)} FROM (SELECT {_keys(table)}, row_number() OVER"
        f" (PARTITION BY {', '.join(said)} ORDER BY {newest}) AS nth FROM {_at(table)}"
        f" WHERE {' AND '.join(f'{s} IS NOT NULL' for s in said)}{condition}) WHERE nth > 1"
    ).fetchall()
    text = [column for column in columns if isinstance(column.type, String)]
    for key in older:
        if text:
            name = text[-1].name
            more = f"json_extract(row, '$.{name}') || '~{key[0]}'"
            _set(fold, table, key, f"json_set(row, '$.{name}', {more})")
            yield Mended(table.name, key, "renamed", name)
        else:
            fold.db.execute(f"DELETE FROM {_at(table)} WHERE {_where(table)}", key)
            yield Mended(table.name, key, "dropped", columns[-1].name)


def _unique(table: Table) -> Iterator[tuple[list[Column[Any]], str]]:
    """Yield the columns of each rule of uniqueness, and the condition under which it holds."""
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield list(constraint.columns), ""
    for index in table.indexes:
        if index.unique:
            yield list(index.columns), _condition(table, index)


def _condition(table: Table, index: Index) -> str:
    where = index.dialect_options["sqlite"]["where"]
    if where is None:
        return ""
    name, _, rest = str(where).partition(" ")
    return f" AND {_said(table.columns[name])} {rest}"


def _at(table: Any) -> str:
    return f'"{table.name}"'


def _said(column: Column[Any], of: str = "") -> str:
    """Return the SQL for a column of a folded row."""
    if column.primary_key:
        return f'{of}"{column.name}"'
    return f"json_extract({of}row, '$.{column.name}')"


def _keys(table: Table) -> str:
    return ", ".join(f'"{key.name}"' for key in table.primary_key.columns)


def _where(table: Table) -> str:
    return " AND ".join(f'"{key.name}" = ?' for key in table.primary_key.columns)


def _set(fold: Fold, table: Table, key: tuple[Any, ...], row: str) -> None:
    fold.db.execute(f"UPDATE {_at(table)} SET row = {row} WHERE {_where(table)}", key)
