"""Where images lie: the selected ones are put into a dataset, or into the trash; and put back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import traitlets as t

from ..lib.view import View, line
from ..lib.words import counted


class Organising(View):
    """A view that moves its images. `organised` is None, or {text, undo}: what was done last."""

    organised: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)

    project: str
    images: Any
    _back: Callable[[], object] | None = None

    def move(self, path: str, project: str = "") -> None:
        """Put the selected images into a dataset, made if it is not there, in one step.

        `project` is the one that is shown. Raises what the catalog says.
        """
        home = self.catalog.project(project or self.project)
        dataset = home.make_dataset(path) if path else home.dataset("")
        moved = self.catalog.move(self.images, dataset)
        count = counted(len(moved.moved), "image")
        self._did(f"{count} lie in {path or home.record['name']} now.", moved.undo)

    def throw_away(self) -> None:
        """Put the selected images into the trash of their project, for 30 days."""
        thrown = self.catalog.trash(self.images)
        count = counted(thrown.record["records"], "image")
        self._did(f"{count} lie in the trash for 30 days.", thrown.restore)

    def put_back(self) -> None:
        """Take back what was done last."""
        if self._back is not None:
            self._back()
            self._did("They are where they were.", None)

    def refresh(self) -> None:
        """Read all again."""
        raise NotImplementedError

    def answer_move(self, asked: Mapping[str, Any]) -> None:
        """Put the selected images into a dataset."""
        self._try(lambda: self.move(str(asked["path"]), str(asked["project"])))

    def answer_throw_away(self, _: Mapping[str, Any]) -> None:
        """Put the selected images into the trash."""
        self._try(self.throw_away)

    def answer_put_back(self, _: Mapping[str, Any]) -> None:
        """Take back what was done last."""
        self._try(self.put_back)

    def _try(self, do: Callable[[], None]) -> None:
        try:
            do()
        except Exception as error:
            self.log.debug("the images were not moved", exc_info=True)
            self.tell("unorganised", message=line(error))

    def _did(self, text: str, back: Callable[[], object] | None) -> None:
        self._back = back
        self.organised = {"text": text, "undo": back is not None}
        self.set_trait("selected", [])
        self.refresh()
