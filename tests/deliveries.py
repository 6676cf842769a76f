"""A run's worker as a test plays it: what it delivers, and what it claims of it."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import httpx
import world
from processes import Service, wait_until
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core.templates import templates
from cid_server_ext.db import tables as t


def working(session: Session, project: str) -> world.World:
    """Make a world whose run is of a template that promises no output."""
    made = world.make(session, project)
    manifest = {name: told for name, told in world.MANIFEST.items() if name != "outputs"}
    about = {**world.MANIFEST["template"], "name": "count-cells"}
    raw = {**manifest, "template": about}
    row = templates.publish(session, world.STAFF, raw, world.NOTEBOOK)
    run = session.scalars(select(t.Run).where(t.Run.uid == made.run)).one()
    run.template_id = row.id
    session.flush()
    return made


def worker(service: Service, made: world.World, verb: str, path: str, **how: Any) -> httpx.Response:
    """Ask as the worker of a run does, with its token and nothing else."""
    return service.ask(verb, path, f"run:{made.run_token}", **how)


def notebook(*outputs: dict[str, Any]) -> bytes:
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": 1}
    cell |= {"source": "1", "outputs": list(outputs)}
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    ).encode()


def deliver(
    service: Service, made: world.World, files: dict[str, bytes], claims: dict[str, str]
) -> dict[str, Any]:
    """Deliver as a worker does, with what it claims of its files; return the run at its end."""
    declared = [{"path": path, "nbytes": len(content)} for path, content in files.items()]
    opened = worker(service, made, "POST", f"runs/{made.run}/deposits", json={"files": declared})
    assert opened.status_code == 201, opened.text
    for path, content in files.items():
        address = service.origin + opened.json()["upload"] + path
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        headers = {"Content-Digest": f"sha-256=:{digest}:"}
        sent = httpx.put(address, content=content, headers=headers, timeout=60)
        assert sent.is_success, sent.text
    outputs = [
        {"kind": "notebook" if path.endswith("ipynb") else "file", "name": path, "path": path}
        | ({"sha256": claims[path]} if path in claims else {})
        for path in files
    ]
    where = f"deposits/{opened.json()['uid']}/commit"
    begun = worker(service, made, "POST", where, json={"outputs": outputs})
    assert begun.status_code == 202, begun.text

    def over() -> dict[str, Any] | None:
        run = service.ask("GET", f"runs/{made.run}", "viewer").json()
        return run if run["state"] in ("done", "failed") else None

    return wait_until(over, 60, "the end of the run")
