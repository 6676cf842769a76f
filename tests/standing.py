"""What tests of subscriptions need: a project with a saved search, images that come, one step."""

from __future__ import annotations

from collections import Counter
from typing import Any

import world
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.background.subscriber import Subscriber
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import commits, datasets, deposits
from cid_server_ext.core.estimate import room
from cid_server_ext.core.subscriptions import seen, subscriptions
from cid_server_ext.core.subscriptions.budget import Limits
from cid_server_ext.core.subscriptions.subscriptions import Wanted
from cid_server_ext.core.templates import templates
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions

WHO = Actor("contributor")
SEARCH = "new stacks"
MANY = Limits(runs=10_000)
EACH = room.OVERHEAD + 64 * 64 * 4 * 4 // 3  # bytes that one run reserves


def make(
    sessions: Sessions, project: str, query: str = "name:stack", limit: int = 5 * 10**12
) -> None:
    """Make a project with a saved search, and the template count-things."""
    with sessions.begin() as session:
        world.make_project(session, project, limit=limit)
        templates.publish(session, world.STAFF, world.MANIFEST, world.NOTEBOOK)
        datasets.create(session, WHO, project, SEARCH, query)


def subscribe(sessions: Sessions, project: str, limits: Limits = MANY, **more: Any) -> str:
    """Subscribe as the contributor and return the uid."""
    wanted = Wanted(project, more.pop("search", SEARCH), "count-things", limits=limits, **more)
    with sessions.begin() as session:
        return subscriptions.create(session, WHO, wanted).uid


def arrive(session: Session, project: str, names: list[str], **more: Any) -> list[str]:
    """Commit one deposit with these images, as an import does, and return their uids."""
    who = more.pop("who", WHO)
    declared = [{"path": f"{name}.tif", "nbytes": 1000} for name in names]
    deposit = deposits.open_import(
        session, who, project, dataset="", kind="import", declared=declared
    )
    deposits.begin(session, who, deposit.uid, {})
    deposit.run_id = more.pop("run_id", None)
    shape: dict[str, Any] = {"axes": "yx", "shape": (64, 64), "kind": "image"} | more
    images = [
        commits.NewImage(
            uid=t.new_uid(),
            name=name,
            dtype="uint8",
            levels=1,
            scale={},
            units={},
            channels=[],
            tags=[],
            prefix=f"images/x/{name}",
            nbytes=10,
            sha256="0" * 64,
            **shape,
        )
        for name in names
    ]
    commits.commit(session, deposit.id, commits.Commit(images, []))
    return [image.uid for image in images]


def look(sessions: Sessions) -> int:
    """Let a process that has just started look once, and return how many runs that made."""
    one = Subscriber(sessions, lambda: None)
    try:
        return one.look()
    finally:
        one.close()


def run_on(sessions: Sessions) -> Counter[str]:
    """Return how often each image was run, by its name."""
    with sessions() as session:
        chosen = select(t.Record.name).join(t.RunInput, t.RunInput.image_id == t.Record.id)
        return Counter(session.scalars(chosen))


def read(sessions: Sessions, uid: str) -> t.Subscription:
    """Return the subscription as the database has it now."""
    with sessions() as session:
        return session.scalars(select(t.Subscription).where(t.Subscription.uid == uid)).one()


def counted(sessions: Sessions, uid: str) -> dict[str, int]:
    """Return its matches by state."""
    with sessions() as session:
        number = session.scalars(select(t.Subscription.id).where(t.Subscription.uid == uid)).one()
        return seen.counts(session, [number])[number]
