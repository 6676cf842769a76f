from __future__ import annotations

import math
from typing import Any

import pytest
import world

from cid_server_ext.core.templates import manifest, parameters
from cid_server_ext.errors import BadInput, BadParameter

RAW = {
    "template": {"name": "all-types", "version": "1.0.0", "title": "All types"},
    "parameters": {
        "sigma": {"type": "number", "default": 1.0, "minimum": 0, "maximum": 10},
        "size": {"type": "integer", "default": 3},
        "split": {"type": "boolean", "default": True},
        "mode": {"type": "choice", "choices": ["fast", "good"], "default": "fast"},
        "note": {"type": "text"},
    },
}
TEMPLATE = manifest.read(RAW)


def test_defaults_are_filled_in_and_types_made_plain() -> None:
    values = parameters.checked(TEMPLATE, {"note": "hi", "sigma": 2, "size": 4.0})
    assert values == {"sigma": 2.0, "size": 4, "split": True, "mode": "fast", "note": "hi"}
    assert type(values["sigma"]) is float
    assert type(values["size"]) is int


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "needs the parameter note"),
        ({"note": "a", "sgima": 1}, "no parameter 'sgima': did you mean sigma?"),
        ({"note": "a", "__import__": 1}, "no parameter '__import__': it takes"),
        ({"note": "a", "sigma": "wide"}, "sigma takes a number, not 'wide'"),
        ({"note": "a", "sigma": True}, "sigma takes a number, not True"),
        ({"note": "a", "sigma": math.nan}, "sigma takes a finite number"),
        ({"note": "a", "sigma": 11}, "sigma is at most 10; not 11"),
        ({"note": "a", "sigma": -0.1}, "sigma is at least 0"),
        ({"note": "a", "size": 2.5}, "size takes a whole number"),
        ({"note": "a", "split": 1}, "split takes true or false"),
        ({"note": "a", "mode": "best"}, "mode is one of fast, good; not 'best'"),
        ({"note": ["a"]}, "note takes text"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadParameter) as refused:
        parameters.checked(TEMPLATE, given)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_text_stays_data() -> None:
    hostile = '"""\nimport os\nos.system("x")\n\'\'\''
    assert parameters.checked(TEMPLATE, {"note": hostile})["note"] == hostile


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"parameters": {"Bad Name": {"type": "number"}}}, "parameters"),
        ({"parameters": {"a": {"type": "numbr"}}}, "parameters.a.type"),
        ({"parameters": {"a": {"type": "number", "default": "x"}}}, "takes a number"),
        ({"parameters": {"a": {"type": "choice"}}}, "a choice needs choices"),
        ({"outptus": {}}, "outptus"),
    ],
)
def test_a_manifest_with_a_mistake_is_refused_naming_the_key(
    change: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadInput) as refused:
        manifest.read({**world.MANIFEST, **change})
    assert said in str(refused.value)
