"""Parameters of a run: checked against the manifest before papermill sees a name or a value."""

from __future__ import annotations

import difflib
from typing import Any

from ...errors import BadParameter
from .manifest import Manifest


def checked(manifest: Manifest, given: dict[str, Any]) -> dict[str, Any]:
    """Return every parameter of the template with its value, defaults filled in.

    Raises BadParameter naming the unknown, missing or ill-typed one.
    """
    title = manifest.template.name
    for name in given:
        if name not in manifest.parameters:
            raise BadParameter(_unknown(title, name, list(manifest.parameters)))
    values: dict[str, Any] = {}
    for name, parameter in manifest.parameters.items():
        value = given.get(name, parameter.default)
        if value is None:
            raise BadParameter(f"{title} needs the parameter {name} ({parameter.type})")
        try:
            values[name] = parameter.check(name, value)
        except ValueError as error:
            raise BadParameter(f"{title}: {error}") from None
    return values


def _unknown(title: str, name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"it takes {', '.join(known) or 'none'}"
    return f"{title} has no parameter {name!r}: {hint}"
