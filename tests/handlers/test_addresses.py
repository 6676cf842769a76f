"""Where the bytes of a record are is looked up once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import world
from sqlalchemy import event, select

from cid_server_ext.core.actor import Actor
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.handlers import shapes
from cid_server_ext.handlers.ask import Ask


def test_an_image_asks_once_whether_its_original_stays_in_place(sessions: Sessions) -> None:
    with sessions.begin() as session:
        made = world.make(session, "screen")
    asked: list[str] = []
    event.listen(sessions.kw["bind"], "before_cursor_execute", lambda *a: asked.append(str(a[2])))
    with sessions() as session:
        image = session.scalars(select(t.Image).where(t.Image.uid == made.image)).one()
        services: Any = SimpleNamespace(prefix="/services/cid/")
        ask: Any = SimpleNamespace(
            session=session, actor=Actor("viewer"), services=services, ticket=lambda right: "ticket"
        )
        shown = shapes.image(cast(Ask, ask), image)
        assert shown.original is not None
        assert shown.original_url == f"/services/cid/data/ticket/{shown.original.name}"
    assert len([one for one in asked if "FROM reference" in one]) == 1
