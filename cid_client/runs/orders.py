"""What is asked of a catalog when runs are looked at or begun: images, values, further inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import display
from ..errors import BadInput
from ..records.images import Image
from ..records.record import WANTED
from ..search.found import Search, named
from ..wire import given
from .steps import Steps, bodies

Inputs = Mapping[str, Image | str | Iterable[Image | str]]


@dataclass(frozen=True, slots=True)
class Order:
    """A template on images, or on what a query finds, with values that hold for all of them.

    `inputs` are further images by their role in the template; a higher `priority` goes first among
    the team's own; `then` is what follows each run.
    """

    template: str
    images: Image | str | Iterable[Image | str] | Search
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: Inputs = field(default_factory=dict)
    priority: int = 0
    query: str | None = None
    then: Steps | None = None

    def body(self) -> dict[str, Any]:
        """Return it as the API takes it; raises BadInput where nothing is chosen."""
        made: dict[str, Any] = {
            "template": given.text(self.template, "a template's name"),
            "parameters": dict(self.parameters),
        }
        if self.query is not None:
            made["query"] = self.query
        else:
            listed = [self.images] if isinstance(self.images, Image | str) else self.images
            chosen = listed if isinstance(listed, Search) else given.several(listed, WANTED)
            if not chosen:
                raise BadInput(f"no image to run {self.template} on: the selection is empty")
            made |= named(chosen, "images")
        if self.inputs:
            made["inputs"] = uids(self.inputs)
        if self.priority:
            made["priority"] = self.priority
        if then := bodies(self.then):
            made["then"] = then
        return made


@dataclass(frozen=True, slots=True)
class WrongCell:
    """A cell of a table that is not right; rows count from 1, the header's."""

    row: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"row {self.row}, {self.column}: {self.message}"


@dataclass(frozen=True, slots=True)
class TablePreview:
    """What a table of images and parameters would run: it is taken where nothing is wrong."""

    rows: int
    ready: int
    wrong: list[WrongCell]

    def __bool__(self) -> bool:
        return not self.wrong

    def __str__(self) -> str:
        said = f"{self.ready} of {self.rows} rows can run"
        return "\n".join([said, *map(str, self.wrong)])

    def _repr_html_(self) -> str:
        rows = [[cell.row, cell.column, cell.message] for cell in self.wrong]
        said = f"<p>{self.ready} of {self.rows} rows can run</p>"
        return said + (display.table(["row", "column", "what is wrong"], rows) if rows else "")


def table(
    template: str,
    csv: str,
    project: str | None,
    inputs: Inputs | None,
    priority: int,
    parameters: Mapping[str, Any],
) -> dict[str, Any]:
    """Return a table as the API takes it."""
    made: dict[str, Any] = {"template": template, "csv": given.text(csv, "the table, as CSV text")}
    if project is not None:
        made["project"] = project
    if inputs:
        made["inputs"] = uids(inputs)
    if priority:
        made["priority"] = priority
    return made | {"parameters": dict(parameters)}


def seen(answer: Mapping[str, Any]) -> TablePreview:
    """Return the service's answer as an object."""
    return TablePreview(
        answer["rows"], answer["ready"], [WrongCell(**cell) for cell in answer["wrong"]]
    )


def uids(inputs: Inputs) -> dict[str, list[str]]:
    """Return further inputs as the API takes them."""
    return {role: _uids(images) for role, images in inputs.items()}


def _uids(images: Image | str | Iterable[Image | str]) -> list[str]:
    listed = [images] if isinstance(images, Image | str) else images
    return [one if isinstance(one, str) else one.uid for one in listed]
