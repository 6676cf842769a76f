"""Pre-flight: what would become of a submit, image by image, and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import world
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.runs import states, submit
from cid_server_ext.core.runs.preflight import Preflight, preflight
from cid_server_ext.core.templates import templates
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, Conflict, NotAllowed, NotFound

WHO = Actor("contributor")
CHANNEL = {"channel": {"type": "channel", "default": 0}}


@pytest.fixture
def session(sessions: Sessions) -> Iterator[Session]:
    """A session on projects `screen` and `other`, whose members are others, and a template."""
    with sessions.begin() as session:
        world.make_project(session, "screen", limit=10**8)
        world.make_project(session, "other", limit=10**8)
        for name in ("one", "two"):
            world.add_image(session, "screen", name)
        world.add_image(session, "other", "secret")
        raw = {**world.MANIFEST, "parameters": {**world.MANIFEST["parameters"], **CHANNEL}}
        notebook = world.NOTEBOOK.replace("sigma = 1.0", "channel = 0\\nsigma = 1.0")
        templates.publish(session, world.STAFF, raw, notebook)
        yield session


def uid(session: Session, name: str) -> str:
    return session.scalars(select(t.Image.uid).where(t.Image.name == name)).one()


def looked(session: Session, *names: str, who: Actor = WHO, **values: Any) -> Preflight:
    return preflight(session, who, "count-things", [uid(session, n) for n in names], values)


def told(found: Preflight) -> list[tuple[str, str, list[str]]]:
    return [(one.name, one.light, [note.about for note in one.notes]) for one in found.images]


def test_what_fits_is_green_and_nothing_is_queued(session: Session) -> None:
    found = looked(session, "one", "two", sigma=2)
    assert told(found) == [("one", "green", []), ("two", "green", [])]
    assert (found.notes, found.count("green")) == ([], 2)
    made = submit.submit(session, WHO, "count-things", [uid(session, "one")], {"sigma": 2})
    assert found.nbytes == 2 * made[0].reserved


def test_each_reason_is_told_beside_the_others(session: Session) -> None:
    session.scalars(select(t.Image).where(t.Image.name == "one")).one().kind = "labels"
    found = looked(session, "one", "two", channel=3, sigma="wide", sgima=1)
    assert told(found) == [("one", "red", ["kind"]), ("two", "red", ["channel"])]
    assert [(note.about, note.light) for note in found.notes] == [
        ("sgima", "red"),
        ("sigma", "red"),
    ]
    assert "did you mean sigma?" in found.notes[0].message
    assert found.nbytes == 0


def test_what_one_may_not_see_is_told_as_what_does_not_exist(session: Session) -> None:
    member = session.scalars(
        select(t.ProjectMember)
        .join(t.Project)
        .where(t.Project.name == "other", t.ProjectMember.person == "contributor")
    ).one()
    session.delete(member)
    session.flush()
    absent = "00000000-0000-4000-8000-000000000000"
    given = [uid(session, "secret"), absent]
    found = preflight(session, WHO, "count-things", given, {})
    assert [(one.uid, one.name) for one in found.images] == [(given[0], ""), (absent, "")]
    assert found.images[0].notes == found.images[1].notes
    assert found.images[0].light == "red"


def test_whoever_may_only_look_hears_it(session: Session) -> None:
    found = looked(session, "one", who=Actor("viewer"))
    (note,) = found.images[0].notes
    assert (note.light, note.about) == ("red", "project")
    assert "needs the role contributor" in note.message


def test_what_was_run_already_is_amber_until_a_value_differs(session: Session) -> None:
    (run,) = submit.submit(session, WHO, "count-things", [uid(session, "one")], {"sigma": 2})
    session.flush()
    again = looked(session, "one", sigma=2).images[0]
    assert (again.light, again.notes[0].about) == ("amber", "again")
    assert run.uid in again.notes[0].fix
    assert looked(session, "one", sigma=3).images[0].light == "green"
    states.move(session, run.id, "cancelled")
    assert looked(session, "one", sigma=2).images[0].light == "green"


def test_results_that_find_no_room_are_told_with_the_room_there_is(session: Session) -> None:
    allocation = session.scalars(
        select(t.Allocation).join(t.Project).where(t.Project.name == "screen")
    ).one()
    allocation.limit = allocation.used + 1000
    session.flush()
    found = looked(session, "one")
    assert [(note.about, note.light) for note in found.notes] == [("allocation", "red")]
    assert "has 1.0 kB left" in found.notes[0].message


def test_what_is_archived_or_changed_in_its_place_is_red(session: Session) -> None:
    one = session.scalars(select(t.Image).where(t.Image.name == "one")).one()
    two = session.scalars(select(t.Image).where(t.Image.name == "two")).one()
    one.tier, two.inside = "archive", ""
    place = {"adoption": "a", "root": "nas", "path": "two.zarr", "form": "tree"}
    reference = t.Reference(record_id=two.original_id, nbytes=1, mtime_ns=1, **place)
    reference.state = "changed"
    session.add(reference)
    session.flush()
    found = looked(session, "one", "two")
    assert told(found) == [("one", "red", ["archive"]), ("two", "red", ["in place"])]
    for name, said in (("one", "it is archived"), ("two", "its file in place is changed")):
        with pytest.raises(Conflict, match=said):
            submit.submit(session, WHO, "count-things", [uid(session, name)], {})


def test_the_names_of_channels_that_all_have_are_told(session: Session) -> None:
    for name, channels in (("one", ["DAPI", "GFP"]), ("two", ["GFP", "Cy5"])):
        image = session.scalars(select(t.Image).where(t.Image.name == name)).one()
        image.axes, image.shape = "cyx", [2, 64, 64]
        image.channels = [{"name": each} for each in channels]
    session.flush()
    found = looked(session, "one", "two", channel="gfp")
    assert (found.channels, found.count("green")) == (["GFP"], 2)
    assert looked(session, "one", "two", channel="Cy5").count("red") == 1


def test_a_query_stands_for_what_it_finds(session: Session) -> None:
    found = preflight(session, WHO, "count-things", "in:screen two", {})
    assert [one.name for one in found.images] == ["two"]
    with pytest.raises(BadInput, match="it finds no image"):
        preflight(session, WHO, "count-things", "in:screen nothingthere", {})


def test_a_template_that_is_not_there_and_a_run_token_are_refused(session: Session) -> None:
    with pytest.raises(NotFound):
        preflight(session, WHO, "absent-one", ["x"], {})
    with pytest.raises(NotAllowed):
        preflight(session, Actor("contributor", run_id=1), "count-things", ["x"], {})
