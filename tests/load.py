"""People at work on a catalog, several at once, who remember what was acknowledged to them."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import world
from processes import content_digest, identity
from sqlalchemy import select

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import datasets
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions

PROJECT, OTHER = "busy", "other"
KEYS = (
    *("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett"),
    *("kilo", "lima", "mike", "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango"),
)  # one for each person
DECLARED = {"files": [{"path": "a.tif", "nbytes": 1000}]}


@dataclass
class Remembered:
    """What one person was told is done; nobody else changes the same."""

    names: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    members: dict[str, str | None] = field(default_factory=dict)
    deposits: dict[str, str] = field(default_factory=dict)
    brought: dict[str, str] = field(default_factory=dict)
    counted: int = 0
    # asked, but no answer came: it may be done or not
    unsure: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Shared:
    """Uids of what all work on: two images for all, one for each; datasets to put them into."""

    images: list[str]
    datasets: list[str]


@dataclass
class Log:
    """Every answer of all: when it was asked for, its status, its error's name."""

    answers: list[tuple[float, int, str]] = field(default_factory=list)

    def statuses(self) -> Counter[int]:
        return Counter(status for _, status, _ in self.answers)

    def failures(self) -> list[tuple[float, int, str]]:
        """Return what should not happen to anybody; 0: the connection broke."""
        return [a for a in self.answers if a[1] == 0 or a[1] >= 500]


class Person:
    """One client: he sends to one service or the other and checks each answer's form."""

    def __init__(self, number: int, bases: Sequence[str], shared: Shared, log: Log) -> None:
        self.key = KEYS[number]
        self.number, self.bases, self.log = number, bases, log
        self.tagged, self.counted, *images = shared.images
        self.mine, self.datasets = images[number], shared.datasets
        self.choose = random.Random(number)
        self.known = Remembered()
        self.client = httpx.Client(timeout=60)

    def ask(self, method: str, path: str, who: str, **more: Any) -> httpx.Response | None:
        """Ask one of the services; None when no answer came or it said 503."""
        url = f"{self.choose.choice(self.bases)}api/v1/{path}"
        headers = more.pop("headers", {}) | identity(who)
        asked = time.monotonic()
        try:
            answer = self.client.request(method, url, headers=headers, **more)
        except httpx.TransportError as error:
            self.log.answers.append((asked, 0, type(error).__name__))
            return None
        name = answer.json().get("error", "") if answer.content and answer.is_error else ""
        self.log.answers.append((asked, answer.status_code, name))
        if answer.status_code == 503:
            assert (name, answer.headers["Retry-After"].isdecimal()) == ("Unavailable", True)
            return None
        assert answer.status_code < 500, answer.text
        return answer

    def rename(self) -> None:
        name = f"named {self.choose.random()}"
        body = {"name": name}
        answer = self._write("name", "PATCH", f"images/{self.mine}", "contributor", json=body)
        if answer is not None and answer.is_success:
            self.known.names[self.mine] = name

    def move(self) -> None:
        """Put the own image into another dataset, sometimes of another project."""
        to = self.choose.choice(self.datasets)
        body = {"records": [self.mine], "dataset": to}
        answer = self._write("place", "POST", "records/move", "contributor", json=body)
        if answer is not None and answer.is_success:
            self.known.places[self.mine] = to

    def tag(self) -> None:
        """Tag the image that everybody tags, each with his own key."""
        value = f"seen {self.choose.random()}"
        path = f"images/{self.tagged}/tags/{self.key}"
        answer = self._write(self.key, "PUT", path, "annotator", json={"value": value})
        if answer is not None and answer.is_success:
            self.known.tags[self.key] = value

    def invite(self) -> None:
        name = f"guest-{self.number}-{self.choose.randrange(4)}"
        path = f"projects/{PROJECT}/members/{name}"
        if self.known.members.get(name):
            answer = self._write(name, "DELETE", path, "manager")
            role = None
        else:
            role = self.choose.choice(world.ROLES[:3])
            answer = self._write(name, "PUT", path, "manager", json={"role": role})
        if answer is not None and answer.is_success:
            self.known.members[name] = role

    def deposit(self) -> None:
        answer = self.ask("POST", f"projects/{PROJECT}/deposits", "contributor", json=DECLARED)
        if answer is None or not answer.is_success:
            return
        uid = answer.json()["uid"]
        self.known.deposits[uid] = "open"
        if self.choose.random() < 0.6:
            gone = self._write(uid, "DELETE", f"deposits/{uid}", "contributor")
            if gone is not None and gone.is_success:
                self.known.deposits[uid] = "aborted"

    def bring(self) -> None:
        """Deposit a file whole: staged, committed; remember when the commit was accepted."""
        body = self.choose.randbytes(500)
        name = f"{self.number}-{self.choose.getrandbits(40):x}.pdf"
        new = {"kind": "files", "files": [{"path": name, "nbytes": len(body)}]}
        opened = self.ask("POST", f"projects/{PROJECT}/deposits", "contributor", json=new)
        if opened is None or opened.status_code != 201:
            return
        uid = opened.json()["uid"]
        address = str(opened.request.url.copy_with(path=opened.json()["upload"] + name))
        headers = {"Content-Digest": content_digest(body)}
        try:
            if not self.client.put(address, content=body, headers=headers).is_success:
                return
        except httpx.TransportError:
            return
        begun = self.ask("POST", f"deposits/{uid}/commit", "contributor", json={})
        if begun is not None and begun.status_code == 202:
            self.known.brought[uid] = name

    def count(self) -> None:
        """Add one to the number that everybody adds one to: read, then change what was read."""
        path = f"images/{self.counted}"
        seen = self.ask("GET", path, "annotator")
        if seen is None:
            return
        held = {tag["key"]: tag["number"] for tag in seen.json()["tags"]}.get("count", 0)
        body = {"value": held + 1}
        headers = {"If-Match": seen.headers["ETag"]}
        answer = self._write(
            "count", "PUT", f"{path}/tags/count", "annotator", json=body, headers=headers
        )
        if answer is not None and answer.is_success:
            self.known.counted += 1

    def read(self) -> None:
        path = self.choose.choice(
            (f"images?project={PROJECT}", f"images/{self.mine}", f"projects/{PROJECT}", "projects")
        )
        answer = self.ask("GET", path, "viewer")
        assert answer is None or answer.status_code == 200, answer.text

    def _write(self, what: str, *asked: Any, **more: Any) -> httpx.Response | None:
        answer = self.ask(*asked, **more)
        if answer is None:
            self.known.unsure.add(what)
        else:
            assert answer.status_code in (200, 201, 204, 404, 409, 412), answer.text
        return answer


def make(sessions: Sessions, people: int) -> Shared:
    """Make two projects with datasets, and the images, all in the first."""
    with sessions.begin() as session:
        for project in (PROJECT, OTHER):
            world.make_project(session, project, limit=10**12)
        made = [world.add_image(session, PROJECT, f"image {n}") for n in range(people + 2)]
        for project in (PROJECT, OTHER):
            for path in ("plate 1", "plate 2"):
                datasets.create(session, Actor("contributor"), project, path)
        session.flush()
        found = session.scalars(select(t.Dataset.uid).order_by(t.Dataset.id))
        return Shared([image.uid for image in made], list(found))


def work(
    people: Sequence[Person], todo: Callable[[Person], None], until: Callable[[], bool]
) -> None:
    """Let all do something again and again until it is enough; a failed check ends all."""
    failed = threading.Event()

    def one(person: Person) -> None:
        try:
            while not until() and not failed.is_set():
                todo(person)
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(len(people)) as pool:
        for done in [pool.submit(one, person) for person in people]:
            done.result()
    for person in people:
        person.client.close()


def anything(person: Person) -> None:
    """Do one of all the things, reading as often as changing."""
    choices = (
        person.read,
        person.read,
        person.rename,
        person.move,
        person.tag,
        person.count,
        person.invite,
        person.deposit,
    )
    person.choose.choice(choices)()
