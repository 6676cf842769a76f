"""Pages for people: a project's images, one image, one run. Read-only HTML without a script.

They show what the API answers, to whoever the hub's login cookie says it is.
"""

from __future__ import annotations

import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from markupsafe import Markup

from ..core import policy
from ..core.catalog import images, projects
from ..core.ledger.allocations import human
from ..core.people import requests
from ..core.runs import runs
from ..core.search.find import IMAGES, Asked
from ..db import tables as t
from ..errors import CidError, NotFound, NotLoggedIn
from ..rendering import notebooks
from . import project_shapes, reading, refusals, run_shapes, shapes
from .ask import Ask, transact
from .lanes import WORKERS

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "pages"),
    autoescape=select_autoescape(default=True),
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters["human"] = human
POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
SANDBOX = (
    "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'"
)
MAKERS = ThreadPoolExecutor(12, thread_name_prefix="page")


class Page(JupyterHandler):
    """A page: logs its visitor in by the hub, asks the core in a thread, fills a template."""

    template = ""
    policy = POLICY

    def facts(self, ask: Ask, **path: str) -> dict[str, Any]:
        """Return what the template shows."""
        raise NotImplementedError

    def complete(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Return the facts with what takes long to make and asks the database nothing."""
        return facts

    @allow_unauthenticated
    async def get(self, **path: str) -> None:
        """Answer with the page, the hub's login, or the refusal in words."""
        if self.current_user is None:
            self.redirect(self.get_login_url())
            return
        loop = asyncio.get_running_loop()
        try:
            self.settings["cid"].rates.take(self.current_user.username)
            facts = await loop.run_in_executor(WORKERS, functools.partial(self._ask, path))
            facts = await loop.run_in_executor(MAKERS, self.complete, facts)
        except CidError as error:
            self.set_status(error.status)
            self.finish(self._page("refused.html", {"error": error}))
            return
        self.finish(self._page(self.template, facts))

    def _ask(self, path: dict[str, str]) -> dict[str, Any]:
        def work(ask: Ask) -> dict[str, Any]:
            if ask.actor.run_id is not None:
                raise NotLoggedIn("pages are for people")
            return self.facts(ask, **path)

        for name, value in path.items():
            reading.fit(value, name)
        what, services = f"page {self.request.path}", self.settings["cid"]
        return refusals.named(lambda: transact(self, services, what, None, None, work))

    def _page(self, template: str, facts: dict[str, Any]) -> str:
        self.set_header("Content-Security-Policy", self.policy)
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cache-Control", "private, no-store")
        prefix = self.settings["cid"].prefix
        return TEMPLATES.get_template(template).render(prefix=prefix, **facts)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say that something broke, without saying what: the log has it."""
        self.finish(self._page("refused.html", {"error": CidError("this page broke")}))


class Home(Page):
    """The projects one reaches, what became of one's requests, and how many wait for staff."""

    template = "home.html"

    def facts(self, ask: Ask) -> dict[str, Any]:
        """By name."""
        rows = projects.listing(ask.session, ask.actor)
        waiting, mine = requests.news(ask.session, ask.actor)
        return {
            "projects": project_shapes.several(ask, rows),
            "actor": ask.actor,
            "waiting": waiting,
            "requests": mine,
        }


class Project(Page):
    """One project: its newest images."""

    template = "project.html"

    def facts(self, ask: Ask, project: str) -> dict[str, Any]:
        """The first page of them."""
        row = policy.find(ask.session, ask.actor, t.Project, project)
        asked = Asked(project=row.name, kinds=IMAGES, limit=100)
        found = images.search(ask.session, ask.actor, asked)
        return {
            "project": project_shapes.one(ask, row),
            "images": shapes.rows(ask, found.images),
        }


class Image(Page):
    """One image with what was made from it."""

    template = "image.html"

    def facts(self, ask: Ask, image: str) -> dict[str, Any]:
        """The record, its parents and children."""
        row = images.get(ask.session, ask.actor, image)
        children = images.children(ask.session, ask.actor, row)
        return {
            "image": shapes.image(ask, row),
            "parents": shapes.rows(ask, images.parents(ask.session, ask.actor, row)),
            "children": shapes.rows(ask, children),
        }


class Run(Page):
    """One run: what it was asked, what it made, its executed notebook."""

    template = "run.html"

    def facts(self, ask: Ask, run: str) -> dict[str, Any]:
        """The record and the addresses of its files."""
        row = runs.get(ask.session, ask.actor, run)
        written = runs.outputs(ask.session, ask.actor, [row])[row.id]
        return {
            "run": run_shapes.one(ask, row),
            "images": shapes.rows(ask, written[0]),
            "files": [shapes.file(ask, file) for file in written[1]],
        }


class Notebook(Page):
    """The executed notebook of a run, in a sandbox: what it says is shown, nothing of it acts."""

    template = "notebook.html"
    policy = SANDBOX

    def facts(self, ask: Ask, run: str) -> dict[str, Any]:
        """The run, and where its notebook lies."""
        row = runs.get(ask.session, ask.actor, run)
        if row.notebook is None:
            raise NotFound(f"run {row.uid} has no executed notebook: it is {row.state}")
        found = policy.find(ask.session, ask.actor, t.File, row.notebook.uid)
        key = f"{found.prefix}/{found.stored}"
        told = {"sha256": found.sha256, "path": ask.services.data.root.path(key)}
        return {"run": run_shapes.one(ask, row), "notebook": told}

    def complete(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Have its page made, or take the one that is there."""
        told = facts["notebook"]
        if not told["path"].is_file():
            raise NotFound("the notebook's file is not in the storage: tell staff")
        return facts | {"body": Markup(notebooks.page(told["path"], told["sha256"]))}


PAGES: list[tuple[str, type[Page]]] = [
    (r"", Home),
    (r"projects/(?P<project>[^/]+)", Project),
    (r"images/(?P<image>[^/]+)", Image),
    (r"runs/(?P<run>[^/]+)", Run),
    (r"runs/(?P<run>[^/]+)/notebook", Notebook),
]
