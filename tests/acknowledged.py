"""Whether a database holds all that people were told is done, and its sums are right."""

from __future__ import annotations

from collections.abc import Sequence

from load import PROJECT, Person
from sqlalchemy import func, select, text

from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions


def check(sessions: Sessions, people: Sequence[Person]) -> int:
    """Compare every acknowledged write with the database; return how many there were."""
    compared = 0
    with sessions() as session:
        project = session.scalars(select(t.Project).where(t.Project.name == PROJECT)).one()
        images = {image.uid: image for image in session.scalars(select(t.Image))}
        roles = dict(session.execute(select(t.ProjectMember.person, t.ProjectMember.role)).all())
        deposits = dict(
            session.execute(
                select(t.Deposit.uid, t.Deposit.state).where(t.Deposit.project_id == project.id)
            ).all()
        )
        for person in people:
            known = person.known
            tags = {tag.term.key: tag.shown for tag in images[person.tagged].tags}
            found = (
                {uid: images[uid].name for uid in known.names if "name" not in known.unsure},
                {u: images[u].dataset.uid for u in known.places if "place" not in known.unsure},
                {key: tags.get(key) for key in known.tags},
                {name: roles.get(name) for name in known.members},
                {uid: deposits.get(uid) for uid in known.deposits},
            )
            told = (known.names, known.places, known.tags, known.members, known.deposits)
            for said, held in zip(told, found, strict=True):
                for what in set(held) - known.unsure:
                    assert held[what] == said[what], (person.number, what)
                    compared += 1
        counted = sum(person.known.counted for person in people)
        number = {tag.term.key: tag.number for tag in images[people[0].counted].tags}
        if any("count" in person.known.unsure for person in people):
            assert number.get("count", 0) >= counted
        else:
            assert number.get("count", 0) == counted
    sums(sessions)
    return compared


def sums(sessions: Sessions) -> None:
    """Check that each counter is the sum of what it counts, and that references hold."""
    with sessions() as session:
        if session.get_bind().dialect.name == "postgresql":  # all of one moment
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        for project in session.scalars(select(t.Project)):
            kept = (t.Record.project_id == project.id) & t.Record.purged_at.is_(None)
            used = session.scalar(select(func.sum(t.Record.nbytes)).where(kept)) or 0
            held = 0
            for row, states in (
                (t.Deposit, ("open", "importing")),
                (t.Run, ("queued", "starting", "running", "committing")),
            ):
                unended = (row.project_id == project.id) & row.state.in_(states)
                held += session.scalar(select(func.sum(row.reserved)).where(unended)) or 0
            counters = (project.allocation.used, project.allocation.reserved)
            assert counters == (used, held), project.name
        if session.get_bind().dialect.name == "sqlite":
            assert session.scalar(text("PRAGMA integrity_check")) == "ok"
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []
