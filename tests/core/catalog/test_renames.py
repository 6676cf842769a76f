"""Renaming and merging rewrites every use in one step, and one undo takes it back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from facility import (
    ANNOTATOR,
    MANAGER,
    STAFF,
    STRANGER,
    images,
    last_entry,
    tags_of,
    two_projects,
    vocabulary,
)
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import annotate, renames, tags, terms, values
from cid_server_ext.core.catalog.annotate import Wanted
from cid_server_ext.core.life import undo
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, Conflict, NotAllowed, NotFound


def say(sessions: Sessions, uids: list[str], actor: Actor = ANNOTATOR, **wanted) -> None:
    with sessions.begin() as session:
        annotate.annotate(session, actor, uids, Wanted(set=wanted))


def term_called(session: Session, key: str) -> t.Term:
    return session.query(t.Term).filter_by(key=key).one()


def rename(
    sessions: Sessions, key: str, value: str, to: str, actor: Actor = MANAGER, project=None
) -> renames.Renamed:
    with sessions.begin() as session:
        term = term_called(session, key)
        found = session.query(t.Value).filter_by(term_id=term.id, text=value).one()
        return renames.rename_value(session, actor, term.uid, found.uid, to, project)


def undone(sessions: Sessions, change: Callable[[], object], actor: Actor = MANAGER) -> dict:
    """Make a change, undo it, compare all that is remembered; return what it was in between."""
    before = vocabulary(sessions)
    change()
    after = vocabulary(sessions)
    assert after != before
    with sessions.begin() as session:
        undo.undo(session, actor, last_entry(session).id)
    assert vocabulary(sessions) == before
    return after


def test_2000_uses_are_merged_and_come_back_as_they_were(sessions: Sessions) -> None:
    two_projects(sessions)
    uids = images(sessions, 2000)
    say(sessions, uids, Mood="Gfp")
    say(sessions, uids[:300], Dye=["x"])
    with sessions.begin() as session:
        term = term_called(session, "Mood")
        terms.change(session, MANAGER, term.uid, {"many": True})
    with sessions.begin() as session:
        values.declare(session, MANAGER, term.uid, ["eGFP"])
    say(sessions, uids[:500], Mood=["Gfp", "eGFP"])
    after = undone(sessions, lambda: rename(sessions, "Mood", "Gfp", "eGFP"))
    used = {tag["value_id"] for tag in after["tag"] if tag["term_id"] == term.id}
    rows = {value["id"]: value for value in after["value"]}
    assert [rows[one]["text"] for one in used] == ["eGFP"]
    assert sum(tag["term_id"] == term.id for tag in after["tag"]) == 2000
    assert [v["retired"] for v in rows.values() if v["text"] == "Gfp"] == [True]


def test_2000_uses_are_renamed_and_come_back_as_they_were(sessions: Sessions) -> None:
    two_projects(sessions)
    uids = images(sessions, 2000)
    say(sessions, uids, Mood="Gfp")
    before = vocabulary(sessions)
    after = undone(sessions, lambda: rename(sessions, "Mood", "Gfp", "GFP (green)"))
    assert after["tag"] == before["tag"], "a new spelling is one row, no use is touched"
    assert {row["words"].count("green") for row in after["document"]} == {1}


def test_a_project_renames_a_facility_value_for_itself_only(sessions: Sessions) -> None:
    two_projects(sessions)
    mine, theirs = images(sessions, 2), images(sessions, 1, "secret")
    say(sessions, mine, Staining="Gfp")
    say(sessions, theirs, STRANGER, Staining="Gfp")
    say(sessions, theirs, STRANGER, Protein="Gfp")
    done = rename(sessions, "Staining", "Gfp", "GFP", MANAGER, "screen")
    assert (done.uses, done.merged, done.value.text) == (2, False, "GFP")
    assert tags_of(sessions, mine[0])["Staining"] == ["GFP"]
    assert tags_of(sessions, theirs[0])["Staining"] == ["Gfp"]
    with sessions.begin() as session:
        assert not session.query(t.Value).filter_by(text="Gfp").first().retired
        entry = last_entry(session)
        assert (entry.action, entry.project_id) == ("rename value", 1)
        undo.undo(session, MANAGER, entry.id)
    assert tags_of(sessions, mine[0])["Staining"] == ["Gfp"]


def test_staff_renames_for_all(sessions: Sessions) -> None:
    two_projects(sessions)
    mine, theirs = images(sessions, 1), images(sessions, 1, "secret")
    say(sessions, mine, Staining="Gfp")
    say(sessions, theirs, STRANGER, Staining="Gfp")
    rename(sessions, "Staining", "Gfp", "GFP", STAFF)
    assert tags_of(sessions, theirs[0])["Staining"] == ["GFP"]


def test_who_may_rename(sessions: Sessions) -> None:
    two_projects(sessions)
    say(sessions, images(sessions, 1), Staining="Gfp", Mood="good")
    say(sessions, images(sessions, 1, "secret"), STRANGER, Staining="Hidden")
    with pytest.raises(NotAllowed, match="only facility staff"):
        rename(sessions, "Staining", "Gfp", "GFP")
    with pytest.raises(NotAllowed, match="needs the role manager"):
        rename(sessions, "Staining", "Gfp", "GFP", ANNOTATOR, "screen")
    with pytest.raises(NotAllowed, match="needs the role manager"):
        rename(sessions, "Mood", "good", "bad", ANNOTATOR)
    with pytest.raises(NotFound, match="no project 'secret'"):
        rename(sessions, "Staining", "Gfp", "GFP", MANAGER, "secret")
    with pytest.raises(NotFound, match="no value"):
        rename(sessions, "Staining", "Hidden", "GFP", MANAGER, "screen")
    with pytest.raises(NotFound, match="no term"):
        rename(sessions, "Mood", "good", "bad", STRANGER)


def test_the_same_name_and_a_name_that_is_none_are_refused(sessions: Sessions) -> None:
    two_projects(sessions)
    say(sessions, images(sessions, 1), Mood="good")
    with pytest.raises(BadInput, match="called 'good' already"):
        rename(sessions, "Mood", "good", " good ")
    with pytest.raises(BadInput, match="value of 'Mood'"):
        rename(sessions, "Mood", "good", "a\x00")


def merge(sessions: Sessions, key: str, into: str, actor: Actor = MANAGER) -> None:
    with sessions.begin() as session:
        old, new = term_called(session, key), term_called(session, into)
        renames.merge_terms(session, actor, old.uid, new.uid)


def test_a_projects_term_is_merged_into_the_facilitys(sessions: Sessions) -> None:
    two_projects(sessions)
    one, two, three = images(sessions, 3)
    say(sessions, [one], Stainings="DAPI", Staining=["GFP"])
    say(sessions, [two], Stainings="dapi")
    say(sessions, [three], Stainings="GFP", Staining=["GFP"])
    after = undone(sessions, lambda: merge(sessions, "Stainings", "Staining"))
    assert [term["retired"] for term in after["term"] if term["key"] == "Stainings"] == [True]
    merge(sessions, "Stainings", "Staining")
    assert sorted(tags_of(sessions, one)["Staining"]) == ["DAPI", "GFP"]
    assert tags_of(sessions, two) == {"Staining": ["DAPI"]}
    assert tags_of(sessions, three) == {"Staining": ["GFP"]}


def test_numbers_are_merged_in_the_other_unit_and_one_of_both_is_kept(sessions: Sessions) -> None:
    two_projects(sessions)
    one, two = images(sessions, 2)
    with sessions.begin() as session:
        for key, unit in (("Slit", "nm"), ("Gap", "um")):
            new = terms.NewTerm(key, type="number", unit=unit)
            terms.declare(session, MANAGER, "screen", new)
    say(sessions, [one, two], Slit=250)
    say(sessions, [two], Gap=7)
    undone(sessions, lambda: merge(sessions, "Slit", "Gap"))
    merge(sessions, "Slit", "Gap")
    assert tags_of(sessions, one) == {"Gap": ["0.25"]}
    assert tags_of(sessions, two) == {"Gap": ["7"]}


def test_a_date_that_is_merged_into_the_acquisition_date_is_the_images(sessions: Sessions) -> None:
    two_projects(sessions)
    [one] = images(sessions, 1)
    with sessions.begin() as session:
        terms.declare(session, MANAGER, "screen", terms.NewTerm("Taken", type="date"))
    say(sessions, [one], Taken="2026-11-21")
    merge(sessions, "Taken", "Acquisition date")
    with sessions() as session:
        row = session.query(t.Image).filter_by(uid=one).one()
        assert row.acquired_at.isoformat() == "2026-11-21T00:00:00+00:00"


def test_terms_that_do_not_go_together_are_not_merged(sessions: Sessions) -> None:
    two_projects(sessions)
    say(sessions, images(sessions, 1), Mood="good", Passage=5)
    with pytest.raises(BadInput, match="of different types"):
        merge(sessions, "Mood", "Passage")
    with pytest.raises(BadInput, match="itself"):
        merge(sessions, "Mood", "Mood")
    with pytest.raises(BadInput, match="of the same vocabulary"):
        merge(sessions, "Staining", "Mood", STAFF)
    with pytest.raises(NotAllowed):
        merge(sessions, "Mood", "Staining", ANNOTATOR)
    with pytest.raises(NotAllowed, match="only facility staff"):
        merge(sessions, "Staining", "Protein")


def test_keys_are_renamed_in_one_row(sessions: Sessions) -> None:
    two_projects(sessions)
    uids = images(sessions, 3)
    say(sessions, uids, Mood="good")

    def change() -> None:
        with sessions.begin() as session:
            uid = term_called(session, "Mood").uid
            terms.change(session, MANAGER, uid, {"key": "Humour", "help": "of the cells"})

    after = undone(sessions, change)
    assert [t["help"] for t in after["term"] if t["key"] == "Humour"] == ["of the cells"]
    with pytest.raises(Conflict, match="the facility has a term"), sessions.begin() as session:
        terms.change(session, MANAGER, term_called(session, "Mood").uid, {"key": "staining"})


def test_the_unit_of_a_used_term_changes_only_with_its_numbers(sessions: Sessions) -> None:
    two_projects(sessions)
    uids = images(sessions, 3)
    with sessions.begin() as session:
        new = terms.NewTerm("Slit", type="number", unit="nm")
        uid = terms.declare(session, MANAGER, "screen", new).uid
    say(sessions, uids, Slit=250)

    def change(**what) -> None:
        with sessions.begin() as session:
            terms.change(session, MANAGER, uid, what)

    with pytest.raises(Conflict, match="3 records have numbers in 'nm'"):
        change(unit="um")
    with pytest.raises(BadInput, match="cannot be converted"):
        change(unit="s", convert=True)
    undone(sessions, lambda: change(unit="um", convert=True))
    change(unit="um", convert=True)
    assert tags_of(sessions, uids[0]) == {"Slit": ["0.25"]}


def test_several_values_keep_a_term_from_taking_one(sessions: Sessions) -> None:
    two_projects(sessions)
    [one] = images(sessions, 1)
    say(sessions, [one], Staining=["DAPI", "GFP"])
    with pytest.raises(Conflict, match="several values"), sessions.begin() as session:
        terms.change(session, STAFF, term_called(session, "Staining").uid, {"many": False})


def test_terms_are_declared_by_who_manages_them(sessions: Sessions) -> None:
    two_projects(sessions)

    def declare(actor: Actor, project: str | None, **new) -> t.Term:
        with sessions.begin() as session:
            return terms.declare(session, actor, project, terms.NewTerm(**new))

    booking = declare(
        STAFF,
        None,
        key="Booking",
        type="id",
        scheme="own",
        pattern=r"OI-\d+",
        link="https://book.example/{id}",
    )
    assert booking.project_id is None
    with pytest.raises(NotAllowed):
        declare(MANAGER, None, key="x")
    with pytest.raises(NotAllowed):
        declare(ANNOTATOR, "screen", key="x")
    with pytest.raises(Conflict, match="the facility has a term 'Booking'"):
        declare(MANAGER, "screen", key="booking ")
    for wrong, why in [
        ({"key": "a/b"}, "key"),
        ({"key": "Size", "unit": "um"}, "unit"),
        ({"key": "Size", "type": "number", "unit": "parsnip"}, "unit"),
        ({"key": "Size", "type": "number", "many": True}, "many"),
        ({"key": "Size", "type": "number", "values": ["1"]}, "values"),
        ({"key": "Id", "type": "id"}, "scheme"),
        ({"key": "Id", "type": "id", "scheme": "own", "pattern": "(a+)+"}, "pattern"),
        ({"key": "Id", "type": "id", "scheme": "own", "link": "javascript:{id}"}, "link"),
        ({"key": "Id", "type": "id", "scheme": "doi", "pattern": "x"}, "pattern"),
        ({"key": "Id", "scheme": "doi"}, "scheme"),
        ({"key": "Id", "kind": "machine"}, "kind"),
        ({"key": "Id", "help": "a\x00b"}, "help"),
        ({"key": "What", "type": "ontology", "values": ["no iri"]}, "values"),
        ({"key": "What", "type": "colour"}, "type"),
    ]:
        with pytest.raises(BadInput, match=why):
            declare(MANAGER, "screen", **wrong)


def test_two_who_enter_the_same_new_spelling_make_one_value(sessions: Sessions) -> None:
    two_projects(sessions)
    one, two = images(sessions, 2)
    import threading

    def put(uid: str) -> None:
        with sessions.begin() as session:
            tags.put(session, ANNOTATOR, uid, "Brand new", ["new too"])

    threads = [threading.Thread(target=put, args=(uid,)) for uid in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tags_of(sessions, one) == tags_of(sessions, two) == {"Brand new": ["new too"]}
    with sessions() as session:
        assert session.query(t.Value).filter_by(text="new too").count() == 1


def test_a_value_that_an_undo_uses_again_is_no_longer_retired(sessions: Sessions) -> None:
    two_projects(sessions)
    one, two = images(sessions, 2)
    say(sessions, [one], Mood="Gfp")
    say(sessions, [two], Mood="eGFP")
    with sessions.begin() as session:
        tags.remove(session, MANAGER, one, "Mood")
        session.flush()
    with sessions() as session:
        removed = last_entry(session).id

    def retired() -> dict[str, bool]:
        with sessions() as session:
            mine = session.query(t.Value).filter(t.Value.text.in_(["Gfp", "eGFP"]))
            return {value.text: value.retired for value in mine}

    def take_back(entry: int) -> int:
        with sessions.begin() as session:
            undo.undo(session, MANAGER, entry)
        with sessions() as session:
            return last_entry(session).id

    rename(sessions, "Mood", "Gfp", "eGFP")
    assert retired() == {"Gfp": True, "eGFP": False}
    again = take_back(removed)
    assert retired() == {"Gfp": False, "eGFP": False}
    take_back(again)  # and without its use it is as it was
    assert retired() == {"Gfp": True, "eGFP": False}
    say(sessions, [one], Mood="Gfp")  # it comes back with this step, and stays for the next one
    with sessions() as session:
        first = last_entry(session).id
    say(sessions, [two], Mood="Gfp")
    take_back(first)
    assert retired()["Gfp"] is False
    rename(sessions, "Mood", "Gfp", "eGFP")
    with sessions.begin() as session:
        term = term_called(session, "Mood")
        values.declare(session, MANAGER, term.uid, ["Gfp"])
    with sessions() as session:
        declared = last_entry(session).id
    say(sessions, [one], Mood="Gfp")
    take_back(declared)
    assert retired()["Gfp"] is False
    with sessions() as session:  # it is as it was but for that
        assert session.query(t.Value).filter_by(text="Gfp").one().declared is False
