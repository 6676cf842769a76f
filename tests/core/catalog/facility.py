"""What the tests of the vocabulary share: two projects, many images, looking at tags."""

from __future__ import annotations

from typing import Any

import world
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.search import index
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions

ANNOTATOR, MANAGER, STAFF = Actor("annotator"), Actor("manager"), world.STAFF
STRANGER = Actor("other")


def two_projects(sessions: Sessions) -> None:
    """Make `screen` with the usual people, and `secret` where only `other` is manager."""
    with sessions.begin() as session:
        world.make_project(session, "screen")
        world.make_project(session, "secret")
        secret = session.query(t.Project).filter_by(name="secret").one()
        for member in session.query(t.ProjectMember).filter_by(project_id=secret.id):
            session.delete(member)
        session.add(t.ProjectMember(project_id=secret.id, person="other", role="manager"))
        for leader in session.query(t.TeamMember).filter_by(team_id=secret.team_id):
            session.delete(leader)


def image(sessions: Sessions, name: str = "cells", project: str = "screen") -> str:
    """Add one image with its usual tag through a deposit's commit, and return its uid."""
    with sessions.begin() as session:
        if project == "screen":
            return world.add_image(session, project, name).uid
    return images(sessions, 1, project)[0]


def images(sessions: Sessions, count: int, project: str = "screen") -> list[str]:
    """Add many images without bytes or tags, and return their uids."""
    with sessions.begin() as session:
        row = session.query(t.Project).filter_by(name=project).one()
        root = session.query(t.Dataset).filter_by(project_id=row.id, path="").one()
        made = [
            t.Image(
                kind="image",
                project_id=row.id,
                dataset_id=root.id,
                name=f"image {n}",
                prefix="images/x",
                nbytes=1,
                sha256="0" * 64,
                created_by="contributor",
                axes="yx",
                shape=[1, 1],
                dtype="uint8",
                levels=1,
                scale={},
                units={},
                channels=[],
            )
            for n in range(count)
        ]
        session.add_all(made)
        session.flush()
        index.refresh(session, [one.id for one in made])
        journal.record(session, "test", "set up", "test")
        return [one.uid for one in made]


def tags_of(sessions: Sessions, uid: str) -> dict[str, list[str]]:
    """Return what the record's tags say by key, as people read it."""
    with sessions() as session:
        record = session.query(t.Record).filter_by(uid=uid).one()
        found: dict[str, list[str]] = {}
        for tag in record.tags:
            found.setdefault(tag.term.key, []).append(tag.shown)
        return found


def vocabulary(sessions: Sessions) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of terms, values and tags, and what searches read: the canonical state."""
    with sessions() as session:
        found = {}
        for table in (t.Term, t.Value, t.Tag, t.Posting, t.Tally, t.Document):
            columns = table.__table__.columns
            chosen = select(*columns).order_by(*table.__table__.primary_key.columns)
            if table is t.Tally:
                chosen = chosen.where(t.Tally.n != 0)
            rows = session.execute(chosen)
            found[table.__tablename__] = [dict(row._mapping) for row in rows]
        return found


def last_entry(session: Session) -> t.Journal:
    return session.scalars(select(t.Journal).order_by(t.Journal.id.desc())).first()
