"""What changed from one version of a template to another, as text and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .. import display

COLOURS = {"+": "#e6ffec", "-": "#ffebe9"}


class Difference:
    """Cells and values that differ; `bool` says whether anything does. `record` has all of it."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self.record = dict(record)
        self.cells: list[dict[str, Any]] = self.record["cells"]
        self.parameters: list[dict[str, Any]] = self.record["parameters"]
        self.manifest: list[dict[str, Any]] = self.record["manifest"]

    @property
    def title(self) -> str:
        """Which versions it is about."""
        told = self.record
        return f"{told['template']} {told['version']} -> {told['to']}"

    def __bool__(self) -> bool:
        return bool(self.cells or self.parameters or self.manifest)

    def __str__(self) -> str:
        return "\n".join([self.title, *(self._lines() if self else ["nothing differs"])])

    def _lines(self) -> Iterator[str]:
        for what, entries in (("parameter", self.parameters), ("manifest", self.manifest)):
            for one in entries:
                yield f"{what} {one['key']} {one['change']}: {one['before']!r} -> {one['after']!r}"
        for cell in self.cells:
            yield f"cell {cell['after'] or cell['before']} ({cell['kind']}) {cell['change']}"
            yield from (f"  {line}" for line in cell["lines"])

    def _repr_html_(self) -> str:
        values = [
            [one["key"], one["change"], one["before"], one["after"]]
            for one in (*self.parameters, *self.manifest)
        ]
        head = ["what", "", "before", "after"]
        table = display.table(head, values) if values else ""
        return f"<p>{display.cell(self.title)}</p>{table}{''.join(map(_cell, self.cells))}"


def _cell(cell: Mapping[str, Any]) -> str:
    where = f"cell {cell['after'] or cell['before']} ({cell['kind']}) {cell['change']}"
    lines = "".join(
        f"<div style='background:{COLOURS.get(line[:1], 'none')}'>{display.cell(line)}</div>"
        for line in cell["lines"]
    )
    return f"<p>{display.cell(where)}</p><pre style='line-height:1.3'>{lines}</pre>"
