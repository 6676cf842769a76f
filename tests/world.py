"""A small facility in a database: one team, one project, one person for each role, some records."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from typing import Any

import microscopes
import shelf
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import (
    commits,
    datasets,
    deposits,
    edits,
    links,
    masks,
    notes,
    projects,
    records,
    tags,
    terms,
)
from cid_server_ext.core.ledger import lines
from cid_server_ext.core.life import trash
from cid_server_ext.core.subscriptions import budget, subscriptions
from cid_server_ext.core.templates import templates
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.runners.tokens import hash_token

STAFF = Actor("staff", staff=True)
ROLES = ("viewer", "annotator", "contributor", "manager")

MANIFEST: dict[str, Any] = {
    "template": {"name": "count-things", "version": "1.0.0", "title": "Count things"},
    "parameters": {
        "sigma": {"type": "number", "default": 1.0, "minimum": 0, "maximum": 10},
        "mode": {"type": "choice", "choices": ["fast", "good"], "default": "fast"},
    },
    "outputs": {"labels": ["things"]},
}

NOTEBOOK = json.dumps(
    {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [
            {
                "cell_type": "code",
                "id": "a",
                "metadata": {"tags": ["parameters"]},
                "source": "sigma = 1.0\nmode = 'fast'",
                "outputs": [],
                "execution_count": None,
            }
        ],
    }
)


@dataclass(frozen=True)
class World:
    """Names of what `make` made."""

    project: str
    image: str
    result: str
    file: str
    deposit: str
    run: str
    run_token: str
    request: str = ""
    term: str = ""
    into: str = ""
    value: str = ""
    digest: str = ""
    dataset: str = ""
    plain: str = ""
    linked: str = ""
    note: str = ""
    trash: str = ""
    entry: int = 0
    instrument: str = ""
    version: str = ""
    subscription: str = ""
    mask: str = ""
    batch: str = ""
    waits: str = ""  # a queued run, and its batch
    failed: str = ""  # one that failed, and its batch
    template: str = ""  # the facility's, of this world alone
    own: str = ""  # its project's own


def make(session: Session, name: str = "screen", limit: int = 10**9) -> World:
    """Make project `name` of team `lab`; persons are called after their roles."""
    make_project(session, name, limit)
    image = add_image(session, name, "cells")
    template = templates.publish(session, STAFF, MANIFEST, NOTEBOOK)
    run = add_run(session, image, template, person="contributor", token=f"token of {name}")
    session.add(charge(session, run))
    result = add_image(session, name, "cells things", run=run)
    file = session.query(t.File).filter_by(project_id=image.project_id).first()
    deposit = deposits.open_import(
        session,
        Actor("contributor"),
        name,
        dataset="",
        kind="import",
        declared=[{"path": "a.tif", "nbytes": 10}],
    )
    session.flush()
    for earlier in session.query(t.Request).filter_by(state="asked"):  # few may wait at once
        earlier.state = "withdrawn"
    asked = {"name": f"{name}-2", "team": f"lab-{name}", "title": "", "limit": 10}
    asked |= {"members": {}, "terms": [], "purpose": "more"}
    request = t.Request(uid=t.new_uid(), person="contributor", wanted=asked)
    session.add(request)
    session.flush()
    return World(
        name,
        image.uid,
        result.uid,
        file.uid,
        deposit.uid,
        run.uid,
        f"token of {name}",
        request.uid,
        **vocabulary(session, name),
        **microscope(session),
        batch=run.batch,
    )


def with_a_step(sessions: Sessions, name: str) -> World:
    """Make a world of everything, and in it one step that can be taken back: `entry`."""
    with sessions.begin() as session:
        made = stand_still(session, organise(session, make(session, name)))
        made = publish(session, made)
    with sessions.begin() as session:
        someone = Actor("contributor")
        records.change(session, someone, t.File, made.plain, name="plan 1.pdf")
    with sessions() as session:
        renamed = select(func.max(t.Journal.id)).where(t.Journal.action == "rename")
        return replace(made, entry=session.scalars(renamed).one())


def stand_still(session: Session, made: World) -> World:
    """Add a run that waits and one that failed; the batch of each is called as the run."""
    running = session.query(t.Run).filter_by(uid=made.run).one()
    image, found = running.inputs[0].image, {}
    for name, state in (("waits", "queued"), ("failed", "failed")):
        run = add_run(session, image, running.template, person="contributor", token=t.new_uid())
        run.state, run.batch, run.token_hash = state, run.uid, None
        run.lane = f"{run.uid}:{image.project_id}"
        found[name] = run.uid
    session.flush()
    return replace(made, **found)


def publish(session: Session, made: World) -> World:
    """Publish a template of the facility that nobody else uses, and one of the project's own."""
    name = f"things-{t.new_uid()[:8]}"
    templates.publish(session, STAFF, called(name, version="10.10.10"), NOTEBOOK)
    own = templates.publish(
        session, Actor("contributor"), called("own-things"), NOTEBOOK, project=made.project
    )
    return replace(made, template=name, own=own.reference)


def called(name: str, **more: Any) -> dict[str, Any]:
    """Return the manifest of a template of another name."""
    return {**MANIFEST, "template": {**MANIFEST["template"], "name": name, **more}}


def microscope(session: Session) -> dict[str, str]:
    """Register a microscope with one version; return both uids."""
    row = microscopes.register(session, f"Microscope {t.new_uid()}", names=[])
    draft = masks.read(session, text=f"mask: {row.name}\ninstrument: {row.name}\n")
    mask = masks.add(session, STAFF, draft)
    return {"instrument": row.uid, "version": row.versions[0].uid, "mask": mask.uid}


def vocabulary(session: Session, project: str) -> dict[str, str]:
    """Declare two terms and a value; return their uids and the digest of a sheet without rows."""
    manager = Actor("manager")
    term = terms.declare(session, manager, project, terms.NewTerm("Line", values=["HeLa"]))
    into = terms.declare(session, manager, project, terms.NewTerm("Cell lineage"))
    value = session.query(t.Value).filter_by(term_id=term.id).one()
    seen = edits.preview(session, manager, project, [["uid"]])
    return {"term": term.uid, "into": into.uid, "value": value.uid, "digest": seen.digest}


def organise(session: Session, made: World) -> World:
    """Add a dataset, files in it and linked into it, a note, a subscription, and some trash."""
    someone = Actor("contributor")
    dataset = datasets.create(session, someone, made.project, "plate").uid
    plain = shelf.add_file(session, made.project, "plan.pdf", "plate").uid
    tags.put(session, someone, plain, "Objective", ["63x/1.4 oil"])
    linked = shelf.add_file(session, made.project, "run.log").uid
    links.put(session, someone, dataset, linked)
    note = notes.write(session, someone, f"record:{plain}", "for the paper").uid
    gone = shelf.add_file(session, made.project, "old.log").uid
    thrown = trash.throw(session, someone, [gone], []).uid
    made = replace(made, dataset=dataset, plain=plain, linked=linked, note=note, trash=thrown)
    return subscribe(session, made)


def subscribe(session: Session, made: World) -> World:
    """Subscribe the template to a saved search that finds nothing."""
    someone, path = Actor("contributor"), "nothing yet"
    datasets.create(session, someone, made.project, path, query="name:nothing-is-called-so")
    limits = budget.Limits(runs=1)
    wanted = subscriptions.Wanted(made.project, path, "count-things", limits=limits)
    return replace(made, subscription=subscriptions.create(session, someone, wanted).uid)


def make_project(session: Session, name: str, limit: int = 10**9) -> t.Project:
    """Make the project with a member for each role, a leader, a guest and one whose time is up."""
    wanted = projects.Wanted(
        name=name,
        team=f"lab-{name}",
        title=name,
        limit=limit,
        leaders=["leader"],
        people={role: role for role in ROLES} | {"guest": "manager", "readonly": "manager"},
    )
    project = projects.create(session, STAFF, wanted)
    ended = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)
    session.add(t.TeamMember(team_id=project.team_id, person="teammate", role="member"))
    session.add(
        t.ProjectMember(project_id=project.id, person="ended", role="manager", ends_at=ended)
    )
    session.flush()
    return project


def add_image(
    session: Session, project: str, name: str, dataset: str = "", run: t.Run | None = None
) -> t.Image:
    """Add an image row (no bytes), its original and one tag, through a deposit's commit."""
    deposit = deposits.open_import(
        session,
        Actor("contributor"),
        project,
        dataset=dataset,
        kind="import",
        declared=[{"path": f"{name}.tif", "nbytes": 1000}],
    )
    deposits.begin(session, Actor("contributor"), deposit.uid, {})
    if run is not None:
        deposit.run_id = run.id
    file = commits.NewFile(t.new_uid(), f"{name}.tif", "original", "files/x", 1000, "0" * 64)
    image = commits.NewImage(
        uid=t.new_uid(),
        name=name,
        kind="image",
        axes="yx",
        shape=(64, 64),
        dtype="uint8",
        levels=1,
        scale={"y": 0.5, "x": 0.5},
        units={"y": "micrometer", "x": "micrometer"},
        channels=[],
        tags=[("Objective", "63x/1.4 oil", None)],
        prefix="images/x",
        nbytes=500,
        sha256="0" * 64,
        original=file.uid,
    )
    commits.commit(session, deposit.id, commits.Commit([image], [file]))
    return session.query(t.Image).filter_by(uid=image.uid).one()


def charge(session: Session, run: t.Run) -> t.Line:
    """Return a line of the ledger, as if an earlier run of the same project had ended."""
    project = session.get_one(t.Project, run.project_id)
    about = {"uid": run.uid, "attempt": 0, "person": run.person, "template": "count-things 1.0.0"}
    about |= {"ended_at": "2026-01-01T00:00:00+00:00"}
    return t.Line(
        key=f"cpu/{run.uid}/0",
        kind="cpu",
        day=dt.date(2026, 1, 1),
        team_id=project.team_id,
        project_id=project.id,
        person=run.person,
        amount=100,
        detail=lines.names(project, project.team) | {"run": about},
    )


def add_run(
    session: Session, image: t.Image, template: t.Template, *, person: str, token: str
) -> t.Run:
    """Add a run that a worker with `token` executes right now."""
    run = t.Run(
        uid=t.new_uid(),
        batch=t.new_uid(),
        project_id=image.project_id,
        template_id=template.id,
        person=person,
        parameters={"sigma": 1.0, "mode": "fast"},
        state="running",
        attempt=1,
        token_hash=hash_token(token),
        inputs=[t.RunInput(position=0, image_id=image.id, role="image")],
    )
    session.add(run)
    session.flush()
    return run


__all__ = ["MANIFEST", "NOTEBOOK", "STAFF", "World", "add_image", "add_run", "make"]
