"""A small facility in a database: one team, one project, one person for each role, some records."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import commits, deposits, projects
from cid_server_ext.core.runs import templates
from cid_server_ext.db import tables as t
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


def make(session: Session, name: str = "screen", limit: int = 10**9) -> World:
    """Make project `name` of team `lab`; persons are called after their roles."""
    make_project(session, name, limit)
    image = add_image(session, name, "cells")
    template = templates.publish(session, STAFF, MANIFEST, NOTEBOOK)
    run = add_run(session, image, template, person="contributor", token=f"token of {name}")
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
    return World(name, image.uid, result.uid, file.uid, deposit.uid, run.uid, f"token of {name}")


def make_project(session: Session, name: str, limit: int = 10**9) -> t.Project:
    """Make the project with a member for each role, a leader, a guest and one whose time is up."""
    project = projects.create(
        session,
        STAFF,
        name=name,
        team=f"lab-{name}",
        title=name,
        limit=limit,
        leaders=["leader"],
        people={role: role for role in ROLES} | {"guest": "manager", "readonly": "manager"},
    )
    ended = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)
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
