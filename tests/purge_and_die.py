"""Purge what is due, and be killed on the way: `purge_and_die.py DATABASE STORAGE MOMENT`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from sqlalchemy import event

from cid_server_ext.core.life import purge
from cid_server_ext.db.session import open_database
from cid_server_ext.storage.roots import Folder


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(database: str, storage: str, moment: str) -> None:
    sessions, root = open_database(database), Folder(Path(storage))
    removed = 0

    def remove(prefix: str) -> None:
        nonlocal removed
        if moment == "before the first byte":
            die()
        if moment == "in the middle of a prefix" and removed == 1:
            next(p for p in root.path(prefix).rglob("*") if p.is_file()).unlink()
            die()
        root.remove(prefix)
        removed += 1
        if moment == "before the grave is forgotten":
            die()

    if moment == "before the rows are committed":
        event.listen(sessions, "before_commit", lambda s: s.info.get("purged") and die())
        event.listen(sessions, "after_flush", lambda s, _: s.info.update(purged=_graves(s)))
    purge.sweep(sessions, remove, "killed")


def _graves(session: object) -> bool:
    return any(type(row).__name__ == "Grave" for row in session.new)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(*sys.argv[1:])
