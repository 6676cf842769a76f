"""Parameters of a run: checked against the manifest before papermill sees a name or a value."""

from __future__ import annotations

import difflib
from typing import Any

from ...errors import BadParameter
from .manifest import Manifest


def checked(manifest: Manifest, given: dict[str, Any]) -> dict[str, Any]:
    """Return every parameter of the template with its value, defaults filled in.

    Raises BadParameter with what is wrong; its `fields` say of each unknown, missing or ill-typed
    one why.
    """
    values, wrong = each(manifest, given)
    if wrong:
        fields = [{"field": name, "message": message} for name, message in wrong]
        raise BadParameter(f"{manifest.template.name}: {wrong[0][1]}", fields)
    return values


def each(manifest: Manifest, given: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the values that are right, defaults filled in, and (name, what is wrong) of others."""
    wrong = [
        (name, _unknown(name, list(manifest.parameters)))
        for name in given
        if name not in manifest.parameters
    ]
    values: dict[str, Any] = {}
    for name, parameter in manifest.parameters.items():
        value = given.get(name, parameter.default)
        if value is None:
            wrong.append((name, f"it needs the parameter {name} ({parameter.type})"))
            continue
        try:
            values[name] = parameter.check(name, value)
        except ValueError as error:
            wrong.append((name, str(error)))
    return values, wrong


def _unknown(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"it takes {', '.join(known) or 'none'}"
    return f"there is no parameter {name!r}: {hint}"
