"""Projects: what I may do in them, how full they are, and who else is there."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from . import display, usage
from .errors import NotFound
from .records import Field, Listing, Record, listing
from .trash import Trash, throw
from .wire import Session, segment


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


class Project(Record):
    """One project that I reach."""

    collection = "projects"

    name = Field[str]()
    title = Field[str]()
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

    def usage(self, since: dt.date | None = None, until: dt.date | None = None) -> usage.Usage:
        """Return what takes its room, with the days from `since` to `until` (the last year)."""
        return usage.usage(self.session, self.path, since, until)

    @property
    def datasets(self) -> list[str]:
        """The paths of its datasets, such as "screen/plate 1"; "" is the project's own."""
        return [dataset["path"] for dataset in self.wire("datasets")]

    def move_dataset(self, path: str, to: str, project: str | Project | None = None) -> Project:
        """Rename or move a dataset with all below it; into another project, if one is said."""
        home = project.name if isinstance(project, Project) else project
        body = {"path": to} if home is None else {"path": to, "project": home}
        self.session.send("PATCH", f"datasets/{dataset_uid(self.session, self.name, path)}", body)
        return self.refresh()

    def trash_dataset(self, path: str) -> Trash:
        """Throw a dataset away with all below it; `restore()` of what is returned undoes it."""
        return throw(self.session, datasets=[dataset_uid(self.session, self.name, path)])

    @property
    def trash(self) -> Listing[Trash]:
        """What lies in its trash, newest first."""
        return listing(Trash, self.session, self.session.get("trash", project=self.name))

    @property
    def members(self) -> dict[str, str]:
        """People and their roles."""
        return {member["person"]: member["role"] for member in self.wire("members")}

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        held = self.allocation
        used = f"{display.size(held.used)} of {display.size(held.limit)}"
        return [("name", self.name), ("title", self.title), ("role", self.role), ("used", used)]


def dataset_uid(session: Session, project: str | Project, path: str) -> str:
    """Return the uid of a dataset as it is called now, or raise NotFound."""
    name = project.name if isinstance(project, Project) else project
    for dataset in Project(session, {"name": name}).refresh().wire("datasets"):
        if dataset["path"] == path:
            return str(dataset["uid"])
    raise NotFound(f"no dataset {path!r} in project {name!r}")
