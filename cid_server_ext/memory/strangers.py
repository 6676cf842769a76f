"""Bytes on storage that no record names, and which of them are only on their way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from ..db.session import Sessions, reading
from ..db.tables import Deposit, Grave, Record

SHELVES = ("images", "files")
BATCH = 500


def folders(storage: Path) -> Iterator[str]:
    """Yield the key of everything that lies where a record's bytes would."""
    for top in SHELVES:
        for shelf in sorted(os.listdir(storage / top)) if (storage / top).is_dir() else ():
            place = storage / top / shelf
            names = sorted(os.listdir(place)) if place.is_dir() else [""]
            yield from (f"{top}/{shelf}/{name}".rstrip("/") for name in names)


def moving(sessions: Sessions, keys: list[str]) -> set[str]:
    """Return those of the keys that an import is about to commit, or a purge to remove."""
    found: set[str] = set()
    with reading(sessions) as session:
        found.update(session.scalars(select(Grave.prefix)))
        for results in session.scalars(select(Deposit.results).where(Deposit.state == "importing")):
            moves = (results.get("prepared") or {}).get("moves", [])
            found.update("/".join(target.split("/")[:3]) for _, target in moves)
    return found | known(sessions, keys)  # committed since we asked


def known(sessions: Sessions, keys: list[str]) -> set[str]:
    """Return those of the keys that a record names."""
    found: set[str] = set()
    with reading(sessions) as session:
        for at in range(0, len(keys), BATCH):
            batch = keys[at : at + BATCH]
            uids = [key.rpartition("/")[2] for key in batch]  # these have an index
            asked = select(Record.prefix).where(Record.uid.in_(uids), Record.purged_at.is_(None))
            found.update(session.scalars(asked))
    return found
