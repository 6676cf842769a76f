"""Datasets: folders of records that nest, and saved searches that live."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..downloads.batch import As, Downloaded
from ..downloads.fetching import Progress
from ..errors import BadInput, NotFound
from ..history.trash import Trash, throw
from ..history.undoing import Done
from ..wire import given
from ..wire.session import Session, segment
from .changing import Changing
from .notes import Noted
from .record import Chosen, Field, Listing, uids

if TYPE_CHECKING:
    from ..search.found import RecordSearch, Search
    from .projects import Project


class Dataset(Changing, Noted):
    """A dataset of a project; `path` is "" for the project's own, else such as "screen/plate 1".

    With a `query` it is live: it shows what the query finds in the project and holds nothing.
    """

    collection = "datasets"

    project = Field[str]()
    created_at = Field[str]()

    @property
    def path(self) -> str:
        """Its place in the project."""
        return str(self.wire("path"))

    @property
    def address(self) -> str:
        """Where the API has it."""
        return f"{self.collection}/{segment(self.record['uid'])}"

    @property
    def subject(self) -> str:
        """What the journal calls it."""
        return self.about

    @property
    def about(self) -> str:
        """What its notes are about, as the catalog names it."""
        return f"dataset:{self.record['uid']}"

    @property
    def query(self) -> str | None:
        """What a live one looks for; None for one that holds records. `query = ...` changes it."""
        found: str | None = self.wire("query")
        return found

    @query.setter
    def query(self, query: str) -> None:
        self.change(query=query)

    def change(self, *, query: str) -> Dataset:
        """Let a live one look for something else."""
        return self._changed("PATCH", body={"query": query})

    def move(self, path: str, project: str | Project | None = None) -> Dataset:
        """Give it another path, with all that lies below; in another project, if one is said.

        Conflict when that path is taken.
        """
        home = {} if project is None else {"project": called(project)}
        return self._changed("PATCH", body={"path": path, **home})

    def trash(self, *, force: bool = False) -> Trash:
        """Throw it away with all that lies below; `restore()` of what is returned undoes it.

        Conflict: runs wait for what is in it. With `force` these fail, with their image's name.
        """
        return throw(self.session, datasets=[self.uid], force=force)

    def search(self, query: str = "", **more: Any) -> Search:
        """Return the images in it that match; see `Catalog.search`."""
        from ..search.found import Search, asked  # which knows images, and these their datasets

        return Search(self.session, asked(query, self.project, self.path, more))

    def records(self, query: str = "", **more: Any) -> RecordSearch:
        """Return the images and files in it that match; see `Catalog.records`."""
        from ..search.found import RecordSearch, asked

        return RecordSearch(self.session, asked(query, self.project, self.path, more))

    def download(
        self,
        to: str | os.PathLike[str] = ".",
        as_: As = "originals",
        on_progress: Progress | None = None,
    ) -> Downloaded:
        """Bring all that is in it here; see `Catalog.download`."""
        return self.records().download(to, as_, on_progress)

    def link(self, records: Chosen) -> Dataset:
        """Show images or files here too, without a copy; they are charged at home only."""
        for uid in uids(records):
            self.session.send("PUT", f"{self.address}/links/{segment(uid)}")
        return self

    def unlink(self, records: Chosen) -> Dataset:
        """Show them here no more; they stay where they lie."""
        for uid in uids(records):
            self.session.send("DELETE", f"{self.address}/links/{segment(uid)}")
        return self

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        return [("path", self.path), ("project", self.project), ("looks for", self.query)]


def datasets(session: Session, project: str) -> Listing[Dataset]:
    """Return the datasets of a project as they are now, by path."""
    rows = session.get(f"projects/{segment(project)}")["datasets"]
    return Listing(_dataset(session, project, row) for row in rows)


def dataset(session: Session, project: str, path: str) -> Dataset:
    """Return the dataset that is at `path` now, or raise NotFound."""
    for one in datasets(session, project):
        if one.path == path:
            return one
    raise NotFound(f"no dataset {path!r} in project {project!r}")


def make(session: Session, project: str, path: str, query: str | None) -> Dataset:
    """Make a dataset with the parents it lacks; one that is there already is as good."""
    body = {"path": path} if query is None else {"path": path, "query": query}
    row = session.send("POST", f"projects/{segment(project)}/datasets", body)
    return _dataset(session, project, row)


@dataclass(frozen=True, slots=True)
class Moved(Done):
    """The uids of the records that lie elsewhere now; `undo()` puts them back."""

    moved: list[str]


def move(session: Session, records: Chosen, to: Dataset) -> Moved:
    """Put records into a dataset, all or none, in one step; those that lie there already stay."""
    if not isinstance(to, Dataset):
        raise BadInput(f"dataset: give catalog.project(...).dataset(path), not {given.shown(to)}")
    told = session.tell("POST", "records/move", {"records": uids(records), "dataset": to.uid})
    return Moved(told.entry, session, told.body["moved"])


def called(project: str | Project | None) -> str | None:
    """Return the name of a project, or None."""
    if project is None or isinstance(project, str):
        return project
    if getattr(project, "collection", "") != "projects":
        wanted = "project: give its name or catalog.project(...)"
        raise BadInput(f"{wanted}, not {given.shown(project)}")
    return project.name


def _dataset(session: Session, project: str, row: Mapping[str, Any]) -> Dataset:
    return Dataset(session, {**row, "project": project})
