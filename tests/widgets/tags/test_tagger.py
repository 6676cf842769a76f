from __future__ import annotations

import pretend
import pretend_tags
import pytest
from stage import Wire, heard

from cid_widgets import Tagger

pytestmark = pytest.mark.usefixtures("bundle")


@pytest.fixture
def catalog() -> pretend_tags.Tagged:
    """A plate of 10 images, of which 8 say a cell type."""
    found = pretend_tags.tagged(10)
    found.said = {f"i{n}": {"Staining": ["DAPI"]} for n in range(10)}
    for n in range(8):
        found.said[f"i{n}"]["Cell type"] = ["HeLa" if n < 6 else "HEK 293"]
    return found


def everything(catalog: pretend_tags.Tagged) -> Tagger:
    return Tagger([one["uid"] for one in catalog.records], catalog)


def asked(catalog: pretend_tags.Tagged, *, dry: bool) -> list[dict[str, object]]:
    return [one[2] for one in catalog.asked if one[0] == "annotate" and one[3] is dry]


def test_a_card_is_filled_applied_and_taken_back(catalog: pretend_tags.Tagged) -> None:
    tagger = everything(catalog)
    assert tagger.values["Cell type"] == {"HeLa": 6, "HEK 293": 2}
    assert tagger.changes == {}
    tagger.changes = {"set": {"Cell type": "HeLa"}, "add": {"Staining": ["GFP"]}}
    assert tagger.tag_preview["changed"] == 10
    assert tagger.tag_preview["keys"]["Cell type"]["changed"] == 4
    assert tagger.apply().changed == 10
    wanted = {"set": {"Cell type": "HeLa"}, "add": {"Staining": ["GFP"]}}
    assert asked(catalog, dry=False) == [wanted]
    assert tagger.values["Cell type"] == {"HeLa": 10}
    assert (tagger.changes, tagger.tag_preview) == ({}, None)
    assert tagger.tag_done == {"text": "10 images changed", "undo": True}
    tagger.undo()
    assert tagger.values["Cell type"] == {"HeLa": 6, "HEK 293": 2}
    assert tagger.tag_done == {"text": "Taken back.", "undo": False}
    tagger.undo()
    assert catalog.undone == 1
    assert tagger.apply() is None


def test_spellings_are_taken_as_the_vocabulary_has_them(catalog: pretend_tags.Tagged) -> None:
    tagger = everything(catalog)
    tagger.changes = {"set": {"cell type": "hela"}, "add": {"Staining": ["gfp", "Phaloidin"]}}
    assert tagger.changes == {
        "set": {"Cell type": "HeLa"},
        "add": {"Staining": ["GFP", "Phaloidin"]},
    }
    keys = tagger.tag_preview["keys"]
    assert keys["Cell type"]["taken"] == {"HeLa": "hela"}
    assert keys["Staining"]["taken"] == {"GFP": "gfp"}
    assert keys["Staining"]["similar"] == {"Phaloidin": ["Phalloidin"]}


def test_one_value_that_cannot_be_hides_nothing_of_the_others(
    catalog: pretend_tags.Tagged,
) -> None:
    tagger = everything(catalog)
    tagger.changes = {"set": {"Passage": "seven", "Cell type": "HeLa"}}
    assert tagger.tag_preview["good"] is False
    assert tagger.tag_preview["keys"]["Passage"]["error"].startswith("value of 'Passage': a number")
    assert tagger.tag_preview["keys"]["Cell type"]["changed"] == 4
    assert tagger.error == ""
    with pytest.raises(pretend_tags.Wrong, match="a number"):
        tagger.apply()
    assert tagger.changes["set"]["Passage"] == "seven"


def test_a_refusal_of_all_is_one_line(catalog: pretend_tags.Tagged) -> None:
    tagger = everything(catalog)
    catalog.trouble = pretend.Refused("you need the role annotator in project 'demo'")
    tagger.changes = {"set": {"Passage": "7", "Cell type": "HeLa"}}
    assert tagger.error == str(catalog.trouble)
    assert tagger.tag_preview["keys"] == {}
    wire = Wire()
    tagger.comm = wire
    heard(tagger, method="custom", content={"ask": "apply_tags"})
    assert tagger.error == str(catalog.trouble)
    assert [m["content"] for m in wire.taken() if m["method"] == "custom"] == [{"tell": "tagged"}]
    catalog.trouble = None
    tagger.changes = {}
    tagger.refresh()
    assert tagger.error == ""


@pytest.mark.parametrize(("role", "editable"), [("viewer", False), ("annotator", True)])
def test_who_may_not_tag_reads_why(role: str, editable: bool) -> None:
    tagger = everything(pretend_tags.tagged(3, role))
    assert tagger.tag_target["editable"] is editable
    assert ("ask mona to make you annotator" in tagger.tag_target["why"]) is not editable


def test_what_cannot_be_tagged_together_is_told(
    catalog: pretend_tags.Tagged, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.records[0]["project"] = "pilot"
    tagger = everything(catalog)
    assert tagger.error == "these records are of demo, pilot: tag one project at a time"
    assert tagger.tag_target is None
    monkeypatch.setattr("cid_widgets.tags.tagging.MOST", 5)
    assert everything(catalog).error.startswith("more than 5 records: narrow it down")
    assert Tagger([], catalog).tag_target is None


def test_machine_tags_stand_apart_with_their_source(catalog: pretend_tags.Tagged) -> None:
    tagger = everything(catalog)
    assert "Microscope" not in [field["key"] for field in tagger.tag_fields]
    exposure = next(one for one in tagger.tag_apart if one["key"] == "Exposure")
    assert exposure["values"] == [{"text": "120", "n": 10, "source": "instrument", "link": ""}]
    assert exposure["unit"] == "ms"


def test_a_key_of_its_own_gets_a_field_and_may_become_a_term() -> None:
    catalog = pretend_tags.tagged(3, "manager")
    tagger = everything(catalog)
    tagger.changes = {"set": {"Mood": "good"}}
    assert tagger.tag_fields[-1] | {"key": "Mood", "fresh": True} == tagger.tag_fields[-1]
    tagger.changes = {}
    new = {"ask": "add_term", "key": "Passages", "how": {"type": "number"}}
    heard(tagger, method="custom", content=new)
    assert "Passages" in [field["key"] for field in tagger.tag_fields]
    assert "much like “Passage”" in tagger.tag_done["text"]
    tagger.undo()
    assert "Passages" not in [field["key"] for field in tagger.tag_fields]
