"""What follows a run: checked before the first one, begun once, and told where it cannot be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import world
from sqlalchemy import event, func, select, text, update

from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import records
from cid_server_ext.core.people import members
from cid_server_ext.core.queue import steering
from cid_server_ext.core.runs import states, submit
from cid_server_ext.core.steps import follow, plan
from cid_server_ext.core.steps.plan import Step
from cid_server_ext.core.templates import shelf, templates
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, BadParameter, CidError, NotFound

WHO = Actor("contributor")
CAPTURED = {"captured": True}


def manifest(name: str, **parts: object) -> dict[str, object]:
    about = {"name": name, "version": "1.0.0", "title": name}
    return {**world.MANIFEST, "template": about, **parts}


SEGMENT = manifest("segment", outputs={"labels": ["cells"]})
MEASURE = manifest(
    "measure",
    inputs={"kind": "labels", "roles": ["labels"], "also": [{"role": "raw"}]},
    outputs={"labels": ["kept", "left"]},
)
SMOOTH = manifest("smooth", outputs={"images": ["smooth"]})
MEASURED = Step("measure", {}, {"raw": "input"})


@pytest.fixture
def chained(sessions: Sessions) -> Iterator[Sessions]:
    with sessions.begin() as session:
        world.make_project(session, "chain", limit=10**9)
        for number in range(2):
            world.add_image(session, "chain", f"cell {number}")
        for one in (SEGMENT, MEASURE, SMOOTH):
            templates.publish(session, world.STAFF, one, world.NOTEBOOK)
    return sessions


def begun(sessions: Sessions, *steps: Step) -> list[t.Run]:
    """Submit the chain on all images."""
    with sessions.begin() as session:
        then = plan.checked(session, WHO, "segment", steps)
        images = session.scalars(select(t.Image.uid).order_by(t.Image.id)).all()
        return submit.submit(session, WHO, "segment", list(images), {}, then=then)


def finish(sessions: Sessions, run: t.Run, *wrote: str, to: str = "done") -> None:
    """Let a run go its way and write labels."""
    with sessions.begin() as session:
        attempt = session.get_one(t.Run, run.id).attempt + 1
        states.move(session, run.id, "starting", attempt=attempt)
        for state in ("running", "committing", to):
            states.move(session, run.id, state)
        if to != "done":
            return
        row = session.get_one(t.Run, run.id)
        for name in wrote or ("cells",):
            title = f"{row.inputs[0].image.name} {name}"
            made = world.add_image(session, "chain", title, run=row)
            labels = update(t.Image).where(t.Image.id == made.id).values(kind="labels")
            session.execute(labels, execution_options=CAPTURED)


def followed(sessions: Sessions) -> list[t.Run]:
    with sessions() as session:
        due = follow.due(session)
    found = []
    for number in due:
        with sessions.begin() as session:
            if (run := follow.begin(session, number)) is not None:
                found.append(run)
    return found


def notices(sessions: Sessions) -> list[str]:
    with sessions() as session:
        return list(session.scalars(select(t.Notice.text).order_by(t.Notice.id)))


def test_each_run_is_followed_once_by_all_of_one_batch(chained: Sessions) -> None:
    runs = begun(chained, MEASURED)
    assert followed(chained) == []
    for run in runs:
        finish(chained, run)
    following = followed(chained)
    assert followed(chained) == []
    assert len({run.batch for run in following}) == 1
    with chained() as session:
        rows = [session.get_one(t.Run, run.id) for run in following]
        for before, row in zip(runs, rows, strict=True):
            assert row.after_id == before.id
            assert row.template.name == "measure"
            assert row.parameters == {"sigma": 1.0, "mode": "fast"}
            roles = [(one.role, one.image.name) for one in row.inputs]
            first = session.get_one(t.Run, before.id).inputs[0].image.name
            assert roles == [("labels", f"{first} cells"), ("raw", first)]
            assert session.get_one(t.Run, before.id).followed == {"run": row.uid}
        assert session.scalar(select(func.count()).select_from(t.Run)) == 4


def test_two_processes_begin_it_once(chained: Sessions) -> None:
    run = begun(chained, MEASURED)[0]
    finish(chained, run)
    with chained.begin() as session:
        assert follow.begin(session, run.id) is not None
    with chained.begin() as session:
        assert follow.begin(session, run.id) is None


def test_steps_go_on_and_the_last_one_tells(chained: Sessions) -> None:
    runs = begun(
        chained,
        MEASURED,
        Step("measure", {"sigma": 5}, {"labels": "labels:left", "raw": "input:raw"}),
    )
    for run in runs:
        finish(chained, run)
    assert notices(chained) == []
    second = followed(chained)
    for run in second:
        finish(chained, run, "left")
    assert notices(chained) == []
    third = followed(chained)
    for run in third:
        finish(chained, run, "left")
    assert followed(chained) == []
    assert notices(chained) == ["measure in chain: 2 of 2 runs are done"]
    with chained() as session:
        last = session.get_one(t.Run, third[0].id)
        assert (last.parameters, last.then) == ({"sigma": 5.0, "mode": "fast"}, None)
        assert [one.image.name for one in last.inputs] == ["cell 0 cells left", "cell 0"]


def test_a_step_that_fails_is_retried_and_the_chain_goes_on(chained: Sessions) -> None:
    run, other = begun(chained, MEASURED)
    finish(chained, other)
    (after_other,) = followed(chained)
    finish(chained, after_other, "kept")
    finish(chained, run, to="failed")
    assert followed(chained) == []
    segment, measure = notices(chained)
    assert segment.startswith("segment in chain: 1 of 2 runs are done, 1 failed")
    assert measure.startswith("measure on ")
    assert measure.endswith(" is done")
    with chained.begin() as session:
        steering.retry(session, WHO, run.uid)
    finish(chained, run)
    assert [one.batch for one in followed(chained)] == [after_other.batch]


def test_what_cannot_follow_is_told_and_tried_again(chained: Sessions) -> None:
    runs = begun(chained, MEASURED)
    with chained.begin() as session:
        reason = "it counts twice"
        templates.withdraw(session, world.STAFF, "measure", "1.0.0", reason)
    for run in runs:
        finish(chained, run)
    assert followed(chained) == []
    (said,) = notices(chained)
    assert said.startswith("segment is done in chain, and measure@1.0.0 could not begin: ")
    assert "withdrawn" in said
    assert said.endswith("Mend it and retry the run")
    with chained() as session:
        assert follow.due(session) == []
    with chained.begin() as session:
        assert session.get_one(t.Run, runs[0].id).followed["error"] == "Conflict"
        asked = update(t.Template).where(t.Template.name == "measure").values(withdrawn_at=None)
        session.execute(asked, execution_options=CAPTURED)
        steering.retry(session, WHO, runs[0].uid)
    assert len(followed(chained)) == 1


def test_whose_role_ends_has_nothing_begun(chained: Sessions) -> None:
    run = begun(chained, MEASURED)[0]
    finish(chained, run)
    with chained.begin() as session:
        members.remove_member(session, Actor("manager"), "chain", "contributor")
    assert followed(chained) == []
    with chained() as session:
        assert session.get_one(t.Run, run.id).followed["error"] in ("NotFound", "NotAllowed")
        assert session.scalar(select(func.sum(t.Allocation.reserved))) > 0  # the other run's


@pytest.mark.parametrize("renamed", ["", "another name"])
def test_an_output_is_known_by_its_name_and_not_by_how_it_ends(
    chained: Sessions, renamed: str
) -> None:
    """`kept` is asked for; `not kept` was written before it, and the input may be renamed."""
    outputs = {"labels": ["not kept", "kept"]}
    with chained.begin() as session:
        templates.publish(session, world.STAFF, manifest("sort", outputs=outputs), world.NOTEBOOK)
        step = Step("measure", {}, {"labels": "labels:kept", "raw": "input"})
        then = plan.checked(session, WHO, "sort", [step])
        uid = session.scalars(select(t.Image.uid).order_by(t.Image.id)).first()
        (run,) = submit.submit(session, WHO, "sort", [uid], {}, then=then)
    finish(chained, run, "not kept", "kept")
    if renamed:
        with chained.begin() as session:
            image = session.scalars(select(t.Image).where(t.Image.uid == uid)).one()
            records.rename(session, WHO, image, renamed)
    (following,) = followed(chained)
    with chained() as session:
        first = session.get_one(t.Run, following.id).inputs[0].image
        assert first.name == "cell 0 kept"


def test_of_a_further_input_that_does_not_fit_only_the_role_is_told(chained: Sessions) -> None:
    run = begun(chained, MEASURED)[0]
    finish(chained, run)
    with chained.begin() as session:
        raw = session.get_one(t.Run, run.id).inputs[0].image_id
        away = update(t.Image).where(t.Image.id == raw).values(kind="labels")
        session.execute(away, execution_options=CAPTURED)
        journal.record(session, "test", "set up", "test")
    assert followed(chained) == []
    with chained() as session:
        assert session.get_one(t.Run, run.id).followed == {
            "error": "BadInput",
            "message": "it does not take what is given as raw: run it by hand to see why",
        }


@pytest.mark.parametrize(
    ("step", "error", "said"),
    [
        (Step("absent"), NotFound, "absent"),
        (
            Step("measure", {"sgima": 1}, {"raw": "input"}),
            BadParameter,
            r"then\[0\], measure: .*sgima",
        ),
        (Step("measure", {"sigma": -1}, {"raw": "input"}), BadParameter, "at least 0"),
        (Step("measure"), BadInput, r"then\[0\], measure: say from where it takes 'raw'"),
        (Step("measure", {}, {"row": "input"}), BadInput, "no role 'row'; it takes labels, raw"),
        (
            Step("measure", {}, {"raw": "labels:cells"}),
            BadInput,
            "raw: it takes image, and 'labels:cells' is labels",
        ),
        (
            Step("measure", {}, {"raw": "images:cells"}),
            BadInput,
            "raw: segment promises no 'images:cells'",
        ),
        (Step("measure", {}, {"raw": "input:beads"}), BadInput, "segment has no input 'beads'"),
        (Step("measure", {}, {"raw": "$(reboot)"}), BadInput, "is neither labels:NAME"),
        (Step("smooth"), BadInput, "the template before writes nothing that is image"),
    ],
)
def test_a_wrong_step_is_refused_before_anything_is_queued(
    chained: Sessions, step: Step, error: type[CidError], said: str
) -> None:
    with pytest.raises(error, match=said):
        begun(chained, step)
    with chained() as session:
        assert session.scalar(select(func.count()).select_from(t.Run)) == 0


def test_a_chain_ends(chained: Sessions) -> None:
    smooth = Step("smooth", {}, {"image": "input"})
    with pytest.raises(BadInput, match="at most 8 steps"):
        begun(chained, *[smooth] * 9)
    assert len(begun(chained, *[smooth] * 8)) == 2


def test_the_version_is_that_of_the_submit(chained: Sessions) -> None:
    run = begun(chained, MEASURED)[0]
    newer = {**MEASURE, "template": {**MEASURE["template"], "version": "1.1.0"}}
    with chained.begin() as session:
        templates.publish(session, world.STAFF, newer, world.NOTEBOOK, changelog="other")
        assert shelf.newest(session, WHO, "measure").version == "1.1.0"
    finish(chained, run)
    (following,) = followed(chained)
    with chained() as session:
        assert session.get_one(t.Run, following.id).template.version == "1.0.0"


def test_what_is_due_is_found_by_its_index(chained: Sessions) -> None:
    told = []
    engine = chained.kw["bind"]

    def explain(connection, cursor, statement, parameters, context, many):
        told.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", explain)
    with chained() as session:
        follow.due(session)
        statement, parameters = told[-1]
        if engine.dialect.name == "postgresql":
            session.execute(text("SET enable_seqscan = off"))  # two rows are read at once
        how = "EXPLAIN " if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
        plan = session.connection().exec_driver_sql(how + statement, parameters).all()
    event.remove(engine, "before_cursor_execute", explain)
    assert "ix_run_next" in "\n".join(str(row) for row in plan)
