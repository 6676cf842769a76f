"""What a transaction changes is written to the journal with it, or nothing is changed.

A session reads each row of a journaled table before its first change and again before the commit;
the differences go on the transaction's first journal entry. A change without an entry is a defect
and fails. Entries are numbered under a lock that is held to the end of the commit, so their order
is the order of commits.

One item of `rows`: {table, keys, before, after}; `before` is null for a row that is new, `after`
for one that is gone; of a changed row only the changed columns are there. Rows that changed alike
share one item. A key is a list with one item for each primary key column.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, event, func, insert, inspect, select, text, tuple_
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, sessionmaker

from . import mentions
from .tables import Base, Journal

Key = tuple[Any, ...]
Row = dict[str, Any]

STATE = "capture"
WRITTEN = "written"  # the number of the entry that holds the rows of the last commit
SAID = "said"  # the number of its last entry, with rows or without
COMMIT_LOCK = 0x636964  # "cid": PostgreSQL's advisory lock of those who write the journal
BATCH = 400


class Unrecorded(RuntimeError):
    """Rows were changed without a journal entry: a defect of ours, never the caller's."""


@dataclass
class _Capture:
    """What one transaction has touched and said so far."""

    before: dict[tuple[str, Key], Row | None] = field(default_factory=dict)
    rewrites: list[Row] = field(default_factory=list)
    entries: list[Row] = field(default_factory=list)
    savepoints: list[tuple[int, int]] = field(default_factory=list)  # rewrites and entries at each


def watch(sessions: sessionmaker[Session]) -> sessionmaker[Session]:
    """Let every session of this maker write what it changes to the journal."""
    sessions.configure(info={"watched": True})
    event.listen(sessions, "before_flush", _before_flush)
    event.listen(sessions, "after_flush", _after_flush)
    event.listen(sessions, "do_orm_execute", _guard)
    event.listen(sessions, "before_commit", _before_commit)
    event.listen(sessions, "after_transaction_create", _savepoint)
    event.listen(sessions, "after_transaction_end", _end_of_savepoint)
    event.listen(sessions, "after_commit", _forget)
    event.listen(sessions, "after_rollback", _take_back)
    return sessions


def note(session: Session, entry: Row) -> None:
    """Add an entry to what this transaction will write to the journal when it commits."""
    _of(session).entries.append(entry)


def written(session: Session) -> int | None:
    """Return the entry that the session's last commit wrote for the rows it changed."""
    found: int | None = session.info.get(WRITTEN)
    return found


def said(session: Session) -> int | None:
    """Return the last entry of the session's last commit, also where no row was journaled."""
    found: int | None = session.info.get(SAID)
    return found


def touch(session: Session, model: type[Base] | Table, keys: Iterable[Any]) -> None:
    """Say that a statement is about to change these rows; pass it execution option `captured`.

    A key is the primary key, a tuple where it has several columns.
    """
    _touch(session, _table(model), [key if isinstance(key, tuple) else (key,) for key in keys])


def rewrite(
    session: Session,
    model: type[Base] | Table,
    keys: Sequence[Any],
    before: Row | None,
    after: Row | None,
) -> None:
    """Say that a `captured` statement changed all these rows alike; they are not read.

    For changes of very many rows whose old and new columns are known. Without `before` they are
    new, without `after` gone; then the other names every column that is not empty, but the key.
    """
    if keys:
        listed = [list(key) if isinstance(key, tuple) else [key] for key in keys]
        item = {"table": _table(model).name, "keys": listed, "before": before, "after": after}
        _of(session).rewrites.append(item)


def journaled() -> list[Table]:
    """Return the tables that the journal remembers, each after those it refers to."""
    remembered = {m.local_table for m in Base.registry.mappers if m.class_.JOURNALED}
    return [table for table in Base.metadata.sorted_tables if table in remembered]


def columns(table: Table) -> list[str]:
    """Return the columns of a table that the journal remembers."""
    passing = _PASSING.setdefault(table.name, _passing(table))
    return [column.name for column in table.columns if column.name not in passing]


def read(
    session: Session, table: Table, keys: Sequence[Key], *, lock: bool = False
) -> dict[Key, Row]:
    """Return the remembered columns of rows as they are in the database now.

    With `lock` they stay so until this transaction ends.
    """
    names = columns(table)
    primary = list(table.primary_key.columns)
    where = primary[0] if len(primary) == 1 else tuple_(*primary)
    rest, rows = iter(keys), {}
    while batch := list(islice(rest, BATCH)):
        asked = [key[0] for key in batch] if len(primary) == 1 else batch
        chosen = select(*primary, *(table.columns[name] for name in names)).where(where.in_(asked))
        if lock:  # in one order; rows that refer to these may still be added
            chosen = chosen.order_by(*primary).with_for_update(key_share=True)
        for found in session.connection().execute(chosen):
            key = tuple(found[: len(primary)])
            values = found[len(primary) :]
            rows[key] = {n: encoded(v) for n, v in zip(names, values, strict=True)}
    return rows


def whole(table: Table, row: Row) -> Row:
    """Return a row as the journal keeps one: what is empty is left out, its key stands beside."""
    primary = {column.name for column in table.primary_key.columns}
    return {n: v for n, v in row.items() if v is not None and n not in primary}


def take_turn(connection: Connection) -> None:
    """Wait until nobody else numbers entries, and hold the others up until this transaction ends.

    On SQLite there is only one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": COMMIT_LOCK})


def encoded(value: Any) -> Any:
    """Return a column's value as JSON keeps it."""
    return value.isoformat() if isinstance(value, dt.datetime | dt.date) else value


def decoded(table: Table, row: Row) -> Row:
    """Return a row of the journal with the values that the database takes."""
    return {name: _decode(table.columns[name].type.python_type, v) for name, v in row.items()}


def _decode(kind: type, value: Any) -> Any:
    if value is not None and issubclass(kind, dt.datetime | dt.date):
        return kind.fromisoformat(value)
    return value


def _of(session: Session) -> _Capture:
    if "watched" not in session.info:
        raise Unrecorded("this session writes no journal: open it with db.session.open_database")
    found: _Capture = session.info.setdefault(STATE, _Capture())
    return found


def _table(model: type[Base] | Table) -> Table:
    table = model if isinstance(model, Table) else inspect(model).local_table
    assert isinstance(table, Table)
    return table


_PASSING: dict[str, frozenset[str]] = {}


def _passing(table: Table) -> frozenset[str]:
    for mapper in Base.registry.mappers:
        if mapper.local_table is table:
            return frozenset(mapper.class_.PASSING)
    raise LookupError(table.name)


def _touch(session: Session, table: Table, keys: list[Key]) -> None:
    capture = _of(session)
    fresh = [key for key in keys if (table.name, key) not in capture.before]
    # locked: what another changes between here and our commit is not ours to tell
    found = read(session, table, fresh, lock=True)
    capture.before.update({(table.name, key): found.get(key) for key in fresh})


def _before_flush(session: Session, _context: Any, _instances: Any) -> None:
    changed: dict[str, tuple[Table, list[Key]]] = {}
    for obj in {*session.dirty, *session.deleted}:
        state = inspect(obj)
        if not state.mapper.class_.JOURNALED or not (
            obj in session.deleted or session.is_modified(obj, include_collections=False)
        ):
            continue
        table = state.mapper.local_table
        changed.setdefault(table.name, (table, []))[1].append(state.identity)
    for table, keys in changed.values():
        _touch(session, table, keys)


def _after_flush(session: Session, _context: Any) -> None:
    for obj in session.new:
        state = inspect(obj)
        if state.mapper.class_.JOURNALED:
            key = tuple(state.mapper.primary_key_from_instance(obj))
            _of(session).before.setdefault((state.mapper.local_table.name, key), None)


def _guard(execution: ORMExecuteState) -> None:
    """Refuse a statement that would change journaled rows behind our back."""
    if not (execution.is_update or execution.is_delete or execution.is_insert):
        return
    mapper = execution.bind_mapper
    if mapper is None or not mapper.class_.JOURNALED:
        return
    if execution.execution_options.get("captured"):
        return
    if execution.is_update:
        given = getattr(execution.statement, "_values", None) or {}
        names = {getattr(column, "key", column) for column in given}
        if names and names <= mapper.class_.PASSING:
            return
    raise Unrecorded(f"a statement changes {mapper.local_table} without db.capture.touch")


def _before_commit(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    capture: _Capture | None = session.info.get(STATE)
    if capture is None:
        return
    rows = _differences(session, capture)
    if rows and not capture.entries:
        tables = sorted({item["table"] for item in rows})
        raise Unrecorded(f"rows of {', '.join(tables)} changed without a journal entry")
    if not capture.entries:
        return
    connection = session.connection()
    told_of = _concerned(session, capture, rows)
    take_turn(connection)
    first, *others = capture.entries
    made = connection.execute(insert(Journal), {**first, "rows": rows}).inserted_primary_key
    assert made is not None
    session.info[SAID] = made[0]
    if rows:
        session.info[WRITTEN] = made[0]
        mentions.write(connection, {made[0]: told_of})
    if others:  # nobody writes between them: it is our turn
        connection.execute(insert(Journal), [{**entry, "rows": []} for entry in others])
        session.info[SAID] = connection.scalar(select(func.max(Journal.id)))


def _concerned(session: Session, capture: _Capture, rows: list[Row]) -> set[int]:
    def owners(name: str, keys: list[list[Any]]) -> set[int | None]:
        found, unread = set(), []
        for key in keys:
            if (row := capture.before.get((name, tuple(key)))) is not None:
                found.add(row["record_id"])
            else:
                unread.append(key[0])
        table = Base.metadata.tables[name]
        for start in range(0, len(unread), BATCH):
            some = table.c.id.in_(unread[start : start + BATCH])
            found.update(session.connection().scalars(select(table.c.record_id).where(some)))
        return found

    return mentions.concerned(capture.entries[0]["subject"], rows, owners)


def _differences(session: Session, capture: _Capture) -> list[Row]:
    """Return the items of `rows`, parents before children."""
    alike: dict[str, Row] = {}
    for table in journaled():
        keys = [key for name, key in capture.before if name == table.name]
        now = read(session, table, keys) if keys else {}
        for key in keys:
            item = _difference(table, key, capture.before[table.name, key], now.get(key))
            if item is None:
                continue
            same = json.dumps([table.name, item["before"], item["after"]], sort_keys=True)
            alike.setdefault(same, item | {"keys": []})["keys"].append(list(key))
    for item in capture.rewrites:  # which of the two came last could not be told afterwards
        if any((item["table"], tuple(key)) in capture.before for key in item["keys"]):
            raise Unrecorded(f"a row of {item['table']} was both touched and rewritten")
    return [*alike.values(), *capture.rewrites]


def _difference(table: Table, key: Key, before: Row | None, after: Row | None) -> Row | None:
    if before == after:
        return None
    if before is not None and after is not None:
        changed = {name for name in after if before[name] != after[name]}
        before = {name: before[name] for name in sorted(changed)}
        after = {name: after[name] for name in sorted(changed)}
    else:
        before, after = before and whole(table, before), after and whole(table, after)
    return {"table": table.name, "before": before, "after": after}


def _savepoint(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        capture = _of(session)
        capture.savepoints.append((len(capture.rewrites), len(capture.entries)))


def _end_of_savepoint(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested and STATE in session.info:
        _of(session).savepoints.pop()


def _take_back(session: Session) -> None:
    """Forget what was said since the savepoint; rows touched since are as they were before it."""
    if not session.in_nested_transaction():
        _forget(session)
        return
    capture = _of(session)
    rewrites, entries = capture.savepoints[-1]
    del capture.rewrites[rewrites:], capture.entries[entries:]


def _forget(session: Session) -> None:
    if not session.in_nested_transaction():  # a savepoint that is done decides nothing yet
        session.info.pop(STATE, None)
