"""What changed from one version of a template to another: cells, parameters, the manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ...db.tables import Template
from ...errors import BadInput
from . import notebook_diff

LONGEST = 1_000_000  # characters of both notebooks: comparing costs more than their length


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of the manifest, or of one parameter, that is another: `inputs.axes`."""

    change: Literal["added", "removed", "changed"]
    key: str
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True)
class Difference:
    """All of it; nothing where both are alike."""

    cells: list[notebook_diff.Cell]
    parameters: list[Entry]
    manifest: list[Entry]


def between(before: Template, after: Template) -> Difference:
    """Return what changed, or raise BadInput for notebooks that are too long to compare."""
    if len(before.notebook) + len(after.notebook) > LONGEST:
        raise BadInput("these notebooks are too long to compare here: read both versions")
    old, new = dict(before.manifest), dict(after.manifest)
    parameters = _entries(_flat(old.pop("parameters", {})), _flat(new.pop("parameters", {})))
    cells = notebook_diff.cells(before.notebook, after.notebook)
    return Difference(cells, list(parameters), list(_entries(_flat(old), _flat(new))))


def _flat(value: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Return nested tables as one: {"inputs.axes": "yx"}."""
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            flat |= _flat(inner, f"{above}{name}.")
        else:
            flat[f"{above}{name}"] = inner
    return flat


def _entries(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Entry]:
    for key in sorted({*old, *new}):
        if key not in old:
            yield Entry("added", key, after=new[key])
        elif key not in new:
            yield Entry("removed", key, before=old[key])
        elif old[key] != new[key]:
            yield Entry("changed", key, old[key], new[key])
