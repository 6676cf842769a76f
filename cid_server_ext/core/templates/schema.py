"""A template's parameters as JSON Schema (draft 2020-12): it takes what `parameters` takes."""

from __future__ import annotations

from typing import Any

from .manifest import Manifest, Parameter

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LONGEST = 2000  # characters of a text


def of(manifest: Manifest) -> dict[str, Any]:
    """Return the schema of the parameters of one run."""
    about = manifest.template
    return {
        "$schema": DIALECT,
        "title": f"{about.title} {about.version}",
        "description": about.summary,
        "type": "object",
        "properties": {name: _one(told) for name, told in manifest.parameters.items()},
        "required": [name for name, told in manifest.parameters.items() if told.default is None],
        "additionalProperties": False,
    }


def _one(parameter: Parameter) -> dict[str, Any]:
    said = {
        "title": parameter.title,
        "description": parameter.help,
        "default": parameter.default,
        "x-unit": parameter.unit,  # JSON Schema has no word for it
    }
    limits = {"minimum": parameter.minimum, "maximum": parameter.maximum}
    return {
        **{word: value for word, value in said.items() if value not in (None, "")},
        **_type(parameter),
        **{word: value for word, value in limits.items() if value is not None},
    }


def _type(parameter: Parameter) -> dict[str, Any]:
    if parameter.type == "choice":
        return {"type": "string", "enum": parameter.choices}
    if parameter.type == "text":
        return {"type": "string", "maxLength": LONGEST}
    if parameter.type == "channel":
        name = {"type": "string", "pattern": r"\S", "maxLength": LONGEST}
        return {"anyOf": [{"type": "integer", "minimum": 0}, name], "x-type": "channel"}
    return {"type": parameter.type}
