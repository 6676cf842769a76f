"""Bringing what a survey found into the catalog, by the batch. It can be stopped anywhere.

Whoever runs it again brings the rest: uids come from the adoption's own and the path, and what the
catalog refers to already is not looked at. What a kill left below `images/` or `files/` without a
row is replaced.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from ...core.catalog import adoptions, references
from ...core.life import takeback
from ...core.life.purge import bury
from ...db.session import Sessions, reading
from ...db.tables import Image, Reference
from ...errors import BadFile, Busy, CidError, OverQuota
from ...storage.inplace import Roots
from ...storage.roots import Folder
from ..limits import Limits
from ..workers import Worker
from .found import NEW, Found
from .made import Made, Maker, room

LOCK = "state/adopting.lock"
BATCH = 50  # things of one transaction
Told = Callable[[str, int, int], None]


@dataclass(slots=True)
class Brought:
    """What came: things, records, and by path what could not be read, or not be brought."""

    unit: str
    things: int = 0
    records: int = 0
    unread: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Adopting:
    """One adoption: where its things lie, who is said to have brought them, and how it is told."""

    sessions: Sessions
    storage: Folder
    roots: Roots
    root: str
    unit: str
    person: str
    limits: Limits = field(default_factory=Limits)
    told: Told = lambda what, done, total: None
    should_stop: Callable[[], bool] = lambda: False

    def bring(self, found: Iterable[Found]) -> Brought:
        """Bring all that is new. OverQuota ends it; what came before stays, as the same unit."""
        brought = Brought(self.unit)
        with alone(self.storage), Worker(self.limits, self.should_stop) as worker:
            wanted = self._new(found)
            maker = Maker(self.storage, self.roots, self.root, self.unit, worker)
            waiting: list[Made] = []
            for at, one in enumerate(wanted):
                self.told(one.path, at, len(wanted))
                try:
                    made = maker.make(one)
                except (CidError, OSError) as error:
                    brought.refused[one.path] = str(error)
                    continue
                if made.problem:
                    brought.unread[one.path] = made.problem
                waiting.append(made)
                if len(waiting) == BATCH or len(made.adopted.images) > BATCH:
                    self._commit(waiting, brought)
                    waiting = []
            self._commit(waiting, brought)
            self.storage.remove(room(self.unit))
        return brought

    def pictures(self) -> int:
        """Draw the thumbnails that images shown where they are lack; return how many it drew."""
        drawn, left = 0, list(self._without_picture())
        with alone(self.storage), Worker(self.limits, self.should_stop) as worker:
            for at, (prefix, store) in enumerate(left):
                self.told("drawing", at, len(left))
                key = f"{room(self.unit)}/thumbnail.png"
                target = self.storage.path(key)
                target.parent.mkdir(parents=True, exist_ok=True)
                with suppress(BadFile):  # it is shown without
                    worker.ask({"draw": str(store), "target": str(target)}, lambda said: None)
                    self.storage.publish(key, f"{prefix}/thumbnail.png")
                    drawn += 1
            self.storage.remove(room(self.unit))
        return drawn

    def _new(self, found: Iterable[Found]) -> list[Found]:
        """Return what is new now that nobody else adopts: what has a row is never touched."""
        wanted = [one for one in found if one.fate == NEW]
        with reading(self.sessions) as session:
            there = references.known(session, self.root, [one.path for one in wanted])
        return [one for one in wanted if one.path not in there]

    def _without_picture(self) -> Iterator[tuple[str, Path]]:
        mine = select(Reference.record_id).where(Reference.adoption == self.unit)
        asked = select(Image).where(Image.original_id.in_(mine), Image.inside.is_not(None))
        with reading(self.sessions) as session:
            for image in session.scalars(asked.order_by(Image.id)):
                where = references.where(session, image)
                if where and not self.storage.path(f"{image.prefix}/thumbnail.png").exists():
                    yield image.prefix, self.roots.path(where.root, where.path)

    def _commit(self, waiting: list[Made], brought: Brought) -> None:
        """Publish and commit; where that is refused nothing of it stays."""
        if not waiting:
            return
        moves = [move for made in waiting for move in made.moves]
        for _, target in moves:
            self.storage.remove(target)  # what an attempt that was killed left
        try:
            self.storage.publish_all(moves)
            with self.sessions.begin() as session:
                several = [made.adopted for made in waiting]
                records, wrong = adoptions.commit(session, self.unit, self.person, several)
        except CidError as error:  # after any other nobody knows whether it was committed
            for _, target in moves:
                self.storage.remove(target)
            if isinstance(error, OverQuota) and brought.things:
                after = f"{brought.things} things came before: adopt again for the rest"
                raise OverQuota(f"{error} ({after})") from None
            raise
        for made in waiting:
            if made.adopted.where.path in wrong:
                for _, target in made.moves:
                    self.storage.remove(target)
        brought.refused |= wrong
        brought.things += len(waiting) - len(wrong)
        brought.records += records


def take_back(sessions: Sessions, storage: Folder, unit: str, person: str) -> takeback.TakenBack:
    """Take a whole adoption back; bytes of its views are removed, what lies in place never."""
    with alone(storage):
        with sessions.begin() as session:
            done = takeback.take_back(session, person, unit)
        bury(sessions, storage.remove)
        storage.remove(room(unit))
    return done


@contextmanager
def alone(storage: Folder) -> Iterator[None]:
    """Let no other adoption of this storage begin meanwhile; Busy: one is under way."""
    path = storage.path(LOCK)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy("another adoption is under way: wait until it has ended") from None
        yield
    finally:
        os.close(handle)
