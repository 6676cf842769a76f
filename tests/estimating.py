"""What tests of estimates need: a template, images of some size, runs that are done."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any

import world
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core import journal
from cid_server_ext.core.templates import templates
from cid_server_ext.db import clock
from cid_server_ext.db import tables as t

LABELS = 4  # bytes of a pixel of labels


def template(session: Session, name: str, version: str = "1.0.0", **resources: Any) -> t.Template:
    """Publish a version of a template with these resources."""
    raw = copy.deepcopy(world.MANIFEST)
    raw["template"] |= {"name": name, "version": version}
    raw["resources"] = {"workers": 2, "wall_seconds": 3600, **resources}
    made: t.Template = templates.publish(session, world.STAFF, raw, world.NOTEBOOK, "it differs")
    return made


def image(session: Session, project: str, name: str, side: int = 1000) -> t.Image:
    """Add an image of so many pixels by so many."""
    made = world.add_image(session, project, name)
    made.shape = [side, side]
    journal.record(session, "test", "set up", "test")
    session.flush()
    return made


def run(session: Session, of: t.Template, on: t.Image, **columns: Any) -> t.Run:
    """Add a run as it is said."""
    batch = columns.pop("batch", t.new_uid())
    made = t.Run(
        batch=batch,
        project_id=on.project_id,
        template_id=of.id,
        person="contributor",
        parameters={},
        inputs=[t.RunInput(position=0, image_id=on.id, role="image")],
        **columns,
    )
    session.add(made)
    journal.record(session, "test", "set up", "test")
    session.flush()
    return made


def done(
    session: Session, of: t.Template, on: t.Image, seconds: float, *, waited: float = 10
) -> t.Run:
    """Add a run that took so many seconds, some hours ago."""
    begun = clock.now(session) - dt.timedelta(hours=5)
    return run(
        session,
        of,
        on,
        state="done",
        created_at=begun - dt.timedelta(seconds=waited),
        started_at=begun,
        ended_at=begun + dt.timedelta(seconds=seconds),
    )


def under_way(session: Session, of: t.Template, on: t.Image, since: float, **more: Any) -> t.Run:
    """Add a run that began so many seconds ago."""
    begun = clock.now(session) - dt.timedelta(seconds=since)
    return run(session, of, on, state="running", started_at=begun, attempt=1, **more)


def named(session: Session, name: str) -> t.Image:
    return session.scalars(select(t.Image).where(t.Image.name == name)).one()
