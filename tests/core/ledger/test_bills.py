"""The invoice of a past period stays as it was, whatever becomes of what it charged."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import accounts
import everything
import pytest
import world
from accounts import TB, at, day
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import projects
from cid_server_ext.core.ledger import bills, credits, lines, paper, periods, prices, sheet
from cid_server_ext.core.life import purge, trash
from cid_server_ext.core.people import teams
from cid_server_ext.core.runs import states
from cid_server_ext.db import clock
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, open_database
from cid_server_ext.errors import BadInput, NotAllowed
from cid_server_ext.memory.rebuild import rebuild

LEADER = Actor("leader")


def printed(sessions: Sessions, team: str, period: str) -> tuple[bytes, bytes]:
    """Return CSV and PDF of an invoice."""
    with sessions() as session:
        made = bills.of_team(session, LEADER, team, period)
        return sheet.as_csv(made), paper.as_pdf(made)


def a_past(session: Session) -> t.File:
    """Add a month of a project, with two datasets, two price lists and a run."""
    accounts.project(session, "screen", "2025-01-01")
    thrown = accounts.file(session, "screen", 3 * TB, "2025-01-10", "plate 1")
    accounts.file(session, "screen", TB // 7, "2025-01-15", "plate 2")
    accounts.price_list(session, 1, "2025-01-01")
    accounts.price_list(session, 2, "2025-01-20", internal="180.00")
    return thrown


def test_a_year_old_invoice_is_the_same_to_the_byte(sessions: Sessions, tmp_path: Path) -> None:
    with sessions.begin() as session:
        thrown = a_past(session).uid
    accounts.accrue(sessions, "2025-02-02")
    before = printed(sessions, "lab-screen", "2025-01")
    assert b"final" in before[0]
    with sessions.begin() as session:
        tomorrow = clock.now(session).date() + dt.timedelta(days=1)
        prices.publish(session, world.STAFF, tomorrow, "EUR", accounts.TARIFFS)
        teams.change(
            session,
            world.STAFF,
            "lab-screen",
            title="Lab B",
            tariff="industrial",
            address="Elsewhere",
        )
        projects.change(session, world.STAFF, "screen", title="Renamed", state=None)
        folder = session.scalars(select(t.Dataset).where(t.Dataset.path == "plate 2")).one()
        accounts.change(session, folder, path="plate two")
    with sessions.begin() as session:
        bin_ = trash.throw(session, world.STAFF, [thrown], [])
        purge.now(session, world.STAFF, bin_.uid)
    accounts.accrue(sessions, "2025-02-10")
    assert printed(sessions, "lab-screen", "2025-01") == before

    storage = everything.written(sessions, tmp_path / "storage")
    url = f"sqlite:///{tmp_path}/again.sqlite"
    assert rebuild(storage, url).whole
    again = open_database(url)
    try:
        assert printed(again, "lab-screen", "2025-01") == before
    finally:
        again.kw["bind"].dispose()


def test_a_period_is_provisional_until_its_last_day_is_charged(sessions: Sessions) -> None:
    with sessions.begin() as session:
        a_past(session)
    month = periods.named("2025-01")
    accounts.accrue(sessions, "2025-01-30")
    with sessions() as session:
        assert not bills.closed(session, month, at("2025-01-31 12:00"))
        assert not bills.closed(session, month, at("2025-02-01 02:00"))
        assert bills.of_team(session, LEADER, "lab-screen", "2025-01").provisional
    accounts.accrue(sessions, "2025-01-31")
    with sessions() as session:
        assert bills.closed(session, month, at("2025-02-01 02:00"))
        assert not bills.of_team(session, LEADER, "lab-screen", "2025-01").provisional
    csv, pdf = printed(sessions, "lab-screen", "2025")
    assert b"provisional" in csv
    assert b"Provisional invoice" in pdf


def test_the_parts_of_an_invoice_are_the_datasets_and_runs_of_the_ledger(
    sessions: Sessions,
) -> None:
    with sessions.begin() as session:
        a_past(session)
        image = world.add_image(session, "screen", "cells")
        template = world.templates.publish(session, world.STAFF, world.MANIFEST, world.NOTEBOOK)
        run = world.add_run(session, image, template, person="ana", token="x")
        run.started_at = dt.datetime.now(dt.UTC) - dt.timedelta(hours=10)
        states.move(session, run.id, "failed")
        year = str(clock.now(session).year)
    accounts.accrue(sessions, "2025-01-31")
    with sessions() as session:
        month = bills.of_team(session, LEADER, "lab-screen", "2025-01")
        today = bills.of_team(session, LEADER, "lab-screen", year)
        days = session.scalars(select(t.Line.amount).where(t.Line.kind == "storage")).all()
    storage = [position for position in month.positions if position.kind == "storage"]
    assert sum(position.amount for position in storage) == sum(days)
    assert {part.name for position in storage for part in position.parts} == {"plate 1", "plate 2"}
    [cpu] = [position for position in today.positions if position.kind == "cpu"]
    assert [(part.what, part.uid) for part in cpu.parts] == [("run", run.uid)]
    assert cpu.cost == Decimal("0.50")  # ten hours and a moment


def test_a_credit_is_on_the_invoice_of_today_and_changes_no_earlier_one(sessions: Sessions) -> None:
    with sessions.begin() as session:
        a_past(session)
    accounts.accrue(sessions, "2025-01-31")
    before = printed(sessions, "lab-screen", "2025-01")
    with sessions.begin() as session:
        wanted = credits.Wanted("storage", TB, day("2025-01-31"), "=was counted twice")
        given = credits.give(session, world.STAFF, "screen", wanted)
        year = str(given.day.year)
        assert given.amount == -TB
    assert printed(sessions, "lab-screen", "2025-01") == before
    with sessions() as session:
        [position] = bills.of_team(session, LEADER, "lab-screen", year).positions
    assert (position.version, position.amount) == (2, -TB)
    assert [part.name for part in position.parts] == ["=was counted twice"]


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (credits.Wanted("memory", 1, day("2025-01-31"), "x"), "kind"),
        (credits.Wanted("storage", 0, day("2025-01-31"), "x"), "amount"),
        (credits.Wanted("storage", 10**20, day("2025-01-31"), "x"), "amount"),
        (credits.Wanted("storage", 1, day("2024-01-31"), "x"), "day"),
        (credits.Wanted("gpu", 1, day("2025-01-31"), "x"), "amount"),
        (credits.Wanted("storage", 1, day("2025-01-31"), " "), "reason"),
        (credits.Wanted("storage", 1, day("2025-01-31"), "a\nb"), "reason"),
    ],
)
def test_a_credit_gives_back_what_was_charged_and_says_why(
    sessions: Sessions, wanted: credits.Wanted, field: str
) -> None:
    with sessions.begin() as session:
        a_past(session)
    accounts.accrue(sessions, "2025-01-31")
    with pytest.raises(BadInput, match=f"^{field}:"), sessions.begin() as session:
        credits.give(session, world.STAFF, "screen", wanted)


def test_two_credits_give_back_no_more_than_there_was(sessions: Sessions) -> None:
    with sessions.begin() as session:
        a_past(session)
    accounts.accrue(sessions, "2025-01-10")
    wanted = credits.Wanted("storage", 3 * TB, day("2025-01-10"), "all of it")
    with sessions.begin() as session:
        credits.give(session, world.STAFF, "screen", wanted)
    with pytest.raises(BadInput, match="the 0 that were charged"), sessions.begin() as session:
        credits.give(session, world.STAFF, "screen", wanted)


def test_only_staff_gives_credit(sessions: Sessions) -> None:
    with sessions.begin() as session:
        a_past(session)
    with pytest.raises(NotAllowed), sessions.begin() as session:
        credits.give(
            session, LEADER, "screen", credits.Wanted("storage", 1, day("2025-01-10"), "x")
        )


def test_a_rebuilt_day_is_charged_no_second_time(sessions: Sessions) -> None:
    with sessions.begin() as session:
        a_past(session)
    accounts.accrue(sessions, "2025-01-03")
    with sessions.begin() as session:
        assert lines.accrue(session, day("2025-01-03"), at("2025-02-01")) == 0
