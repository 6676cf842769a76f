"""The operations as the widgets have them: a view's messages, and what it shows after them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "widgets"))

from processes import wait_until
from stage import Wire, heard

import cid_widgets as widgets

from .python import Python


class Told(Exception):
    """A line that a widget shows instead of doing what it was asked."""


class Widget(Python):
    """The views. What none has (bringing files in, folders, links, notes) is the client's."""

    def projects(self) -> list[tuple[str, str | None]]:
        return [(one["name"], one["role"]) for one in self.browser().tree]

    def search(self, query: str, project: str) -> list[str]:
        return _names(self.browser(query=query, project=project))

    def count(self, query: str, project: str) -> int:
        view = self.browser(query=query, project=project)
        return int(view.status.split()[0])

    def facet(self, key: str, project: str) -> dict[str, int]:
        view = self.browser(project=project)
        _ask(view, "counts", found=view.found, facets=True)
        wait_until(lambda: view.facets, what="the facets are counted")
        [told] = [one for one in view.facets if one["key"] == key]
        return {one["value"]: one["count"] for one in told["values"]}

    def complete(self, typed: str) -> list[str]:
        view = self.browser()
        [answer] = _ask(view, "complete", text=typed, **{"for": 1})
        return [one["text"] for one in answer["offers"]]

    def tag(self, name: str, key: str, value: Any) -> dict[str, Any]:
        self._say([name], {"set": {key: value}})
        return self.shown(name)

    def untag(self, name: str, key: str) -> dict[str, Any]:
        self._say([name], {"remove": {key: None}})
        return self.shown(name)

    def annotate(self, names: list[str], values: dict[str, Any]) -> tuple[int, int]:
        view = self._say(names, {"set": values})
        return view.tag_target["count"], int(view.tag_done["text"].split()[0])

    def rename(self, name: str, to: str) -> str:
        view = self.browser()
        [answer] = _ask(view, "rename", uid=self.image(name).uid, name=to)
        return str(answer["name"])

    def make_dataset(self, project: str, path: str, query: str | None = None) -> list[str]:
        if query is None:  # folders are made by what is brought in, and by the client
            return super().make_dataset(project, path)
        view = self.browser(query=query, project=project)
        _ask(view, "save", project=project, path=path, query=query)
        [home] = [one for one in view.tree if one["name"] == project]
        return sorted(one["path"] for one in home["datasets"])

    def inside(self, project: str, path: str) -> list[str]:
        return _names(self.browser(project=project, dataset=path))

    def move(self, names: list[str], project: str, path: str) -> list[str]:
        view = self._select(names, project)
        _ask(view, "move", path=path, project=project)
        return self.inside(project, path)

    def throw(self, names: list[str]) -> tuple[str, int]:
        view = self._select(names, self.image(names[0]).project)
        project = view.project
        _ask(view, "throw_away")
        [kept] = _view(widgets.Trash(self.catalog, project)).thrown
        return "kept", kept["records"]

    def restore(self, project: str) -> list[tuple[str, int]]:
        view = _view(widgets.Trash(self.catalog, project))
        _ask(view, "restore", uid=view.thrown[0]["uid"])
        return [("kept", one["records"]) for one in view.thrown]

    def undo(self, project: str) -> str:
        view = _view(widgets.History(self.catalog, project))
        last = next(one for one in view.entries if one["undoable"])
        [entry] = [e for e in self.catalog.history(project) if e.entry == last["entry"]]
        _ask(view, "take_back", entry=last["entry"])
        return entry.action

    def request(self, name: str, team: str, limit: int, purpose: str) -> list[tuple[str, str]]:
        view = _view(widgets.ProjectRequest(self.catalog))
        said = {"name": name, "team": team, "limit": limit, "purpose": purpose}
        view.draft = {**view.draft, **said}
        _ask(view, "send")
        return [(one["name"], one["state"]) for one in view.requests]

    def approve(self, name: str) -> list[tuple[str, str]]:
        view = _view(widgets.Requests(self.catalog))
        _ask(view, "approve", uid=_asked(view, name))
        return self._all(view)

    def refuse(self, name: str, reason: str) -> list[tuple[str, str]]:
        view = _view(widgets.Requests(self.catalog))
        _ask(view, "refuse", uid=_asked(view, name), reason=reason)
        return self._all(view)

    def add_member(self, project: str, person: str, role: str) -> list[tuple[str, str]]:
        view = _view(widgets.Members(project, catalog=self.catalog))
        _ask(view, "put", person=person, role=role)
        return sorted((one["person"], one["role"]) for one in view.members)

    def remove_member(self, project: str, person: str) -> list[tuple[str, str]]:
        view = _view(widgets.Members(project, catalog=self.catalog))
        _ask(view, "remove", person=person)
        return sorted((one["person"], one["role"]) for one in view.members)

    def usage(self, project: str) -> tuple[int, int, int]:
        told = _view(widgets.Usage(self.catalog, project=project)).shown
        return told["used"], told["trashed"], told["linked"]

    def submit(self, template: str, names: list[str], **parameters: Any) -> list[str]:
        view = _view(widgets.RunForm(self.catalog, template, self.images(names)))
        [answer] = _ask(view, "start", parameters=parameters)
        self.batch = answer["batch"]
        states = [run["state"] for run in view.runs]
        view.close()
        return states

    def cancel(self) -> list[str]:
        view = _view(widgets.RunMonitor(self.batch, catalog=self.catalog))
        for run in view.runs:
            _ask(view, "cancel", run=run["uid"])
        wait_until(lambda: all(run["ended"] for run in view.runs), what="the runs are cancelled")
        states = [run["state"] for run in view.runs]
        view.close()
        return states

    def lineage(self, name: str) -> tuple[list[str], list[str]]:
        view = self.browser()
        view.focused = self.image(name).uid
        told = view.detail
        return [i["name"] for i in told["sources"]], [i["name"] for i in told["results"]]

    def browser(self, **asked: str) -> widgets.Browser:
        view = _view(widgets.Browser(self.catalog))
        with view.hold_trait_notifications():
            for name, value in asked.items():
                setattr(view, name, value)
        for wrong in (view.error, view.query_error):
            if wrong:
                raise Told(wrong)
        return view

    def _select(self, names: list[str], project: str) -> widgets.Browser:
        view = self.browser(project=project)
        view.selected = [image.uid for image in self.images(names)]
        return view

    def shown(self, name: str) -> dict[str, Any]:
        """Return the tags that the browser's details show."""
        view = self.browser()
        view.focused = self.image(name).uid
        return {one["key"]: _number(one) for one in view.detail["tags"]}

    def _say(self, names: list[str], changes: dict[str, dict[str, Any]]) -> widgets.Tagger:
        view = _view(widgets.Tagger(self.images(names), self.catalog))
        view.changes = changes
        _ask(view, "apply_tags")
        if view.error:
            raise Told(view.error)
        return view

    def _all(self, view: widgets.Requests) -> list[tuple[str, str]]:
        view.state = ""
        return [(one["name"], one["state"]) for one in view.requests]


def _view(widget: Any) -> Any:
    """Return a widget with somebody at the other end of its wire."""
    widget.comm = Wire()
    return widget


def _ask(view: Any, what: str, **rest: Any) -> list[dict[str, Any]]:
    """Say what a view says, and return what the widget tells; a line in `error` is raised."""
    view.comm.taken()
    heard(view, method="custom", content={"ask": what, **rest})
    if getattr(view, "error", ""):
        raise Told(view.error)
    answers = [one["content"] for one in view.comm.taken() if one.get("method") == "custom"]
    for answer in answers:
        if answer.get("tell") in ("unkept", "unorganised", "refused"):
            raise Told(answer["message"])
    return [one for one in answers if "tell" in one]


def _names(view: widgets.Browser) -> list[str]:
    return [row["name"] for row in view.rows]


def _asked(view: widgets.Requests, name: str) -> str:
    [uid] = [one["uid"] for one in view.requests if one["name"] == name]
    return str(uid)


def _number(tag: dict[str, Any]) -> Any:
    return tag["value"] if tag.get("number") is None else tag["number"]
