"""What a template promised to write, held against what its run wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...db.tables import Template
from .manifest import Outputs

KINDS = {"labels": "labels", "images": "image", "tables": "table", "figures": "figure"}
KINDS |= {"files": "file"}


def complaint(template: Template, written: Mapping[str, Any]) -> str:
    """Say what a run that is done did not write; nothing when it kept its template's promises.

    `written` is its manifest: `{"outputs": [{"kind", "name"}], "metrics": {...}}`. What revision
    0001 published promised nothing.
    """
    if template.seal is None or written.get("state", "done") != "done":
        return ""
    missing = broken(Outputs.model_validate(template.manifest["outputs"]), written)
    name = f"{template.name} {template.version}"
    told = f"it did not write {', '.join(missing)}, which template.toml of {name} promises"
    return told if missing else ""


def broken(promised: Outputs, written: Mapping[str, Any]) -> list[str]:
    """Return what is promised and not there, such as `labels 'cells'`."""
    there = {(one.get("kind"), one.get("name")) for one in written.get("outputs") or ()}
    missing = [
        f"{kind} {name!r}"
        for field, kind in KINDS.items()
        for name in getattr(promised, field)
        if (kind, name) not in there and name not in promised.optional
    ]
    metrics = written.get("metrics") or {}
    left = [name for name in promised.metrics if name not in {*metrics, *promised.optional}]
    return missing + [f"the metric {name!r}" for name in left]
