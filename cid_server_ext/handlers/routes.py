"""The route table: every address once. The server, openapi.json and the tests read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from . import deposits, document, images, people, projects, runs, templates
from .base import CidHandler, Endpoint, Unknown
from .data import data_routes
from .pages import PAGES

API = "api/v1/"
VERBS = ("get", "post", "put", "patch", "delete")

TABLE: dict[str, type[CidHandler]] = {
    "openapi.json": document.Document,
    "whoami": people.WhoAmI,
    "projects": projects.Projects,
    "projects/{project}": projects.Project,
    "projects/{project}/members/{person}": people.Member,
    "projects/{project}/allocation": projects.Allocation,
    "projects/{project}/datasets": projects.Datasets,
    "projects/{project}/deposits": deposits.Deposits,
    "deposits/{deposit}": deposits.Deposit,
    "deposits/{deposit}/commit": deposits.Commit,
    "images": images.Images,
    "images/{image}": images.Image,
    "images/{image}/tags/{key}": images.ImageTag,
    "images/{image}/lineage": images.Lineage,
    "files/{file}": images.File,
    "templates": templates.Templates,
    "templates/{template}": templates.Template,
    "runs": runs.Runs,
    "runs/{run}": runs.Run,
    "runs/{run}/cancel": runs.Cancel,
    "runs/{run}/work": runs.Work,
    "runs/{run}/progress": runs.Progress,
    "runs/{run}/deposits": runs.RunDeposits,
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One verb of one address."""

    method: str
    path: str
    endpoint: Endpoint


def operations() -> Iterator[Operation]:
    """Yield every verb that the table serves."""
    for path, handler in TABLE.items():
        for verb in VERBS:
            declared = getattr(getattr(handler, verb), "endpoint", None)
            if declared is not None:
                yield Operation(verb.upper(), path, declared)


def routes(base: str) -> list[tuple[str, type]]:
    """Return tornado's (pattern, handler) pairs below `base`, a path that ends in a slash."""
    table = [(base + API + _pattern(path), handler) for path, handler in TABLE.items()]
    data = [(base.rstrip("/") + pattern, handler) for pattern, handler in data_routes()]
    pages = [(base + pattern, page) for pattern, page in PAGES]
    return [*table, *data, (base + API + ".*", Unknown), *pages]


def _pattern(path: str) -> str:
    return re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))
