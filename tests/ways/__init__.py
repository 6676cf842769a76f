"""The same operations through REST and through `cid_client`, each in a catalog of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
import processes
from processes import Service

import cid_client
from cid_client.environment import Access
from cid_client.errors import CidError
from cid_client.wire import Session
from cid_server_ext.core.memory.export import canonical
from cid_server_ext.db.session import Sessions


class Way(Protocol):
    """What a researcher does; images go by name, answers are plain values."""

    def projects(self) -> list[tuple[str, str | None]]: ...
    def upload(self, path: Path, project: str, dataset: str) -> list[str]: ...
    def search(self, query: str, project: str) -> list[str]: ...
    def tag(self, name: str, key: str, value: Any) -> dict[str, Any]: ...
    def untag(self, name: str, key: str) -> dict[str, Any]: ...
    def rename(self, name: str, to: str) -> str: ...
    def submit(self, template: str, names: list[str], **parameters: Any) -> list[str]: ...
    def cancel(self) -> list[str]: ...
    def lineage(self, name: str) -> tuple[list[str], list[str]]: ...


def refused(work: Callable[[], Any]) -> str:
    """Return the name of the error that an operation ends with."""
    try:
        work()
    except (Refused, CidError) as error:
        return getattr(error, "named", type(error).__name__)
    raise AssertionError("it was not refused")


class Refused(Exception):
    """REST's answer that is no success."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(answer.text)
        self.named = answer.json()["error"]


@dataclass
class Rest:
    """Plain HTTP."""

    service: Service
    person: str
    batch: str = ""

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.service.ask(method, path, self.person, json=body)
        if not answer.is_success:
            raise Refused(answer)
        return answer.json()

    def uid(self, name: str) -> str:
        [found] = [row["uid"] for row in self.ask("GET", "images")["images"] if row["name"] == name]
        return str(found)

    def projects(self) -> list[tuple[str, str | None]]:
        return [(row["name"], row["role"]) for row in self.ask("GET", "projects")["projects"]]

    def upload(self, path: Path, project: str, dataset: str) -> list[str]:
        done = processes.deposit(self.service, self.person, project, path, dataset)
        return [self.ask("GET", f"images/{uid}")["name"] for uid in done["images"]]

    def search(self, query: str, project: str) -> list[str]:
        asked = str(httpx.QueryParams({"q": query, "project": project}))
        return [row["name"] for row in self.ask("GET", f"images?{asked}")["images"]]

    def tag(self, name: str, key: str, value: Any) -> dict[str, Any]:
        return _tags(self.ask("PUT", f"images/{self.uid(name)}/tags/{key}", {"value": value}))

    def untag(self, name: str, key: str) -> dict[str, Any]:
        return _tags(self.ask("DELETE", f"images/{self.uid(name)}/tags/{key}"))

    def rename(self, name: str, to: str) -> str:
        return str(self.ask("PATCH", f"images/{self.uid(name)}", {"name": to})["name"])

    def submit(self, template: str, names: list[str], **parameters: Any) -> list[str]:
        images = [self.uid(name) for name in names]
        body = {"template": template, "images": images, "parameters": parameters}
        made = self.ask("POST", "runs", body)
        self.batch = made["batch"]
        return [run["state"] for run in made["runs"]]

    def cancel(self) -> list[str]:
        runs = self.ask("GET", f"runs?batch={self.batch}")["runs"]
        return [self.ask("POST", f"runs/{run['uid']}/cancel")["state"] for run in runs]

    def lineage(self, name: str) -> tuple[list[str], list[str]]:
        told = self.ask("GET", f"images/{self.uid(name)}/lineage")
        return [i["name"] for i in told["parents"]], [i["name"] for i in told["children"]]


def _tags(image: dict[str, Any]) -> dict[str, Any]:
    return {tag["key"]: _value(tag) for tag in image["tags"]}


def _value(tag: dict[str, Any]) -> Any:
    return tag["value"] if tag["number"] is None else tag["number"]


class Speaking(httpx.HTTPTransport):
    """Says who asks, as the test service expects it."""

    def __init__(self, person: str) -> None:
        super().__init__()
        self.person = person

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if "Authorization" in request.headers:
            del request.headers["Authorization"]
            request.headers["X-Test-User"] = json.dumps({"name": self.person})
        return super().handle_request(request)


class Python:
    """The client, as a notebook uses it."""

    def __init__(self, service: Service, person: str) -> None:
        access = Access(service.url, "token of a person")
        self.catalog = cid_client.Catalog(Session(access, transport=Speaking(person)))
        self.batch: Any = None

    def image(self, name: str) -> cid_client.Image:
        [found] = [image for image in self.catalog.search() if image.name == name]
        return found

    def projects(self) -> list[tuple[str, str | None]]:
        return [(project.name, project.role) for project in self.catalog.projects()]

    def upload(self, path: Path, project: str, dataset: str) -> list[str]:
        return [image.name for image in self.catalog.upload(path, project, dataset)]

    def search(self, query: str, project: str) -> list[str]:
        return [image.name for image in self.catalog.search(query, project=project)]

    def tag(self, name: str, key: str, value: Any) -> dict[str, Any]:
        return dict(self.image(name).tag({key: value}).tags)

    def untag(self, name: str, key: str) -> dict[str, Any]:
        return dict(self.image(name).untag(key).tags)

    def rename(self, name: str, to: str) -> str:
        return self.image(name).rename(to).name

    def submit(self, template: str, names: list[str], **parameters: Any) -> list[str]:
        self.batch = self.catalog.run(template, [self.image(n) for n in names], **parameters)
        return [run.state for run in self.batch]

    def cancel(self) -> list[str]:
        return [run.state for run in self.batch.cancel()]

    def lineage(self, name: str) -> tuple[list[str], list[str]]:
        told = self.image(name).lineage()
        return [i.name for i in told.parents], [i.name for i in told.children]


UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?")


def state(sessions: Sessions) -> list[str]:
    """Return the canonical export, with uids by the order in which they come and without times."""
    numbers: dict[str, str] = {}
    with sessions() as session:
        text = b"".join(canonical(session)).decode()
    text = UID.sub(lambda found: numbers.setdefault(found[0], f"uid {len(numbers)}"), text)
    text = re.sub(r"/[0-9a-f]{2}/(?=uid \d)", "/../", text)  # a prefix begins as its uid does
    return TIME.sub("when", text).splitlines()
