"""Subscriptions: a template, a saved search and a budget; each new match becomes one run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from .. import display, sizes
from ..records.changing import Changing
from ..records.datasets import Dataset
from ..records.record import Field, Listing, listing
from ..runs.orders import Inputs, uids
from ..wire.session import Session, segment

PAGE = 50


class Budget(TypedDict, total=False):
    """The most runs in all, runs of one day (UTC), and bytes ("50 GB") that they reserve.

    None: no such limit. One of them is needed.
    """

    runs: int | None
    runs_a_day: int | None
    nbytes: int | str | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What running a template on all that a saved search finds now would take.

    Of the images that match: those to run, those that were run with the same version and values,
    and those that the template does not take. `nbytes` would be reserved of what is `free`.
    """

    matches: int
    would_run: int
    run_already: int
    left: int
    nbytes: int
    free: int
    price: str | None
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Match:
    """An image that matched: there (before it began), waiting, left, or the state of its run."""

    uid: str
    name: str
    state: str
    reason: str | None
    run: str | None


class Subscription(Changing):
    """A template that runs once on each image that a saved search newly finds."""

    collection = "subscriptions"

    project = Field[str]()
    template = Field[dict[str, str]]()
    newer = Field[str | None]()  # a later version of the template than its own
    person = Field[str]()  # in whose name it runs
    parameters = Field[dict[str, Any]]()
    inputs = Field[dict[str, list[str]]]()  # further images of all runs, by role
    priority = Field[int]()
    state = Field[str]()  # active, paused or ended
    reason = Field[str | None]()  # why it is paused
    budget = Field[dict[str, int | None]]()
    spent = Field[dict[str, int]]()
    counts = Field[dict[str, int]]()  # images: there, waiting, running, done, failed, left
    created_at = Field[str]()

    @property
    def search(self) -> str:
        """The path of its saved search."""
        return str(self.wire("search")["path"])

    @property
    def takes(self) -> dict[str, dict[str, Any]]:
        """The parameters that its version of the template takes, as `Template.parameters`."""
        version = segment(f"{self.template['name']}@{self.template['version']}")
        told: dict[str, dict[str, Any]] = self.session.get(f"templates/{version}")["parameters"]
        return told

    def change(
        self, parameters: Mapping[str, Any] | None = None, **budget: Unpack[Budget]
    ) -> Subscription:
        """Change its budget, or values for the runs to come: `change({"sigma": 3}, runs=500)`.

        What is not named stays. Where the budget was spent, it goes on.
        """
        body = {"budget": _wire(budget), "parameters": dict(parameters or {})}
        return self._changed("PATCH", body={name: told for name, told in body.items() if told})

    def pause(self) -> Subscription:
        """Let it submit nothing; what matches meanwhile waits."""
        return self._changed("PATCH", body={"state": "paused"})

    def resume(self) -> Subscription:
        """Let it go on; in my name, if its person may submit runs there no more."""
        return self._changed("PATCH", body={"state": "active"})

    def also_existing(self) -> Subscription:
        """Run it on what matched before it began, too, but for what was run already."""
        return self._changed("PATCH", body={"also_existing": True})

    def end(self) -> Subscription:
        """End it: nothing is submitted any more, and runs that were go on."""
        return self._changed("DELETE")

    def matches(self, state: str | None = None, limit: int = PAGE) -> list[Match]:
        """Return what it matched, newest images first; only those of one state."""
        answer = self.session.get(f"{self.address}/matches", state=state, limit=limit)
        return [_match(row) for row in answer["matches"]]

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        did = ", ".join(f"{n} {word}" for word, n in self.counts.items() if n)
        template = f"{self.template['name']} {self.template['version']}"
        spent, most = self.spent, self.budget
        return [
            ("template", template),
            ("search", self.search),
            ("state", self.state),
            ("why", self.reason),
            ("images", did),
            ("with", ", ".join(f"{name} {value}" for name, value in self.parameters.items())),
            ("beside", ", ".join(role for role in self.record.get("inputs", {}))),
            ("runs of", self.person),
            ("runs", _of(spent["runs"], most["runs"])),
            ("runs today", most["runs_a_day"] and _of(spent["today"], most["runs_a_day"])),
            ("reserved", _of(display.size(spent["nbytes"]), most["nbytes"], display.size)),
            ("newer version", self.newer),
        ]


def subscribe(
    session: Session,
    project: str,
    template: str,
    search: Dataset | str,
    parameters: Mapping[str, Any] | None,
    inputs: Inputs | None,
    priority: int,
    budget: Budget,
    also_existing: bool,
) -> Subscription:
    """Subscribe a template to a saved search of a project."""
    body = _asked(project, template, search, parameters, inputs)
    body |= {"priority": priority} if priority else {}
    body |= {"budget": _wire(budget), "also_existing": also_existing}
    return Subscription(session, session.send("POST", "subscriptions", body))


def estimate(
    session: Session,
    project: str,
    template: str,
    search: Dataset | str,
    parameters: Mapping[str, Any] | None,
    inputs: Inputs | None,
) -> Estimate:
    """Return what running it on all that matches now would take."""
    body = _asked(project, template, search, parameters, inputs)
    return Estimate(**session.send("POST", "subscriptions/preview", body))


def subscriptions(session: Session, project: str | None, ended: bool) -> Listing[Subscription]:
    """Return the subscriptions of one project, or of all of mine."""
    asked = {"project": project, "ended": str(ended).lower()}
    return listing(Subscription, session, session.get("subscriptions", **asked))


def _asked(
    project: str,
    template: str,
    search: Dataset | str,
    parameters: Mapping[str, Any] | None,
    inputs: Inputs | None,
) -> dict[str, Any]:
    path = search if isinstance(search, str) else search.path
    named: dict[str, Any] = {"project": project, "template": template, "search": path}
    named |= {"inputs": uids(inputs)} if inputs else {}
    return named | {"parameters": dict(parameters or {})}


def _wire(budget: Budget) -> dict[str, int | None]:
    told: dict[str, Any] = dict(budget)
    if isinstance(told.get("nbytes"), str):
        told["nbytes"] = sizes.nbytes(told["nbytes"], "nbytes")
    return told


def _match(row: Mapping[str, Any]) -> Match:
    run = row["run"] and row["run"]["uid"]
    return Match(row["uid"], row["name"], row["state"], row["reason"], run)


def _of(spent: object, most: int | None, shown: Callable[[int], str] = str) -> str:
    return str(spent) if most is None else f"{spent} of {shown(most)}"
