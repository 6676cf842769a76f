"""Many records are annotated in one call: all or nothing, one entry, quick, undone in one step."""

from __future__ import annotations

import time

import pytest
from facility import (
    ANNOTATOR,
    MANAGER,
    STRANGER,
    image,
    images,
    last_entry,
    tags_of,
    two_projects,
    vocabulary,
)

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import annotate, chosen, terms
from cid_server_ext.core.catalog.annotate import Wanted
from cid_server_ext.core.life import undo
from cid_server_ext.core.search import find
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, NotAllowed, NotFound


def say(sessions: Sessions, uids: list[str], *, actor=ANNOTATOR, dry=False, **wanted):
    with sessions.begin() as session:
        return annotate.annotate(session, actor, uids, Wanted(**wanted), dry=dry)


def test_500_images_are_annotated_in_one_quick_call(sessions: Sessions) -> None:
    two_projects(sessions)
    uids = images(sessions, 500)
    began = time.process_time()
    done = say(
        sessions,
        uids,
        set={"Cell type": "HeLa", "Passage": 12},
        add={"Staining": ["DAPI", "GFP"]},
    )
    took = time.process_time() - began  # other work on the machine does not count
    assert (done.records, done.changed) == (500, 500)
    assert {key: one.changed for key, one in done.keys.items()} == {
        "Cell type": 500,
        "Passage": 500,
        "Staining": 500,
    }
    assert tags_of(sessions, uids[499]) == {
        "Cell type": ["HeLa"],
        "Passage": ["12"],
        "Staining": ["DAPI", "GFP"],
    }
    assert took < 3, f"{took:.1f} s for 500 images"
    with sessions() as session:
        entry = last_entry(session)
        assert (entry.action, entry.person, entry.project_id) == ("annotate", "annotator", 1)
        assert session.query(t.Journal).filter_by(action="annotate").count() == 1
        hela = session.query(t.Value).filter_by(text="HeLa").one()
        assert session.query(t.Posting).filter_by(entry=hela.id).count() == 500


def test_a_dry_call_tells_the_same_and_writes_nothing(sessions: Sessions) -> None:
    two_projects(sessions)
    uids = images(sessions, 3)
    say(sessions, uids[:1], set={"Staining": "DAPI"})
    before = vocabulary(sessions)
    wanted = {"set": {"staining": "dapi", "Mood": "good"}}
    dry = say(sessions, uids, dry=True, **wanted)
    assert vocabulary(sessions) == before
    wet = say(sessions, uids, **wanted)
    assert dry == wet
    assert (dry.keys["staining"].changed, dry.keys["staining"].unchanged) == (2, 1)
    assert dry.keys["staining"].snapped == {"dapi": "DAPI"}
    assert dry.snapped == {"staining": "Staining"}


def test_what_is_there_keeps_its_row_and_its_source(sessions: Sessions) -> None:
    two_projects(sessions)
    uid = image(sessions)
    before = vocabulary(sessions)
    done = say(sessions, [uid], set={"Objective": "63x/1.4 oil"})
    assert (done.changed, done.keys["Objective"].unchanged) == (0, 1)
    assert vocabulary(sessions) == before
    say(sessions, [uid], set={"Objective": "10x"})
    [old] = before["tag"]
    [new] = vocabulary(sessions)["tag"]
    assert (new["id"], new["source"], new["set_by"]) == (old["id"], "person", "annotator")


def test_values_are_added_and_taken_off(sessions: Sessions) -> None:
    two_projects(sessions)
    one, two = images(sessions, 2)
    say(sessions, [one], set={"Staining": ["DAPI", "GFP"]})
    done = say(sessions, [one, two], add={"Staining": ["GFP", "RFP"]})
    assert done.keys["Staining"].changed == 2
    assert tags_of(sessions, one)["Staining"] == ["DAPI", "GFP", "RFP"]
    done = say(sessions, [one, two], remove={"staining": ["dapi ", "RFP"]})
    assert tags_of(sessions, one) == tags_of(sessions, two) == {"Staining": ["GFP"]}
    done = say(sessions, [one, two], remove={"Staining": None, "Nothing": None})
    assert (done.keys["Staining"].changed, done.keys["Nothing"].changed) == (2, 0)
    assert tags_of(sessions, one) == {}


def test_values_take_the_place_of_others_in_one_step(sessions: Sessions) -> None:
    two_projects(sessions)
    one, two = images(sessions, 2)
    say(sessions, [one], set={"Staining": ["DAPI", "GFP"], "Cell type": "HEK"})
    swap = {"Staining": ["RFP"], "Cell type": ["HeLa"]}
    done = say(sessions, [one, two], add=swap, remove={"staining": ["gfp"], "Cell type": ["HEK"]})
    assert (done.changed, done.keys["Staining"].changed) == (2, 2)
    assert tags_of(sessions, one) == {"Staining": ["DAPI", "RFP"], "Cell type": ["HeLa"]}
    assert tags_of(sessions, two) == {"Staining": ["RFP"], "Cell type": ["HeLa"]}
    with pytest.raises(BadInput, match="each key once"):
        say(sessions, [one], add={"Staining": ["a"], "staining": ["b"]}, remove={"STAINING": ["c"]})


def test_one_record_at_fault_and_nothing_is_changed(sessions: Sessions) -> None:
    two_projects(sessions)
    mine, theirs = images(sessions, 2), images(sessions, 1, "secret")
    before = vocabulary(sessions)
    with pytest.raises(NotFound, match=theirs[0]):
        say(sessions, [*mine, theirs[0]], set={"Staining": "DAPI"})
    with pytest.raises(NotFound, match="absent"):
        say(sessions, [*mine, "absent"], set={"Staining": "DAPI"})
    with pytest.raises(NotAllowed, match="role annotator in project 'screen'; you are viewer"):
        say(sessions, mine, actor=Actor("viewer"), set={"Staining": "DAPI"})
    with pytest.raises(BadInput, match="2 projects"):
        say(sessions, [*mine, theirs[0]], actor=Actor("staff", staff=True), set={"Staining": "x"})
    assert vocabulary(sessions) == before


def test_a_value_beside_another_of_a_single_term_names_the_record(sessions: Sessions) -> None:
    two_projects(sessions)
    one, two = images(sessions, 2)
    say(sessions, [two], set={"Cell type": "HeLa"})
    before = vocabulary(sessions)
    with pytest.raises(BadInput, match=f"record {two}: 'Cell type' takes one value"):
        say(sessions, [one, two], add={"Cell type": ["HEK"]})
    assert vocabulary(sessions) == before


def test_limits_and_what_is_missing_are_told_by_field(sessions: Sessions) -> None:
    two_projects(sessions)
    [one] = images(sessions, 1)
    with pytest.raises(BadInput, match="records: 1 to 5000"):
        say(sessions, [], set={"a": "b"})
    with pytest.raises(BadInput, match="records: 1 to 5000"):
        say(sessions, [str(n) for n in range(5001)], set={"a": "b"})
    with pytest.raises(BadInput, match="set, add, remove: 1 to 50 keys"):
        say(sessions, [one])
    with pytest.raises(BadInput, match="each key once"):
        say(sessions, [one], set={"Staining": "x"}, remove={"staining": None})
    with pytest.raises(BadInput, match="value of 'Mood'"):
        say(sessions, [one], set={"Mood": " "})
    say(sessions, [one], set={"Staining": [f"dye {n}" for n in range(99)]})
    with pytest.raises(BadInput, match=f"record {one}: value of 'Staining': at most 100"):
        say(sessions, [one], add={"Staining": ["one", "two"]})
    with pytest.raises(BadInput, match="10000 characters in all"):
        say(sessions, [one], set={"Staining": [f"{n:0400}" for n in range(26)]})


def test_an_annotation_is_undone_in_one_step(sessions: Sessions) -> None:
    two_projects(sessions)
    uids = images(sessions, 20)
    say(sessions, uids[:10], set={"Staining": ["DAPI", "GFP"], "Cell type": "HeLa"})
    before = vocabulary(sessions)
    say(
        sessions,
        uids,
        set={"Staining": ["RFP", "GFP"], "Passage": 3},
        remove={"Cell type": None},
    )
    assert vocabulary(sessions) != before
    with sessions.begin() as session:
        undo.undo(session, ANNOTATOR, last_entry(session).id)
    assert vocabulary(sessions) == before


def test_the_records_of_a_query_are_annotated(sessions: Sessions) -> None:
    two_projects(sessions)
    uids = images(sessions, 5)
    images(sessions, 1, "secret")
    say(sessions, uids[:3], set={"Staining": "DAPI"})
    with sessions.begin() as session:
        asked = find.Asked("Staining:DAPI", "screen")
        assert chosen.uids(session, ANNOTATOR, asked, 10) == uids[:3]
        assert len(chosen.uids(session, ANNOTATOR, find.Asked("image"), 10)) == 5
        assert len(chosen.uids(session, STRANGER, find.Asked("image"), 10)) == 1
        with pytest.raises(BadInput, match="query: it finds 5 records, at most 4"):
            chosen.uids(session, ANNOTATOR, find.Asked(""), 4)
        with pytest.raises(NotFound, match="finds no record"):
            chosen.uids(session, ANNOTATOR, find.Asked("Staining:nothing"), 4)


def test_typed_terms_are_converted_for_all(sessions: Sessions) -> None:
    two_projects(sessions)
    uids = images(sessions, 2)
    with sessions.begin() as session:
        new = terms.NewTerm("Pinhole", type="number", unit="um")
        terms.declare(session, MANAGER, "screen", new)
    say(sessions, uids, set={"pinhole": "250 nm"})
    assert tags_of(sessions, uids[1]) == {"Pinhole": ["0.25"]}
    with pytest.raises(BadInput, match="value of 'Pinhole'"):
        say(sessions, uids, set={"pinhole": "3 s"})


def test_a_spelling_that_others_use_since_outlives_the_undo(sessions: Sessions) -> None:
    two_projects(sessions)
    one, two = images(sessions, 2)
    say(sessions, [one], set={"Mood": ["good"], "Staining": ["DAPI", "GFP"]})
    with sessions() as session:
        first = last_entry(session).id
    say(sessions, [two], set={"Staining": ["DAPI"]})
    with sessions.begin() as session:
        undo.undo(session, ANNOTATOR, first)
    assert (tags_of(sessions, one), tags_of(sessions, two)) == ({}, {"Staining": ["DAPI"]})
    with sessions.begin() as session:
        assert {value.text for value in session.query(t.Value)} == {"DAPI"}
        assert session.query(t.Term).filter_by(key="Mood").first() is None
        undo.undo(session, ANNOTATOR, last_entry(session).id)
    assert tags_of(sessions, one) == {"Mood": ["good"], "Staining": ["DAPI", "GFP"]}
