"""The same for every new match of a saved search: counted first, begun, taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import traitlets as t

from ..lib.catalog import Record
from ..lib.view import View, line


class Dataset(Record, Protocol):
    """A dataset; one with a query is a saved search."""

    @property
    def path(self) -> str:
        """Its place in the project."""

    @property
    def query(self) -> str | None:
        """What a live one looks for."""


class Subscription(Protocol):
    """What was begun."""

    def end(self) -> object:
        """End it: nothing more is submitted."""


class Project(Protocol):
    """A project in which something may run by itself."""

    @property
    def datasets(self) -> Sequence[Dataset]:
        """Its datasets."""

    def estimate(
        self, template: str, search: str, parameters: Mapping[str, Any], **how: Any
    ) -> object:
        """What running on all that matches would take; its text is a sentence."""

    def subscribe(
        self, template: str, search: str, parameters: Mapping[str, Any], **how: Any
    ) -> Subscription:
        """Subscribe."""


def beside(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a form gives beside images and values: further inputs by role, a priority."""
    inputs = {role: uids for role, uids in (asked.get("inputs") or {}).items() if uids}
    priority = int(asked.get("priority") or 0)
    told: dict[str, Any] = {"inputs": inputs} if inputs else {}
    return told | ({"priority": priority} if priority else {})


class Standing(View):
    """A form that also subscribes: `searches` are the saved ones of the images' projects.

    They are None until they are asked for. `subscription` is the last that was begun here.
    """

    searches: Any = t.List(t.Dict(), allow_none=True, default_value=None).tag(sync=True)
    subscription: Subscription | None = None

    @property
    def template_name(self) -> str:
        """The template that would run."""
        raise NotImplementedError

    @property
    def projects(self) -> Sequence[str]:
        """The projects whose saved searches are offered."""
        raise NotImplementedError

    def answer_searches(self, _: Mapping[str, Any]) -> None:
        """Read the saved searches."""
        try:
            self.searches = [
                {"project": name, "path": one.path, "query": one.query}
                for name in self.projects
                for one in self.catalog.project(name).datasets
                if one.query is not None
            ]
        except Exception as error:
            self.tell("estimated", text=line(error), ok=False)

    def answer_estimate(self, asked: Mapping[str, Any]) -> None:
        """Count what is there; nothing begins. The answer carries the question's `mark`."""
        mark = asked.get("mark", "")
        try:
            inputs = {name: told for name, told in beside(asked).items() if name == "inputs"}
            found = self._project(asked).estimate(*self._what(asked), **inputs)
            self.tell("estimated", text=str(found), ok=True, mark=mark)
        except Exception as error:
            self.tell("estimated", text=line(error), ok=False, mark=mark)

    def answer_subscribe(self, asked: Mapping[str, Any]) -> None:
        """Begin."""
        how = {**asked["budget"], "also_existing": bool(asked["also_existing"]), **beside(asked)}
        try:
            self.subscription = self._project(asked).subscribe(*self._what(asked), **how)
        except Exception as error:
            self.tell("subscribed", text=line(error), ok=False, undo=False)
            return
        text = f"From now on each new match of {asked['search']} is run once."
        self.tell("subscribed", text=text, ok=True, undo=True)

    def answer_unsubscribe(self, _: Mapping[str, Any]) -> None:
        """End it: what was submitted by then goes on."""
        try:
            if self.subscription is not None:
                self.subscription.end()
            self.tell("subscribed", text="Ended: nothing more begins.", ok=True, undo=False)
        except Exception as error:
            self.tell("subscribed", text=line(error), ok=False, undo=True)

    def _project(self, asked: Mapping[str, Any]) -> Project:
        found: Project = self.catalog.project(asked["project"])
        return found

    def _what(self, asked: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
        return self.template_name, asked["search"], dict(asked["parameters"])
