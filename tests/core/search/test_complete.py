"""Completion: what may follow, from what the caller reaches or inherits, and nothing else."""

from __future__ import annotations

import pytest
from compare_answers import WHO
from hostile import STRINGS
from search_oracle import Oracle
from sqlalchemy.orm import Session

from cid_server_ext.core import journal
from cid_server_ext.core.search import complete, find, parser
from cid_server_ext.core.search.words import fold
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions


def offered(session: Session, who: str, text: str) -> list[str]:
    return [each.text for each in complete.complete(session, WHO[who], text)]


def test_keys_are_offered_by_their_beginning(session: Session) -> None:
    assert offered(session, "anna", "obj") == ["objective:"]
    assert offered(session, "anna", "Cell t") == ["team:"]  # a blank ends a bare word
    assert offered(session, "anna", '"Cell t') == ["cell_type:"]
    assert offered(session, "anna", "hela (cell_") == ["cell_type:"]
    assert set(offered(session, "anna", "p")) == {"project:", "pixel_size:", "protein:"}
    assert offered(session, "anna", "k") == ["kind:", '"kind":']


def test_what_is_accepted_takes_the_place_of_what_was_typed(session: Session) -> None:
    typed = 'hela -cell_type:"hel'
    for each in complete.complete(session, WHO["chen"], typed):
        node = parser.parse(typed[: each.start] + each.text)
        found = find.count(session, WHO["chen"], find.Asked(str(node)))
        every = find.count(session, WHO["chen"], find.Asked("hela"))
        assert 0 <= found <= every


@pytest.mark.parametrize("who", ["anna", "bela", "chen", "staff", "leader"])
@pytest.mark.parametrize("key", ["objective", "protein", '"Cell type"', '"kind"'])
def test_values_are_offered_with_the_number_of_their_records(
    session: Session, oracle: Oracle, who: str, key: str
) -> None:
    found = {each.label: each.count for each in complete.complete(session, WHO[who], f"{key}:")}
    counted: dict[str, int] = {}
    name = fold(key.strip('"'))
    mine = oracle.mine(who)
    for row in oracle.records:
        for tag in oracle.tags.get(row["id"], []):
            if fold(oracle.terms[tag["term_id"]]["key"]) == name and tag["value_id"]:
                text = oracle.values[tag["value_id"]]["text"]
                counted[text] = counted.get(text, 0) + bool(oracle.shown[row["id"]] & mine)
    assert found
    assert all(counted[label] == number for label, number in found.items() if number)
    assert len(found) == min(complete.MOST, sum(number > 0 for number in counted.values()))


def test_places_and_people_are_offered_where_the_caller_may_look(session: Session) -> None:
    assert offered(session, "anna", "project:") == ["alpha", "beta"]
    assert offered(session, "anna", "team:lab") == ["lab-a"]
    assert offered(session, "bela", "by:") == ["bela", "chen"]
    assert offered(session, "bela", "in:screen/") == ['"screen/plate 1"', '"screen/plate 2"']
    assert offered(session, "anna", "in:old") == []  # it is in the trash
    assert offered(session, "anna", "kind:la") == ["labels"]


@pytest.mark.parametrize("who", ["outsider", "ended", "run"])
def test_whoever_reaches_no_project_is_offered_nothing_of_one(session: Session, who: str) -> None:
    for text in ["objective:", "protein:", "project:", "team:", "in:", "by:", "prot", "dep"]:
        assert offered(session, who, text) == []


def test_a_term_of_another_project_is_not_offered(session: Session) -> None:
    assert "depth:" in offered(session, "anna", "dep")
    assert offered(session, "leader", "gro") == ["grosse:"]
    assert offered(session, "bela", "gro") in ([], ["grosse:"])  # where it is linked into his


def test_a_declared_value_that_nobody_used_is_offered_where_it_is_inherited(
    sessions: Sessions,
) -> None:
    with sessions.begin() as session:
        team = t.Team(name="lab")
        mine, other = (t.Project(name=name, team=team) for name in ("mine", "other"))
        session.add_all([team, mine, other])
        session.flush()
        session.add(t.ProjectMember(project_id=mine.id, person="anna", role="viewer"))
        for owner, key in [(None, "Stain"), (mine.id, "Dye"), (other.id, "Marker")]:
            term = t.Term(project_id=owner, key=key, folded=key.lower(), kind="sample")
            session.add(term)
            session.flush()
            for text, declared in [("DAPI", True), ("draq", False)]:
                value = t.Value(term_id=term.id, text=text, folded=text.lower(), declared=declared)
                session.add(value)
        journal.record(session, "staff", "set up", "project:mine")
    with sessions() as session:
        assert offered(session, "anna", "stain:d") == ['"DAPI"']
        assert offered(session, "anna", "dye:d") == ['"DAPI"']
        assert offered(session, "anna", "marker:d") == []
        assert offered(session, "anna", "mark") == []


@pytest.mark.parametrize("text", [s for s in STRINGS if len(s) < 2000])
def test_nothing_that_is_typed_breaks_it(session: Session, text: str) -> None:
    for before in ("", "objective:", 'objective:"', "in:", "has:", "-("):
        if "\ud800" not in text and "\0" not in text:
            complete.complete(session, WHO["chen"], before + text)
