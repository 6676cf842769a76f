"""What a catalog computes: templates that run on images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, overload

from ..records.images import Image
from ..records.record import Listing, listing
from ..wire import given
from ..wire.session import Session
from . import orders
from .batch import Batch
from .orders import Inputs, Order, TablePreview
from .preflight import Preflight, read
from .runs import Run
from .steps import Steps
from .templates import Template

PAGE = 50
MOST = 200  # of one request


class Runs:
    """The part of a catalog that runs templates."""

    session: Session

    def templates(self, project: str | None = None) -> Listing[Template]:
        """Return the newest version of every template that I may run, or of one project's own."""
        asked = {"project": project} if project else {}
        return listing(Template, self.session, self.session.get("templates", **asked))

    def template(self, name: str) -> Template:
        """Return the newest version of one template, or raise NotFound.

        `name@1.2.0` is that version, `project:name` a template of a project's own.
        """
        return Template(self.session, {"name": given.text(name, "a template's name")}).refresh()

    def publish(
        self,
        manifest: Mapping[str, Any],
        notebook: str,
        *,
        changelog: str = "",
        project: str | None = None,
    ) -> Template:
        """Publish one version of a template: its template.toml as data, its notebook as text.

        Staff may; contributors may in their `project`. From the second version on `changelog` says
        what changed. The same content again is the same version; other content under a published
        version is a Conflict.
        """
        given.mapping(manifest, "manifest", "a template.toml that was read, with tomllib.load")
        body = {"manifest": manifest, "notebook": given.text(notebook, "the notebook")}
        told = {"changelog": changelog, "project": project}
        body |= {word: value for word, value in told.items() if value}
        return Template(self.session, self.session.send("POST", "templates", body))

    def runs(
        self,
        *,
        project: str | None = None,
        batch: str | None = None,
        state: str | None = None,
        limit: int = PAGE,
    ) -> Listing[Run]:
        """Return the newest runs that I may see, or those of one batch in the order of submit."""
        asked = {"project": project, "batch": batch, "state": state}
        found: Listing[Run] = Listing()
        after: str | None = None
        while len(found) < limit:
            most = min(limit - len(found), MOST)
            answer = self.session.get("runs", **asked, limit=most, after=after)
            found += listing(Run, self.session, answer)
            after = answer.get("next")
            if after is None:
                break
        return found

    def preflight(
        self,
        template: str,
        images: Image | str | Iterable[Image | str],
        /,
        inputs: Inputs | None = None,
        **parameters: Any,
    ) -> Preflight:
        """Tell what would become of `run`, image by image, with what to do; nothing is started.

        Images may be given by their uids. What is wrong with one of them or with a parameter is a
        note, not an error.
        """
        return self.look(Order(template, images, parameters, inputs or {}))

    @overload
    def run(
        self,
        template: str,
        images: Image | str,
        /,
        inputs: Inputs | None = None,
        then: Steps | None = None,
        **parameters: Any,
    ) -> Run: ...
    @overload
    def run(
        self,
        template: str,
        images: Iterable[Image | str],
        /,
        inputs: Inputs | None = None,
        then: Steps | None = None,
        **parameters: Any,
    ) -> Batch: ...
    def run(
        self,
        template: str,
        images: Image | str | Iterable[Image | str],
        /,
        inputs: Inputs | None = None,
        then: Steps | None = None,
        **parameters: Any,
    ) -> Run | Batch:
        """Run a template on one image (returns a Run) or on each of several (returns a Batch).

        `inputs` are further images by the role that the template gives them, the same for all:
        `{"beads": beads}`. `then` follows each run that is done, on what it wrote:
        `then=Step("measure-cells", {"image": "labels:cells"})`, or a list of steps.

        Images may be given by their uids. A search that was not read to its end goes as its query:
        all that it finds then, of the kind that the template takes. Everything is checked before
        anything is queued: raises BadParameter, BadInput, NotAllowed or OverQuota with the reason.
        """
        batch = self.submit(Order(template, images, parameters, inputs or {}, then=then))
        return batch[0] if isinstance(images, Image | str) else batch

    def look(self, order: Order) -> Preflight:
        """Tell what would become of an order, as `preflight` does of a template and its images."""
        return read(self.session.send("POST", "runs/preflight", order.body()))

    def submit(self, order: Order) -> Batch:
        """Begin an order: what `run` does, with further inputs by their role, and a priority."""
        answer = self.session.send("POST", "runs", order.body())
        runs = [Run(self.session, run) for run in answer["runs"]]
        return Batch(self.session, answer["batch"], runs)

    def batches(
        self, *, project: str | None = None, mine: bool = False, limit: int = PAGE
    ) -> list[Batch]:
        """Return the newest batches that I may see, or those that I began."""
        asked = {"project": project, "mine": "true" if mine else None, "limit": limit}
        rows = self.session.get("batches", **asked)["batches"]
        return [Batch(self.session, row["uid"], record=row) for row in rows]

    def batch(self, uid: str) -> Batch:
        """Return one batch, or raise NotFound."""
        return Batch(self.session, given.text(uid, "a batch's uid")).refresh()

    def preview_table(
        self,
        template: str,
        csv: str,
        /,
        project: str | None = None,
        inputs: Inputs | None = None,
        priority: int = 0,
        **parameters: Any,
    ) -> TablePreview:
        """Tell which cells of a table are wrong; nothing is started.

        `csv` is text: its first column is uid, name or path (dataset/name, in `project`), the
        others are parameters, or roles: further images as the first column names them.
        `parameters` and `inputs`, by role, hold for all rows that say nothing else.
        """
        body = orders.table(template, csv, project, inputs, priority, parameters)
        return orders.seen(self.session.send("POST", "batches/preview", body))

    def run_table(
        self,
        template: str,
        csv: str,
        /,
        project: str | None = None,
        inputs: Inputs | None = None,
        priority: int = 0,
        **parameters: Any,
    ) -> Batch:
        """Run a template on each row of a table: all rows, or none and BadInput says which cells.

        The table is what `preview_table` takes.
        """
        body = orders.table(template, csv, project, inputs, priority, parameters)
        answer = self.session.send("POST", "batches", body)
        runs = [Run(self.session, run) for run in answer["runs"]]
        return Batch(self.session, answer["batch"], runs)
