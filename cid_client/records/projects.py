"""Projects: what I may do in them, how full they are, and who else is there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Unpack

from .. import display
from ..history.trash import Trash, trash
from ..history.undoing import Done
from ..people import members
from ..people.members import Members, Until
from ..runs.orders import Inputs
from ..subscriptions import subscriptions
from ..subscriptions.subscriptions import Budget, Estimate, Subscription
from ..tags import vocabulary
from ..tags.vocabulary import NewTerm, Term
from ..usage import usage
from ..wire.session import segment
from . import datasets
from .datasets import Dataset
from .notes import Noted
from .record import Field, Listing


@dataclass(frozen=True, slots=True)
class Allocation:
    """Bytes a project may hold, holds, and has promised to deposits and runs under way.

    From `soft` on people are warned; `state` is ok, warning or full.
    """

    limit: int
    used: int
    reserved: int
    soft: int | None = None
    state: str = ""

    @property
    def free(self) -> int:
        """Bytes that a new deposit may take."""
        return max(self.limit - self.used - self.reserved, 0)


class Project(Noted):
    """One project that I reach."""

    collection = "projects"

    name = Field[str]()
    title = Field[str]()
    team = Field[str]()
    state = Field[str]()  # active or closed
    role = Field[str | None]()  # mine; None where I look as staff

    @property
    def path(self) -> str:
        """Where the API has it: projects go by name."""
        return f"{self.collection}/{segment(self.record['name'])}"

    @property
    def allocation(self) -> Allocation:
        """How full it is."""
        told = self.wire("allocation")
        known = {key: told[key] for key in Allocation.__dataclass_fields__ if key in told}
        return Allocation(**known)

    def usage(
        self,
        since: dt.date | None = None,
        until: dt.date | None = None,
        *,
        dataset: str | None = None,
    ) -> usage.Usage:
        """Return what takes its room, with the days from `since` to `until` (the last year).

        `people` are those of the project, or of one dataset by its uid.
        """
        return usage.of_project(self.session, self.path, since, until, dataset)

    @property
    def subject(self) -> str:
        """What the journal calls it."""
        return self.about

    @property
    def about(self) -> str:
        """What its notes are about, as the catalog names it."""
        return f"project:{self.record['name']}"

    @property
    def datasets(self) -> Listing[Dataset]:
        """Its datasets as they are now, by path; "" is the path of the project's own."""
        return datasets.datasets(self.session, self.record["name"])

    def dataset(self, path: str) -> Dataset:
        """Return the dataset at a path such as "screen/plate 1", or raise NotFound."""
        return datasets.dataset(self.session, self.record["name"], path)

    def make_dataset(self, path: str, query: str | None = None) -> Dataset:
        """Make a dataset with the parents it lacks; with a `query` it is live: a saved search.

        One that is there already is as good; Conflict when it is not the same.
        """
        return datasets.make(self.session, self.record["name"], path, query)

    def subscribe(
        self,
        template: str,
        search: Dataset | str,
        parameters: Mapping[str, Any] | None = None,
        *,
        also_existing: bool = False,
        inputs: Inputs | None = None,
        priority: int = 0,
        **budget: Unpack[Budget],
    ) -> Subscription:
        """Run a template once on each image that a saved search, a live dataset, newly finds.

        The runs are mine. `runs=20`, `runs_a_day=5`, `nbytes="50 GB"`: one at least. What matches
        already is run with `also_existing` only; `estimate` says first what that would take.
        `inputs` are further images by role, the same for all runs: `{"beads": beads}`.
        """
        asked = (template, search, parameters, inputs, priority, budget, also_existing)
        return subscriptions.subscribe(self.session, self.name, *asked)

    def estimate(
        self,
        template: str,
        search: Dataset | str,
        parameters: Mapping[str, Any] | None = None,
        *,
        inputs: Inputs | None = None,
    ) -> Estimate:
        """Count what `subscribe(..., also_existing=True)` would run now, and change nothing."""
        asked = (template, search, parameters, inputs)
        return subscriptions.estimate(self.session, self.name, *asked)

    @property
    def subscriptions(self) -> Listing[Subscription]:
        """What runs by itself in it now, newest first."""
        return subscriptions.subscriptions(self.session, self.name, False)

    @property
    def trash(self) -> Listing[Trash]:
        """What lies in its trash now, newest first."""
        return trash(self.session, self.name)

    def terms(self) -> Listing[Term]:
        """Return its vocabulary: the facility's terms and its own."""
        return vocabulary.terms(self.session, f"{self.path}/terms")

    def add_term(self, key: str, **how: Unpack[NewTerm]) -> Term:
        """Declare a term of this project: `add_term("Passage", type="number")`. Managers may.

        `similar` of what is returned names keys that are spelled much like it.
        """
        return vocabulary.add(self.session, f"{self.path}/terms", key, how)

    def card(self, *, machine: bool = False) -> dict[str, Any]:
        """Return its vocabulary as JSON Schema: what fits it is what `annotate(set=...)` takes.

        With `machine` also the terms that imports fill.
        """
        told = self.session.get(f"{self.path}/card", machine=str(machine).lower())
        return dict(told["card"])

    @property
    def members(self) -> Members:
        """People and their roles; `members.roles` is person -> role."""
        return members.read(self.wire("members"))

    def add_member(self, person: str, role: str, until: Until | None = None) -> Done:
        """Give a person a role, for good or until a day's end; `undo()` of it takes it back.

        Roles are viewer, annotator, contributor and manager. Managers may.
        """
        return members.put(self, person, role, until)

    def remove_member(self, person: str) -> Done:
        """End a person's membership; what they made stays. Managers may."""
        return members.remove(self, person)

    def rename(self, title: str) -> Project:
        """Give it another title; its name stays. Managers may."""
        self.record = dict(self.session.send("PATCH", self.path, {"title": title}))
        return self

    def close(self) -> Project:
        """Close it: read as before, it takes no deposits, tags or runs. Staff may."""
        return self._move("closed")

    def reopen(self) -> Project:
        """Open a closed project again. Staff may."""
        return self._move("active")

    def _move(self, state: str) -> Project:
        self.record = dict(self.session.send("PATCH", self.path, {"state": state}))
        return self

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        held = self.allocation
        used = f"{display.size(held.used)} of {display.size(held.limit)}"
        return [("name", self.name), ("title", self.title), ("role", self.role), ("used", used)]
