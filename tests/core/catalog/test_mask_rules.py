"""A mask's document and its rules: what is read, what is refused and where, what a file says."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cid_server_ext.core.catalog import (
    mask_changes,
    mask_document,
    mask_rules,
    mask_text,
    masked,
    typed,
)
from cid_server_ext.core.catalog.mask_document import Mask
from cid_server_ext.errors import BadInput
from cid_server_ext.ingest import items

SCHEMA = Path(__file__).parents[3] / "docs" / "staff" / "mask.schema.json"
WHOLE = r"""
# what we must know of the confocal's images
mask: Confocal
help: Ask staff when a line is not in the list.
closed: true
filename: (?P<cell_line>[^_]+)_(?P<day>\d{4}-\d\d-\d\d)_.*\.(?:lif|tif)
machine: [Objective, Lasers, Calibration z]
fields:
  - key: Cell line
    type: ontology
    required: true
    choices: [HeLa <CLO:0003684>, U2OS <CLO:0009454>]
  - {key: Fixed, type: date, from: filename.day}
  - key: Exposure
    type: number
    unit: ms
    minimum: 1
    maximum: 1000
  - key: Dish
    type: choice
    choices: [1, 2, no]
    default: 2
  - key: Antibody
    type: id
    scheme: rrid
    many: true
  - key: Room
    from: instrument.room
    required: true
"""
NAME = "u2os_2026-02-03_7.lif"


def mask(text: str) -> Mask:
    told, lines = mask_text.read(text)
    found, wrong = mask_document.shape(told, lines)
    mask_rules.check(found, wrong)
    wrong.refuse()
    return found


def said(
    name: str, given: dict[str, Sequence[Any]], facts: dict[str, str] | None = None
) -> tuple[dict[str, tuple[list[str], str]], dict[str, str]]:
    found = mask_rules.judge(mask(WHOLE), name, given, {"room": "B 12"} if facts is None else facts)
    values = {one.key: ([typed.shown(v) for v in one.values], one.source) for one in found.said}
    return values, dict(found.wrong)


def test_a_document_is_read_as_people_mean_it_and_written_back_the_same() -> None:
    whole = mask(WHOLE)
    assert [one.key for one in whole.fields][:2] == ["Cell line", "Fixed"]
    assert whole.fields[3].choices == [1, 2, "no"]
    again = mask_text.written(whole.body)
    assert mask(again) == whole
    assert mask_text.written(mask(again).body) == again
    odd = {
        "mask": "No",
        "help": "- 12: #x",
        "fields": [
            {"key": k} for k in ("1e3", "~", "on", "2026-01-01", "12:30", "0x1F", "é\u00a0é")
        ],
    }
    assert mask_text.read(mask_text.written(odd))[0] == odd
    schema = mask_document.Mask.model_json_schema()
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == schema


@pytest.mark.parametrize(
    ("text", "line", "field", "why"),
    [
        ("mask: A\nfeilds: []", 2, "", "did you mean 'fields'"),
        ("mask: A\nfields:\n- key: B\n  requird: true", 4, "B", "did you mean 'required'"),
        ("mask: A\nfields:\n- key: B\n  required: yes", 4, "B", "true or false"),
        ("mask: A\nfields:\n- key: 12", 3, "12", "in quotes"),
        ("mask: A\nfields:\n- Cell", 3, "field 1", "keys and values"),
        ("mask: A\nfields:\n- key: B\n  choices: [[1]]", 4, "B", "a text or a number"),
        ("mask: A\nfields:\n- required: true", 3, "field 1", "key: is missing"),
        ("mask: A\nfields:\n- key: B\n- key: b", 4, "b", "another field is called so"),
        ("mask: A\nfields:\n- key: B\n  unit: ms", 4, "B", "only a number"),
        ("mask: A\nfields:\n- key: B\n  type: number\n  unit: zork", 5, "B", "not known"),
        ("mask: A\nfields:\n- key: B\n  type: choice", 3, "B", "a choice has some"),
        ("mask: A\nfields:\n- key: B\n  type: ontology\n  choices: [x]", 5, "B", "needs its IRI"),
        ("mask: A\nfields:\n- key: B\n  type: id", 3, "B", "scheme"),
        ("mask: A\nfields:\n- key: B\n  pattern: x", 4, "B", "of the scheme own"),
        ("mask: A\nfields:\n- key: B\n  type: number\n  many: true", 5, "B", "one number"),
        ("mask: A\nfields:\n- key: B\n  type: number\n  default: x", 5, "B", "a number, not 'x'"),
        ("mask: A\nfields:\n- key: B\n  choices: [x]\n  default: y", 5, "B", "not one of 'x'"),
        (
            "mask: A\nfields:\n- key: B\n  type: number\n  minimum: 2\n  maximum: 1",
            6,
            "B",
            "less than the minimum",
        ),
        ("mask: A\nfields:\n- key: B\n  from: filname.x", 4, "B", "did you mean filename.x"),
        ("mask: A\nfields:\n- key: B\n  from: filename.x", 4, "B", "no named group"),
        ("mask: A\nfields:\n- key: B\n  from: instrument.roof", 4, "B", "instrument. and one of"),
        ("mask: A\nfilename: (a+)+b", 2, "", "repeats a group"),
        ("mask: A\nclosed: true\nfilename: (?P<b>a)", 3, "", "'b' is no field"),
        ("mask: A\nmachine: [Lamp]", 2, "", "'Lasers'"),
        ("mask: &x A\nhelp: *x", 1, "", "anchors, aliases"),
        ("mask: A\nmask: B", 2, "mask", "stands twice"),
        ("mask: !!python/object:os.system A", 1, "", "tags"),
        ("mask: A\n---\nmask: B", 2, "", "one document"),
        ("mask: A\nhelp: 'x", 2, "", "quoted scalar"),
        ("[" * 60_000, 1, "", "nested deeper"),
        ('mask: A\nhelp: "a\\0b"', 2, "", "control characters"),
        ('mask: A\nhelp: "\\uD800"', 2, "", "surrogate"),
        ("mask: A\nfields:\n- key: B\n  type: number\n  minimum: 1e999", 5, "B", "not too large"),
        ("- a", None, "", "keys and values"),
        ("", None, "", "empty"),
        ("x" * 70_000, None, "", "at most"),
    ],
)
def test_what_is_wrong_in_a_document_is_told_by_line_and_field(
    text: str, line: int | None, field: str, why: str
) -> None:
    began = time.monotonic()
    with pytest.raises(BadInput) as refused:
        mask(text)
    assert time.monotonic() - began < 10
    told = list(refused.value.fields) or [
        {"line": None, "field": "", "message": str(refused.value)}
    ]
    assert (told[0]["line"], told[0]["field"]) == (line, field)
    assert why in told[0]["message"]


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_lines() -> None:
    with pytest.raises(BadInput, match=r"^line 1: .*\(and 2 more\)$") as refused:
        mask("mask: 1\nfields:\n- key: B\n  type: nmber\n  x: 1")
    assert [one["line"] for one in refused.value.fields] == [1, 4, 5]


def test_a_value_comes_from_the_person_then_the_name_then_the_register_then_the_default() -> None:
    values, wrong = said(NAME, {"exposure": ["0.25 s"], "ANTIBODY": ["AB_1", "RRID:AB_2"]})
    assert wrong == {}
    assert values == {
        "Cell line": (["U2OS"], "file"),
        "Fixed": (["2026-02-03"], "file"),
        "Exposure": (["250 ms"], "person"),
        "Dish": (["2"], "mask"),
        "Antibody": (["RRID:AB_1", "RRID:AB_2"], "person"),
        "Room": (["B 12"], "instrument"),
    }
    values, _ = said(NAME, {"Cell line": ["CLO:0003684"], "Dish": ["NO"], "Room": ["C"]})
    assert values["Cell line"] == (["HeLa"], "person")
    assert (values["Dish"], values["Room"]) == ((["no"], "person"), (["C"], "person"))


def test_each_violation_is_one_line_that_says_what_to_do() -> None:
    given: dict[str, Sequence[Any]] = {
        "Exposure": ["2 s"],
        "Dish": [3],
        "Antibody": ["x y"],
        "Cell lin": ["HeLa"],
    }
    values, wrong = said("cell.lif", given, {})
    assert values == {}
    assert wrong[""].startswith("the file's name does not have the form (?P<cell_line>")
    assert wrong["Cell line"] == "is required, and nothing says it"
    assert wrong["Room"] == "is required, and nothing says it"
    assert wrong["Exposure"] == "2000 ms is more than 1000 ms"
    assert wrong["Dish"] == "'3' is not one of '1', '2', 'no'"
    assert wrong["Antibody"].startswith("'x y' is no RRID")
    assert wrong["Cell lin"].endswith("which is closed; did you mean 'Cell line'?")
    _, wrong = said("vero_2026-13-03_1.tif", {"Dish": [1, 2]})
    assert wrong["Cell line"].endswith("(from the file's name)")
    assert "a date like" in wrong["Fixed"]
    assert wrong["Dish"] == "it takes one value, here are 2"


def test_an_open_mask_takes_other_tags_and_groups_that_are_no_fields() -> None:
    free = mask("mask: A\nfilename: (?P<plate_no>\\d+)_.*\nfilename_required: false\n")
    found = mask_rules.judge(free, "12_a.tif", {"Mood": ["good"]}, {})
    assert [(one.key, one.values, one.source) for one in found.said] == [
        ("Mood", ("good",), "person"),
        ("plate no", ("12",), "file"),
    ]
    assert mask_rules.judge(free, "a.tif", {}, {}).wrong == []


def test_what_only_a_person_can_say_is_asked_and_a_mistake_is_not() -> None:
    strict = mask("mask: A\nfields:\n- {key: B, required: true}\n- {key: C, choices: [c]}")
    assert mask_rules.judge(strict, "a.tif", {}, {}).asks == ["B"]
    assert mask_rules.judge(strict, "a.tif", {"B": ["b"]}, {}).asks == []
    assert mask_rules.judge(strict, "a.tif", {"C": ["d"]}, {}).asks == [], "saying B would not do"


def test_what_two_versions_differ_in_is_told_key_by_key() -> None:
    old = mask("mask: A\nfields:\n- key: B\n  unit: ms\n  type: number\n- key: C\n- key: D").body
    new = mask("mask: A\nclosed: true\nfields:\n- key: D\n- {key: b, type: number}\n- key: E").body
    told = [(c["field"], c["key"], c["what"]) for c in mask_changes.between(old, new)]
    assert told == [
        ("", "closed", "added"),
        ("C", "", "removed"),
        ("b", "key", "changed"),
        ("b", "unit", "removed"),
        ("E", "", "added"),
        ("", "fields", "moved"),
    ]
    assert mask_changes.between({}, new) == mask_changes.between(new, new) == []


def test_folders_that_are_one_image_are_judged_once_and_notes_not_at_all() -> None:
    paths = ["p/a.ome.zarr/0/0", "p/a.ome.zarr/0/1", "p/notes.txt", "p/b.TIF", "p/x.nd"]
    assert list(masked.units(paths)) == ["p/a.ome.zarr", "p/b.TIF", "p/x.nd"]
    assert set(items.IMAGES) <= set(masked.IMAGES)
