"""What a project, a team and the facility hold: each record once, the same number everywhere."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import accounts
import pytest
import world
from accounts import TB, at
from sqlalchemy import select, update

from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.ledger import series, shares, usage
from cid_server_ext.core.ledger.holdings import Bytes
from cid_server_ext.core.ledger.savings import Saving
from cid_server_ext.db import clock
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import NotAllowed, NotFound


def into(session: Any, record: t.Record, project: str, dataset: str = "") -> None:
    """Link a record into a dataset of another project."""
    target = session.scalars(
        select(t.Dataset)
        .join(t.Project)
        .where(t.Project.name == project, t.Dataset.path == dataset)
    ).one()
    session.add(
        t.Link(
            dataset_id=target.id,
            record_id=record.id,
            project_id=target.project_id,
            linked_by="test",
        )
    )
    journal.record(session, "test", "set up", "test")
    session.flush()


def trash(session: Any, record: t.Record) -> None:
    bin_ = t.Trash(
        project_id=record.project_id,
        person="x",
        what="",
        nbytes=record.nbytes,
        purge_at=at("2099-01-01"),
    )
    session.add(bin_)
    session.flush()
    accounts.change(session, record, trash_id=bin_.id)


def test_bytes_are_told_by_where_they_lie(sessions: Sessions) -> None:
    with sessions.begin() as session:
        made = accounts.project(session, "screen", limit=1000)
        accounts.file(session, "screen", 100)
        trash(session, accounts.file(session, "screen", 20))
        accounts.change(session, accounts.file(session, "screen", 3), tier="archive")
        made.allocation.used -= 3  # archiving gives the room back
    with sessions() as session:
        _, told = usage.of_project(session, world.STAFF, "screen")
    assert told.held == Bytes(online=100, trashed=20, archived=3)
    assert (told.held.used, told.free, told.state, told.drift) == (120, 880, "ok", 0)


def test_a_linked_record_is_counted_once_and_shown_apart(sessions: Sessions) -> None:
    with sessions.begin() as session:
        accounts.project(session, "home")
        accounts.project(session, "guest")
        accounts.file(session, "guest", 1, dataset="a")
        record = accounts.file(session, "home", 100)
        into(session, record, "guest")
        into(session, record, "guest", "a")
        into(session, accounts.file(session, "guest", 5), "guest", "a")  # its own: no foreign bytes
    with sessions() as session:
        _, home = usage.of_project(session, world.STAFF, "home")
        _, guest = usage.of_project(session, world.STAFF, "guest")
        teams = {team.team: team for team in usage.of_all(session, world.STAFF)}
    assert (home.held.used, home.linked) == (100, 0)
    assert (guest.held.used, guest.linked) == (6, 100)
    assert (teams["lab-guest"].held.used, teams["lab-guest"].linked) == (6, 100)
    assert sum(team.held.used for team in teams.values()) == 106


def test_what_is_linked_from_the_trash_or_into_it_is_not_shown(sessions: Sessions) -> None:
    with sessions.begin() as session:
        accounts.project(session, "home")
        accounts.project(session, "guest")
        accounts.file(session, "guest", 1, dataset="a")
        into(session, kept := accounts.file(session, "home", 10), "guest")
        into(session, thrown := accounts.file(session, "home", 100), "guest")
        into(session, accounts.file(session, "home", 1000), "guest", "a")
        trash(session, thrown)
        folder = session.scalars(select(t.Dataset).where(t.Dataset.path == "a")).one()
        accounts.change(session, folder, trash_id=thrown.trash_id)
        assert kept.nbytes == 10
    with sessions() as session:
        _, guest = usage.of_project(session, world.STAFF, "guest")
    assert guest.linked == 10


def test_a_link_between_projects_of_one_team_is_foreign_to_neither(sessions: Sessions) -> None:
    with sessions.begin() as session:
        first = accounts.project(session, "first")
        second = accounts.project(session, "second")
        accounts.change(session, second, team_id=first.team_id)
        into(session, accounts.file(session, "first", 100), "second")
    with sessions() as session:
        team = usage.of_team(session, Actor("leader"), "lab-first")
    assert (team.held.used, team.linked) == (100, 0)
    assert [(p.project, p.linked) for p in team.projects] == [("first", 0), ("second", 100)]


def test_it_drills_down_to_datasets_and_people_whose_sums_are_the_whole(sessions: Sessions) -> None:
    with sessions.begin() as session:
        accounts.project(session, "screen")
        accounts.file(session, "screen", 100, dataset="big")
        accounts.file(session, "screen", 20, dataset="small")
        accounts.change(session, accounts.file(session, "screen", 3), created_by="ana")
    with sessions() as session:
        row, told = usage.of_project(session, world.STAFF, "screen")
        datasets, people = shares.datasets(session, row), shares.people(session, row)
        big = shares.people(session, row, datasets[0].uid)
        with pytest.raises(NotFound):
            shares.people(session, row, "of-another-project")
    assert [(share.name, share.held.used) for share in datasets] == [
        ("big", 100),
        ("small", 20),
        ("", 3),
    ]
    assert [(share.name, share.held.used) for share in people] == [("staff", 120), ("ana", 3)]
    assert told.held.used == sum(share.held.used for share in datasets)
    assert [(share.name, share.held.used) for share in big] == [("staff", 100)]
    assert {share.saves for share in datasets} == {told.saves} == {None}  # there are no prices


def test_the_archive_saves_what_is_online_at_the_prices_and_tariff_of_today(
    sessions: Sessions,
) -> None:
    with sessions.begin() as session:
        made = accounts.project(session, "screen")
        accounts.file(session, "screen", 2 * TB, dataset="big")
        accounts.file(session, "screen", TB // 100, dataset="small")
        trash(session, accounts.file(session, "screen", TB, dataset="small"))
        accounts.price_list(session, 1, "2020-01-01")
        accounts.price_list(session, 2, "2999-01-01", internal="9999")
    with sessions() as session:
        row, told = usage.of_project(session, world.STAFF, "screen")
        big, small = shares.datasets(session, row)
    # 2 x (162 - 20) a year; what lies in the trash goes by itself
    assert big.saves == Saving(2 * TB, Decimal("23.67"), Decimal("284.00"), "EUR")
    assert small.saves == Saving(TB // 100, Decimal("0.12"), Decimal("1.42"), "EUR")
    assert told.saves == Saving(2 * TB + TB // 100, Decimal("23.79"), Decimal("285.42"), "EUR")
    with sessions.begin() as session:
        team = session.get_one(t.Team, made.team_id)
        accounts.change(session, team, tariff="industrial")
    with sessions() as session:
        _, told = usage.of_project(session, world.STAFF, "screen")
    assert told.saves.year == Decimal("763.80")  # 2.01 x (400 - 20)


def test_a_team_is_full_with_its_first_project(sessions: Sessions) -> None:
    with sessions.begin() as session:
        first = accounts.project(session, "first", limit=1000)
        for name, before, limit in (("second", 300, 500), ("third", 400, 400)):
            other = accounts.project(session, name, limit=limit)
            accounts.change(session, other, team_id=first.team_id)
            accounts.file(session, name, 400)
            lined(session, other, 11, before)
            lined(session, other, 1, 400)
        journal.record(session, "test", "set up", "test")
    with sessions() as session:
        team = usage.of_team(session, Actor("leader"), "lab-first")
    assert [(one.growth, one.days_to_full, one.state) for one in team.projects] == [
        (None, None, "ok"),
        (300, 10, "ok"),
        (0, None, "full"),
    ]
    assert (team.growth, team.days_to_full, team.state, team.free) == (300, 10, "full", 1100)


def test_projects_in_teams_of_others_are_told_apart(sessions: Sessions) -> None:
    with sessions.begin() as session:
        accounts.project(session, "mine")
        theirs = accounts.project(session, "theirs")
        session.delete(session.get_one(t.TeamMember, (theirs.team_id, "leader")))
        session.add(t.ProjectMember(project_id=theirs.id, person="leader", role="viewer"))
        journal.record(session, "test", "set up", "test")
    with sessions() as session:
        for actor, teams, projects in (
            (Actor("leader"), ["lab-mine"], ["theirs"]),
            (Actor("viewer"), [], ["mine", "theirs"]),
            (Actor("stranger"), [], []),
            (world.STAFF, ["lab-mine", "lab-theirs"], []),
        ):
            assert [team.team for team in usage.of_all(session, actor)] == teams
            assert [one.project for one in usage.of_mine(session, actor)] == projects


@pytest.mark.parametrize(
    ("who", "error"),
    [("leader", None), ("teammate", NotAllowed), ("viewer", NotFound), ("stranger", NotFound)],
)
def test_a_teams_usage_is_for_its_leaders(
    sessions: Sessions, who: str, error: type[Exception] | None
) -> None:
    with sessions.begin() as session:
        accounts.project(session, "screen")
        accounts.project(session, "other")
        session.delete(session.get_one(t.TeamMember, (2, "leader")))
        journal.record(session, "test", "set up", "test")
    with sessions() as session:
        if error is None:
            assert usage.of_team(session, Actor(who), "lab-screen").team == "lab-screen"
        else:
            with pytest.raises(error):
                usage.of_team(session, Actor(who), "lab-screen")
        listed = [team.team for team in usage.of_all(session, Actor(who))]
        assert listed == (["lab-screen"] if error is None else [])
        with pytest.raises(NotFound):
            usage.of_team(session, Actor(who), "lab-nothing")


def test_a_leaders_token_that_only_reads_is_enough(sessions: Sessions) -> None:
    with sessions.begin() as session:
        accounts.project(session, "screen")
    with sessions() as session:
        reader = Actor("leader", writes=False)
        assert usage.of_team(session, reader, "lab-screen").team == "lab-screen"


def lined(
    session: Any, project: t.Project, days_ago: int, amount: int, kind: str = "storage"
) -> None:
    """Add a line of some days ago."""
    then = usage.today(session) - accounts.dt.timedelta(days=days_ago)
    session.add(
        t.Line(
            key=f"{kind}/{then}/{project.uid}",
            kind=kind,
            day=then,
            team_id=project.team_id,
            project_id=project.id,
            person="cid",
            amount=amount,
            detail={"datasets": []},
        )
    )


def test_growth_is_told_for_30_days_and_when_the_room_ends(sessions: Sessions) -> None:
    with sessions.begin() as session:
        made = accounts.project(session, "screen", limit=1000)
        accounts.file(session, "screen", 400)
        lined(session, made, 11, 200)
        lined(session, made, 1, 400)
        journal.record(session, "test", "set up", "test")
    with sessions() as session:
        _, told = usage.of_project(session, world.STAFF, "screen")
        today = clock.now(session).date()
        days = series.days(session, made.id, at("2000-01-01").date(), today, today, told.held)
    assert (told.growth, told.free, told.days_to_full) == (600, 600, 30)
    assert [day.storage for day in days] == [200, 400, 400]
    assert days[-1].day == today


def test_a_day_of_runs_alone_has_the_bytes_that_are_held_now(sessions: Sessions) -> None:
    with sessions.begin() as session:
        made = accounts.project(session, "screen", limit=1000)
        accounts.file(session, "screen", 400)
        lined(session, made, 2, 300)
        lined(session, made, 0, 60, kind="cpu")
        journal.record(session, "test", "set up", "test")
    with sessions() as session:
        _, told = usage.of_project(session, world.STAFF, "screen")
        today = clock.now(session).date()
        first, yesterday = (today - accounts.dt.timedelta(ago) for ago in (7, 1))
        days = series.days(session, made.id, first, today, today, told.held)
        before = series.days(session, made.id, first, yesterday, today, told.held)
    assert [(day.storage, day.cpu) for day in days] == [(300, 0), (400, 60)]
    assert [day.storage for day in before] == [300]


@pytest.mark.parametrize(("before", "growth"), [(400, 0), (700, -900)])
def test_what_does_not_grow_never_fills(sessions: Sessions, before: int, growth: int) -> None:
    with sessions.begin() as session:
        made = accounts.project(session, "screen", limit=1000)
        lined(session, made, 11, before)
        lined(session, made, 1, 400)
        journal.record(session, "test", "set up", "test")
    with sessions() as session:
        _, told = usage.of_project(session, world.STAFF, "screen")
    assert (told.growth, told.days_to_full) == (growth, None)


def test_less_than_a_week_is_too_little_to_tell_growth(sessions: Sessions) -> None:
    with sessions.begin() as session:
        made = accounts.project(session, "screen", limit=1000)
        lined(session, made, 6, 0)
        lined(session, made, 1, 400)
        journal.record(session, "test", "set up", "test")
    with sessions() as session:
        _, told = usage.of_project(session, world.STAFF, "screen")
    assert (told.growth, told.days_to_full) == (None, None)


def test_the_check_finds_counters_that_drift_and_no_others(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make(session, "screen")
        world.make(session, "other")
    with sessions() as session:
        assert usage.check(session) == []
    with sessions.begin() as session:
        drifted = select(t.Project.id).where(t.Project.name == "screen")
        session.execute(
            update(t.Allocation)
            .where(t.Allocation.project_id.in_(drifted))
            .values(used=t.Allocation.used + 7)
        )
    with sessions() as session:
        [count] = usage.check(session)
        _, told = usage.of_project(session, world.STAFF, "screen")
    assert (count.project, count.used - count.held) == ("screen", 7)
    assert count.reserved == count.promised > 0
    assert told.drift == 7
