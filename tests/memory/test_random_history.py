"""Whatever people did, and undid: what is made from the journal is what was there."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import everything
import world
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import datasets, links, notes, records, renames, tags
from cid_server_ext.core.ledger import lines
from cid_server_ext.core.life import purge, trash, undo
from cid_server_ext.core.memory import snapshot
from cid_server_ext.core.people import leaving, members
from cid_server_ext.db import clock
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, open_database
from cid_server_ext.errors import CidError
from cid_server_ext.memory.rebuild import rebuild

OPERATIONS = 300
PROJECTS = ("first", "second")
WORDS = ("GFP", "gfp ", "DAPI", "actin", "Ümlaut", "a b", "x" * 50)


@dataclass
class People:
    """Those who do something at random, and how often each thing was done."""

    seed: int
    done: Counter[str] = field(default_factory=Counter)
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def act(self, sessions: Sessions) -> None:
        """Do one thing in one transaction, or be refused and leave nothing."""
        does = self.random.choice(DOES)
        who = self.random.choice([world.STAFF, Actor("manager")])
        try:
            with sessions.begin() as session:
                does(self, session, who)
        except (CidError, IndexError):
            self.done["refused"] += 1
        else:
            self.done[does.__name__] += 1

    def act_until(self, sessions: Sessions, total: int) -> None:
        """Go on until so many things were done."""
        while self.done.total() - self.done["refused"] < total:
            self.act(sessions)

    def any(self, session: Session, model: type[Any], *where: Any) -> Any:
        """Return a row at random, or be refused."""
        ids = session.scalars(select(model.id).where(*where).order_by(model.id)).all()
        return session.get_one(model, self.random.choice(ids))

    def record(self, session: Session) -> t.Record:
        here = t.Record.trash_id.is_(None) & t.Record.purged_at.is_(None)
        return self.any(session, t.Record, here & (t.Record.kind == "image"))

    def dataset(self, session: Session) -> t.Dataset:
        return self.any(session, t.Dataset, t.Dataset.trash_id.is_(None))

    def word(self) -> str:
        return self.random.choice(WORDS)

    def path(self) -> str:
        return "/".join(self.random.choices("abc", k=self.random.randint(1, 3)))


def add_image(session: Session, project: str, dataset: str) -> None:
    image = world.add_image(session, project, f"image {t.new_uid()[:4]}", dataset)
    image.prefix, image.original.prefix = f"images/{image.uid}", f"files/{image.uid}"


def come(people: People, session: Session, who: Actor) -> None:
    add_image(session, people.random.choice(PROJECTS), people.path())


def tag(people: People, session: Session, who: Actor) -> None:
    given: Any = people.random.choice([people.word(), people.word(), people.random.random()])
    key = "Molecule" if isinstance(given, str) else "Measured"
    tags.put(session, who, people.record(session).uid, key, given)


def untag(people: People, session: Session, who: Actor) -> None:
    found = people.any(session, t.Tag)
    tags.remove(session, who, found.record.uid, found.term.key)


def rename(people: People, session: Session, who: Actor) -> None:
    records.change(session, who, t.Image, people.record(session).uid, name=people.word())


def move(people: People, session: Session, who: Actor) -> None:
    records.move(session, who, [people.record(session).uid], people.dataset(session).uid)


def link(people: People, session: Session, who: Actor) -> None:
    links.put(session, who, people.dataset(session).uid, people.record(session).uid)


def unlink(people: People, session: Session, who: Actor) -> None:
    ids = session.execute(select(t.Link.dataset_id, t.Link.record_id)).all()
    found = session.get_one(t.Link, tuple(people.random.choice(sorted(map(tuple, ids)))))
    links.remove(session, who, found.dataset.uid, found.record.uid)


def make_folder(people: People, session: Session, who: Actor) -> None:
    query = people.random.choice([None, "Molecule:GFP"])
    datasets.create(session, who, people.random.choice(PROJECTS), people.path(), query)


def move_folder(people: People, session: Session, who: Actor) -> None:
    row = people.dataset(session)
    if people.random.random() < 0.5:
        datasets.change(session, who, row.uid, path=people.path())
    else:
        datasets.change(session, who, row.uid, project=people.random.choice(PROJECTS))


def write_note(people: People, session: Session, who: Actor) -> None:
    notes.write(session, who, f"record:{people.record(session).uid}", people.word())


def edit_note(people: People, session: Session, who: Actor) -> None:
    notes.edit(session, who, people.any(session, t.Note).uid, people.word())


def remove_note(people: People, session: Session, who: Actor) -> None:
    notes.remove(session, who, people.any(session, t.Note).uid)


def throw(people: People, session: Session, who: Actor) -> None:
    if people.random.random() < 0.7:
        trash.throw(session, who, [people.record(session).uid], [])
    else:
        trash.throw(session, who, [], [people.dataset(session).uid])


def restore(people: People, session: Session, who: Actor) -> None:
    trash.restore(session, who, people.any(session, t.Trash, t.Trash.state == "kept").uid)


def purge_now(people: People, session: Session, who: Actor) -> None:
    purge.now(session, who, people.any(session, t.Trash, t.Trash.state == "kept").uid)


def put_member(people: People, session: Session, who: Actor) -> None:
    role, person = people.random.choice(world.ROLES), people.random.choice("abc")
    members.put_member(session, who, people.random.choice(PROJECTS), person, role)


def remove_member(people: People, session: Session, who: Actor) -> None:
    project, person = people.random.choice(PROJECTS), people.random.choice("abc")
    members.remove_member(session, who, project, person)


def hand_over(people: People, session: Session, who: Actor) -> None:
    one, other = people.random.sample("abc", 2)
    leaving.hand_over(session, who, one, other, end=people.random.random() < 0.5)


def rename_value(people: People, session: Session, who: Actor) -> None:
    value = people.any(session, t.Value, t.Value.retired.is_(False))
    renames.rename_value(session, who, value.term.uid, value.uid, people.word())


def accrue(people: People, session: Session, who: Actor) -> None:
    now = clock.now(session)
    day = now.date() - dt.timedelta(people.random.randrange(-3, 9))
    if not lines.accrue(session, day, now):
        raise IndexError("nothing to accrue")


def take_back(people: People, session: Session, who: Actor) -> None:
    undo.undo(session, who, people.any(session, t.Journal, t.Journal.rows.is_not(None)).id)


DOES: list[Callable[[People, Session, Actor], None]] = [
    *(come, come, tag, tag, tag, untag, rename, move, link, link, unlink, make_folder, move_folder),
    *(write_note, edit_note, remove_note, throw, throw, restore, purge_now, put_member),
    *(remove_member, hand_over, rename_value, accrue, take_back, take_back, take_back),
]


def test_a_random_history_is_rebuilt_exactly(sessions: Sessions, tmp_path: Path) -> None:
    people = People(seed=1)
    for name in PROJECTS:
        with sessions.begin() as session:
            world.make_project(session, name)
            for _ in range(5):
                add_image(session, name, "")
    people.act_until(sessions, OPERATIONS // 2)
    is_rebuilt(sessions, tmp_path, "from the beginning")
    with sessions.begin() as session:
        snapshot.take(session)
    people.act_until(sessions, OPERATIONS)
    is_rebuilt(sessions, tmp_path, "from the snapshot")
    never = {does.__name__ for does in DOES} - people.done.keys()
    assert not never, people.done  # nothing is in the list that is always refused


def is_rebuilt(sessions: Sessions, folder: Path, name: str) -> None:
    url = f"sqlite:///{folder}/{name}.sqlite"
    report = rebuild(everything.written(sessions, folder / "storage"), url)
    assert report.whole, report
    again = open_database(url)
    assert everything.export(again) == everything.export(sessions)
    assert everything.derived(again) == everything.derived(sessions)
    again.kw["bind"].dispose()
