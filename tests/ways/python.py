"""The operations as a notebook has them: `cid_client`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from processes import Service
from speaking import connected

import cid_client


class Python:
    """The client."""

    def __init__(self, service: Service, person: str | dict[str, Any]) -> None:
        self.catalog = connected(service, person)
        self.batch: Any = None

    def image(self, name: str) -> cid_client.Image:
        [found] = [image for image in self.catalog.search() if image.name == name]
        return found

    def images(self, names: list[str]) -> list[cid_client.Image]:
        return [self.image(name) for name in names]

    def projects(self) -> list[tuple[str, str | None]]:
        return [(project.name, project.role) for project in self.catalog.projects()]

    def upload(self, path: Path, project: str, dataset: str) -> list[str]:
        return [image.name for image in self.catalog.upload(path, project, dataset)]

    def search(self, query: str, project: str) -> list[str]:
        return [image.name for image in self.catalog.search(query, project=project)]

    def count(self, query: str, project: str) -> int:
        return self.catalog.search(query, project=project).count()

    def facet(self, key: str, project: str) -> dict[str, int]:
        return self.catalog.search(project=project).facets(key)[key].values

    def complete(self, typed: str) -> list[str]:
        return [one.text for one in self.catalog.complete(typed)]

    def tag(self, name: str, key: str, value: Any) -> dict[str, Any]:
        return dict(self.image(name).tag({key: value}).tags)

    def untag(self, name: str, key: str) -> dict[str, Any]:
        return dict(self.image(name).untag(key).tags)

    def annotate(self, names: list[str], values: dict[str, Any]) -> tuple[int, int]:
        told = self.catalog.annotate(self.images(names), set=values)
        return told.records, told.changed

    def rename(self, name: str, to: str) -> str:
        return self.image(name).rename(to).name

    def make_dataset(self, project: str, path: str, query: str | None = None) -> list[str]:
        self.catalog.project(project).make_dataset(path, query)
        return self.datasets(project)

    def datasets(self, project: str) -> list[str]:
        return sorted(one.path for one in self.catalog.project(project).datasets)

    def inside(self, project: str, path: str) -> list[str]:
        return [image.name for image in self.catalog.project(project).dataset(path).search()]

    def move(self, names: list[str], project: str, path: str) -> list[str]:
        self.catalog.move(self.images(names), self.catalog.project(project).dataset(path))
        return self.inside(project, path)

    def link(self, name: str, project: str, path: str) -> list[str]:
        self.catalog.project(project).dataset(path).link(self.image(name))
        return self.inside(project, path)

    def note(self, name: str, text: str) -> list[str]:
        image = self.image(name)
        image.note(text)
        return [note.text for note in image.notes()]

    def throw(self, names: list[str]) -> tuple[str, int]:
        thrown = self.catalog.trash(self.images(names))
        return thrown.state, thrown.records

    def restore(self, project: str) -> list[tuple[str, int]]:
        self.catalog.project(project).trash[0].restore()
        return [(one.state, one.records) for one in self.catalog.project(project).trash]

    def history(self, project: str) -> list[tuple[str, str]]:
        return [(one.person, one.action) for one in self.catalog.history(project, limit=8)]

    def undo(self, project: str) -> str:
        last = next(one for one in self.catalog.history(project) if one.undoable)
        last.undo()
        return last.action

    def request(self, name: str, team: str, limit: int, purpose: str) -> list[tuple[str, str]]:
        self.catalog.request_project(name, team, limit=limit, purpose=purpose)
        return self.requests()

    def requests(self) -> list[tuple[str, str]]:
        return [(one.name, one.state) for one in self.catalog.requests()]

    def approve(self, name: str) -> list[tuple[str, str]]:
        self.asked(name).approve()
        return self.requests()

    def refuse(self, name: str, reason: str) -> list[tuple[str, str]]:
        self.asked(name).refuse(reason)
        return self.requests()

    def asked(self, name: str) -> Any:
        [one] = [one for one in self.catalog.requests("asked") if one.name == name]
        return one

    def members(self, project: str) -> list[tuple[str, str]]:
        return sorted(self.catalog.project(project).members.roles.items())

    def add_member(self, project: str, person: str, role: str) -> list[tuple[str, str]]:
        self.catalog.project(project).add_member(person, role)
        return self.members(project)

    def remove_member(self, project: str, person: str) -> list[tuple[str, str]]:
        self.catalog.project(project).remove_member(person)
        return self.members(project)

    def usage(self, project: str) -> tuple[int, int, int]:
        told = self.catalog.project(project).usage()
        return told.used, told.trashed, told.linked

    def submit(self, template: str, names: list[str], **parameters: Any) -> list[str]:
        self.batch = self.catalog.run(template, self.images(names), **parameters)
        return [run.state for run in self.batch]

    def cancel(self) -> list[str]:
        return [run.state for run in self.batch.cancel()]

    def lineage(self, name: str) -> tuple[list[str], list[str]]:
        told = self.image(name).lineage()
        return [i.name for i in told.parents], [i.name for i in told.children]
