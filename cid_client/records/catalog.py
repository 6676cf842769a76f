"""What a catalog tells of what it holds: projects, datasets, images and files."""

from __future__ import annotations

from ..wire.session import Session
from .datasets import Dataset, Moved, move
from .files import File
from .images import Image
from .projects import Project
from .record import Chosen, Listing, listing


class Records:
    """The part of a catalog that is about records and where they lie."""

    session: Session

    def projects(self) -> Listing[Project]:
        """Return the projects I reach."""
        return listing(Project, self.session, self.session.get("projects"))

    def project(self, name: str) -> Project:
        """Return one project, or raise NotFound."""
        return Project(self.session, {"name": name}).refresh()

    def dataset(self, uid: str) -> Dataset:
        """Return one dataset, or raise NotFound; `project.dataset(path)` finds it by path."""
        return Dataset(self.session, {"uid": uid}).refresh()

    def image(self, uid: str) -> Image:
        """Return one image, or raise NotFound."""
        return Image(self.session, {"uid": uid}).refresh()

    def file(self, uid: str) -> File:
        """Return one file, or raise NotFound."""
        return File(self.session, {"uid": uid}).refresh()

    def move(self, records: Chosen, dataset: Dataset) -> Moved:
        """Put records into a dataset, all or none, in one step; `undo()` takes it back.

        Into another project their bytes are charged there: contributors of both may.
        """
        return move(self.session, records, dataset)
