from __future__ import annotations

import datetime as dt

import pytest
import world
from sqlalchemy import func, select

from cid_server_ext.core import journal, policy
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import datasets, deposits, projects
from cid_server_ext.core.people import members, teams
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, Conflict, NotAllowed, NotFound


def test_a_role_includes_the_ones_before_it(sessions: Sessions) -> None:
    with sessions.begin() as session:
        project = world.make_project(session, "screen")
        assert policy.role_in(session, Actor("annotator"), project) == "annotator"
        assert policy.role_in(session, Actor("leader"), project) == "manager"
        assert policy.role_in(session, Actor("stranger"), project) is None


def test_a_membership_ends_at_its_date(sessions: Sessions) -> None:
    with sessions.begin() as session:
        project = world.make_project(session, "screen")
        soon = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
        manager = Actor("manager")
        members.put_member(session, manager, "screen", "visitor", "viewer", soon)
        session.flush()
        assert policy.role_in(session, Actor("visitor"), project) == "viewer"
        past = soon - dt.timedelta(hours=2)
        members.put_member(session, manager, "screen", "visitor", "viewer", past)
        session.flush()
        assert policy.role_in(session, Actor("visitor"), project) is None


def test_a_guest_never_manages(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
        guest = Actor("guest", guest=True)
        with pytest.raises(NotAllowed, match="needs the role manager"):
            policy.require(session, guest, "manager", t.Project, "screen")
        assert policy.require(session, guest, "contributor", t.Project, "screen")


def test_a_guest_has_what_he_was_invited_to_even_where_he_leads(sessions: Sessions) -> None:
    with sessions.begin() as session:
        project = world.make_project(session, "screen")
        session.add(t.TeamMember(team_id=project.team_id, person="visitor", role="leader"))
        session.flush()
        assert policy.role_in(session, Actor("visitor"), project) == "manager"
        assert policy.role_in(session, Actor("visitor", guest=True), project) is None


def test_a_closed_project_is_read_and_changed_by_nobody(sessions: Sessions) -> None:
    with sessions.begin() as session:
        made = world.make(session, "screen")
        projects.change(session, world.STAFF, "screen", title=None, state="closed")
        for actor in (Actor("contributor"), Actor("manager"), Actor("leader"), world.STAFF):
            assert policy.find(session, actor, t.Image, made.image)
            for role in ("annotator", "contributor"):
                with pytest.raises(Conflict, match="closed"):
                    policy.require(session, actor, role, t.Image, made.image)
                kept = select(t.Image).where(policy.reachable(actor, role, t.Image))
                assert session.scalars(kept).all() == []
        with pytest.raises(NotAllowed):
            policy.require(session, Actor("viewer"), "annotator", t.Image, made.image)
        with pytest.raises(Conflict, match="closed"):
            deposits.begin(session, Actor("contributor"), made.deposit, {})
        with pytest.raises(Conflict, match="closed"):
            datasets.create(session, Actor("contributor"), "screen", "new")
        members.put_member(session, Actor("manager"), "screen", "newcomer", "viewer")
        projects.change(session, world.STAFF, "screen", title=None, state="active")
        assert policy.require(session, Actor("annotator"), "annotator", t.Image, made.image)


def test_who_brings_nothing_any_more_sees_no_deposit_of_his(sessions: Sessions) -> None:
    with sessions.begin() as session:
        made = world.make(session, "screen")
        assert deposits.get(session, Actor("contributor"), made.deposit)
        members.put_member(session, Actor("manager"), "screen", "contributor", "annotator")
        session.flush()
        with pytest.raises(NotFound):
            deposits.get(session, Actor("contributor"), made.deposit)


@pytest.fixture
def linked(sessions: Sessions) -> Sessions:
    """Two projects; the first one's image is linked into the second, where "friend" is viewer."""
    with sessions.begin() as session:
        made = world.make(session, "home")
        other = world.make_project(session, "other")
        members.put_member(session, Actor("manager"), "other", "friend", "viewer")
        image = session.scalars(select(t.Image).where(t.Image.uid == made.image)).one()
        dataset = datasets.at(session, Actor("contributor"), other, "shown/here")
        session.add(
            t.Link(
                dataset_id=dataset.id,
                record_id=image.id,
                project_id=other.id,
                linked_by="contributor",
            )
        )
    return sessions


def test_a_link_lets_the_other_projects_viewers_view_and_no_more(linked: Sessions) -> None:
    with linked.begin() as session:
        [image] = session.scalars(policy.visible(Actor("friend"), t.Image))
        for role in ("annotator", "contributor", "manager"):
            with pytest.raises(NotAllowed) as refused:
                policy.require(session, Actor("friend"), role, t.Image, image.uid)
            assert "home" not in str(refused.value).replace("its home", "")
        members.put_member(session, Actor("manager"), "other", "friend", "manager")
        session.flush()
        with pytest.raises(NotAllowed):
            policy.require(session, Actor("friend"), "annotator", t.Image, image.uid)


def test_a_record_is_where_the_caller_finds_it(linked: Sessions) -> None:
    with linked.begin() as session:
        images = session.scalars(policy.visible(Actor("friend"), t.Image)).all()
        [place] = policy.places(session, Actor("friend"), images).values()
        assert (place.project.name, place.path) == ("other", "shown/here")
        for actor in (Actor("viewer"), world.STAFF):
            [place] = policy.places(session, actor, images).values()
            assert (place.project.name, place.path) == ("home", "")
        with pytest.raises(NotFound):
            policy.places(session, Actor("stranger"), images)


def test_a_link_in_a_dataset_that_was_thrown_away_shows_nothing(linked: Sessions) -> None:
    with linked.begin() as session:
        project = policy.find(session, Actor("manager"), t.Project, "other")
        day = dt.datetime.now(dt.UTC)
        trash = t.Trash(project_id=project.id, person="manager", what="x", nbytes=0, purge_at=day)
        session.add(trash)
        session.flush()
        dataset = session.scalars(select(t.Dataset).where(t.Dataset.path == "shown/here")).one()
        dataset.trash_id = trash.id
        journal.record(session, "manager", "trash", f"dataset:{dataset.uid}")
        session.flush()
        assert session.scalars(policy.visible(Actor("friend"), t.Image)).all() == []


def test_the_first_membership_to_end_is_known(sessions: Sessions) -> None:
    soon = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(hours=1)
    with sessions.begin() as session:
        world.make_project(session, "screen")
        visitor = Actor("visitor")
        members.put_member(session, Actor("manager"), "screen", "visitor", "viewer")
        session.flush()
        assert policy.next_end(session, visitor) is None
        later = soon + dt.timedelta(hours=1)
        members.put_member(session, Actor("manager"), "screen", "visitor", "viewer", later)
        teams.put_member(session, world.STAFF, "lab-screen", "visitor", "leader", soon)
        session.flush()
        assert policy.next_end(session, visitor) == soon
        assert policy.next_end(session, Actor("ended")) is None


def test_hidden_and_absent_raise_the_same(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
        for name in ("screen", "absent"):
            with pytest.raises(NotFound, match=f"no project '{name}' that you can see"):
                policy.find(session, Actor("stranger"), t.Project, name)


def test_an_unknown_role_is_refused_by_name(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "screen")
        with pytest.raises(BadInput, match="one of viewer, annotator"):
            members.put_member(session, Actor("manager"), "screen", "x", "boss")


def test_every_change_leaves_a_journal_row_and_a_failed_one_none(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make(session, "screen")
    with sessions.begin() as session:
        before = session.scalar(select(func.count()).select_from(t.Journal))
    assert before > 5

    def two_changes() -> None:
        with sessions.begin() as session:
            members.put_member(session, Actor("manager"), "screen", "good", "viewer")
            members.put_member(session, Actor("manager"), "screen", "bad", "boss")

    with pytest.raises(BadInput):
        two_changes()
    with sessions.begin() as session:
        assert session.scalar(select(func.count()).select_from(t.Journal)) == before
        assert session.get(t.ProjectMember, (1, "good")) is None
