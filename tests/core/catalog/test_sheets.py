"""A spreadsheet goes out, is edited, comes back: exactly, after a look at each change, undone."""

from __future__ import annotations

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
from hypothesis import given
from hypothesis import strategies as st

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import annotate, cells, comparison, csvsheet, edits, sheets, terms
from cid_server_ext.core.catalog.annotate import Wanted
from cid_server_ext.core.catalog.spelling import Word
from cid_server_ext.core.life import undo
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, Conflict, NotAllowed, NotFound

HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "'quoted",
    "''=x",
    "a;b",
    "a\\;b",
    "\\",
    '"',
]


def say(sessions: Sessions, uids: list[str], **wanted) -> None:
    with sessions.begin() as session:
        annotate.annotate(session, ANNOTATOR, uids, Wanted(set=wanted))


def exported(sessions: Sessions, actor: Actor = ANNOTATOR, **what) -> bytes:
    with sessions() as session:
        return csvsheet.write(sheets.export(session, actor, "screen", **what))


def cell(content: bytes, row: int, key: str, new: str) -> bytes:
    """Return the sheet with one cell changed, as a spreadsheet program writes it."""
    rows = csvsheet.read(content, sheets.MOST_ROWS)
    rows[row][rows[0].index(key)] = new
    return csvsheet.write(rows)


def seen(sessions: Sessions, content: bytes, actor: Actor = ANNOTATOR) -> edits.Preview:
    rows = csvsheet.read(content, sheets.MOST_ROWS)
    with sessions.begin() as session:
        return edits.preview(session, actor, "screen", rows)


def apply(sessions: Sessions, content: bytes, digest: str | None = None) -> edits.Preview:
    digest = seen(sessions, content).digest if digest is None else digest
    rows = csvsheet.read(content, sheets.MOST_ROWS)
    with sessions.begin() as session:
        return edits.apply(session, ANNOTATOR, "screen", rows, digest)


def test_a_sheet_that_was_not_edited_changes_nothing_whatever_it_holds(sessions: Sessions) -> None:
    two_projects(sessions)
    one, two, _ = images(sessions, 3)
    say(sessions, [one], Staining=HOSTILE, Mood="=1+1", Passage=-12.5, Protein="ﬁ")
    say(sessions, [two], Mood="-", **{"Acquisition date": "2026-11-21T10:00Z", "=key": "x"})
    content = exported(sessions)
    preview = seen(sessions, content)
    assert (preview.rows, preview.edits, preview.new_keys) == (3, [], [])
    text = content.decode("utf-8-sig")
    assert text.startswith("uid,name,dataset,")
    assert "\r\n" in text
    for row in csvsheet.read(content, 100):
        for one_cell in row:
            assert not one_cell.startswith(("=", "+", "@")), "no cell is a formula"
    assert exported(sessions) == content


def test_edits_are_shown_applied_exported_and_undone(sessions: Sessions) -> None:
    two_projects(sessions)
    one, two = images(sessions, 2)
    say(sessions, [one, two], Mood="good", Passage=3, Staining=["DAPI"])
    first, before = exported(sessions), vocabulary(sessions)
    edited = cell(first, 1, "Mood", "'=bad")
    edited = cell(edited, 1, "Passage", "")
    edited = cell(edited, 2, "Staining", "DAPI; GFP")
    edited = cell(edited, 2, "Acquisition date", "2026-11-21")
    preview = seen(sessions, edited)
    assert [(e.row, e.record, e.key, e.before, e.after, e.problem) for e in preview.edits] == [
        (2, one, "Mood", "good", "=bad", None),
        (2, one, "Passage", "3", "", None),
        (3, two, "Staining", "DAPI", "DAPI; GFP", None),
        (3, two, "Acquisition date", "", "2026-11-21", None),
    ]
    assert vocabulary(sessions) == before, "a look changes nothing"
    apply(sessions, edited, preview.digest)
    assert exported(sessions) == edited, "what was edited comes out byte for byte"
    with sessions.begin() as session:
        entry = last_entry(session)
        assert (entry.action, entry.detail["records"]) == ("apply sheet", 2)
        undo.undo(session, ANNOTATOR, entry.id)
    assert vocabulary(sessions) == before
    assert exported(sessions) == first


def test_rows_and_columns_that_are_missing_or_moved_change_nothing(sessions: Sessions) -> None:
    two_projects(sessions)
    uids = images(sessions, 3)
    say(sessions, uids, Mood="good", Passage=3)
    rows = csvsheet.read(exported(sessions), 100)
    mood = rows[0].index("Mood")
    short = [[row[mood], row[0]] for row in (rows[0], rows[3], rows[1])]
    short[1][0] = "bad"
    preview = apply(sessions, csvsheet.write(short))
    assert [(e.record, e.key) for e in preview.edits] == [(uids[2], "Mood")]
    assert tags_of(sessions, uids[2]) == {"Mood": ["bad"], "Passage": ["3"]}


def test_what_cannot_be_is_told_for_each_cell_and_then_refused(sessions: Sessions) -> None:
    two_projects(sessions)
    one, _ = images(sessions, 2)
    hidden = images(sessions, 1, "secret")[0]
    with sessions.begin() as session:
        new = terms.NewTerm("Quality", type="choice", values=["good"])
        terms.declare(session, MANAGER, "screen", new)
    content = cell(exported(sessions), 1, "Acquisition date", "yesterday")
    content = cell(content, 2, "Quality", "fair")
    content = cell(content, 2, "name", "other")
    content = content + f"{hidden},x\r\nabsent,x\r\n{one},x\r\n".encode()
    preview = seen(sessions, content)
    problems = {(e.row, e.key): e.problem for e in preview.edits}
    assert "a date like" in problems[2, "Acquisition date"]
    assert "'fair' is not one of 'good'" in problems[3, "Quality"]
    assert "does not change the name" in problems[3, "name"]
    assert problems[4, "uid"] == problems[5, "uid"] == "no record of this project"
    assert "a row above" in problems[6, "uid"]
    before = vocabulary(sessions)
    with pytest.raises(BadInput, match="row 2, 'Acquisition date': value of"):
        apply(sessions, content, preview.digest)
    assert vocabulary(sessions) == before


def test_what_moved_on_since_the_preview_is_not_applied(sessions: Sessions) -> None:
    two_projects(sessions)
    [one] = images(sessions, 1)
    say(sessions, [one], Mood="good")
    edited = cell(exported(sessions), 1, "Mood", "bad")
    digest = seen(sessions, edited).digest
    say(sessions, [one], Mood="fair")
    with pytest.raises(Conflict, match="changed since the preview"):
        apply(sessions, edited, digest)
    assert tags_of(sessions, one) == {"Mood": ["fair"]}
    with pytest.raises(Conflict):
        apply(sessions, edited, "")


def test_new_columns_become_terms_and_units_are_converted(sessions: Sessions) -> None:
    two_projects(sessions)
    [one] = images(sessions, 1)
    with sessions.begin() as session:
        new = terms.NewTerm("Slit", type="number", unit="um")
        terms.declare(session, MANAGER, "screen", new)
    content = f"uid;Slit [nm];Passage;Mood;Empty;Dose [mg]\r\n{one};250;0,5;good;;3\r\n".encode()
    preview = apply(sessions, content)
    assert preview.new_keys == ["Passage", "Mood", "Dose"]
    found = tags_of(sessions, one)
    assert (found["Slit"], found["Mood"], found["Dose"]) == (["0.25"], ["good"], ["3"])
    with sessions() as session:
        assert session.query(t.Term).filter_by(key="Dose").one().unit == "mg"
        assert session.query(t.Term).filter_by(key="Empty").first() is None
    assert "Slit [um]" in exported(sessions).decode()


def test_a_header_that_can_be_no_key_is_refused_by_its_name(sessions: Sessions) -> None:
    two_projects(sessions)
    [one] = images(sessions, 1)
    with pytest.raises(BadInput, match="content: column 'a/b': key"):
        seen(sessions, f"uid,a/b\r\n{one},x\r\n".encode())
    with pytest.raises(BadInput, match="two columns mean 'Staining'"):
        seen(sessions, f"uid,Staining,staining\r\n{one},x,y\r\n".encode())


def test_spellings_snap_and_are_told(sessions: Sessions) -> None:
    two_projects(sessions)
    one, two = images(sessions, 2)
    say(sessions, [one], Staining=["GFP"])
    content = cell(exported(sessions), 2, "Staining", "gfp; RFP; rfp")
    preview = apply(sessions, content)
    assert preview.snapped == {"Staining": {"gfp": "GFP", "rfp": "RFP"}}
    assert tags_of(sessions, two) == {"Staining": ["GFP", "RFP"]}


def test_who_may_export_and_apply(sessions: Sessions) -> None:
    two_projects(sessions)
    images(sessions, 1)
    content = exported(sessions, Actor("viewer"))
    with pytest.raises(NotFound, match="no project"):
        exported(sessions, STRANGER)
    with pytest.raises(NotAllowed, match="needs the role annotator"):
        seen(sessions, content, Actor("viewer"))
    with pytest.raises(NotFound, match="no project"):
        seen(sessions, content, STRANGER)
    with pytest.raises(NotFound, match="no dataset 'absent'"):
        exported(sessions, dataset="absent")


def test_a_sheet_of_some_records_has_only_these(sessions: Sessions) -> None:
    two_projects(sessions)
    uid = image(sessions)
    others = images(sessions, 2)
    with sessions() as session:
        chosen = [session.query(t.Record).filter_by(uid=others[1]).one().id]
    rows = csvsheet.read(exported(sessions, chosen=chosen), 100)
    assert [row[0] for row in rows[1:]] == [others[1]]
    rows = csvsheet.read(exported(sessions), 100)
    assert [row[0] for row in rows[1:]] == [uid, *others], "originals are no rows"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "the first row must name the columns"),
        (b"name\r\nx\r\n", "one of them 'uid'"),
        (b"uid,a,a\r\n", "the column 'a' stands there twice"),
        ("uid,é\r\n".encode("latin-1"), "save it as CSV UTF-8"),
        (b"uid\r\n\x00\r\n", "no text"),
        (b'uid,a\r\nx,"a\r\n', "no CSV"),
        (b"uid\r\n" + b"x\r\n" * 10_001, "at most 10000 rows"),
        (b"uid," + b",".join(b"c%d" % n for n in range(201)), "at most 200 columns"),
        (b"uid\r\n" + b"x" * 40_000, "too long"),
        (b"uid\r\n" + b"," * 300, "at most 200 columns"),
    ],
)
def test_what_is_no_sheet_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        comparison.shape(csvsheet.read(content, sheets.MOST_ROWS))


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1), min_size=1))
def test_any_values_come_back_from_one_cell(texts: list[str]) -> None:
    term = t.Term(key="k", type="text", unit="", scheme="", pattern="", many=True)
    shown = cells.shown(term, [Word(text) for text in texts])
    assert isinstance(shown, str)
    assert not shown.startswith(("=", "+", "-", "@"))
    assert cells.read(term, shown) == texts
    term.many = False
    single = cells.shown(term, [Word(texts[0])])
    assert cells.read(term, single) == [texts[0]]
