"""What the catalog counts compared with what lies on storage, project by project. Only lists.

Sizes alone are compared, so that a night is enough; `verify` reads what the files say. Nothing is
repaired: a difference is told, and people look.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Select, select

from ..core.catalog import references
from ..db.session import Sessions, reading
from ..db.tables import Project, Record
from ..errors import NotFound
from ..storage import manifests
from ..storage.reconciled import Reconciled
from ..storage.roots import Folder
from . import strangers

BATCH = 200  # records between two questions whether to go on
TOLD = 5  # differing records of a project that are named


def reconcile(
    sessions: Sessions, root: Folder, go_on: Callable[[], bool] = lambda: True
) -> Reconciled | None:
    """Compare every record that is online; None when `go_on` said no, which it is asked often.

    What is committed, moved or purged meanwhile is no difference: each that looks like one is
    asked for again.
    """
    began, last, records = dt.datetime.now(dt.UTC), 0, 0
    drift: dict[str, int] = defaultdict(int)
    differing: dict[str, list[str]] = defaultdict(list)
    names: dict[str, str] = {}
    while rows := _rows(sessions, _online().where(Record.id > last).limit(BATCH)):
        if not go_on():
            return None
        records, last = records + len(rows), rows[-1].id
        wrong = [row.id for row in rows if _found(root, row) != row.nbytes]
        for row in _rows(sessions, _online().where(Record.id.in_(wrong))) if wrong else ():
            if more := _found(root, row) - row.nbytes:
                drift[row.project] += more
                names[row.project] = row.name
                differing[row.project] = [*differing[row.project], row.prefix][:TOLD]
    nobodys = _strangers(sessions, root, go_on)
    if nobodys is None:
        return None
    ended = dt.datetime.now(dt.UTC)
    return Reconciled(began, ended, records, nobodys, dict(drift), dict(differing), names)


def _online() -> Select[Any]:
    columns = (Record.id, Record.type, Record.prefix, Record.nbytes)
    home = (Project.uid.label("project"), Project.name)
    there = (Record.purged_at.is_(None), Record.tier == "online", references.ours())
    return (
        select(*columns, *home)
        .join(Project, Record.project_id == Project.id)
        .where(*there)
        .order_by(Record.id)
    )


def _rows(sessions: Sessions, asked: Select[Any]) -> Sequence[Any]:
    with reading(sessions) as session:
        return session.execute(asked).all()


def _found(root: Folder, row: Any) -> int:
    """Return the bytes below a record's prefix; an image's manifest is none of its bytes."""
    nbytes = _nbytes(root, row.prefix)
    if row.type == "image":
        nbytes -= _nbytes(root, f"{row.prefix}/{manifests.NAME}")
    return nbytes


def _nbytes(root: Folder, key: str) -> int:
    try:
        return root.nbytes(key)
    except (NotFound, FileNotFoundError):
        return 0


def _strangers(sessions: Sessions, root: Folder, go_on: Callable[[], bool]) -> int | None:
    """Return the bytes that belong to no record and are not on their way."""
    nbytes, keys = 0, strangers.folders(root.root)
    while batch := list(islice(keys, strangers.BATCH)):
        if not go_on():
            return None
        known = strangers.known(sessions, batch)
        left = [key for key in batch if key not in known]
        coming = strangers.moving(sessions, left) if left else set()
        nbytes += sum(_nbytes(root, key) for key in left if key not in coming)
    return nbytes
