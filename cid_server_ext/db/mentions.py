"""Which records the rows of a journal entry concern, so that a record's history is found by it.

An entry about one record alone is found by its subject and has none; so is the one that each record
has for its coming.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, insert

from .tables import Mention

Row = dict[str, Any]
Owners = Callable[[str, list[list[Any]]], Iterable[int | None]]  # table, keys -> their records

ALONE = ("image:", "file:", "record:")


def concerned(subject: str, rows: Iterable[Row], owners: Owners) -> set[int]:
    """Return the ids of the records whose rows, tags, links or notes were changed.

    `owners` knows the records of tags and notes of which only other columns were changed.
    """
    found: set[int | None] = {None}
    new: set[int | None] = {None}
    for item in rows:
        match item["table"]:
            case "record":
                (new if item["before"] is None else found).update(key[0] for key in item["keys"])
            case "link":
                found.update(key[1] for key in item["keys"])
            case "tag" | "note" as table:
                sides = [side for side in (item["before"], item["after"]) if side]
                said = {side["record_id"] for side in sides if "record_id" in side}
                whole = item["before"] is None or item["after"] is None
                found.update(said if said or whole else owners(table, item["keys"]))
    ids = {number for number in found - new if number is not None}
    return set() if len(ids) == 1 and subject.startswith(ALONE) else ids


def write(connection: Connection, told_of: Mapping[int, Iterable[int]]) -> None:
    """Note which records each entry concerns."""
    rows = [
        {"record_id": record, "entry": entry}
        for entry, records in told_of.items()
        for record in sorted(records)
    ]
    if rows:
        connection.execute(insert(Mention), rows)
