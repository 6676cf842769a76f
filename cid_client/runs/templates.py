"""Templates: the processing notebooks one can run, and the parameters they take."""

from __future__ import annotations

from typing import Any

from .. import display
from ..records.record import Field, Record
from ..wire.session import segment


class Template(Record):
    """The newest published version of one template."""

    collection = "templates"

    name = Field[str]()
    version = Field[str]()
    digest = Field[str]()
    title = Field[str]()
    summary = Field[str]()
    parameters = Field[dict[str, dict[str, Any]]]()
    manifest = Field[dict[str, Any]]()

    @property
    def path(self) -> str:
        """Where the API has it: templates go by name."""
        return f"{self.collection}/{segment(self.record['name'])}"

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        return [
            ("name", self.name),
            ("version", self.version),
            ("title", self.title),
            ("parameters", ", ".join(self.parameters)),
        ]

    def _repr_html_(self) -> str:
        head = ["parameter", "type", "default", "range", "unit", "what it does"]
        lines = [[name, *_columns(told)] for name, told in self.parameters.items()]
        summary = f"<p>{display.cell(self.summary)}</p>"
        return display.facts(self.facts()[:3]) + summary + display.table(head, lines)


def _columns(told: dict[str, Any]) -> list[Any]:
    return [
        told.get("type"),
        told.get("default"),
        _range(told),
        told.get("unit"),
        told.get("help"),
    ]


def _range(told: dict[str, Any]) -> str:
    if told.get("choices"):
        return ", ".join(map(str, told["choices"]))
    low, high = told.get("minimum"), told.get("maximum")
    if low is None and high is None:
        return ""
    return f"{'…' if low is None else f'{low:g}'} to {'…' if high is None else f'{high:g}'}"
