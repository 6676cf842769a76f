"""Near-duplicates snap to the spelling that is known, and only to what the caller may know."""

from __future__ import annotations

import pytest
from facility import ANNOTATOR, MANAGER, STAFF, STRANGER, image, images, tags_of, two_projects
from sqlalchemy import event

from cid_server_ext.core import journal
from cid_server_ext.core.catalog import tags, terms, values, vocabulary
from cid_server_ext.core.catalog.tagging import By
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput

BY = By("file", "contributor")


@pytest.fixture
def uid(sessions: Sessions) -> str:
    two_projects(sessions)
    return image(sessions)


def put(sessions: Sessions, uid: str, key: str, given, actor=ANNOTATOR) -> tags.Tagged:
    with sessions.begin() as session:
        return tags.put(session, actor, uid, key, given)


def test_keys_and_values_snap_to_the_known_spelling(sessions: Sessions, uid: str) -> None:
    put(sessions, uid, "Staining", "GFP")
    done = put(sessions, uid, " staining", ["Gfp ", "gfp", "DAPI"])
    assert tags_of(sessions, uid)["Staining"] == ["GFP", "DAPI"]
    assert done.values.snapped == {"Gfp ": "GFP", "gfp": "GFP"}
    assert done.keys.snapped == {" staining": "Staining"}


def test_what_is_spelled_much_alike_is_taken_and_told(sessions: Sessions, uid: str) -> None:
    put(sessions, uid, "Staining", "Hoechst 33342")
    done = put(sessions, uid, "Stainings", "x")
    assert done.keys.similar == {"Stainings": ["Staining"]}
    done = put(sessions, uid, "Staining", "Hoechst 33324")
    assert done.values.similar == {"Hoechst 33324": ["Hoechst 33342"]}
    assert tags_of(sessions, uid)["Staining"] == ["Hoechst 33324"]


def test_a_declared_spelling_comes_before_the_one_in_use(sessions: Sessions, uid: str) -> None:
    put(sessions, uid, "Protein", "egfp")
    with sessions.begin() as session:
        term = session.query(t.Term).filter_by(key="Protein").one()
        values.declare(session, STAFF, term.uid, ["EGFP"])
    put(sessions, uid, "Protein", "egfp ")
    assert tags_of(sessions, uid)["Protein"] == ["EGFP"]


def test_spellings_of_other_projects_are_neither_taken_nor_told(
    sessions: Sessions, uid: str
) -> None:
    hidden = images(sessions, 1, "secret")[0]
    put(sessions, hidden, "Staining", "SecretDye", actor=STRANGER)
    done = put(sessions, uid, "Staining", ["secretdye", "SecretDy"])
    assert tags_of(sessions, uid)["Staining"] == ["secretdye", "SecretDy"]
    assert (done.values.snapped, done.values.similar) == ({}, {})
    with sessions.begin() as session:
        term = session.query(t.Term).filter_by(key="Staining").one()
        seen = values.complete(session, ANNOTATOR, term, "secret")
        assert [(one.value.text, one.n) for one in seen] == [("SecretDy", 1), ("secretdye", 1)]


def test_the_same_spelling_as_in_a_hidden_project_is_one_value(
    sessions: Sessions, uid: str
) -> None:
    hidden = images(sessions, 1, "secret")[0]
    put(sessions, hidden, "Staining", "SecretDye", actor=STRANGER)
    done = put(sessions, uid, "Staining", "SecretDye")
    assert (done.values.snapped, done.values.similar) == ({}, {})
    with sessions.begin() as session:
        assert session.query(t.Value).filter_by(text="SecretDye").count() == 1
        term = session.query(t.Term).filter_by(key="Staining").one()
        [seen] = values.complete(session, ANNOTATOR, term, "sec")
        assert seen.n == 1


def test_a_new_key_becomes_a_plain_term_of_the_project(sessions: Sessions, uid: str) -> None:
    put(sessions, uid, "Passage", 12)
    put(sessions, uid, "Mood", "good")
    with sessions.begin() as session:
        made = session.query(t.Term).filter(t.Term.project_id.is_not(None)).order_by(t.Term.id)
        assert [(term.key, term.type, term.kind) for term in made] == [
            ("Passage", "number", "sample"),
            ("Mood", "text", "sample"),
        ]
        seen = {term.key for term in vocabulary.terms(session, made[0].project_id)}
        assert {"Passage", "Mood", "Microscope"} <= seen


def test_a_choice_takes_its_declared_values_only(sessions: Sessions, uid: str) -> None:
    with sessions.begin() as session:
        new = terms.NewTerm("Quality", type="choice", values=["good", "bad"])
        terms.declare(session, MANAGER, "screen", new)
    put(sessions, uid, "quality", "GOOD")
    assert tags_of(sessions, uid)["Quality"] == ["good"]
    with pytest.raises(BadInput, match="'fair' is not one of 'good', 'bad'"):
        put(sessions, uid, "quality", "fair")


def test_a_concept_is_found_by_its_label_or_its_iri(sessions: Sessions, uid: str) -> None:
    with sessions.begin() as session:
        new = terms.NewTerm("Organism", type="ontology", many=True)
        terms.declare(session, MANAGER, "screen", new)
    put(sessions, uid, "Organism", {"label": "Mus musculus", "iri": "NCBITaxon:10090"})
    other = image(sessions, "other")
    put(
        sessions,
        other,
        "Organism",
        ["mus musculus", "NCBITaxon:10090", "house mouse <NCBITaxon:10090>"],
    )
    assert tags_of(sessions, other)["Organism"] == ["Mus musculus"]
    with pytest.raises(BadInput, match="is not known here"):
        put(sessions, uid, "Organism", "Homo sapiens")
    put(sessions, uid, "Organism", {"label": "Mus musculus", "iri": "NCBITaxon:10092"})
    assert tags_of(sessions, uid)["Organism"] == ["Mus musculus (NCBITaxon:10092)"]
    put(sessions, uid, "Organism", {"label": "x" * 190, "iri": "https://x.example/" + "y" * 180})
    put(sessions, uid, "Organism", {"label": "x" * 190, "iri": "https://x.example/" + "z" * 180})
    assert len(tags_of(sessions, uid)["Organism"][0]) == 391


def test_a_retired_term_takes_no_more(sessions: Sessions, uid: str) -> None:
    with sessions.begin() as session:
        term = terms.declare(session, MANAGER, "screen", terms.NewTerm("Old"))
        terms.change(session, MANAGER, term.uid, {"retired": True})
    with pytest.raises(BadInput, match="'Old' is retired"):
        put(sessions, uid, "old", "x")


def test_a_term_that_takes_one_value_refuses_two(sessions: Sessions, uid: str) -> None:
    with pytest.raises(BadInput, match="'Cell type': it takes one value"):
        put(sessions, uid, "Cell type", ["HeLa", "HEK"])


def test_a_key_that_cannot_be_one_is_refused_by_name(sessions: Sessions, uid: str) -> None:
    for key in ["", " ", "a/b", "..", "x" * 81, "a\x00b", "a\u202eb", "a\nb"]:
        with pytest.raises(BadInput, match="key"):
            put(sessions, uid, key, "x")


def test_hostile_text_is_a_literal_key_and_value(sessions: Sessions, uid: str) -> None:
    hostile = ["'; DROP TABLE tag; --", "%", "_", "\\", "NEAR(", "!:*", "<script>", "=cmd|x"]
    for text in [*hostile, "ﷺ" * 400]:
        put(sessions, uid, text[:80], text)
        put(sessions, uid, "Staining", [text, "a"])
        with sessions.begin() as session:
            term = session.query(t.Term).filter_by(key="Staining").one()
            found = values.complete(session, ANNOTATOR, term, text)
            assert [one.value.text for one in found] == [text]
        assert tags_of(sessions, uid)["Staining"][-2:] == [text, "a"]
    keys = {text.replace(":", " ") for text in hostile}  # ":" would end a key in a search
    assert keys <= set(tags_of(sessions, uid))


def test_an_acquisition_date_is_also_the_images(sessions: Sessions, uid: str) -> None:
    put(sessions, uid, "acquisition date", "2026-11-21T10:00:00+01:00")
    with sessions() as session:
        row = session.query(t.Image).filter_by(uid=uid).one()
        assert row.acquired_at.isoformat() == "2026-11-21T09:00:00+00:00"
    with sessions.begin() as session:
        tags.remove(session, ANNOTATOR, uid, "Acquisition date")
    with sessions() as session:
        assert session.query(t.Image).filter_by(uid=uid).one().acquired_at is None


def test_the_facilitys_first_terms_are_there_with_the_first_project(sessions: Sessions) -> None:
    two_projects(sessions)
    with sessions.begin() as session:
        before = [(term.key, term.type, term.uid) for term in vocabulary.terms(session, None)]
        vocabulary.seed(session)
        after = [(term.key, term.type, term.uid) for term in vocabulary.terms(session, None)]
    assert before == after
    assert {key for key, _, _ in after} == {*vocabulary.MACHINE, *vocabulary.SAMPLE}
    assert ("Acquisition date", "date") in {(key, type) for key, type, _ in after}


def test_with_thousands_of_values_an_entry_asks_few_questions(sessions: Sessions, uid: str) -> None:
    with sessions.begin() as session:
        term = session.query(t.Term).filter_by(key="Molecule").one()
        values.add_declared(session, term, [f"molecule {n:05}" for n in range(2000)])
        journal.record(session, "test", "set up", "test")
    rows = []

    @event.listens_for(sessions.kw["bind"], "after_cursor_execute")
    def count(conn, cursor, statement, *_):
        rows.append(statement)

    done = put(sessions, uid, "Molecule", "molecule 00500x")
    event.remove(sessions.kw["bind"], "after_cursor_execute", count)
    assert done.values.similar["molecule 00500x"]
    assert len(rows) < 60


def test_new_values_of_many_records_are_saved_at_once(sessions: Sessions, uid: str) -> None:
    said = [{"Staining": f"dye {n}", "Plate": [f"plate {n}", "p"]} for n in range(40)]
    said[0]["Staining"] = "\x00"  # left out, and nothing else with it
    with sessions.begin() as session:
        rows = [session.query(t.Record).filter_by(uid=one).one() for one in images(sessions, 40)]
        statements: list[str] = []
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", lambda *a: statements.append(str(a[2])))
        tags.write_all(session, list(zip(rows, said, strict=True)), kind="sample", by=BY)
        saved = [one for one in statements if one.startswith("INSERT INTO value")]
        assert len(saved) == 2
        assert len([one for one in statements if one.startswith("SELECT")]) < 15
        journal.record(session, "contributor", "came", "project:open")
    assert tags_of(sessions, rows[7].uid)["Plate"] == ["plate 7", "p"]
    assert "Staining" not in tags_of(sessions, rows[0].uid)
