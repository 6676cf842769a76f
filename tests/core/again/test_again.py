"""Runs once more: replayed from what was stored, and compared with others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import books
import pytest
import world
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.again import comparison, difference, environments, replay
from cid_server_ext.core.runs import submit
from cid_server_ext.core.templates import manifest as manifests
from cid_server_ext.core.templates import notebook_diff
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import Conflict, NotAllowed, NotFound, OverQuota

WHO = Actor("contributor")


@pytest.fixture
def session(sessions: Sessions) -> Iterator[Session]:
    """A session on project `again-screen`, an image and two versions of a template."""
    with sessions.begin() as session:
        world.make_project(session, "again-screen", limit=10**8)
        world.add_image(session, "again-screen", "cell")
        session.add(version("1.0.0"))
        session.flush()
        yield session


def version(number: str) -> t.Template:
    raw = json.loads(json.dumps(world.MANIFEST))
    raw["template"]["version"] = number
    manifest = manifests.read(raw).model_dump(mode="json")
    text = {"notebook": world.NOTEBOOK, "published_by": "staff", "digest": number.ljust(64, "0")}
    return t.Template(name="count-things", version=number, manifest=manifest, **text)


def run_of(session: Session, name: str = "cell", **values: Any) -> t.Run:
    uid = session.scalars(select(t.Image.uid).where(t.Image.name == name)).one()
    (run,) = submit.submit(session, WHO, "count-things", [uid], values)
    session.flush()
    return run


def ended(session: Session, run: t.Run, sha256: str = "a" * 64, **columns: Any) -> t.Run:
    """End a run as if it had made a table, a notebook and what `columns` say."""
    run.state, run.metrics = "done", {"objects": 3}
    for name, value in columns.items():
        setattr(run, name, value)
    made = {"table": ("objects.parquet", sha256), "notebook": ("executed.ipynb", run.uid[:8] * 8)}
    for kind, (name, digest) in made.items():
        image = run.inputs[0].image
        place = {"project_id": run.project_id, "dataset_id": image.dataset_id}
        file = t.File(**place, kind=kind, name=name, sha256=digest, prefix=f"files/{t.new_uid()}")
        file.nbytes, file.created_by, file.run_id = 10, run.person, run.id
        file.media_type = "application/octet-stream"
        session.add(file)
    session.flush()
    session.expire(run)
    return run


def test_a_replay_has_the_version_values_and_inputs_of_its_original(session: Session) -> None:
    first = run_of(session, sigma=2)
    session.add(version("2.0.0"))
    session.flush()
    again = replay.replay(session, WHO, first.uid)
    assert (again.state, again.template.version) == ("queued", "1.0.0")
    assert (again.replay_of_id, again.parameters) == (first.id, first.parameters)
    assert again.batch != first.batch
    assert [(i.image_id, i.role, i.sha256) for i in again.inputs] == [
        (i.image_id, i.role, i.sha256) for i in first.inputs
    ]
    assert again.reserved == first.reserved > 0


def test_an_input_that_changed_is_refused_by_name(session: Session) -> None:
    first = run_of(session)
    first.inputs[0].image.sha256 = "f" * 64
    session.flush()
    with pytest.raises(Conflict, match="'cell' is not what the run read: its digest was 00000"):
        replay.replay(session, WHO, first.uid)
    first.inputs[0].image.sha256, first.inputs[0].image.tier = "0" * 64, "archive"
    session.flush()
    with pytest.raises(Conflict, match="'cell' cannot be read: it is archived"):
        replay.replay(session, WHO, first.uid)
    assert session.scalar(select(func.count(t.Run.id))) == 1


def test_who_may_not_run_there_may_not_replay_either(session: Session) -> None:
    first = run_of(session)
    with pytest.raises(NotAllowed, match="contributor"):
        replay.replay(session, Actor("viewer"), first.uid)
    with pytest.raises(NotFound):
        replay.replay(session, Actor("stranger"), first.uid)
    with pytest.raises(NotAllowed, match="run token"):
        replay.replay(session, Actor("contributor", run_id=first.id), first.uid)
    allocation = session.scalars(select(t.Allocation)).one()
    allocation.limit = allocation.used + allocation.reserved
    session.flush()
    with pytest.raises(OverQuota):
        replay.replay(session, WHO, first.uid)


def compared(session: Session, run: t.Run, who: Actor = WHO) -> tuple[str, str]:
    found = comparison.comparison(session, who, run.uid)
    return found.verdict, found.text


def test_a_replay_is_compared_once_both_have_ended(session: Session) -> None:
    first = run_of(session)
    again = replay.replay(session, WHO, first.uid)
    assert compared(session, first) == (
        "no replay",
        "it repeats no other run: replay() makes one that does",
    )
    assert compared(session, again)[0] == "waiting"
    place = {"environment": {"python": "3.11.7", "memory": 1, "packages": {"numpy": "2.1.0"}}}
    ended(session, first, **place)
    ended(session, again, environment=place["environment"] | {"memory": 2})
    told = "every output and metric is the same, in the same environment"
    assert compared(session, again) == ("same", told)
    with pytest.raises(NotFound):
        compared(session, again, Actor("stranger"))


def test_what_a_replay_made_otherwise_is_named(session: Session) -> None:
    first = ended(session, run_of(session), environment={"packages": {"numpy": "2.1.0"}})
    again = replay.replay(session, WHO, first.uid)
    ended(session, again, "b" * 64, environment={"packages": {"numpy": "2.2.0"}})
    again.metrics = {"objects": 4}
    session.flush()
    assert compared(session, again) == (
        "differs",
        "not the same: table objects.parquet, metric objects; in another environment (1 entry)",
    )
    again.state = "failed"
    session.flush()
    assert compared(session, again)[0] == "nothing to compare"


def test_two_runs_differ_in_what_is_named(session: Session) -> None:
    world.add_image(session, "again-screen", "other cell")
    one = ended(session, run_of(session, sigma=1), environment={"python": "3.11.7"})
    two = ended(session, run_of(session, "other cell", sigma=2), environment={"gpu": "H100"})
    found = difference.between(session, WHO, one.uid, two.uid)
    assert [(c.name, c.before, c.after) for c in found.parameters] == [("sigma", 1.0, 2.0)]
    assert [(c.name, c.before["name"], c.after["name"]) for c in found.inputs] == [
        ("image", "cell", "other cell")
    ]
    assert [(c.name, c.before, c.after) for c in found.environment] == [
        ("gpu", None, "H100"),
        ("python", "3.11.7", None),
    ]
    assert (found.cells, found.metrics) == ([], [])
    assert [(pair.kind, pair.name, pair.same) for pair in found.outputs] == [
        ("table", "objects.parquet", True)
    ]
    with pytest.raises(NotFound):
        difference.between(session, Actor("stranger"), one.uid, two.uid)


def test_outputs_pair_by_the_name_without_their_input(session: Session) -> None:
    one, two = run_of(session), run_of(session, sigma=2)
    world.add_image(session, "again-screen", "cell things", run=one)
    renamed = world.add_image(session, "again-screen", "cell things", run=two)
    session.flush()
    pair, *_ = difference.between(session, WHO, one.uid, two.uid).outputs
    assert (pair.kind, pair.name) == ("image", "things")
    renamed.name = "mitosis things"
    session.flush()
    pairs = difference.between(session, WHO, one.uid, two.uid).outputs
    [image] = [pair for pair in pairs if pair.kind == "image"]
    assert (image.before.name, image.after.name) == ("cell things", "mitosis things")


def test_packages_are_compared_by_name_and_the_machine_is_not() -> None:
    before = {"cores": 2, "packages": {"a": "1", "b": "1"}, "platform": "x"}
    after = {"cores": 4, "packages": {"b": "2", "c": "1"}, "platform": "x"}
    found = environments.differences(before, after)
    assert [(c.name, c.before, c.after) for c in found] == [
        ("a", "1", None),
        ("b", "1", "2"),
        ("c", None, "1"),
    ]


def test_cells_are_paired_though_others_come_and_go() -> None:
    before = books.book("# Title", "a = 1\nb = 2\nc = a + b", "print(c)", "gone = True")
    after = books.book("# Title", "import numpy", "a = 1\nb = 3\nc = a + b", "print(c)")
    found = notebook_diff.cells(before, after)
    assert [(c.change, c.kind, c.before, c.after) for c in found] == [
        ("added", "code", None, 2),
        ("changed", "code", 2, 3),
        ("removed", "code", 4, None),
    ]
    assert found[1].lines == ["@@ -1,3 +1,3 @@", " a = 1", "-b = 2", "+b = 3", " c = a + b"]
    assert notebook_diff.cells(before, before) == []


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"cells": []}'])
def test_what_is_no_notebook_has_no_cells(text: str) -> None:
    [cell] = notebook_diff.cells(text, books.book("a = 1"))
    assert (cell.change, cell.lines) == ("added", ["@@ -0,0 +1 @@", "+a = 1"])
