"""What is kept of a search: live datasets, and the names of images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..lib.view import View, line
from . import queries


class Keeping(View):
    """A view that saves what it asks as a dataset which stays up to date, and gives names."""

    query: str
    project: str
    dataset: str
    kind: str

    @property
    def asked(self) -> str:
        """What is shown as one query, its dataset and kind in it; the project stands beside it."""
        place = f"in:{queries.quoted(self.dataset)}" if self.dataset else ""
        return queries.joined(self.query, place, f"kind:{self.kind}" if self.kind else "")

    def save(self, path: str, project: str = "", query: str | None = None) -> None:
        """Make a live dataset: it always shows what the query finds in its project.

        `project` is the one that is shown, `query` what is asked now. Raises what the catalog says.
        """
        home = self.catalog.project(project or self.project)
        home.make_dataset(path, query=self.asked if query is None else query)
        self.refresh()

    def refresh(self) -> None:
        """Read all again."""
        raise NotImplementedError

    def renamed(self, image: Any) -> None:
        """Show an image under its new name."""
        raise NotImplementedError

    def answer_saving(self, _: Mapping[str, Any]) -> None:
        """Tell what would be saved."""
        self.tell("saving", query=self.asked)

    def answer_save(self, asked: Mapping[str, Any]) -> None:
        """Make a live dataset, and show it in the tree."""
        project, path = str(asked["project"]), str(asked["path"])
        try:
            self.save(path, project, str(asked["query"]))
        except Exception as error:
            self._refused("save", error)
        else:
            self.tell("saved", project=project, path=path)

    def answer_requery(self, asked: Mapping[str, Any]) -> None:
        """Change what a live dataset looks for, and show that."""
        try:
            home = self.catalog.project(str(asked["project"]))
            home.dataset(str(asked["path"])).change(query=str(asked["query"]))
        except Exception as error:
            self._refused("requery", error)
        else:
            self.refresh()
            self.tell("requeried")

    def answer_rename(self, asked: Mapping[str, Any]) -> None:
        """Give an image another name, and tell the one before."""
        uid = str(asked["uid"])
        try:
            image = self.catalog.image(uid)
            before = str(image.record["name"])
            image.rename(str(asked["name"]))
        except Exception as error:
            self._refused("rename", error)
            return
        self.renamed(image)
        self.tell("renamed", uid=uid, name=image.record["name"], before=before)

    def _refused(self, what: str, error: Exception) -> None:
        self.log.debug("%s was refused", what, exc_info=True)
        self.tell("unkept", act=what, message=line(error))
