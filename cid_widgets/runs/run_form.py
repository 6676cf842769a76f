"""A template's parameters as a form, and what it started."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import traitlets as t

from ..lib.catalog import Record
from ..lib.shapes import named
from ..lib.view import built, line
from . import shapes
from .catalog import Catalog
from .run_monitor import Monitored
from .standing import Standing, beside

if TYPE_CHECKING:
    from cid_client.runs.orders import Order


class Starting(Monitored):
    """A view that starts runs of `template` on `inputs` and then follows them."""

    templates = t.List(t.Dict()).tag(sync=True)
    template: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    inputs = t.List(t.Dict()).tag(sync=True)
    more_inputs = t.Int().tag(sync=True)  # chosen beside those that are named in `inputs`
    preflight: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    _fit: tuple[str, ...] = ()  # the images that the last pre-flight found good

    @property
    def images(self) -> Any:
        """The images it would run on."""
        raise NotImplementedError

    @property
    def projects(self) -> Sequence[str]:
        """The projects of the images; names in a table are looked for in the first."""
        return ()

    def answer_preflight(self, asked: Mapping[str, Any]) -> None:
        """Look at what would become of the runs, image by image; nothing is started."""
        try:
            found = self._looked(self.images, asked)
        except Exception as error:
            self.log.debug("no pre-flight", exc_info=True)
            self._fit, self.preflight = (), {"error": line(error)}
            return
        self._fit, self.preflight = tuple(found.fit), shapes.preflight(found)

    def answer_start(self, asked: Mapping[str, Any]) -> None:
        """Start one run for each image, and follow them; or tell why not."""
        self._begin(lambda: self._begun(self._fit if asked.get("fitting") else self.images, asked))

    def answer_table(self, asked: Mapping[str, Any]) -> None:
        """Look at a table of images and parameters; tell each wrong cell, start nothing."""
        try:
            found = self.catalog.preview_table(*self._table(asked), **self._row_values(asked))
        except Exception as error:
            self.log.debug("no look at the table", exc_info=True)
            self.tell("table", rows=0, wrong=[], error=line(error))
            return
        cells = [
            {"row": cell.row, "column": cell.column, "message": cell.message}
            for cell in found.wrong
        ]
        self.tell("table", rows=found.rows, wrong=cells, error="")

    def answer_start_table(self, asked: Mapping[str, Any]) -> None:
        """Start one run for each row of a table, and follow them; or tell why not."""
        self._begin(lambda: self.catalog.run_table(*self._table(asked), **self._row_values(asked)))

    def _begin(self, begin: Callable[[], Any]) -> None:
        try:
            started = list(begin())
            batch = started[0].record["batch"]
        except Exception as error:
            self.log.debug("the runs were not started", exc_info=True)
            self.tell("refused", message=line(error))
            return
        self.follow(batch, started)
        self.tell("started", batch=batch, count=len(started))

    def _looked(self, images: Any, asked: Mapping[str, Any]) -> Any:
        order = self._order(images, asked)
        if order is not None:
            return self.catalog.look(order)
        name = (self.template or {})["name"]
        return self.catalog.preflight(name, images, **asked["parameters"])

    def _begun(self, images: Any, asked: Mapping[str, Any]) -> Any:
        order = self._order(images, asked)
        if order is not None:
            return self.catalog.submit(order)
        return self.catalog.run((self.template or {})["name"], images, **asked["parameters"])

    def _order(self, images: Any, asked: Mapping[str, Any]) -> Order | None:
        """Return what is asked for beyond images and values: further inputs, or a priority."""
        if not (more := beside(asked)):
            return None
        from cid_client.runs.orders import Order  # only where there is a catalog

        return Order((self.template or {})["name"], images, asked["parameters"], **more)

    def _row_values(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return what holds for all rows of a table that say nothing else."""
        return {**asked["parameters"], **beside(asked)}

    def _table(self, asked: Mapping[str, Any]) -> tuple[str, str, str | None]:
        projects = self.projects
        return (self.template or {})["name"], asked["csv"], projects[0] if projects else None


class RunForm(Starting, Standing):
    """The form of one template: `RunForm(catalog, "segment-cells", images)`.

    `images` are images of the catalog, or their uids. Bounds are checked while one types; the
    catalog checks again. Below it the same can be begun for every new match of a saved search
    of their project (`project.subscribe` in Python). Raises LookupError for a template that is
    not published.
    """

    _esm, _css = built("run_form")

    def __init__(
        self, catalog: Catalog | None, template: str | Record, images: Sequence[Record | str]
    ) -> None:
        super().__init__(catalog)
        self._images = [
            self.catalog.image(one) if isinstance(one, str) else one
            for one in (
                [images] if isinstance(images, str) or hasattr(images, "record") else images
            )
        ]
        self.inputs = [named(image.record) for image in self._images]
        self.template = shapes.template(self._find(template))
        self.templates = [self.template]

    @property
    def images(self) -> list[Any]:
        """The images it would run on."""
        return list(self._images)

    @property
    def template_name(self) -> str:
        """The template that would run by itself."""
        return str(self.template["name"])

    @property
    def projects(self) -> list[str]:
        """The projects of the images."""
        return list(dict.fromkeys(str(image.record["project"]) for image in self._images))

    def _find(self, template: str | Record) -> Record:
        if not isinstance(template, str):
            return template
        listed = self.catalog.templates()
        published = {one.record.get("reference") or one.record["name"]: one for one in listed}
        if template not in published:
            known = ", ".join(published) or "none is published yet"
            raise LookupError(f"there is no template {template!r}; there are: {known}")
        return published[template]
