"""Submit checks everything before it queues anything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import world
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.estimate import room
from cid_server_ext.core.runs import runs, states, submit
from cid_server_ext.core.templates import templates
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, BadParameter, Conflict, NotFound, OverQuota

WHO = Actor("contributor")


@pytest.fixture
def session(sessions: Sessions) -> Iterator[Session]:
    """A session on a catalog with project `screen`, two images and a template."""
    with sessions.begin() as session:
        world.make_project(session, "screen", limit=10**8)
        world.add_image(session, "screen", "one")
        world.add_image(session, "screen", "two")
        templates.publish(session, world.STAFF, world.MANIFEST, world.NOTEBOOK)
        yield session


def uids(session: Session) -> list[str]:
    return list(session.scalars(select(t.Image.uid).order_by(t.Image.id)))


def reserved(session: Session) -> int:
    return session.scalars(select(t.Allocation.reserved)).one()


def test_each_image_is_one_run_and_its_output_is_reserved(session: Session) -> None:
    made = submit.submit(session, WHO, "count-things", uids(session), {"sigma": 2})
    assert [run.state for run in made] == ["queued", "queued"]
    assert len({run.batch for run in made}) == 1
    assert made[0].parameters == {"sigma": 2.0, "mode": "fast"}
    assert reserved(session) == sum(run.reserved for run in made) > 0


@pytest.mark.parametrize(
    ("images", "given", "error"),
    [
        ([], {}, BadInput),
        (["absent"], {}, NotFound),
        (None, {"sgima": 1}, BadParameter),
        (None, {"sigma": "wide"}, BadParameter),
    ],
)
def test_a_mistake_queues_nothing(
    session: Session, images: list[str] | None, given: dict, error: type[Exception]
) -> None:
    with pytest.raises(error):
        submit.submit(
            session, WHO, "count-things", images or uids(session)[: images is None], given
        )
    assert session.scalars(select(t.Run)).all() == []
    assert reserved(session) == 0


def test_an_image_given_twice_is_refused(session: Session) -> None:
    with pytest.raises(BadInput, match="each once"):
        submit.submit(session, WHO, "count-things", uids(session)[:1] * 2, {})


def test_labels_are_refused_where_an_image_is_asked_for(session: Session) -> None:
    session.scalar(select(t.Image)).kind = "labels"
    with pytest.raises(BadInput, match="does not take 'one': it takes an image, this is labels"):
        submit.submit(session, WHO, "count-things", uids(session)[:1], {})


def test_nothing_runs_in_an_archived_project(session: Session) -> None:
    session.get_one(t.Project, 1).state = "archived"
    with pytest.raises(Conflict, match="'screen' is archived"):
        submit.submit(session, WHO, "count-things", uids(session), {})


def test_a_batch_that_does_not_fit_is_refused_whole(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "small", limit=room.OVERHEAD + 50_000)
        world.add_image(session, "small", "one")
        world.add_image(session, "small", "two")
        templates.publish(session, world.STAFF, world.MANIFEST, world.NOTEBOOK)
        chosen = uids(session)

    def both() -> None:
        with sessions.begin() as session:
            submit.submit(session, WHO, "count-things", chosen, {})

    with pytest.raises(OverQuota):
        both()
    with sessions.begin() as session:
        assert session.scalars(select(t.Run)).all() == []
        assert reserved(session) == 0


def test_a_queued_run_is_cancelled_at_once_and_gives_its_room_back(session: Session) -> None:
    run = submit.submit(session, WHO, "count-things", uids(session)[:1], {})[0]
    ended = runs.cancel(session, WHO, run.uid)
    assert (ended.state, reserved(session)) == ("cancelled", 0)
    with pytest.raises(Conflict, match="is cancelled already"):
        runs.cancel(session, WHO, run.uid)


def test_a_version_never_changes(session: Session) -> None:
    again = templates.publish(session, world.STAFF, world.MANIFEST, world.NOTEBOOK)
    assert session.scalars(select(t.Template.id)).all() == [again.id]
    changed = {**world.MANIFEST, "inputs": {"axes": "zyx"}}
    with pytest.raises(Conflict, match="raise its version"):
        templates.publish(session, world.STAFF, changed, world.NOTEBOOK)


def test_only_what_failed_has_a_way_back_from_the_end() -> None:
    back = {state: states.NEXT[state] for state in states.ENDED & set(states.NEXT)}
    assert back == {"failed": {"queued"}}
