"""The operations as plain HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import processes
from processes import Service


class Refused(Exception):
    """REST's answer that is no success."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(answer.json()["message"])


@dataclass
class Rest:
    """Plain HTTP."""

    service: Service
    person: str | dict[str, Any]
    batch: str = ""

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        more = {"params": query} if query else {}
        answer = self.service.ask(method, path, self.person, json=body, **more)
        if not answer.is_success:
            raise Refused(answer)
        return answer.json()

    def uid(self, name: str) -> str:
        found = self.ask("GET", "images")["images"]
        [uid] = [row["uid"] for row in found if row["name"] == name]
        return str(uid)

    def dataset(self, project: str, path: str) -> str:
        told = self.ask("GET", f"projects/{project}")["datasets"]
        [uid] = [one["uid"] for one in told if one["path"] == path]
        return str(uid)

    def projects(self) -> list[tuple[str, str | None]]:
        return [(row["name"], row["role"]) for row in self.ask("GET", "projects")["projects"]]

    def upload(self, path: Path, project: str, dataset: str) -> list[str]:
        done = processes.deposit(self.service, self.person, project, path, dataset)
        return [self.ask("GET", f"images/{uid}")["name"] for uid in done["images"]]

    def search(self, query: str, project: str) -> list[str]:
        return _names(self.ask("GET", "images", q=query, project=project))

    def count(self, query: str, project: str) -> int:
        return int(self.ask("GET", "search/count", q=query, project=project)["count"])

    def facet(self, key: str, project: str) -> dict[str, int]:
        [told] = self.ask("GET", "search/facets", keys=key, project=project)["facets"]
        return {one["value"]: one["count"] for one in told["values"]}

    def complete(self, typed: str) -> list[str]:
        return [one["text"] for one in self.ask("GET", "search/complete", q=typed)["completions"]]

    def tag(self, name: str, key: str, value: Any) -> dict[str, Any]:
        return _tags(self.ask("PUT", f"images/{self.uid(name)}/tags/{key}", {"value": value}))

    def untag(self, name: str, key: str) -> dict[str, Any]:
        return _tags(self.ask("DELETE", f"images/{self.uid(name)}/tags/{key}"))

    def annotate(self, names: list[str], values: dict[str, Any]) -> tuple[int, int]:
        body = {"records": [self.uid(name) for name in names], "set": values}
        told = self.ask("POST", "annotations", body)
        return told["records"], told["changed"]

    def rename(self, name: str, to: str) -> str:
        return str(self.ask("PATCH", f"images/{self.uid(name)}", {"name": to})["name"])

    def make_dataset(self, project: str, path: str, query: str | None = None) -> list[str]:
        body = {"path": path} if query is None else {"path": path, "query": query}
        self.ask("POST", f"projects/{project}/datasets", body)
        return self.datasets(project)

    def datasets(self, project: str) -> list[str]:
        return sorted(one["path"] for one in self.ask("GET", f"projects/{project}")["datasets"])

    def inside(self, project: str, path: str) -> list[str]:
        return _names(self.ask("GET", "images", project=project, dataset=path))

    def move(self, names: list[str], project: str, path: str) -> list[str]:
        body = {"records": [self.uid(name) for name in names]}
        self.ask("POST", "records/move", body | {"dataset": self.dataset(project, path)})
        return self.inside(project, path)

    def link(self, name: str, project: str, path: str) -> list[str]:
        self.ask("PUT", f"datasets/{self.dataset(project, path)}/links/{self.uid(name)}")
        return self.inside(project, path)

    def note(self, name: str, text: str) -> list[str]:
        about = f"record:{self.uid(name)}"
        self.ask("POST", "notes", {"about": about, "text": text})
        return [one["text"] for one in self.ask("GET", "notes", about=about)["notes"]]

    def throw(self, names: list[str]) -> tuple[str, int]:
        told = self.ask("POST", "trash", {"records": [self.uid(name) for name in names]})
        return told["state"], told["records"]

    def restore(self, project: str) -> list[tuple[str, int]]:
        [kept, *_] = self.ask("GET", "trash", project=project)["trash"]
        self.ask("POST", f"trash/{kept['uid']}/restore")
        held = self.ask("GET", "trash", project=project)["trash"]
        return [(one["state"], one["records"]) for one in held]

    def history(self, project: str) -> list[tuple[str, str]]:
        told = self.ask("GET", "journal", project=project, limit="8")["entries"]
        return [(one["person"], one["action"]) for one in told]

    def undo(self, project: str) -> str:
        told = self.ask("GET", "journal", project=project)["entries"]
        last = next(one for one in told if one["undoable"])
        return str(self.ask("POST", f"journal/{last['entry']}/undo")["action"])

    def request(self, name: str, team: str, limit: int, purpose: str) -> list[tuple[str, str]]:
        body = {"name": name, "team": team, "limit": limit, "purpose": purpose}
        self.ask("POST", "requests", body)
        return self.requests()

    def requests(self) -> list[tuple[str, str]]:
        return [(one["name"], one["state"]) for one in self.ask("GET", "requests")["requests"]]

    def approve(self, name: str) -> list[tuple[str, str]]:
        self.ask("POST", f"requests/{self._asked(name)}/approve", {})
        return self.requests()

    def refuse(self, name: str, reason: str) -> list[tuple[str, str]]:
        self.ask("POST", f"requests/{self._asked(name)}/refuse", {"reason": reason})
        return self.requests()

    def _asked(self, name: str) -> str:
        told = self.ask("GET", "requests", state="asked")["requests"]
        [uid] = [one["uid"] for one in told if one["name"] == name]
        return str(uid)

    def members(self, project: str) -> list[tuple[str, str]]:
        told = self.ask("GET", f"projects/{project}")["members"]
        return sorted((one["person"], one["role"]) for one in told)

    def add_member(self, project: str, person: str, role: str) -> list[tuple[str, str]]:
        self.ask("PUT", f"projects/{project}/members/{person}", {"role": role})
        return self.members(project)

    def remove_member(self, project: str, person: str) -> list[tuple[str, str]]:
        self.ask("DELETE", f"projects/{project}/members/{person}")
        return self.members(project)

    def usage(self, project: str) -> tuple[int, int, int]:
        told = self.ask("GET", f"projects/{project}/usage")
        return told["used"], told["trashed"], told["linked"]

    def submit(self, template: str, names: list[str], **parameters: Any) -> list[str]:
        images = [self.uid(name) for name in names]
        body = {"template": template, "images": images, "parameters": parameters}
        made = self.ask("POST", "runs", body)
        self.batch = made["batch"]
        return [run["state"] for run in made["runs"]]

    def cancel(self) -> list[str]:
        runs = self.ask("GET", "runs", batch=self.batch)["runs"]
        return [self.ask("POST", f"runs/{run['uid']}/cancel")["state"] for run in runs]

    def lineage(self, name: str) -> tuple[list[str], list[str]]:
        told = self.ask("GET", f"images/{self.uid(name)}/lineage")
        return [i["name"] for i in told["parents"]], [i["name"] for i in told["children"]]


def _names(answer: dict[str, Any]) -> list[str]:
    return [row["name"] for row in answer["images"]]


def _tags(image: dict[str, Any]) -> dict[str, Any]:
    return {tag["key"]: _value(tag) for tag in image["tags"]}


def _value(tag: dict[str, Any]) -> Any:
    return tag["value"] if tag["number"] is None else tag["number"]
