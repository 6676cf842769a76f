"""What a catalog computes: templates that run on images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, overload

from ..errors import BadInput
from ..records.images import Image
from ..records.record import Listing, listing
from ..search.found import Search, named
from ..wire.session import Session
from .runs import Batch, Run
from .templates import Template

PAGE = 50


class Runs:
    """The part of a catalog that runs templates."""

    session: Session

    def templates(self) -> Listing[Template]:
        """Return the newest version of every template."""
        return listing(Template, self.session, self.session.get("templates"))

    def template(self, name: str) -> Template:
        """Return the newest version of one template, or raise NotFound."""
        return Template(self.session, {"name": name}).refresh()

    def publish(self, manifest: Mapping[str, Any], notebook: str) -> Template:
        """Publish one version of a template: its template.toml as data, its notebook as text.

        Staff may. The same content again is the same version; other content under a published
        version is a Conflict.
        """
        body = {"manifest": manifest, "notebook": notebook}
        return Template(self.session, self.session.send("POST", "templates", body))

    def runs(
        self, *, project: str | None = None, batch: str | None = None, limit: int = PAGE
    ) -> Listing[Run]:
        """Return the newest runs that I may see, or those of one batch in the order of submit."""
        asked = {"project": project, "batch": batch, "limit": limit}
        return listing(Run, self.session, self.session.get("runs", **asked))

    @overload
    def run(self, template: str, images: Image, /, **parameters: Any) -> Run: ...
    @overload
    def run(self, template: str, images: Iterable[Image], /, **parameters: Any) -> Batch: ...
    def run(
        self, template: str, images: Image | Iterable[Image], /, **parameters: Any
    ) -> Run | Batch:
        """Run a template on one image (returns a Run) or on each of several (returns a Batch).

        A search that was not read to its end goes as its query: all that it finds then, of the
        kind that the template takes. Everything is checked before anything is queued: raises
        BadParameter, BadInput, NotAllowed or OverQuota with the reason.
        """
        alone = isinstance(images, Image)
        chosen = images if isinstance(images, Image | Search) else list(images)
        if not alone and not chosen:
            raise BadInput(f"no image to run {template} on: the selection is empty")
        body = {"template": template, **named(chosen, "images"), "parameters": parameters}
        answer = self.session.send("POST", "runs", body)
        runs = [Run(self.session, run) for run in answer["runs"]]
        return runs[0] if alone else Batch(self.session, answer["batch"], runs)
