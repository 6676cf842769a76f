"""Bringing images in beside those that are there: an upload to where the browser is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets as t

from ..lib.view import View
from ..upload.upload import Upload


class Uploading(View):
    """A view with an `uploader`, made when it is asked for: the `Upload` that goes where this is.

    What came in is found without another look; `show()` selects it.
    """

    uploader: Any = t.Instance(Upload, allow_none=True).tag(
        sync=True, to_json=lambda upload, _: upload and f"IPY_MODEL_{upload.model_id}"
    )

    project: str
    dataset: str
    tree: Any
    selected: Any
    total: Any
    _known: dict[str, Any]

    def upload(self) -> Upload:
        """Return the upload to the project and dataset in view; what it is busy with goes on."""
        dataset = "" if self._is_live() else self.dataset
        upload: Upload | None = self.uploader
        if upload is None:
            upload = self.uploader = Upload(self.catalog, self.project, dataset, browser=self)
        elif upload.state == "ready":
            upload.project, upload.dataset = self.project or upload.project, dataset
        return upload

    def show(self, project: str, dataset: str, uids: Sequence[str]) -> None:
        """Show these images, newest of a project or dataset, and select them."""
        with self.turn:
            with self.hold_trait_notifications():
                self.set_trait("query", "")
                self.set_trait("kind", "")
                self.set_trait("sort", "newest")
                self.project, self.dataset = project, dataset
            self.refresh()
            read = len(self.page())
            while read <= len(uids) and (more := self._page(read)):
                read += len(more)
            self.selected = [uid for uid in uids if uid in self._known]

    def close(self) -> None:
        """Close the upload, too."""
        if self.uploader is not None:
            self.uploader.close()
        super().close()

    def refresh(self) -> None:
        """Read all again."""
        raise NotImplementedError

    def answer_upload(self, _: Mapping[str, Any]) -> None:
        """Offer an upload to what is in view."""
        with self.telling("error"):
            self.upload()

    def page(self) -> Sequence[Any]:
        """The first of what was found."""
        raise NotImplementedError

    def _page(self, start: int) -> list[Any]:
        raise NotImplementedError

    def _is_live(self) -> bool:
        return any(
            one["path"] == self.dataset and one["query"] is not None
            for project in self.tree
            if project["name"] == self.project
            for one in project["datasets"]
        )
