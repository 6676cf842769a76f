"""A template's parameters as a form, and what it started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets as t

from ..lib.catalog import Record
from ..lib.shapes import named
from ..lib.view import built, line
from . import shapes
from .catalog import Catalog
from .run_monitor import Monitored
from .standing import Standing


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

    def answer_preflight(self, asked: Mapping[str, Any]) -> None:
        """Look at what would become of the runs, image by image; nothing is started."""
        try:
            name = (self.template or {})["name"]
            found = self.catalog.preflight(name, self.images, **asked["parameters"])
        except Exception as error:
            self.log.debug("no pre-flight", exc_info=True)
            self._fit, self.preflight = (), {"error": line(error)}
            return
        self._fit, self.preflight = tuple(found.fit), shapes.preflight(found)

    def answer_start(self, asked: Mapping[str, Any]) -> None:
        """Start one run for each image, and follow them; or tell why not."""
        try:
            name = (self.template or {})["name"]
            images = self._fit if asked.get("fitting") else self.images
            started = list(self.catalog.run(name, images, **asked["parameters"]))
            batch = started[0].record["batch"]
        except Exception as error:
            self.log.debug("the runs were not started", exc_info=True)
            self.tell("refused", message=line(error))
            return
        self.follow(batch, started)
        self.tell("started", batch=batch, count=len(started))


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
        published = {one.record["name"]: one for one in self.catalog.templates()}
        if template not in published:
            known = ", ".join(published) or "none is published yet"
            raise LookupError(f"there is no template {template!r}; there are: {known}")
        return published[template]
