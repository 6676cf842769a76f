"""Lineage over several runs, both ways; what one may not see ends the way."""

from __future__ import annotations

import pytest
import world
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.provenance import lineage
from cid_server_ext.core.templates import templates
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions


@pytest.fixture
def chain(sessions: Sessions) -> Sessions:
    """raw -> clean -> (cells, spots): in project `one`, cells in `two`; and cells -> last."""
    with sessions.begin() as session:
        world.make_project(session, "one")
        two = world.make_project(session, "two")
        template = templates.publish(session, world.STAFF, world.MANIFEST, world.NOTEBOOK)
        members = session.query(t.ProjectMember)
        session.delete(members.filter_by(project_id=two.id, person="viewer").one())
        raw = world.add_image(session, "one", "raw")

        def made(source: t.Image, *names: tuple[str, str]) -> list[t.Image]:
            token = t.new_uid()
            run = world.add_run(session, source, template, person="contributor", token=token)
            return [world.add_image(session, where, name, run=run) for where, name in names]

        (clean,) = made(raw, ("one", "clean"))
        cells, _ = made(clean, ("two", "cells"), ("one", "spots"))
        made(cells, ("one", "last"))
        made(clean)
    return sessions


def names(
    session: Session, who: str, name: str, *, back: bool = False, forth: bool = False, depth: int
) -> tuple[list[str], int]:
    image = session.scalars(select(t.Image).where(t.Image.name == name)).one()
    found = lineage.of(session, Actor(who), image, back=back, forth=forth, depth=depth)
    return [row.name for row in found.images], len(found.steps)


def test_it_goes_as_deep_as_asked_nearest_first(chain: Sessions) -> None:
    with chain() as session:
        assert names(session, "manager", "raw", forth=True, depth=1) == (["clean"], 1)
        found, runs = names(session, "manager", "raw", forth=True, depth=100)
        assert (found, runs) == (["clean", "cells", "spots", "last"], 3)
        found, runs = names(session, "manager", "last", back=True, depth=100)
        assert (found, runs) == (["cells", "clean", "raw"], 3)
        assert names(session, "manager", "last", back=True, depth=2)[0] == ["cells", "clean"]


def test_runs_that_made_nothing_used_it_all_the_same(chain: Sessions) -> None:
    with chain() as session:
        assert names(session, "manager", "clean", forth=True, depth=1) == (["cells", "spots"], 2)
        assert names(session, "manager", "clean", back=True, depth=1) == (["raw"], 1)


def test_what_one_may_not_see_ends_the_way(chain: Sessions) -> None:
    with chain() as session:
        assert names(session, "viewer", "raw", forth=True, depth=100)[0] == ["clean", "spots"]
        assert names(session, "viewer", "last", back=True, depth=100)[0] == []


def test_steps_name_only_images_that_are_told(chain: Sessions) -> None:
    with chain() as session:
        last = session.scalars(select(t.Image).where(t.Image.name == "last")).one()
        found = lineage.of(session, Actor("viewer"), last, back=True, forth=True, depth=100)
        assert [step.inputs for step in found.steps] in ([], [[]])
        everything = lineage.of(session, Actor("manager"), last, back=True, forth=False, depth=9)
        assert [len(step.inputs) for step in everything.steps] == [1, 1, 1]
