"""The journal folded into the last state of every row, in a scratch file; memory stays small."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from ...db import capture

Row = dict[str, Any]
Key = tuple[Any, ...]

OWNED = ("tag", "note")  # tables whose rows belong to a record


class Fold:
    """Rows by table and key, changed by one journal entry after the other.

    `begun_before`: rows that an entry changes and that no entry made: their beginning is lost.
    `highest`: the highest number that each table has ever given.
    """

    def __init__(self, path: Path) -> None:
        self.tables = {table.name: table for table in capture.journaled()}
        self.begun_before: set[tuple[str, Key]] = set()
        self.highest: dict[str, int] = {}
        self._early = False
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-200000"):
            self.db.execute(f"PRAGMA {pragma}")
        self.db.execute("BEGIN")
        self._made = {name: _Statements(table) for name, table in self.tables.items()}
        for made in self._made.values():
            self.db.execute(made.create)

    def close(self) -> None:
        """Let go of the scratch file."""
        self.db.close()

    def see(self, entry: Row) -> None:
        """Remember of an entry that a snapshot follows the numbers, and whose the tags were."""
        self._early = True
        for item in entry["rows"]:
            self._count(item)
            if item["table"] in OWNED:
                self._apply(item)

    def apply(self, entry: Row) -> None:
        """Change the rows as this entry did."""
        if self._early:  # the snapshot says all of them again
            self._early = False
            self.begun_before.clear()
            for name in OWNED:
                self.db.execute(f'DELETE FROM "{name}"')
        for item in entry["rows"]:
            self._count(item)
            self._apply(item)

    def count(self, name: str) -> int:
        """Return the number of rows of a table."""
        return int(self.db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])

    def owners(self, name: str, keys: Sequence[list[Any]]) -> set[int | None]:
        """Return the records that rows of tags or notes belong to, as far as they are known now."""
        found = (self.db.execute(self._made[name].get, key).fetchone() for key in keys)
        return {json.loads(row[0]).get("record_id") for row in found if row is not None}

    def rows(self, name: str) -> Iterator[Row]:
        """Yield the whole rows of a table in the order of their keys, as the journal keeps them."""
        made = self._made[name]
        for *key, said in self.db.execute(made.all):
            yield dict(zip(made.keys, key, strict=True)) | json.loads(said)

    def _apply(self, item: Row) -> None:
        made, keys, after = self._made[item["table"]], item["keys"], item["after"]
        if after is None:
            self.db.executemany(made.delete, keys)
        elif item["before"] is None:
            said = json.dumps(after)
            self.db.executemany(made.put, ([*key, said] for key in keys))
        else:
            self._change(item["table"], keys, after)

    def _change(self, name: str, keys: Sequence[list[Any]], after: Row) -> None:
        made = self._made[name]
        for key in keys:
            found = self.db.execute(made.get, key).fetchone()
            if found is None:
                self.begun_before.add((name, tuple(key)))
                continue
            row = {n: v for n, v in (json.loads(found[0]) | after).items() if v is not None}
            self.db.execute(made.put, [*key, json.dumps(row)])

    def _count(self, item: Row) -> None:
        keys = (key[0] for key in item["keys"] if len(key) == 1)
        numbers = [key for key in keys if isinstance(key, int)]
        name = item["table"]
        if numbers:
            self.highest[name] = max(self.highest.get(name, 0), *numbers)


class _Statements:
    """The SQL of one table of the scratch file: its key columns, and the rest as JSON in `row`."""

    def __init__(self, table: Table) -> None:
        self.keys = [column.name for column in table.primary_key.columns]
        keys = ", ".join(f'"{key}"' for key in self.keys)
        where = " AND ".join(f'"{key}" = ?' for key in self.keys)
        marks = ", ".join("?" for _ in self.keys)
        at = f'"{table.name}"'
        self.create = f"CREATE TABLE {at} ({keys}, row TEXT, PRIMARY KEY ({keys})) WITHOUT ROWID"
        self.put = f"INSERT OR REPLACE INTO {at} ({keys}, row) VALUES ({marks}, ?)"
        self.delete = f"DELETE FROM {at} WHERE {where}"
        self.get = f"SELECT row FROM {at} WHERE {where}"
        self.all = f"SELECT {keys}, row FROM {at} ORDER BY {keys}"
