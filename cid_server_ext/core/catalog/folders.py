"""The datasets that the folders of what comes in become: many of them in few statements."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Dataset
from .. import names
from ..actor import Actor
from . import datasets
from .homes import batches


class Bringing(Protocol):
    """Who brings records, and whereto: a deposit, or what is adopted in place."""

    project_id: int
    project: Any
    dataset: Any
    dataset_id: int
    person: Any
    run_id: Any
    manifest: Any
    told: Any


class Folders:
    """The datasets of folders below that of a deposit, each made when something lies in it."""

    def __init__(self, session: Session, deposit: Bringing) -> None:
        self.session, self.project = session, deposit.project
        self.actor = Actor(deposit.person)
        if deposit.dataset.trash_id is not None:  # thrown away while this came in
            path = deposit.dataset.path
            deposit.dataset_id = datasets.holding(session, self.actor, self.project, path).id
            session.flush()
            session.refresh(deposit, ["dataset"])
        self.top: str = deposit.dataset.path
        self.known = {"": deposit.dataset_id}

    def dataset(self, folder: str) -> int:
        """Return the id of the dataset of a folder."""
        self.make({folder})
        return self.known[folder]

    def make(self, folders: Iterable[str]) -> None:
        """Make what the folders lack of datasets, with their parents."""
        ways = {one: self._way(one) for one in sorted(set(folders) - self.known.keys())}
        if not ways:
            return
        every = {path for way in ways.values() for path in way}
        there = self._there(every)
        if len(there) < len(every):
            datasets.hold(self.session, [self.project.id])
            there = self._there(every)  # and what was made while we waited
        ways = {one: _holding(way, there) for one, way in ways.items()}
        new = {path for way in ways.values() for path in way} - there.keys()
        self._add(new, there)
        for folder, way in ways.items():
            self.known[folder] = there[way[-1]].id if way else self.known[""]
        for path in sorted({way[-1] for way in ways.values() if way} & new):
            datasets.say_made(self.session, self.actor, self.project, there[path])

    def _way(self, folder: str) -> list[str]:
        """Return the paths from the top to a folder, as far as paths may be long."""
        way: list[str] = []
        for part in folder.split("/"):
            before = way[-1] if way else self.top
            way.append(f"{before}/{names.label(part, 'dataset')}".lstrip("/"))
        return [path for path in way if len(path) <= names.LONGEST_PATH]

    def _there(self, paths: Iterable[str]) -> dict[str, Dataset]:
        found: dict[str, Dataset] = {}
        here = (Dataset.project_id == self.project.id) & Dataset.trash_id.is_(None)
        for some in batches(sorted(paths)):
            rows = self.session.scalars(select(Dataset).where(here, Dataset.path.in_(some)))
            found |= {row.path: row for row in rows}
        return found

    def _add(self, paths: Iterable[str], there: dict[str, Dataset]) -> None:
        """Add datasets, parents before what is in them, a level at a time."""
        levels: dict[int, list[Dataset]] = {}
        for path in sorted(paths):
            row = Dataset(project_id=self.project.id, path=path)
            levels.setdefault(path.count("/"), []).append(row)
        for _, rows in sorted(levels.items()):
            for row in rows:
                parent = row.path.rpartition("/")[0]
                row.parent_id = self.known[""] if parent == self.top else there[parent].id
            self.session.add_all(rows)
            self.session.flush()
            there |= {row.path: row for row in rows}


def _holding(way: list[str], there: dict[str, Dataset]) -> list[str]:
    """Return the way as far as no live dataset, which holds nothing, stands on it."""
    for n, path in enumerate(way):
        if path in there and there[path].query is not None:
            return way[:n]
    return way
