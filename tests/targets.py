"""Real names for the parameters of every path, so that what is tried meets a record."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import world
from sqlalchemy import select

from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.handlers.etags import PLACES
from cid_server_ext.handlers.routes import Operation

ABSENT = "00000000-0000-4000-8000-000000000000"
NAMED = {"person": "annotator", "key": "Objective", "template": "count-things"}


def of(sessions: Sessions, made: world.World) -> dict[str, str]:
    """Return what each parameter is called in a world, where it has one."""
    found = dict(NAMED)
    with sessions() as session:
        home = session.scalars(select(t.Project).where(t.Project.name == made.project)).one()
        for name, (column, project) in PLACES.items():
            if getattr(made, name, ""):
                found[name] = getattr(made, name)
            elif project is not None:
                chosen = select(column).where(project == home.id)
                found.setdefault(name, session.scalar(chosen.limit(1)) or ABSENT)
        found["team"] = home.team.name
    return found


def parameters(operation: Operation) -> list[str]:
    """Return the names of a path's parameters."""
    return re.findall(r"{(\w+)}", operation.path)


def address(operation: Operation, names: dict[str, str], **other: str) -> str:
    """Return the path of an operation with real names, some of them replaced."""
    values: dict[str, Any] = dict.fromkeys(parameters(operation), ABSENT) | names | other
    return re.sub(r"{(\w+)}", lambda found: quote(values[found[1]], safe=""), operation.path)
