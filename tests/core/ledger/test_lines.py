"""The ledger: every day of every project once, every attempt of a run once, nothing changed."""

from __future__ import annotations

import ast
import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import accounts
import pytest
import world
from accounts import TB, at, day
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

import cid_server_ext
from cid_server_ext.core.ledger import lines, usage
from cid_server_ext.core.runs import states
from cid_server_ext.db import tables as t
from cid_server_ext.db.capture import Unrecorded
from cid_server_ext.db.session import Sessions


def ledger(sessions: Sessions) -> list[t.Line]:
    with sessions() as session:
        return list(session.scalars(select(t.Line).order_by(t.Line.day, t.Line.key)))


def test_a_day_is_charged_for_the_bytes_held_at_its_end(sessions: Sessions) -> None:
    with sessions.begin() as session:
        accounts.project(session, "screen")
        accounts.file(session, "screen", 5, "2025-01-01 23:59", "plate")
        accounts.file(session, "screen", 7, "2025-01-02 00:00")
    accounts.accrue(sessions, "2025-01-02")
    first, second = ledger(sessions)
    assert (first.kind, first.day, first.amount) == ("storage", day("2025-01-01"), 5)
    assert (second.day, second.amount) == (day("2025-01-02"), 12)
    assert [(path, nbytes) for _, path, nbytes in first.detail["datasets"]] == [("plate", 5)]


def test_what_is_accrued_is_what_usage_shows_and_the_allocation_counts(sessions: Sessions) -> None:
    with sessions.begin() as session:
        made = accounts.project(session, "screen")
        accounts.file(session, "screen", 500, dataset="a")
        accounts.file(session, "screen", 300, dataset="b")
        stored = accounts.file(session, "screen", 200, dataset="b")
        trash = t.Trash(
            project_id=made.id, person="x", what="", nbytes=200, purge_at=at("2099-01-01")
        )
        session.add(trash)
        session.flush()
        accounts.change(session, stored, trash_id=trash.id)
    accounts.accrue(sessions, "2025-01-01")
    with sessions() as session:
        _, told = usage.of_project(session, world.STAFF, "screen")
        counted = session.get_one(t.Allocation, made.id).used
    [line] = ledger(sessions)
    assert told.held.used == counted == line.amount == 1000
    assert (told.held.online, told.held.trashed, told.drift) == (800, 200, 0)
    assert sum(nbytes for _, _, nbytes in line.detail["datasets"]) == 1000


def test_archived_bytes_have_a_line_of_their_own(sessions: Sessions) -> None:
    with sessions.begin() as session:
        accounts.project(session, "screen")
        accounts.file(session, "screen", 10)
        accounts.change(session, accounts.file(session, "screen", 4), tier="archive")
    accounts.accrue(sessions, "2025-01-01")
    assert {line.kind: line.amount for line in ledger(sessions)} == {"storage": 10, "archive": 4}


def test_accruing_again_adds_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        accounts.project(session, "screen")
    assert accounts.accrue(sessions, "2025-01-03") == 3
    assert accounts.accrue(sessions, "2025-01-03") == 0
    with sessions.begin() as session:
        assert lines.accrue(session, day("2025-01-02"), at("2025-01-09")) == 0


def test_of_several_that_charge_a_day_together_one_does(sessions: Sessions) -> None:
    with sessions.begin() as session:
        accounts.project(session, "screen")

    def charge(_: int) -> str:
        try:
            with sessions.begin() as session:
                return f"{lines.accrue(session, day('2025-01-01'), at('2025-01-02 02:00'))} lines"
        except IntegrityError:
            return "too late"

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(charge, range(6)))
    assert answers.count("1 lines") == 1
    assert len(ledger(sessions)) == 1


def test_missed_days_are_made_good_and_say_so(sessions: Sessions) -> None:
    with sessions.begin() as session:
        accounts.project(session, "screen")
        accounts.file(session, "screen", 5, "2025-01-02 12:00")
        gone = accounts.file(session, "screen", 9, "2025-01-01 12:00")
        accounts.change(session, gone, purged_at=at("2025-01-02 23:00"))
    accounts.accrue(sessions, "2025-01-04", on_time=False)
    made = ledger(sessions)
    assert [line.amount for line in made] == [9, 5, 5, 5]
    assert [line.detail.get("estimated", False) for line in made] == [True, True, True, False]


def test_a_day_is_not_charged_before_it_is_over_for_an_hour(sessions: Sessions) -> None:
    with sessions.begin() as session:
        assert lines.due(session, at("2025-01-02 12:00")) == []
        accounts.project(session, "screen", "2025-01-01 15:00")
        assert lines.due(session, at("2025-01-02 00:59")) == []
        assert lines.due(session, at("2025-01-02 01:00")) == [day("2025-01-01")]


def test_the_hours_of_summer_and_the_leap_day_make_no_day_more_or_less(sessions: Sessions) -> None:
    with sessions.begin() as session:
        accounts.project(session, "screen", "2028-02-01")
        accounts.file(session, "screen", TB, "2028-02-01")
    accounts.accrue(sessions, "2028-03-31")
    made = ledger(sessions)
    assert len([line for line in made if line.day.month == 2]) == 29
    assert len([line for line in made if line.day.month == 3]) == 31
    assert {line.amount for line in made} == {TB}


def test_a_day_like_the_one_before_points_to_it_and_tells_the_same(sessions: Sessions) -> None:
    with sessions.begin() as session:
        accounts.project(session, "screen")
        accounts.file(session, "screen", 5, dataset="plate")
    accounts.accrue(sessions, "2025-01-03")
    with sessions.begin() as session:
        accounts.change(session, session.scalar(select(t.Team)), tariff="industrial")
    accounts.accrue(sessions, "2025-01-04")
    made = ledger(sessions)
    key = made[0].key
    assert [line.detail.get("same") for line in made] == [None, key, key, None]
    with sessions() as session:
        told = lines.whole(session, made)
    assert told[0] == told[1] == told[2]
    assert [d["team"]["tariff"] for d in told] == ["internal", "internal", "internal", "industrial"]


def running(sessions: Sessions, **resources: int) -> int:
    """Add a run whose worker began 90.5 s ago, and return its id."""
    with sessions.begin() as session:
        world.make_project(session, "screen")
        image = world.add_image(session, "screen", "cells")
        manifest = world.MANIFEST | {"resources": resources}
        template = world.templates.publish(session, world.STAFF, manifest, world.NOTEBOOK)
        run = world.add_run(session, image, template, person="ana", token="x")
        run.started_at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=90.5)
        return run.id


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_the_end_of_a_run_is_charged_with_it(sessions: Sessions, end: str) -> None:
    run_id = running(sessions, cores=4, gpus=2)
    with sessions.begin() as session:
        states.move(session, run_id, end)
    cpu, gpu = ledger(sessions)
    with sessions() as session:
        run = session.get_one(t.Run, run_id)
    assert (cpu.kind, gpu.kind) == ("cpu", "gpu")
    assert cpu.amount % 4 == 0
    assert cpu.amount // 4 == gpu.amount // 2 in (91, 92, 93)
    assert gpu.key == f"gpu/{run.uid}/1"
    assert (gpu.person, gpu.day) == ("ana", run.ended_at.date())
    assert gpu.detail["run"]["template"] == "count-things 1.0.0"
    assert gpu.detail["team"]["tariff"] == "internal"


def test_a_template_without_gpus_has_no_gpu_line(sessions: Sessions) -> None:
    run_id = running(sessions)
    with sessions.begin() as session:
        states.move(session, run_id, "failed")
    assert [line.kind for line in ledger(sessions)] == ["cpu"]


def test_an_attempt_that_went_back_to_the_queue_is_not_charged(sessions: Sessions) -> None:
    run_id = running(sessions)
    with sessions.begin() as session:
        states.move(session, run_id, "queued")
    with sessions.begin() as session:
        states.move(session, run_id, "cancelled")
    assert ledger(sessions) == []


def test_a_line_is_there_if_and_only_if_the_run_ended(sessions: Sessions) -> None:
    run_id = running(sessions)
    with sessions() as session:
        states.move(session, run_id, "failed")
        session.rollback()
    assert ledger(sessions) == []


def test_the_ledger_is_refused_to_whoever_would_change_it(sessions: Sessions) -> None:
    with sessions.begin() as session:
        accounts.project(session, "screen")
    accounts.accrue(sessions, "2025-01-01")
    for statement in (update(t.Line).values(amount=0), delete(t.Line)):
        with pytest.raises(Unrecorded, match="changes line"), sessions.begin() as session:
            session.execute(statement)
    with pytest.raises(RuntimeError, match="never changed"), sessions.begin() as session:
        accounts.change(session, session.scalar(select(t.Line)), amount=0)
    with pytest.raises(RuntimeError, match="never changed"), sessions.begin() as session:
        session.delete(session.scalar(select(t.Line)))
    assert len(ledger(sessions)) == 1


def test_no_code_of_ours_changes_or_removes_a_line() -> None:
    """Nobody names Line or PriceList in an update or delete."""
    root = Path(cid_server_ext.__file__).parent
    found = []
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(
                node.func, ast.Name | ast.Attribute
            ):
                continue
            verb = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            named = {ast.unparse(argument) for argument in node.args}
            if verb in ("update", "delete") and named & {"Line", "t.Line", "PriceList"}:
                found.append(f"{path.name}:{node.lineno}")
    assert found == []
