"""The vocabulary in Python: what it shows, changes and takes back; and on the real service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pretend_vocabulary
import pytest
import tifffile
from pretend import Refused
from processes import STAFF, Service
from speaking import connected
from stage import heard

import cid_client as cid
from cid_widgets import Vocabulary
from cid_widgets.vocabulary.alike import alike, pairs

pytestmark = pytest.mark.usefixtures("bundle")
NAME = "words-widget"
DOCS = Path(__file__).parents[3] / "docs"


def one(vocabulary: Vocabulary, key: str) -> dict[str, Any]:
    return next(term for term in vocabulary.terms if term["key"] == key)


def said(vocabulary: Vocabulary) -> str:
    assert vocabulary.error == ""
    return str(vocabulary.done["text"])


def values(vocabulary: Vocabulary) -> dict[str, int]:
    return {value["text"]: value["n"] for value in vocabulary.shown["values"]}


@pytest.mark.parametrize(
    ("first", "other", "same"),
    [
        ("GFP", "gfp protein", True),
        ("wild type", "wild-type", True),
        ("HEK 293", "hek293", True),
        ("nocodazole", "Nocodazol", True),
        ("Müller", "muller", True),
        ("Alexa 488", "Alexa 568", False),
        ("DAPI", "DAPI 405", False),
        ("GFP", "YFP", False),
        ("+", "-", False),
    ],
)
def test_spellings_are_alike_where_words_are_and_numbers_do_not_differ(
    first: str, other: str, same: bool
) -> None:
    assert alike(first, other) is alike(other, first) is same


def test_each_spelling_stands_beside_the_first_that_it_is_like() -> None:
    assert pairs(["GFP", "DAPI", "gfp protein", "gfp", "dapi"]) == [(0, 2), (0, 3), (1, 4)]


def test_terms_are_told_with_how_they_are_used() -> None:
    catalog = pretend_vocabulary.filled()
    vocabulary = Vocabulary(catalog, "demo")
    assert (vocabulary.error, vocabulary.manages) == ("", True)
    cells = one(vocabulary, "Cell type")
    assert (cells["records"], cells["top"], cells["count"]) == (
        460,
        ["HeLa", "HEK 293", "COS-7"],
        5,
    )
    assert (cells["edit"], cells["edit_values"]) == (False, True)
    assert one(vocabulary, "Staining")["records"] == 480  # several values on one record
    assert (one(vocabulary, "Staining")["alike"], cells["alike"]) == (1, 1)
    assert one(vocabulary, "Section")["span"] == "0.5 to 12 µm"
    assert vocabulary.would_change("cell type") == 460
    assert vocabulary.would_change("Staining", "gfp protein") == 3

    vocabulary.opened = "Staining"
    assert vocabulary.opened == "t-Staining"
    texts = list(values(vocabulary))
    assert [[texts[n] for n in pair] for pair in vocabulary.shown["pairs"]] == [
        ["GFP", "gfp protein"]
    ]
    vocabulary.opened = "Treatment"
    into = {uid.removeprefix("t-") for uid in vocabulary.shown["into"]}
    assert into == {"Cell type", "Staining", "Cell line", "Denoising", "Objective"}  # of its type

    catalog.uncountable = Refused("keys: fewer of them at once")
    vocabulary.refresh()
    assert (vocabulary.error, one(vocabulary, "Cell type")["records"]) == ("", None)
    assert vocabulary.count_error == "keys: fewer of them at once"


def test_each_change_says_what_it_did_and_is_taken_back() -> None:
    catalog = pretend_vocabulary.filled()
    vocabulary = Vocabulary(catalog, "demo")
    vocabulary.opened = "Staining"
    vocabulary.rename_value("Staining", "gfp protein", "GFP")
    assert said(vocabulary) == "3 records changed: “gfp protein” is “GFP” now."
    assert values(vocabulary)["GFP"] == 123
    assert catalog.changes()[-1] == ("rename value", "Staining", "gfp protein", "GFP", "demo")
    vocabulary.undo()
    assert (said(vocabulary), values(vocabulary)["GFP"]) == ("Taken back.", 120)
    vocabulary.rename_value("Fixation", "methanol", "MeOH")
    assert catalog.changes()[-1][-1] is None  # the project's own term: all of it is there

    vocabulary.rename("Section", "Slice")
    assert said(vocabulary) == "312 records changed: “Section” is “Slice” now."
    vocabulary.opened = "Cell line"
    vocabulary.merge("Cell line", into="Cell type")
    assert (
        said(vocabulary) == "12 records changed: “Cell line” went into “Cell type” and is retired."
    )
    assert (vocabulary.opened, one(vocabulary, "Cell line")["retired"]) == ("t-Cell type", True)
    vocabulary.undo()
    assert one(vocabulary, "Cell line")["retired"] is False
    vocabulary.retire("Slice")
    assert one(vocabulary, "Slice")["retired"] is True
    vocabulary.bring_back("Slice")
    assert said(vocabulary) == "“Slice” is offered again."

    vocabulary.add("Cell types", type="choice", values=["a", "b"])
    assert "“Cell types” was added. It is spelled much like “Cell type”" in said(vocabulary)
    vocabulary.declare("Cell types", "c")
    assert said(vocabulary) == "“c” is declared in “Cell types”."
    vocabulary.opened = "Cell types"
    assert list(values(vocabulary)) == ["a", "b", "c"]
    vocabulary.undo()
    assert list(values(vocabulary)) == ["a", "b"]


def test_what_is_refused_is_one_line_and_changes_nothing() -> None:
    catalog = pretend_vocabulary.filled()
    vocabulary = Vocabulary(catalog, "demo")
    vocabulary.rename("Sektion", "Slice")
    assert vocabulary.error == "no term 'Sektion' here: look at its spelling, or refresh"
    vocabulary.rename_value("Staining", "RFP", "GFP")
    assert vocabulary.error.startswith("no value 'RFP' of 'Staining' here")
    vocabulary.rename("Section", "Fixation")
    assert vocabulary.error == "key: this project has a term 'Fixation' already"
    assert (vocabulary.done, one(vocabulary, "Section")["records"]) == (None, 312)
    catalog.trouble = Refused("the catalog is away")
    vocabulary.refresh()
    assert (vocabulary.error, len(vocabulary.terms)) == ("the catalog is away", 11)


@pytest.mark.parametrize(
    ("how", "project", "why"),
    [
        ({"role": "viewer"}, "demo", "Managers of demo change its terms: ask mia."),
        ({"state": "closed"}, "demo", "demo is closed: its vocabulary does not change."),
        ({}, None, "Facility staff changes these terms."),
        ({"role": None, "staff": True}, "demo", ""),
        ({"staff": True}, None, ""),
    ],
)
def test_who_may_not_change_it_is_told_whom_to_ask(
    how: dict[str, Any], project: str | None, why: str
) -> None:
    vocabulary = Vocabulary(pretend_vocabulary.filled(**how), project)
    assert (vocabulary.why, vocabulary.manages) == (why, not why)
    own = [term["key"] for term in vocabulary.terms if term["edit"]]
    assert bool(own) is not bool(why)


@pytest.fixture
def people(service: Service, tmp_path: Path) -> Iterator[dict[str, cid.Catalog]]:
    members = {"mina": "manager", "tilo": "contributor"}
    body = {"name": NAME, "team": "words", "limit": 10**8, "members": members}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    made = {name: connected(service, name) for name in members}
    made["staff"] = connected(service, STAFF)
    for n in range(3):
        path = tmp_path / f"cell {n}.tif"
        tifffile.imwrite(path, np.full((8, 8), n, "uint8"))
        made["tilo"].upload(path, NAME, "plate 1")
    yield made
    for catalog in made.values():
        catalog.close()


def test_on_the_service_every_use_changes_and_comes_back(people: dict[str, cid.Catalog]) -> None:
    mina, tilo, staff = people["mina"], people["tilo"], people["staff"]
    images = list(tilo.search(project=NAME))
    tilo.annotate(images[:2], add={"Staining": ["GFP", "DAPI"]})
    tilo.annotate(images[2:], add={"Staining": ["GFP protein"]}, set={"Passage": 7})
    tilo.annotate(images, set={"Cell lines": "HeLa"})
    vocabulary = Vocabulary(mina, NAME)
    assert (vocabulary.error, vocabulary.count_error, vocabulary.manages) == ("", "", True)
    counted = {
        key: one(vocabulary, key)["records"] for key in ("Staining", "Passage", "Cell lines")
    }
    assert counted == {"Staining": 3, "Passage": 1, "Cell lines": 3}
    assert one(vocabulary, "Passage")["span"] == "7"
    vocabulary.opened = "Staining"
    [[keep, other]] = vocabulary.shown["pairs"]
    shown = vocabulary.shown["values"]
    asked = {"term": vocabulary.opened, "value": shown[other]["uid"], "to": shown[keep]["text"]}
    heard(vocabulary, method="custom", content={"ask": "rename_value", **asked})
    assert said(vocabulary) == "1 record changed: “GFP protein” is “GFP” now."
    assert values(vocabulary) == {"GFP": 3, "DAPI": 2}
    assert mina.search("staining=GFP", project=NAME).count() == 3
    heard(vocabulary, method="custom", content={"ask": "undo"})
    assert (said(vocabulary), values(vocabulary)["GFP protein"]) == ("Taken back.", 1)

    vocabulary.merge("Cell lines", "Cell type")
    assert said(vocabulary).startswith("3 records changed: “Cell lines” went into “Cell type”")
    assert mina.search(cell_type="HeLa", project=NAME).count() == 3
    vocabulary.undo()
    vocabulary.rename("Cell lines", "Line")
    assert (said(vocabulary)[:9], tilo.search("line:hela", project=NAME).count()) == (
        "3 records",
        3,
    )
    vocabulary.retire("Line")
    vocabulary.add("Lines", type="choice", values=["HeLa", "COS-7"], help="as the bank has it")
    vocabulary.declare("Lines", ["U2OS"])
    vocabulary.opened = "Lines"
    assert set(values(vocabulary)) == {"HeLa", "COS-7", "U2OS"}

    reader = Vocabulary(tilo, NAME)
    assert reader.why == f"Managers of {NAME} change its terms: ask mina."
    reader.retire("Lines")
    assert "role manager" in reader.error
    vocabulary.rename("Staining", "Stain")
    assert "staff" in vocabulary.error

    page = (DOCS / "staff" / "vocabulary.md").read_text(encoding="utf-8")
    snippets = re.findall(r"```python\n(.*?)```", page.replace('"demo"', f'"{NAME}"'), re.DOTALL)
    kernel: dict[str, Any] = {"catalog": mina}
    for snippet in [one for one in snippets if "ocabulary" in one]:
        exec(compile(snippet, "vocabulary.md", "exec"), kernel)
    assert said(kernel["vocabulary"]) == "Taken back."
    assert kernel["vocabulary"].would_change("Line", "HeLa") == 3

    facility = Vocabulary(staff)
    facility.add("Words widget", type="number", unit="µm")
    assert said(facility).startswith("“Words widget” was added.")
    assert one(facility, "Words widget")["edit"] is True
    facility.undo()
    assert "Words widget" not in [term["key"] for term in facility.terms]
