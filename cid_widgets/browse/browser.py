"""Projects, images and details of the catalog, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets as t

from ..lib.shapes import named
from ..lib.view import built, line
from ..lib.words import counted, number
from ..notices.news import Telling
from ..runs.run_form import Starting
from ..runs.shapes import template
from ..tags.tagging import Tagging
from . import shapes
from .asking import Asking
from .catalog import Catalog, Image, Images
from .downloading import Downloading
from .filtering import Filtering
from .keeping import Keeping
from .organising import Organising
from .uploading import Uploading

PAGE = 50  # as many as the client reads at once
NEWEST = "newest"


class Browser(
    Starting, Asking, Filtering, Keeping, Tagging, Organising, Downloading, Uploading, Telling
):
    """The catalog's images: after `browser = Browser(catalog)`, `browser.images` are the selected.

    `query`, `project`, `dataset`, `kind` and `sort` say what is shown and may be set from Python.
    `selected` holds uids; with `found_all` everything that was found is selected. `rows` is the
    first page of what was found; views ask for the rest as they scroll. Errors are told in `error`,
    what is wrong with a query in `query_error`, as one line. Without a `catalog` it connects to the
    one this environment names.
    """

    _esm, _css = built("browser")

    catalog: Catalog

    project = t.Unicode().tag(sync=True)
    dataset = t.Unicode().tag(sync=True)
    kind = t.Enum(["", "image", "labels"], default_value="").tag(sync=True)
    sort = t.Unicode(NEWEST).tag(sync=True)
    selected = t.List(t.Unicode()).tag(sync=True)
    found_all = t.Bool().tag(sync=True)
    focused = t.Unicode().tag(sync=True)

    tree = t.List(t.Dict()).tag(sync=True)
    rows = t.List(t.Dict()).tag(sync=True)
    more = t.Bool().tag(sync=True)
    status = t.Unicode().tag(sync=True)
    detail: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)

    def __init__(self, catalog: Catalog | None = None, project: str | None = None) -> None:
        self._known: dict[str, Image] = {}
        self._results: Images | None = None
        # what was asked last, and what is shown: another when the last query was a bad one;
        # refresh() searches, setting the project need not
        self._asked: tuple[str, ...] | None = ("", project or "", "", "", NEWEST)
        self._shown: tuple[str, ...] = self._asked
        super().__init__(catalog)
        self.project = project or ""
        self.refresh()

    @property
    def images(self) -> Any:
        """The selected images, in the order they were selected; with `found_all` the `results`."""
        with self.turn:
            if self.found_all:
                return self.results
            return [self._image(uid) for uid in self.selected]

    @property
    def tag_records(self) -> Any:
        """The selected images, for their card."""
        return self.images

    def tags_changed(self) -> None:
        """Show the tags of the image in the details as they are now."""
        self._focus()

    @property
    def results(self) -> Images:
        """What is found now: lazy, read page by page, and the input of a run as it is."""
        query, project, dataset, kind, sort = self._shown
        return self.catalog.search(
            query,
            project=project or None,
            dataset=dataset or None,
            kind=kind or None,
            sort=None if sort == NEWEST else sort,
        )

    def page(self) -> Sequence[Image]:
        """The first of what was found."""
        return [self._known[row["uid"]] for row in self.rows]

    def refresh(self) -> None:
        """Read the projects, what is found and the details again; the selection stays."""
        with self.turn:
            self._forget()
            with self.telling("error"):
                self.tree = [shapes.project(one) for one in self.catalog.projects()]
            if not self.error:
                self._asked = None
                self._search()
            if not self.error:
                self._focus()

    @t.observe("query", "project", "dataset", "kind", "sort")
    def _search(self, change: object = None) -> None:
        """Search once for all that was set together; another question ends the selection."""
        asked = (self.query, self.project, self.dataset, self.kind, self.sort)
        with self.turn:
            if asked == self._asked:
                return
            self._asked = asked
            before, self._shown = self._shown, asked
            images: list[Image] = []
            error = query_error = ""
            try:
                self._results = self.results
                images = self._page(0)
            except Exception as problem:
                self.log.debug("the search failed", exc_info=True)
                if getattr(problem, "status", 0) != 400:
                    error = line(problem)
                else:
                    query_error = line(problem).removeprefix("q: ")
                    if asked[1:4] == before[1:4]:  # what is shown stays while one types
                        self._shown = before
                        self._results = self.results
                        self.query_error, self.error = query_error, ""
                        self.tell("searched")  # the mistake may be the same as before
                        return
                self._results = None
            rows = [shapes.row(image) for image in images]
            with self.hold_sync():
                self.error, self.query_error = error, query_error
                if change is not None:
                    shown = {row["uid"] for row in rows}
                    self.found_all = False
                    self.selected = [uid for uid in self.selected if uid in shown]
                self.rows, self.more = rows, len(rows) == PAGE
                self.total = None if self.more else len(rows)
                self.status = _counted(len(rows), self.more)
                self.found += 1
            if not (error or query_error):
                self.remember(self.query)

    @t.observe("focused")
    def _focus(self, _: object = None) -> None:
        with self.turn, self.telling("error"):
            image = self.catalog.image(self.focused) if self.focused else None
            self.detail = None if image is None else shapes.detail(image)

    @t.observe("selected")
    def _choose(self, change: object = None) -> None:
        """Name what is selected; other images end the selection of all that was found."""
        with self.turn, self.telling("error"):
            if change is not None:
                self.found_all = False
            self.inputs = [named(self._image(uid).record) for uid in self.selected]
            self.more_inputs = 0

    @t.observe("found_all")
    def _choose_all(self, _: object = None) -> None:
        with self.turn, self.telling("error"):
            if not self.found_all:
                self._choose()
                return
            if self.total is None:
                self.total = self.results.count()
            self.inputs = [named(row) for row in self.rows]
            self.more_inputs = max(self.total - len(self.inputs), 0)

    @t.observe("total")
    def _number(self, _: object = None) -> None:
        if self.total is not None:
            self.status = _counted(self.total, more=False)
            if self.found_all:
                self._choose_all()

    def answer_more(self, asked: Mapping[str, Any]) -> None:
        """Tell the page of rows that starts at `start`."""
        if asked["found"] != self.found:
            return
        with self.telling("error"):
            start = int(asked["start"])
            rows = [shapes.row(image) for image in self._page(start)]
            more = len(rows) == PAGE
            self.tell("rows", found=self.found, start=start, rows=rows, more=more)
            if not more or self.total is None:
                self.status = _counted(start + len(rows), more)

    def answer_refresh(self, _: Mapping[str, Any]) -> None:
        """Read all again."""
        self.refresh()

    def answer_templates(self, _: Mapping[str, Any]) -> None:
        """Read the published templates, for the picker."""
        with self.telling("error"):
            self.templates = [template(one) for one in self.catalog.templates()]
            names = [one["name"] for one in self.templates]
            if not self.template or self.template["name"] not in names:
                self.template = self.templates[0] if self.templates else None
            if not names:
                self.tell("no_templates")

    def renamed(self, image: Image) -> None:
        """Show an image under its new name."""
        told = image.record
        self._known[told["uid"]] = image
        self.rows = [
            {**row, "name": told["name"]} if row["uid"] == told["uid"] else row for row in self.rows
        ]
        self._focus()
        self._choose()

    def _page(self, start: int) -> list[Image]:
        """Return the images of one page; a page that is not full is the last."""
        if self._results is None:
            return []
        images = list(self._results[start : start + PAGE])
        self._known.update({image.record["uid"]: image for image in images})
        return images

    def _image(self, uid: str) -> Image:
        if uid not in self._known:
            self._known[uid] = self.catalog.image(uid)
        return self._known[uid]


def _counted(count: int, more: bool) -> str:
    return f"first {number(count)} images" if more else counted(count, "image")
