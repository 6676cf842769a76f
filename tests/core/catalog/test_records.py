"""Images and files alike are renamed and moved; where an image goes, its original goes."""

from __future__ import annotations

import pytest
import shelf
import world
from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import datasets, links, records, tags
from cid_server_ext.core.life import undo
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, Conflict, NotAllowed, NotFound, OverQuota

CONTRIBUTOR, VIEWER = Actor("contributor"), Actor("viewer")


@pytest.fixture
def screen(sessions: Sessions) -> Sessions:
    """Project screen with two images of one file and a pdf; projects archive and small, empty."""
    with sessions.begin() as session:
        world.make_project(session, "screen")
        world.make_project(session, "archive")
        world.make_project(session, "small", limit=10)
        shelf.add_images(session, "screen", ["one", "two"], "plates")
        shelf.add_file(session, "screen", "plan.pdf", "plates")
        for project in ("screen", "archive", "small"):
            datasets.create(session, CONTRIBUTOR, project, "new")
    return sessions


def record(session: Session, name: str) -> t.Record:
    return session.scalars(select(t.Record).where(t.Record.name == name)).one()


def target(session: Session, project: str = "screen") -> t.Dataset:
    chosen = select(t.Dataset).join(t.Project).where(t.Project.name == project)
    return session.scalars(chosen.where(t.Dataset.path == "new")).one()


def used(session: Session, project: str) -> int:
    chosen = select(t.Allocation.used).join(t.Project).where(t.Project.name == project)
    return session.scalars(chosen).one()


def last(session: Session) -> int:
    chosen = select(t.Journal.id).where(cast(t.Journal.rows, Text) != "[]")
    return session.scalars(chosen.order_by(t.Journal.id.desc())).first()


def test_a_file_keeps_its_bytes_under_another_name(screen: Sessions) -> None:
    with screen.begin() as session:
        row = record(session, "plan.pdf")
        records.change(session, CONTRIBUTOR, t.File, row.uid, name=" plan 2.pdf ")
        assert (row.name, row.stored) == ("plan 2.pdf", "plan.pdf")
        records.change(session, CONTRIBUTOR, t.File, row.uid, name="plan 3.pdf")
        assert row.stored == "plan.pdf"
    with screen.begin() as session:
        undo.undo(session, CONTRIBUTOR, last(session))
        assert record(session, "plan.pdf").stored == "plan.pdf"


def test_nothing_to_change_is_said(screen: Sessions) -> None:
    with screen.begin() as session:
        with pytest.raises(BadInput, match="name: give another name"):
            records.change(session, CONTRIBUTOR, t.Image, record(session, "one").uid)
        with pytest.raises(BadInput, match="1 to 200"):
            records.change(session, CONTRIBUTOR, t.Image, record(session, "one").uid, name=" ")


def test_an_original_stays_with_the_images_that_were_read_from_it(screen: Sessions) -> None:
    with screen.begin() as session:
        to = target(session).uid
        original = record(session, "one.tif")
        records.move(session, CONTRIBUTOR, [record(session, "one").uid], to)
        assert record(session, "one").dataset.path == "new"
        assert original.dataset.path == "plates"
        records.move(session, CONTRIBUTOR, [record(session, "two").uid], to)
        assert original.dataset.path == "new"
        with pytest.raises(Conflict, match=r"'one.tif' is the original of an image"):
            records.move(session, CONTRIBUTOR, [original.uid], to)
        with pytest.raises(Conflict, match="original of an image"):
            records.change(session, CONTRIBUTOR, t.File, original.uid, name="raw.tif")


def test_many_move_in_one_step_that_is_taken_back_in_one(screen: Sessions) -> None:
    with screen.begin() as session:
        uids = [record(session, name).uid for name in ("one", "two", "plan.pdf")]
        moved = records.move(session, CONTRIBUTOR, uids, target(session).uid)
        assert [row.uid for row in moved] == uids
        assert records.move(session, CONTRIBUTOR, uids, target(session).uid) == []
    with screen.begin() as session:
        found = select(t.Posting.record_id).where(t.Posting.entry == -target(session).id)
        assert len(session.scalars(found).all()) == 3
        undo.undo(session, CONTRIBUTOR, last(session))
        assert record(session, "plan.pdf").dataset.path == "plates"
        assert record(session, "one.tif").dataset.path == "plates"
        assert session.scalars(found).all() == []


def test_all_or_none_move(screen: Sessions) -> None:
    with screen.begin() as session:
        one, to = record(session, "one").uid, target(session).uid
        with pytest.raises(NotFound, match="no record 'absent'"):
            records.move(session, CONTRIBUTOR, [one, "absent"], to)
        with pytest.raises(NotAllowed, match="contributor"):
            records.move(session, VIEWER, [one], to)
        with pytest.raises(NotFound, match="no dataset"):
            records.move(session, Actor("stranger"), [one], to)
        for uids in ([], [one, one], ["x"] * 1001):
            with pytest.raises(BadInput, match="records: 1 to 1000"):
                records.move(session, CONTRIBUTOR, uids, to)
        assert record(session, "one").dataset.path == "plates"


def test_in_another_project_the_bytes_are_charged_there(screen: Sessions) -> None:
    with screen.begin() as session:
        one = record(session, "one")
        tags.put(session, CONTRIBUTOR, one.uid, "Clone", "A7")
    with screen.begin() as session:
        pdf = record(session, "plan.pdf").uid
        records.move(session, CONTRIBUTOR, [one.uid, pdf], target(session, "archive").uid)
    with screen.begin() as session:
        assert (used(session, "screen"), used(session, "archive")) == (1500, 800)
        one = record(session, "one")
        assert one.project.name == "archive"
        assert one.original.project.name == "screen"  # image two was read from it as well
        undo.undo(session, CONTRIBUTOR, last(session))
        assert (used(session, "screen"), used(session, "archive")) == (2300, 0)


def test_without_room_there_nothing_moves(screen: Sessions) -> None:
    with screen.begin() as session:
        one, to = record(session, "one").uid, target(session, "small").uid
    with pytest.raises(OverQuota, match="small"), screen.begin() as session:
        records.move(session, CONTRIBUTOR, [one], to)
    with screen() as session:
        assert (used(session, "screen"), used(session, "small")) == (2300, 0)
        assert record(session, "one").project.name == "screen"


def test_what_is_moved_where_it_was_linked_needs_the_link_no_more(screen: Sessions) -> None:
    with screen.begin() as session:
        pdf, to = record(session, "plan.pdf").uid, target(session).uid
        links.put(session, CONTRIBUTOR, to, pdf)
    with screen.begin() as session:
        records.move(session, CONTRIBUTOR, [pdf], to)
    with screen.begin() as session:
        assert session.scalars(select(t.Link)).all() == []
        undo.undo(session, CONTRIBUTOR, last(session))
        assert [link.record_id for link in session.scalars(select(t.Link))]
