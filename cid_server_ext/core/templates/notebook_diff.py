"""What changed between two notebooks, cell by cell; outputs and metadata do not count."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

MOST_CELLS = 2000  # pairing cells takes their product


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell that differs: where it stands before and after, from 1, and its lines as a diff."""

    change: Literal["added", "removed", "changed"]
    kind: str  # code, markdown, raw
    before: int | None
    after: int | None
    lines: list[str]


def cells(before: str, after: str) -> list[Cell]:
    """Return the cells that differ between two notebooks (nbformat JSON), in their order."""
    old, new = _plain(before), _plain(after)
    if old == new:
        return []
    return list(_changed(old["cells"], new["cells"]))


def _changed(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[Cell]:
    gap = 0  # how much further down a cell of the old one stands in the new one
    for operation in _operations(old, new):
        at = operation["key"]
        if operation["op"] == "addrange":
            added = len(operation["valuelist"])
            for place in range(at + gap, at + gap + added):
                yield _cell("added", None, place, {}, new[place])
            gap += added
        elif operation["op"] == "removerange":
            for place in range(at, at + operation["length"]):
                yield _cell("removed", place, None, old[place], {})
            gap -= operation["length"]
        elif old[at] != new[at + gap]:
            yield _cell("changed", at, at + gap, old[at], new[at + gap])


def _operations(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what nbdime does to the list of cells: it pairs those that are alike."""
    if max(len(old), len(new)) > MOST_CELLS:
        whole = [{"op": "addrange", "key": 0, "valuelist": new}] if new else []
        gone = [{"op": "removerange", "key": 0, "length": len(old)}] if old else []
        return [*whole, *gone]
    # imported here: it takes a second that no other request needs
    import nbformat
    from nbdime.diffing.notebooks import diff_notebooks  # type: ignore[import-untyped]

    make: Callable[..., Any] = nbformat.from_dict  # nbformat is not typed
    books = [
        make({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": some})
        for some in (old, new)
    ]
    found = [one for one in diff_notebooks(*books) if one["key"] == "cells"]
    return [dict(operation) for one in found for operation in one["diff"]]


def _cell(
    change: Literal["added", "removed", "changed"],
    before: int | None,
    after: int | None,
    old: dict[str, Any],
    new: dict[str, Any],
) -> Cell:
    was, now = (str(one.get("source", "")).splitlines() for one in (old, new))
    lines = list(difflib.unified_diff(was, now, lineterm=""))[2:]  # without its two file names
    kind = (new or old)["cell_type"]
    return Cell(change, kind, _from_one(before), _from_one(after), lines)


def _from_one(place: int | None) -> int | None:
    return None if place is None else place + 1


def _plain(notebook: str) -> dict[str, Any]:
    """Return only what a person wrote: each cell's kind and source."""
    try:
        found = json.loads(notebook).get("cells", [])
    except (ValueError, AttributeError):
        found = []
    return {"cells": [_written(cell) for cell in found]}


def _written(cell: dict[str, Any]) -> dict[str, Any]:
    source = cell.get("source", "")
    kind = str(cell.get("cell_type", "raw"))
    plain = {"cell_type": kind, "metadata": {}, "source": _text(source)}
    return plain | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def _text(source: Any) -> str:
    return source if isinstance(source, str) else "".join(source)
