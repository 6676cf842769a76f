"""JSON Schema of the parameters takes what a run takes, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from cid_server_ext.core.templates import manifest, parameters, schema
from cid_server_ext.errors import BadParameter

jsonschema = pytest.importorskip("jsonschema")

PARAMETERS = {
    "number": {"type": "number", "minimum": -1, "maximum": 10.5, "default": 1, "unit": "µm"},
    "free": {"type": "number", "default": 0.5},
    "integer": {"type": "integer", "minimum": 0, "maximum": 5, "default": 3},
    "boolean": {"type": "boolean", "default": True},
    "choice": {"type": "choice", "choices": ["fast", "good", "1"], "default": "fast"},
    "text": {"type": "text", "default": "a"},
    "channel": {"type": "channel", "default": 0, "title": "Channel", "help": "Of the nuclei."},
}
VALUES = [
    *(None, True, False, 0, 1, -1, 3, 5, 6, 10.5, 10.6, 1.0, 2.5, -0.5, 1e300, -(10**30)),
    *("", " ", "\t\n", "fast", "good", "best", "1", "0", "DAPI", " gfp ", "a" * 2000, "a" * 2001),
    *([], ["fast"], {}, {"a": 1}, "\u00a0", "\u2028", "\x1f", "é" * 2000, "𝕏" * 2000),
]
TEMPLATE = manifest.read(
    {
        "template": {"name": "all-types", "version": "1.0.0", "title": "All types"},
        "parameters": PARAMETERS,
    }
)
VALIDATOR = jsonschema.Draft202012Validator(schema.of(TEMPLATE))


def taken(template: manifest.Manifest, given: dict[str, Any]) -> bool:
    try:
        parameters.checked(template, given)
    except BadParameter:
        return False
    return True


def test_it_is_a_schema_of_2020_12() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.of(TEMPLATE))
    told = schema.of(TEMPLATE)["properties"]
    assert told["number"] == {
        "type": "number",
        "default": 1,
        "minimum": -1.0,
        "maximum": 10.5,
        "x-unit": "µm",
    }
    assert (told["channel"]["title"], told["channel"]["description"]) == (
        "Channel",
        "Of the nuclei.",
    )


@pytest.mark.parametrize("name", PARAMETERS)
def test_what_one_takes_the_other_takes(name: str) -> None:
    both = [(VALIDATOR.is_valid({name: v}), taken(TEMPLATE, {name: v})) for v in VALUES]
    assert [v for v, (one, other) in zip(VALUES, both, strict=True) if one != other] == []
    assert {one for one, _ in both} == {True, False}


def test_what_is_missing_or_unknown_is_refused_by_both() -> None:
    needs = manifest.read(
        {
            "template": {"name": "needs-one", "version": "1.0.0", "title": "Needs one"},
            "parameters": {"note": {"type": "text"}},
        }
    )
    validator = jsonschema.Draft202012Validator(schema.of(needs))
    for given in ({}, {"note": "a", "__import__('os')": 1}, {"note": "a"}):
        assert validator.is_valid(given) == taken(needs, given) == (given == {"note": "a"})


def test_a_number_that_no_machine_holds_is_refused_by_name() -> None:
    assert not taken(TEMPLATE, {"free": 10**400})
