"""What a catalog computes: templates that run on images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, overload

from ..errors import BadInput
from ..records.images import Image
from ..records.record import WANTED, Listing, listing
from ..search.found import Search, named
from ..wire import given
from ..wire.session import Session
from .preflight import Preflight, read
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
        given.mapping(manifest, "manifest", "a template.toml that was read, with tomllib.load")
        body = {"manifest": manifest, "notebook": given.text(notebook, "the notebook")}
        return Template(self.session, self.session.send("POST", "templates", body))

    def runs(
        self, *, project: str | None = None, batch: str | None = None, limit: int = PAGE
    ) -> Listing[Run]:
        """Return the newest runs that I may see, or those of one batch in the order of submit."""
        asked = {"project": project, "batch": batch, "limit": limit}
        return listing(Run, self.session, self.session.get("runs", **asked))

    def preflight(
        self, template: str, images: Image | str | Iterable[Image | str], /, **parameters: Any
    ) -> Preflight:
        """Tell what would become of `run`, image by image, with what to do; nothing is started.

        Images may be given by their uids. What is wrong with one of them or with a parameter is a
        note, not an error.
        """
        listed = [images] if isinstance(images, Image | str) else images
        body = {"template": template, **named(listed, "images"), "parameters": parameters}
        return read(self.session.send("POST", "runs/preflight", body))

    @overload
    def run(self, template: str, images: Image | str, /, **parameters: Any) -> Run: ...
    @overload
    def run(self, template: str, images: Iterable[Image | str], /, **parameters: Any) -> Batch: ...
    def run(
        self, template: str, images: Image | str | Iterable[Image | str], /, **parameters: Any
    ) -> Run | Batch:
        """Run a template on one image (returns a Run) or on each of several (returns a Batch).

        Images may be given by their uids. A search that was not read to its end goes as its query:
        all that it finds then, of the kind that the template takes. Everything is checked before
        anything is queued: raises BadParameter, BadInput, NotAllowed or OverQuota with the reason.
        """
        alone = isinstance(images, Image | str)
        listed = [images] if isinstance(images, Image | str) else images
        chosen = listed if isinstance(listed, Search) else given.several(listed, WANTED)
        if not chosen:
            raise BadInput(f"no image to run {template} on: the selection is empty")
        name = given.text(template, "a template's name")
        body = {"template": name, **named(chosen, "images"), "parameters": parameters}
        answer = self.session.send("POST", "runs", body)
        runs = [Run(self.session, run) for run in answer["runs"]]
        return runs[0] if alone else Batch(self.session, answer["batch"], runs)
