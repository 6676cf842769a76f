"""Looks at what stays in place: each night at all of it, at once where the data plane doubts.

Size and time of every file are compared, and some of the files are read again: what was changed so
that both are the same is found by reading only. What is not as it was registered is said in the
journal and on the record, and is not given out. Nothing in place is ever written.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from sqlalchemy import select, update

from ..core import journal
from ..core.catalog import references
from ..core.ledger.lines import MARGIN
from ..db import clock
from ..db.session import Sessions, reading
from ..db.tables import File, Image, Reference
from ..errors import NotFound
from ..storage import presence
from ..storage.inplace import Place, Roots, suspects
from ..storage.presence import Known, Seen
from ..storage.roots import Folder
from .rounds import Rounds
from .turn import Turn

log = logging.getLogger(__name__)

BATCH = 200
PART = 0.05  # of the files that are read each night
DONE = "state/fixity.night"
Told = Callable[[str, int, int], None]


@dataclass(slots=True)
class Looked:
    """What was found: by path, the state and reason of what is not as it was."""

    looked: int = 0
    hashed: int = 0
    faults: dict[str, tuple[str, str]] = field(default_factory=dict)
    not_there: set[str] = field(default_factory=set)  # roots


def look(
    sessions: Sessions,
    storage: Folder,
    roots: Roots,
    *,
    part: float = PART,
    only: Mapping[str, str] | None = None,
    told: Told = lambda what, done, total: None,
    go_on: Callable[[], bool] = lambda: True,
) -> Looked:
    """Look at all references and read `part` of them whole, and what was not as it was before.

    only: those of these records, each with the file of a store that is doubted.
    """
    found, after, lost = Looked(), 0, list[tuple[Known, Seen]]()
    while go_on() and (rows := _rows(sessions, after, only)):
        after = rows[-1].record_id
        for row in rows:
            if not go_on():
                break
            known = _known(row)
            told(known.place.path, found.looked, 0)
            deep = row.state != "ok" or only is not None or random.random() < part
            doubted = None if only is None else _doubted(row, only)
            try:
                seen = presence.see(roots, storage, known, deep=deep, doubted=doubted)
            except NotFound as error:
                if known.place.root not in found.not_there:
                    log.warning("fixity: %s", error)
                found.not_there.add(known.place.root)
                continue
            found.looked, found.hashed = found.looked + 1, found.hashed + seen.hashed
            if seen.state == "missing":
                lost.append((known, seen))  # it may lie elsewhere: nothing is said before that
            else:
                _keep(sessions, known, seen, found)
    elsewhere = presence.moved(roots, [known for known, _ in lost]) if lost and go_on() else {}
    for known, seen in lost:
        if path := elsewhere.get(known.uid):
            why = f"its bytes lie at {path} now: jupyter cid relocate says so to the catalog"
            seen = Seen("moved", why[:300])
        _keep(sessions, known, seen, found)
    return found


class Fixity(Rounds):
    """Of several processes one looks for all."""

    name, every = "fixity", 30.0

    def __init__(self, sessions: Sessions, storage: Folder, roots: Roots) -> None:
        super().__init__()
        self._sessions, self._storage, self._roots = sessions, storage, roots
        self._turn = Turn(sessions, "fixity", 600.0)

    def start(self) -> Self:
        """Begin, if there is a tree to look at."""
        return super().start() if self._roots.folders else self

    def look(self) -> Looked | None:
        """Look at what is doubted, and once a night at all; None: another process does it."""
        with reading(self._sessions) as session:
            night = (clock.now(session) - MARGIN).date().isoformat()
        done = self._storage.path(DONE)
        due = not done.exists() or done.read_text() < night
        if not self._mine():
            return None
        found = None
        if doubted := suspects(self._storage.root):
            found = look(self._sessions, self._storage, self._roots, only=doubted, go_on=self._mine)
        if due:
            found = look(self._sessions, self._storage, self._roots, go_on=self._mine)
            done.parent.mkdir(parents=True, exist_ok=True)
            done.write_text(night)
        return found

    def _mine(self) -> bool:
        return not self.stopping.is_set() and self._turn.mine()


def _doubted(row: _Row, only: Mapping[str, str]) -> str | None:
    """Return the file of a store that is doubted, as its own or as an image's in it."""
    if row.inside is not None:
        return f"{row.inside}/{only[row.image]}".strip("/")
    return only.get(row.uid) or None


def _rows(sessions: Sessions, after: int, only: Mapping[str, str] | None) -> list[_Row]:
    columns = (File.uid, File.prefix, File.sha256, Reference)
    asked = select(*columns).join(File, File.id == Reference.record_id)
    asked = asked.where(Reference.record_id > after, File.purged_at.is_(None))
    inside: dict[int, tuple[str, str]] = {}
    with reading(sessions) as session:
        if only is not None:
            theirs = select(Image.original_id, Image.uid, Image.inside).where(Image.uid.in_(only))
            for number, uid, place in session.execute(theirs):
                if number is not None and place is not None:
                    inside[number] = (uid, place)
            asked = asked.where(File.uid.in_(only) | File.id.in_(inside))
        rows = session.execute(asked.order_by(Reference.record_id).limit(BATCH)).all()
        return [
            _Row(row.uid, row.prefix, row.sha256, row.Reference, *_image(row.Reference, inside))
            for row in rows
        ]


def _image(there: Reference, inside: Mapping[int, tuple[str, str]]) -> tuple[str, str | None]:
    return inside.get(there.record_id, ("", None))


@dataclass(frozen=True, slots=True)
class _Row:
    """A reference with its file, and the image in it that is doubted."""

    uid: str
    prefix: str
    sha256: str
    reference: Reference
    image: str = ""
    inside: str | None = None

    @property
    def record_id(self) -> int:
        return self.reference.record_id

    @property
    def state(self) -> str:
        return self.reference.state


def _known(row: _Row) -> Known:
    there = row.reference
    place = Place(there.root, there.path, there.form, there.nbytes, there.mtime_ns)  # type: ignore[arg-type]
    return Known(row.uid, row.prefix, row.sha256, place, there.hashed_at is not None)


def _keep(sessions: Sessions, known: Known, seen: Seen, found: Looked) -> None:
    """Say how one was found, if that is news; when it was looked at is not in the journal."""
    path = f"{known.place.root}:{known.place.path}"
    if seen.state != "ok":
        found.faults[path] = (seen.state, seen.reason)
    with sessions.begin() as session:
        asked = select(Reference).join(File, File.id == Reference.record_id)
        row = session.scalar(asked.where(File.uid == known.uid).with_for_update(of=Reference))
        if row is None or (row.root, row.path) != (known.place.root, known.place.path):
            return  # purged or relocated meanwhile
        if references.flag(session, row, seen.state, seen.reason):
            log.log(logging.INFO if seen.state == "ok" else logging.ERROR, "%s: %s", path, seen)
        if seen.mtime_ns is not None or seen.nbytes is not None:
            file = session.get_one(File, row.record_id)
            told = {"time": seen.mtime_ns, "bytes": seen.nbytes}
            told = {key: value for key, value in told.items() if value is not None}
            about = f"file:{file.uid}"
            journal.record(session, "cid", "fixity", about, told, project_id=file.project_id)
            row.mtime_ns = row.mtime_ns if seen.mtime_ns is None else seen.mtime_ns
        if seen.nbytes is not None:
            row.nbytes, row.hashed_at = seen.nbytes, clock.now(session)
        passing = update(Reference).where(Reference.record_id == row.record_id)
        session.execute(passing.values(checked_at=clock.now(session)))
