"""A project full of words that stand nowhere else, and the same names for what is not there.

Every private word is `{begin}{rest}...`: who is told a `rest` that he did not say, was told a word.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from dataclasses import dataclass, replace
from typing import Any

import world
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import datasets, tags, terms
from cid_server_ext.core.people import members, teams
from cid_server_ext.core.search import index
from cid_server_ext.core.templates import templates
from cid_server_ext.db import tables as t

ABSENT = 999_999_999  # the number of a journal entry that is not there
KEYED = ("uid", "batch", "sha256", "prefix")  # columns whose values nobody else may be told


@dataclass(frozen=True)
class Hidden:
    """`names`: what routes and questions name. `told`: what no answer may contain by itself."""

    names: dict[str, str]
    told: frozenset[str]
    world: world.World

    def absent(self) -> Hidden:
        """Return the same names of things that do not exist, as long and of the same kind."""
        begin, rest = new_word(), new_word()
        ours = (self.names["begin"], self.names["rest"])
        swapped: dict[str, str] = {}

        def other(name: str) -> str:
            if name not in swapped:
                swapped[name] = _another(name).replace(ours[0], begin).replace(ours[1], rest)
            return swapped[name]

        names = {key: other(name) for key, name in self.names.items()}
        fields = {
            key: other(given) if isinstance(given, str) else ABSENT
            for key, given in vars(self.world).items()
        }
        return Hidden(names | {"entry": str(ABSENT)}, frozenset(), world.World(**fields))


def new_word() -> str:
    return "zq" + secrets.token_hex(5)


def make(session: Session) -> Hidden:
    """Make it; its members are "viewer", "manager" and so on, and one whose time is up."""
    begin, rest = new_word(), new_word()

    def word(end: str = "") -> str:
        return f"{begin}{rest}{end}"

    project = word("-p")
    made = world.make(session, project)
    manager = Actor("manager")
    row = session.scalars(select(t.Project).where(t.Project.name == project)).one()
    row.title, row.team.title, row.team.address = word(" title"), word(" team"), word(" street")
    image = session.scalars(select(t.Image).where(t.Image.uid == made.image)).one()
    result = session.scalars(select(t.Image).where(t.Image.uid == made.result)).one()
    file = session.scalars(select(t.File).where(t.File.uid == made.file)).one()
    run = session.scalars(select(t.Run).where(t.Run.uid == made.run)).one()
    image.name, result.name, file.name = word(" image"), word(" result"), word(".csv")
    for record in (image, result, file):
        record.prefix, record.sha256 = f"images/{record.uid}", secrets.token_hex(32)
        record.created_by = word("-maker")
    run.person, run.metrics = word("-runner"), {word("-metric"): 1}
    run.progress = {"text": word(" progress")}
    members.put_member(session, manager, project, word("-member"), "viewer")
    past = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    members.put_member(session, manager, project, begin + "-ended", "manager", past)
    teams.put_member(session, world.STAFF, row.team.name, word("-mate"), "member")
    new = terms.NewTerm(word(" term"), type="choice", help=word(" help"), values=[word(" choice")])
    term = terms.declare(session, manager, project, new)
    session.flush()
    tags.put(session, manager, image.uid, term.key, word(" choice"))
    tags.put(session, manager, image.uid, "Staining", word(" stain"))
    dataset = datasets.create(session, manager, project, word(" plates/") + word(" inner"))
    live = datasets.create(session, manager, project, word(" live"), query=word())
    image.dataset_id = dataset.id
    note = t.Note(project_id=row.id, record_id=image.id, person=word("-writer"), text=word(" note"))
    later = past + dt.timedelta(days=30)
    thrown = t.Trash(
        project_id=row.id, person=word("-thrower"), what=word(" thrown"), nbytes=1, purge_at=later
    )
    standing = t.Subscription(
        project_id=row.id,
        template_id=run.template_id,
        dataset_id=live.id,
        person=word("-subscriber"),
        parameters={},
        state="ended",
        reason=word(" reason"),
    )
    session.add_all([note, thrown, standing])
    session.flush()
    matched = {"subscription_id": standing.id, "record_id": image.id, "state": "left"}
    session.add(t.SubscriptionMatch(**matched, reason=word(" why")))
    file.trash_id = thrown.id
    request = session.scalars(select(t.Request).where(t.Request.uid == made.request)).one()
    request.wanted = request.wanted | {"purpose": word(" purpose"), "name": word("-wanted")}
    request.person = word("-asker")
    deposit = session.scalars(select(t.Deposit).where(t.Deposit.uid == made.deposit)).one()
    deposit.declared = [{"path": word(".tif"), "nbytes": 10}]
    index.refresh(session, [image.id, result.id, file.id])
    subject, detail = f"image:{image.uid}", {"to": word(" detail")}
    journal.record(session, word("-doer"), "rename", subject, detail, project_id=row.id)
    session.flush()
    raw = world.called("hidden-things", title=word(" method"), summary=word(" way"))
    someone = Actor("contributor")
    own = templates.publish(session, someone, raw, world.NOTEBOOK, word(" news"), project)
    made = replace(made, template=own.reference, own=own.reference)
    names = {
        "begin": begin,
        "rest": rest,
        "word": word(),
        "project": project,
        "team": row.team.name,
        "person": word("-member"),
        "ended": begin + "-ended",
        "dataset": dataset.uid,
        "live": live.uid,
        "path": dataset.path,
        "image": image.uid,
        "result": result.uid,
        "record": image.uid,
        "file": made.file,
        "run": run.uid,
        "other": run.uid,
        "batch": run.batch,
        "deposit": deposit.uid,
        "request": request.uid,
        "term": term.uid,
        "key": term.key,
        "value": session.scalars(select(t.Value.uid).where(t.Value.term_id == term.id)).one(),
        "note": note.uid,
        "subscription": standing.uid,
        "template": own.reference,
        "trash": thrown.uid,
    }
    return Hidden(names, frozenset(_keyed(session, row)) | {rest}, made)


def entry_of(session: Session, hidden: Hidden) -> int:
    """Return the number of the last journal entry about the project."""
    named = select(t.Project.id).where(t.Project.name == hidden.names["project"])
    entries = select(t.Journal.id).where(t.Journal.project_id == named.scalar_subquery())
    return session.scalars(entries.order_by(t.Journal.id.desc())).first() or 0


def _keyed(session: Session, project: t.Project) -> set[str]:
    """Return every name by which a program could ask for something of the project."""
    found = {project.uid, project.team.uid}
    for mapper in t.Base.registry.mappers:
        model: Any = mapper.class_
        if hasattr(model, "project_id") and model is not t.Journal:
            for row in session.scalars(select(model).where(model.project_id == project.id)):
                found |= {str(getattr(row, name)) for name in KEYED if getattr(row, name, None)}
    return found - {"0" * 64, "images/x", "files/x"}


def _another(name: str) -> str:
    try:
        return str(uuid.uuid4()) if str(uuid.UUID(name)) == name else name
    except ValueError:
        is_digest = len(name) == 64 and set(name) <= set("0123456789abcdef")
        return secrets.token_hex(32) if is_digest else name
