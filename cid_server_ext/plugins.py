"""What other packages bring: entry points, by the group that says where they go.

They are code that staff installed, and run with the rights of the process that asks for them.
"""

from __future__ import annotations

import logging
from importlib.metadata import entry_points
from typing import Any, TypeVar

from .errors import BadInput

log = logging.getLogger("cid.plugins")

Kind = TypeVar("Kind")


def installed(group: str, kind: type[Kind]) -> list[Kind]:
    """Return what packages bring to a group, by the names of the entry points.

    What does not load, or is of another kind, is left out, and the log says why: one package must
    not keep all others away.
    """
    found: list[Kind] = []
    for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
        try:
            thing = entry.load()
        except Exception as error:
            log.warning("%s %r is left out: %s: %s", group, entry.name, type(error).__name__, error)
            continue
        if isinstance(thing, kind):
            found.append(thing)
        else:
            log.warning("%s %r is left out: it is no %s", group, entry.name, kind.__name__)
    return found


def chosen(group: str, name: str) -> Any:
    """Return the one that is called `name`, or raise BadInput naming those that there are."""
    entries = {entry.name: entry for entry in entry_points(group=group)}
    if name not in entries:
        there = ", ".join(sorted(entries)) or "none is installed"
        raise BadInput(f"no package brings {name!r} to {group} ({there})")
    return entries[name].load()
