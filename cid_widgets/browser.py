"""Projects, images and details of the catalog, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets as t

from . import shapes
from .catalog import Catalog, Image
from .run_form import Starting
from .view import built

PAGE = 50  # as many as the client reads at once


class Browser(Starting):
    """The catalog's images: after `browser = Browser(catalog)`, `browser.images` are the selected.

    `query`, `project`, `dataset` and `kind` say what is shown and may be set from Python.
    `selected` holds uids. `rows` is the first page of what was found; views ask for the rest as
    they scroll. Errors are told in `error`, as one line. Without a `catalog` it connects to the one
    this environment names.
    """

    _esm, _css = built("browser")

    query = t.Unicode().tag(sync=True)
    project = t.Unicode().tag(sync=True)
    dataset = t.Unicode().tag(sync=True)
    kind = t.Enum(["", "image", "labels"], default_value="").tag(sync=True)
    selected = t.List(t.Unicode()).tag(sync=True)
    focused = t.Unicode().tag(sync=True)

    tree = t.List(t.Dict()).tag(sync=True)
    rows = t.List(t.Dict()).tag(sync=True)
    more = t.Bool().tag(sync=True)
    found = t.Int().tag(sync=True)  # counts searches, so that a late page is known as late
    status = t.Unicode().tag(sync=True)
    detail: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    error = t.Unicode().tag(sync=True)

    def __init__(self, catalog: Catalog | None = None, project: str | None = None) -> None:
        self._known: dict[str, Image] = {}
        self._results: Sequence[Image] = ()
        self._asked: tuple[str, ...] | None = None
        super().__init__(catalog)
        self._asked = (
            "",
            project or "",
            "",
            "",
        )  # refresh() searches, setting the project need not
        self.project = project or ""
        self.refresh()

    @property
    def images(self) -> list[Any]:
        """The selected images, in the order they were selected."""
        with self.turn:
            return [self._image(uid) for uid in self.selected]

    def refresh(self) -> None:
        """Read the projects, what is found and the details again; the selection stays."""
        with self.turn:
            with self.telling("error"):
                self.tree = [shapes.project(one) for one in self.catalog.projects()]
            if not self.error:
                self._asked = None
                self._search()
            if not self.error:
                self._focus()

    @t.observe("query", "project", "dataset", "kind")
    def _search(self, change: object = None) -> None:
        """Search once for all that was set together; another question ends the selection."""
        asked = (self.query, self.project, self.dataset, self.kind)
        with self.turn:
            if asked == self._asked:
                return
            self._asked = asked
            images: list[Image] = []
            with self.telling("error"):
                self._results = self.catalog.search(
                    self.query,
                    project=self.project or None,
                    dataset=self.dataset or None,
                    kind=self.kind or None,
                )
                images = self._page(0)
            rows = [shapes.row(image) for image in images]
            with self.hold_sync():
                if change is not None:
                    shown = {row["uid"] for row in rows}
                    self.selected = [uid for uid in self.selected if uid in shown]
                self.rows, self.more = rows, len(rows) == PAGE
                self.status = _counted(len(rows), self.more)
                self.found += 1

    @t.observe("focused")
    def _focus(self, _: object = None) -> None:
        with self.turn, self.telling("error"):
            image = self.catalog.image(self.focused) if self.focused else None
            self.detail = None if image is None else shapes.detail(image)

    @t.observe("selected")
    def _choose(self, _: object = None) -> None:
        with self.turn, self.telling("error"):
            self.inputs = [shapes.named(self._image(uid).record) for uid in self.selected]

    def answer_more(self, asked: Mapping[str, Any]) -> None:
        """Tell the page of rows that starts at `start`."""
        if asked["found"] != self.found:
            return
        with self.telling("error"):
            start = int(asked["start"])
            rows = [shapes.row(image) for image in self._page(start)]
            more = len(rows) == PAGE
            self.tell("rows", found=self.found, start=start, rows=rows, more=more)
            self.status = _counted(start + len(rows), more)

    def answer_refresh(self, _: Mapping[str, Any]) -> None:
        """Read all again."""
        self.refresh()

    def answer_templates(self, _: Mapping[str, Any]) -> None:
        """Read the published templates, for the picker."""
        with self.telling("error"):
            self.templates = [shapes.template(one) for one in self.catalog.templates()]
            names = [one["name"] for one in self.templates]
            if not self.template or self.template["name"] not in names:
                self.template = self.templates[0] if self.templates else None

    def _page(self, start: int) -> list[Image]:
        """Return the images of one page; a page that is not full is the last."""
        images = list(self._results[start : start + PAGE])
        self._known.update({image.record["uid"]: image for image in images})
        return images

    def _image(self, uid: str) -> Image:
        if uid not in self._known:
            self._known[uid] = self.catalog.image(uid)
        return self._known[uid]


def _counted(count: int, more: bool) -> str:
    if more:
        return f"first {count} images"
    return "1 image" if count == 1 else f"{count} images"
