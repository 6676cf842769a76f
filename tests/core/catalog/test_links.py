"""A link shows a record in a second place; it is charged and changed at home only."""

from __future__ import annotations

import pytest
import shelf
import world
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core import policy
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import datasets, links, notes, records, tags
from cid_server_ext.core.life import trash, undo
from cid_server_ext.core.people import members
from cid_server_ext.core.search import facets, find
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import Conflict, NotAllowed, NotFound

CONTRIBUTOR, MANAGER = Actor("contributor"), Actor("manager")
GUEST = Actor("visitor")  # sees project other only


@pytest.fixture
def two(sessions: Sessions) -> Sessions:
    """Project screen with an image and a pdf, project other with dataset shown and a visitor."""
    with sessions.begin() as session:
        for name in ("screen", "other"):
            world.make_project(session, name)
        members.put_member(session, MANAGER, "other", "visitor", "contributor")
        shelf.add_images(session, "screen", ["cell"])
        shelf.add_file(session, "screen", "plan.pdf")
        datasets.create(session, CONTRIBUTOR, "other", "shown")
    return sessions


def record(session: Session, name: str = "cell") -> t.Record:
    return session.scalars(select(t.Record).where(t.Record.name == name)).one()


def shown(session: Session) -> t.Dataset:
    return session.scalars(select(t.Dataset).where(t.Dataset.path == "shown")).one()


def projects(session: Session, name: str = "cell") -> set[str]:
    """Return where searches find the record."""
    chosen = select(t.Project.name).join(t.Posting, t.Posting.project_id == t.Project.id)
    return set(session.scalars(chosen.where(t.Posting.record_id == record(session, name).id)))


def sees(session: Session, name: str = "cell") -> bool:
    found = policy.visible(GUEST, t.Record).where(t.Record.name == name)
    return session.scalar(found) is not None


def used(session: Session, project: str) -> int:
    chosen = select(t.Allocation.used).join(t.Project).where(t.Project.name == project)
    return session.scalars(chosen).one()


@pytest.mark.parametrize("name", ["cell", "plan.pdf"])
def test_a_linked_record_is_seen_in_both_and_charged_at_home(two: Sessions, name: str) -> None:
    with two.begin() as session:
        assert not sees(session, name)
        links.put(session, CONTRIBUTOR, shown(session).uid, record(session, name).uid)
        assert sees(session, name)
        assert projects(session, name) == {"screen", "other"}
        assert (used(session, "screen"), used(session, "other")) == (1800, 0)
        links.put(session, CONTRIBUTOR, shown(session).uid, record(session, name).uid)
        links.remove(session, CONTRIBUTOR, shown(session).uid, record(session, name).uid)
        assert not sees(session, name)
        assert projects(session, name) == {"screen"}
        with pytest.raises(NotFound, match="is not linked"):
            links.remove(session, CONTRIBUTOR, shown(session).uid, record(session, name).uid)


def test_who_only_sees_it_by_a_link_links_it_no_further(two: Sessions) -> None:
    with two.begin() as session:
        further = datasets.create(session, GUEST, "other", "further").uid
        with pytest.raises(NotFound, match="no record"):
            links.put(session, GUEST, further, record(session).uid)
        links.put(session, CONTRIBUTOR, shown(session).uid, record(session).uid)
        with pytest.raises(NotAllowed, match="only linked here"):
            links.put(session, GUEST, further, record(session).uid)
        with pytest.raises(NotAllowed):
            records.move(session, GUEST, [record(session).uid], further)
        with pytest.raises(NotAllowed):
            tags.put(session, GUEST, record(session).uid, "Staining", "DAPI")


def test_either_side_ends_it(two: Sessions) -> None:
    with two.begin() as session:
        uid = record(session).uid
        links.put(session, CONTRIBUTOR, shown(session).uid, uid)
        links.remove(session, GUEST, shown(session).uid, uid)  # the dataset's side
        links.put(session, CONTRIBUTOR, shown(session).uid, uid)
        members.put_member(session, MANAGER, "screen", "owner", "contributor")
        links.remove(session, Actor("owner"), shown(session).uid, uid)  # the home's side
        assert not sees(session)
        links.put(session, CONTRIBUTOR, shown(session).uid, uid)
        members.put_member(session, MANAGER, "other", "reader", "viewer")
        with pytest.raises(NotAllowed):
            links.remove(session, Actor("reader"), shown(session).uid, uid)


def test_a_link_is_undone_and_told_to_both_projects(two: Sessions) -> None:
    with two.begin() as session:
        links.put(session, CONTRIBUTOR, shown(session).uid, record(session).uid)
    with two.begin() as session:
        told = select(t.Journal).where(t.Journal.action == "link").order_by(t.Journal.id)
        first, second = session.scalars(told)
        assert {first.project_id, second.project_id} == {
            record(session).project_id,
            shown(session).project_id,
        }
        undo.undo(session, CONTRIBUTOR, first.id)
        assert not sees(session)
        assert projects(session) == {"screen"}


def test_what_needs_no_link_or_cannot_have_one(two: Sessions) -> None:
    with two.begin() as session:
        home = record(session).dataset.uid
        with pytest.raises(Conflict, match="it needs no link"):
            links.put(session, CONTRIBUTOR, home, record(session).uid)
        with pytest.raises(Conflict, match="original of an image"):
            links.put(session, CONTRIBUTOR, shown(session).uid, record(session, "cell.tif").uid)
        live = datasets.create(session, CONTRIBUTOR, "other", "live", "cell")
        with pytest.raises(Conflict, match="is live"):
            links.put(session, CONTRIBUTOR, live.uid, record(session).uid)


def test_a_link_is_found_by_nothing_that_its_answer_does_not_tell(two: Sessions) -> None:
    with two.begin() as session:
        home = session.scalars(select(t.Project).where(t.Project.name == "screen")).one()
        secret = datasets.create(session, CONTRIBUTOR, "screen", "salamander/raw")
        template = t.Template(
            name="count", version="1.0.0", digest="0", manifest={}, notebook="", published_by="s"
        )
        session.add(template)
        session.flush()
        run = t.Run(
            batch="b", project_id=home.id, template_id=template.id, person="x", parameters={}
        )
        session.add(run)
        session.flush()
        cell, made_by = record(session), f"run:{run.uid}"
        cell.run_id = run.id
        records.move(session, CONTRIBUTOR, [cell.uid], secret.uid)
        notes.write(session, CONTRIBUTOR, f"record:{cell.uid}", "promising thylacine")
    words = ("salamander", "raw", "thylacine", '"promising thylacine"', "raw promising")
    home_only = [*words, "project:screen", "in:salamander", made_by]
    with two.begin() as session:
        links.put(session, CONTRIBUTOR, shown(session).uid, record(session).uid)
    with two() as session:
        for query in home_only:
            wanted = find.Asked(query, kinds=find.IMAGES)
            assert find.count(session, CONTRIBUTOR, wanted) == 1, query
            assert find.find(session, GUEST, wanted).ids == [], query
            for name in ("kind", "by", "Objective"):
                (facet,) = facets.facets(session, GUEST, wanted, [name])
                assert (facet.values, facet.numbers) == ([], []), (query, name)
        for query in ("cell", "63x", "in:shown", "project:other", "by:contributor"):
            assert find.count(session, GUEST, find.Asked(query, kinds=find.IMAGES)) == 1, query
    with two.begin() as session:
        links.remove(session, CONTRIBUTOR, shown(session).uid, record(session).uid)
    with two() as session:
        assert find.count(session, CONTRIBUTOR, find.Asked("raw thylacine")) == 1


def test_a_dataset_in_the_trash_shows_nothing_until_it_is_back(two: Sessions) -> None:
    with two.begin() as session:
        links.put(session, CONTRIBUTOR, shown(session).uid, record(session).uid)
    with two.begin() as session:
        thrown = trash.throw(session, CONTRIBUTOR, [], [shown(session).uid]).uid
    with two.begin() as session:
        assert not sees(session)
        assert projects(session) == {"screen"}
        trash.restore(session, CONTRIBUTOR, thrown)
    with two.begin() as session:
        assert sees(session)
        assert projects(session) == {"screen", "other"}


def test_a_link_moves_with_its_dataset_to_another_project(two: Sessions) -> None:
    with two.begin() as session:
        world.make_project(session, "third")
        links.put(session, CONTRIBUTOR, shown(session).uid, record(session).uid)
    with two.begin() as session:
        datasets.change(session, CONTRIBUTOR, shown(session).uid, project="third")
    with two.begin() as session:
        assert projects(session) == {"screen", "third"}
        assert not sees(session)
