"""Templates as published things: versions, a project's own, promoted, withdrawn, compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import world
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.runs import preflight, runs, submit
from cid_server_ext.core.templates import differences, seals, templates
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, Conflict, NotAllowed, NotFound

MEMBER, VIEWER, STRANGER = Actor("contributor"), Actor("viewer"), Actor("stranger")


@pytest.fixture
def session(sessions: Sessions) -> Iterator[Session]:
    with sessions.begin() as session:
        world.make_project(session, "mine", limit=10**8)
        world.add_image(session, "mine", "one")
        templates.publish(session, world.STAFF, world.MANIFEST, world.NOTEBOOK)
        yield session


def manifest(version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    return {**world.MANIFEST, "template": {**world.MANIFEST["template"], "version": version}} | more


def notebook(*sources: str) -> str:
    """The notebook of the world with more cells."""
    book = json.loads(world.NOTEBOOK)
    book["cells"] += [
        {"cell_type": "code", "metadata": {}, "source": source, "outputs": []} for source in sources
    ]
    return json.dumps(book)


def image(session: Session) -> t.Image:
    return session.scalars(select(t.Image)).one()


def test_a_second_version_says_what_changed(session: Session) -> None:
    with pytest.raises(BadInput, match=r"changelog: say what changed since 1\.0\.0"):
        templates.publish(session, world.STAFF, manifest("1.1.0"), world.NOTEBOOK)
    new = templates.publish(session, world.STAFF, manifest("1.1.0"), world.NOTEBOOK, " Faster.\n")
    assert new.changelog == "Faster."
    told = templates.versions(session, VIEWER, "count-things")
    assert [row.version for row in told] == ["1.1.0", "1.0.0"]
    assert templates.version(session, VIEWER, "count-things", "1.0.0").version == "1.0.0"
    with pytest.raises(NotFound, match=r"no version '9\.0\.0'"):
        templates.version(session, VIEWER, "count-things", "9.0.0")


def test_a_withdrawn_version_is_run_by_nobody_and_kept_by_its_runs(session: Session) -> None:
    [run] = submit.submit(session, MEMBER, "count-things", [image(session).uid], {})
    templates.publish(session, world.STAFF, manifest("1.1.0"), world.NOTEBOOK, "Faster.")
    gone = templates.withdraw(session, world.STAFF, "count-things", "1.1.0", "It counts twice.")
    assert templates.newest(session, VIEWER, "count-things").version == "1.0.0"
    assert [row.version for row in templates.listing(session, VIEWER)] == ["1.0.0"]
    with pytest.raises(
        Conflict, match=r"withdrawn \(It counts twice.\): take count-things@1\.0\.0"
    ):
        submit.submit(session, MEMBER, "count-things@1.1.0", [image(session).uid], {})
    at = gone.withdrawn_at
    assert templates.withdraw(session, world.STAFF, "count-things", "1.1.0", "x").withdrawn_at == at
    templates.withdraw(session, world.STAFF, "count-things", "1.0.0", "That too.")
    with pytest.raises(Conflict, match="there is no other version"):
        templates.newest(session, VIEWER, "count-things")
    assert templates.named(session, VIEWER, "count-things").version == "1.1.0"
    assert run.template.version == "1.0.0"


def test_only_its_own_may_withdraw_it(session: Session) -> None:
    templates.publish(session, MEMBER, manifest(), world.NOTEBOOK, project="mine")
    for who, what in ((MEMBER, "count-things"), (VIEWER, "mine:count-things")):
        with pytest.raises(NotAllowed):
            templates.withdraw(session, who, what, "1.0.0", "why")
    with pytest.raises(NotFound):
        templates.withdraw(session, STRANGER, "mine:count-things", "1.0.0", "why")
    with pytest.raises(BadInput, match="reason: say why"):
        templates.withdraw(session, MEMBER, "mine:count-things", "1.0.0", " ")
    templates.withdraw(session, MEMBER, "mine:count-things", "1.0.0", "why")


def test_a_projects_template_is_there_for_its_members_alone(session: Session) -> None:
    made = templates.publish(session, MEMBER, manifest(), world.NOTEBOOK, project="mine")
    assert made.reference == "mine:count-things"
    seen = [row.reference for row in templates.listing(session, VIEWER)]
    assert seen == ["count-things", "mine:count-things"]
    assert [row.project_id for row in templates.listing(session, VIEWER, "mine")] == [
        made.project_id
    ]
    assert [row.reference for row in templates.listing(session, STRANGER)] == ["count-things"]
    for reference in ("mine:count-things", "mine:count-things@1.0.0", "nothing:count-things"):
        with pytest.raises(NotFound, match="no template"):
            templates.named(session, STRANGER, reference)
    with pytest.raises(NotFound):
        templates.publish(session, STRANGER, manifest(), world.NOTEBOOK, project="mine")
    with pytest.raises(NotAllowed):
        templates.publish(session, VIEWER, manifest("2.0.0"), world.NOTEBOOK, project="mine")
    with pytest.raises(NotAllowed, match="facility staff"):
        templates.publish(session, MEMBER, manifest("2.0.0"), world.NOTEBOOK)


def test_it_runs_on_its_own_projects_images_alone(session: Session) -> None:
    templates.publish(session, MEMBER, manifest(), world.NOTEBOOK, project="mine")
    world.make_project(session, "other", limit=10**8)
    away = world.add_image(session, "other", "away")
    [run] = submit.submit(session, MEMBER, "mine:count-things", [image_of(session, "mine")], {})
    assert run.template.reference == "mine:count-things"
    with pytest.raises(BadInput, match="its own project: ask staff to promote it"):
        submit.submit(session, MEMBER, "mine:count-things", [away.uid], {})
    looked = preflight.preflight(session, MEMBER, "mine:count-things", [away.uid], {})
    assert [note.about for note in looked.images[0].notes] == ["template"]


def image_of(session: Session, project: str) -> str:
    chosen = select(t.Image.uid).join(t.Project).where(t.Project.name == project)
    return session.scalars(chosen).one()


def test_staff_promotes_it_with_the_same_content(session: Session) -> None:
    raw = manifest("2.0.0")
    own = templates.publish(session, MEMBER, raw, world.NOTEBOOK, "In 3D.", "mine")
    with pytest.raises(NotAllowed):
        templates.promote(session, MEMBER, "mine:count-things")
    made = templates.promote(session, world.STAFF, "mine:count-things")
    assert (made.reference, made.version, made.digest) == ("count-things", "2.0.0", own.digest)
    assert made.changelog == "In 3D."
    assert templates.promote(session, world.STAFF, "mine:count-things").id == made.id
    assert templates.publish(session, world.STAFF, raw, world.NOTEBOOK).id == made.id
    assert templates.newest(session, STRANGER, "count-things").version == "2.0.0"


def test_each_step_is_in_the_journal_of_its_project(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, "kept")
    with sessions.begin() as session:
        templates.publish(session, MEMBER, manifest(), world.NOTEBOOK, project="kept")
    with sessions.begin() as session:
        templates.promote(session, world.STAFF, "kept:count-things")
    with sessions.begin() as session:
        templates.withdraw(session, MEMBER, "kept:count-things", "1.0.0", "why")
    with sessions() as session:
        entries = session.scalars(select(t.Journal).order_by(t.Journal.id.desc()).limit(3)).all()
        told = [(e.person, e.action, e.subject, e.project_id is None) for e in entries]
    assert told == [
        ("contributor", "withdraw template", "template:kept:count-things@1.0.0", False),
        ("staff", "publish template", "template:count-things@1.0.0", True),
        ("contributor", "publish template", "template:kept:count-things@1.0.0", False),
    ]


def test_what_changed_is_told_cell_by_cell(session: Session) -> None:
    first = templates.publish(
        session, world.STAFF, manifest("2.0.0"), notebook("a = 1\nb = 2", "print('gone')"), "One."
    )
    changed = {**world.MANIFEST["parameters"], "sigma": {"type": "number", "default": 1.0}}
    second = templates.publish(
        session,
        world.STAFF,
        manifest("2.1.0", parameters=changed),
        notebook("new = True", "a = 1\nb = 3"),
        "Two.",
    )
    told = differences.between(first, second)
    kinds = {(cell.change, line) for cell in told.cells for line in cell.lines}
    assert {("added", "+new = True"), ("removed", "-print('gone')")} <= kinds
    assert {("changed", "-b = 2"), ("changed", "+b = 3")} <= kinds
    keys = {entry.key: (entry.before, entry.after) for entry in told.parameters}
    assert keys == {"sigma.maximum": (10.0, None), "sigma.minimum": (0.0, None)}
    assert [entry.key for entry in told.manifest] == ["template.version"]
    same = differences.between(first, first)
    assert (same.cells, same.parameters, same.manifest) == ([], [], [])


@pytest.mark.parametrize("column", ["notebook", "manifest"])
def test_what_is_not_what_was_published_is_given_to_no_worker(
    session: Session, column: str
) -> None:
    template = templates.newest(session, VIEWER, "count-things")
    run = world.add_run(session, image(session), template, person="contributor", token="secret")
    worker = Actor("contributor", run_id=run.id)
    assert runs.work(session, worker, run.uid).template.notebook == world.NOTEBOOK
    other = {"notebook": notebook("import os"), "manifest": {**template.manifest, "truth": [1]}}
    setattr(template, column, other[column])
    session.flush()
    with pytest.raises(Conflict, match=r"count-things 1\.0\.0 is not what was published"):
        runs.work(session, worker, run.uid)
    with pytest.raises(Conflict, match="is not what was published"):
        submit.submit(session, MEMBER, "count-things", [image(session).uid], {})


def test_what_an_older_release_published_has_no_seal_and_runs(session: Session) -> None:
    template = templates.newest(session, VIEWER, "count-things")
    assert template.seal == seals.digest(template.manifest, template.notebook)
    template.seal, template.notebook = None, notebook("x = 1")
    assert templates.newest(session, VIEWER, "count-things") is template


@pytest.mark.parametrize("reference", ["", ":", "a:b:c", "@1.0.0", "mine:", "x" * 999, "count%"])
def test_a_reference_that_means_nothing_is_not_found(session: Session, reference: str) -> None:
    with pytest.raises(NotFound, match="no template"):
        templates.named(session, VIEWER, reference)
