"""Names that are programs stay text on the pages, and in a real browser nothing of them runs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import hostile
import httpx
import pytest
import world
from chromium import launch
from live import Live
from playwright.sync_api import Browser, sync_playwright
from processes import Service, identity
from sqlalchemy import select

from cid_server_ext.core import journal
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions

unique = itertools.count()
PLAIN = "a plain name"
LINKS = {"href", "src", "action", "formaction", "data", "srcdoc", "style"}


@pytest.fixture
def live(service: Service, service_database: Sessions) -> Live:
    """One database is enough: what is shown does not come from it."""
    return Live(service, service_database, "sqlite")


class Skeleton(HTMLParser):
    """The elements and attributes of a page, and what its links lead to; no text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name in LINKS]

    def handle_data(self, data: str) -> None:
        self.text += data


def named(live: Live, text: str) -> tuple[world.World, str]:
    """Return a world in which all that people name is called `text`, and a person so called."""
    number = next(unique)
    person = f"{text} {number}"
    with live.sessions.begin() as session:
        made = world.make(session, f"pages-{number}")
        project = session.scalars(select(t.Project).where(t.Project.name == made.project)).one()
        run = session.scalars(select(t.Run).where(t.Run.uid == made.run)).one()
        session.add(t.ProjectMember(project_id=project.id, person=person, role="manager"))
        # as an older release, or another site, may have left them: whatever we accept today
        project.title = project.team.title = text
        run.person = text
        run.parameters = {text: text}
        run.metrics = {text: text}
        run.error = {"error": text, "message": text, "cell": 1}
        records = select(t.Record).where(t.Record.project_id == project.id)
        for record in session.scalars(records):
            record.name = record.created_by = text
            if isinstance(record, t.Image):
                record.channels = [{"name": text, "color": "FF0000"}]
            for tag in record.tags:
                if tag.value is not None:
                    tag.value.text = f"{text} {tag.value.id}"
        for dataset in session.scalars(select(t.Dataset).where(t.Dataset.project_id == project.id)):
            dataset.path = text
            break
        journal.record(session, "test", "rename all", f"project:{project.name}")
    return made, person


def pages(live: Live, made: world.World, who: str) -> dict[str, httpx.Response]:
    paths = ["", f"projects/{made.project}", f"images/{made.image}", f"images/{made.result}"]
    paths += [f"runs/{made.run}"]
    found = {}
    for path in paths:
        answer = httpx.get(live.service.url + path, headers=identity(who), timeout=30)
        assert answer.status_code == 200, answer.text
        found[path.partition("/")[0]] = answer
    return found


def skeleton(answer: httpx.Response) -> Skeleton:
    read = Skeleton()
    read.feed(answer.text)
    return read


@pytest.mark.parametrize("text", hostile.SCRIPTS)
def test_names_make_no_element_and_no_attribute(live: Live, text: str) -> None:
    plain = pages(live, *named(live, PLAIN))
    tried = pages(live, *named(live, text))
    for path, answer in tried.items():
        ours, theirs = skeleton(plain[path]), skeleton(answer)
        assert theirs.elements == ours.elements, path
        assert text in theirs.text, path
        for link in theirs.links:
            assert link.startswith("/services/cid/"), link


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


def test_a_browser_runs_nothing_of_them(live: Live, chromium: Browser) -> None:
    text = "".join(script for script in hostile.SCRIPTS if script[0] == "<")
    made, who = named(live, text)
    context = chromium.new_context(extra_http_headers=identity(who))
    page = context.new_page()
    happened: list[Any] = []
    asked: list[str] = []
    page.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: happened.append(str(error)))
    for path in pages(live, made, who):
        uid = {"projects": made.project, "images": made.image, "runs": made.run}.get(path, "")
        page.goto(f"{live.service.url}{path}{'/' if uid else ''}{uid}", wait_until="networkidle")
        assert text.split(">")[0] in page.inner_text("body")
        assert page.evaluate("document.scripts.length") == 0
    context.close()
    assert not happened
    allowed = (f"{live.service.url}data/", live.service.url)
    assert [url for url in asked if not url.startswith(allowed)] == []
    assert not [url for url in asked if url.endswith("/x")]
