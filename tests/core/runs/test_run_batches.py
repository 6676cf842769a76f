"""Batches follow from their runs, for whoever may see them; tables become batches or nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import world
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.runs import batches, states, submit, table
from cid_server_ext.core.templates import templates
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, NotAllowed, NotFound, OverQuota

WHO = Actor("contributor")


@pytest.fixture
def session(sessions: Sessions) -> Iterator[Session]:
    """A session on a catalog with two projects, images and a template."""
    with sessions.begin() as session:
        world.make_project(session, "screen", limit=10**9)
        world.make_project(session, "other", limit=10**9)
        for name in ("one", "two", "three"):
            world.add_image(session, "screen", name)
        world.add_image(session, "other", "elsewhere")
        templates.publish(session, world.STAFF, world.MANIFEST, world.NOTEBOOK)
        session.flush()
        yield session


def uids(session: Session) -> list[str]:
    return list(session.scalars(select(t.Image.uid).order_by(t.Image.id)))


def go(session: Session, run: t.Run, *path: str, **changes: object) -> None:
    for at, state in enumerate(path):
        last = changes if at == len(path) - 1 else {}
        states.move(session, run.id, state, **last)


@pytest.mark.parametrize(
    ("counts", "paused", "state"),
    [
        ({"queued": 3}, 0, "queued"),
        ({"queued": 3}, 2, "queued"),
        ({"queued": 3}, 3, "paused"),
        ({"queued": 1, "done": 5}, 1, "paused"),
        ({"queued": 1, "done": 5}, 0, "running"),
        ({"queued": 1, "running": 1}, 1, "running"),
        ({"committing": 1, "failed": 5}, 0, "running"),
        ({"done": 5, "cancelled": 1}, 0, "cancelled"),
        ({"done": 5, "cancelled": 1, "failed": 1}, 0, "failed"),
        ({"done": 5, "failed": 0}, 0, "done"),
    ],
)
def test_the_state_follows_from_the_runs(counts: dict, paused: int, state: str) -> None:
    assert batches.state(counts, paused) == state


def test_a_batch_is_counted_and_its_failures_are_grouped(session: Session) -> None:
    runs = submit.submit(session, WHO, "count-things", uids(session)[:3], {})
    row = batches.get(session, WHO, runs[0].batch)
    assert (row.state, row.runs, row.fraction, row.failures) == ("queued", 3, 0.0, ())
    runs[2].progress = {"fraction": 0.5}
    for run, message in zip(runs[:2], ("no\nnucleus in one", "no nucleus in two"), strict=True):
        error = {"error": "ValueError", "message": message, "cell": 4}
        go(session, run, "starting", "running", "failed", error=error)
    row = batches.get(session, WHO, runs[0].batch)
    assert (row.counts, row.state) == ({"failed": 2, "queued": 1}, "running")
    assert row.fraction == pytest.approx(2.5 / 3)
    (failure,) = row.failures
    assert (failure.error, failure.cell, failure.count) == ("ValueError", 4, 2)
    assert (failure.run, failure.message) == (runs[0].uid, "no nucleus in one")
    assert row.ended_at is None
    go(session, runs[2], "cancelled")
    row = batches.get(session, WHO, runs[0].batch)
    assert (row.state, row.ended_at is None) == ("failed", False)


def test_batches_are_listed_newest_first_page_by_page_in_few_questions(session: Session) -> None:
    every = [
        submit.submit(session, WHO, "count-things", uids(session)[:count], {"sigma": count})[0]
        for count in (1, 2, 3, 1, 2)
    ]
    wanted = [run.batch for run in reversed(every)]
    session.flush()
    session.expire_all()
    asked: list[str] = []
    connection = session.connection()
    event.listen(connection, "before_cursor_execute", lambda *how: asked.append(how[2]))
    first = batches.listing(session, WHO, limit=2)
    assert len(asked) <= 6  # whatever the number of batches and runs
    rest = batches.listing(session, WHO, limit=9, after=first[-1].first.id)
    assert [row.uid for row in [*first, *rest]] == wanted
    assert [row.runs for row in [*first, *rest]] == [2, 1, 3, 2, 1]
    assert batches.listing(session, Actor("viewer"), mine=True) == []
    assert [row.uid for row in batches.listing(session, Actor("viewer"))] == wanted


def test_of_a_batch_those_runs_count_that_one_sees(session: Session) -> None:
    both = [uids(session)[0], uids(session)[3]]
    runs = submit.submit(session, world.STAFF, "count-things", both, {})
    session.flush()
    one = Actor("someone")
    session.add(t.ProjectMember(project_id=runs[1].project_id, person="someone", role="viewer"))
    session.flush()
    assert batches.get(session, one, runs[0].batch).runs == 1
    assert [row.first.id for row in batches.listing(session, one)] == [runs[1].id]
    assert batches.get(session, world.STAFF, runs[0].batch).runs == 2
    stranger = Actor("stranger")
    assert batches.listing(session, stranger) == []
    with pytest.raises(NotFound):
        batches.get(session, stranger, runs[0].batch)
    assert batches.listing(session, Actor("x", run_id=runs[0].id)) == []


def given(csv: str, project: str | None = "screen", **values: object) -> table.Given:
    return table.Given("count-things", csv, project, values)


def test_a_table_is_one_batch_with_the_parameters_of_each_row(session: Session) -> None:
    csv = "name;sigma;mode\r\none;2.5;good\r\ntwo;;\r\n\r\nthree;3;fast\r\n"
    runs = table.queue(session, WHO, given(csv, sigma=7))
    assert len({run.batch for run in runs}) == 1
    assert [run.parameters for run in runs] == [
        {"sigma": 2.5, "mode": "good"},
        {"sigma": 7.0, "mode": "fast"},
        {"sigma": 3.0, "mode": "fast"},
    ]
    assert [run.inputs[0].image.name for run in runs] == ["one", "two", "three"]
    by_uid = f"uid,sigma\n{uids(session)[0]},1\n"
    assert len(table.queue(session, WHO, given(by_uid, project=None))) == 1
    assert len(table.queue(session, WHO, given("path\none\n"))) == 1


def test_every_wrong_cell_is_told_with_row_and_column_and_nothing_is_queued(
    session: Session,
) -> None:
    csv = "name,sigma,mode\none,wide,fast\nnobody,1,fast\ntwo,99,slow\none,1,fast,4\nthree,2,fast\n"
    found = table.read(session, WHO, given(csv))
    assert [(cell.row, cell.column) for cell in found.wrong] == [
        (2, "sigma"),
        (3, "name"),
        (4, "sigma"),
        (4, "mode"),
        (5, "4"),
    ]
    assert (found.rows, [line.row for line in found.lines]) == (5, [6])
    with pytest.raises(BadInput, match=r"csv: row 2, sigma: .*\(and 4 more\)") as caught:
        table.queue(session, WHO, given(csv))
    assert caught.value.fields[1]["field"] == "row 3, name"
    assert session.scalars(select(t.Run)).all() == []


@pytest.mark.parametrize(
    ("csv", "said"),
    [
        ("image,sigma\none,1\n", "first column is one of uid, name, path"),
        ("name,sgima\none,1\n", "no parameter 'sgima': did you mean sigma"),
        ("name,sigma,sigma\none,1,1\n", "there twice"),
        ("name,\none,1\n", "without a name"),
        ("name\none\none\n", "row 2 has this image already"),
        ("name,sigma\none," + "[" * 30_000 + "\n", "sigma"),
        ("name,sigma\none,NaN\n", "sigma"),
        ("name\n", "at least one row"),
    ],
)
def test_a_table_that_is_wrong_says_how(session: Session, csv: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        table.queue(session, WHO, given(csv))
    assert said in str(caught.value)


def test_a_table_asks_for_the_same_rights_and_room_as_a_submit(session: Session) -> None:
    with pytest.raises((BadInput, NotAllowed), match="contributor"):
        table.queue(session, Actor("viewer"), given("name\none\n"))
    with pytest.raises(NotFound):
        table.queue(session, Actor("stranger"), given("name\none\n"))
    with pytest.raises(BadInput, match="no image"):
        table.queue(session, WHO, given("name\nelsewhere\n"))
    with pytest.raises(BadInput, match="project: say in which"):
        table.queue(session, WHO, given("name\none\n", project=None))
    project = session.scalars(select(t.Project).where(t.Project.name == "screen")).one()
    project.allocation.limit = project.allocation.used
    session.flush()
    with pytest.raises(OverQuota):
        table.queue(session, WHO, given("name\none\n"))
