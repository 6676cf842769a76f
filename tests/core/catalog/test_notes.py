"""Notes are about a project, a dataset or a record; one changes one's own, managers any."""

from __future__ import annotations

import pytest
import shelf
import world
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import notes
from cid_server_ext.core.life import undo
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, NotAllowed, NotFound

ANNOTATOR, CONTRIBUTOR, MANAGER = Actor("annotator"), Actor("contributor"), Actor("manager")


@pytest.fixture
def screen(sessions: Sessions) -> Sessions:
    with sessions.begin() as session:
        world.make_project(session, "screen")
        shelf.add_images(session, "screen", ["cell"])
    return sessions


def targets(session: Session) -> list[str]:
    image = session.scalars(select(t.Image)).one()
    return ["project:screen", f"dataset:{image.dataset.uid}", f"record:{image.uid}"]


def words(session: Session) -> str:
    found = select(t.Document.words).join(t.Image, t.Image.id == t.Document.record_id)
    return session.scalars(found).one()


def last(session: Session) -> int:
    return session.scalars(select(t.Journal.id).order_by(t.Journal.id.desc())).first()


def test_a_note_is_listed_with_what_it_is_about_only(screen: Sessions) -> None:
    with screen.begin() as session:
        for about in targets(session):
            note = notes.write(session, ANNOTATOR, about, f"of {about}")
            assert notes.about(note) == about
        for about in targets(session):
            listed = notes.listing(session, Actor("viewer"), about)
            assert [note.text for note in listed] == [f"of {about}"]


def test_the_words_of_a_note_are_found_with_the_record_until_it_goes(screen: Sessions) -> None:
    with screen.begin() as session:
        about = targets(session)[2]
        uid = notes.write(session, ANNOTATOR, about, "Bleached *quickly*").uid
        assert "bleached quickly" in words(session)
        notes.edit(session, ANNOTATOR, uid, "stable")
        assert "bleached" not in words(session)
        assert "stable" in words(session)
    with screen.begin() as session:
        notes.remove(session, ANNOTATOR, uid)
        assert "stable" not in words(session)
    with screen.begin() as session:
        undo.undo(session, ANNOTATOR, last(session))
        assert "stable" in words(session)
        assert [note.uid for note in notes.listing(session, ANNOTATOR, about)] == [uid]


def test_a_viewer_reads_and_writes_nothing(screen: Sessions) -> None:
    with screen.begin() as session:
        for about in targets(session):
            with pytest.raises(NotAllowed, match="annotator"):
                notes.write(session, Actor("viewer"), about, "x")
            with pytest.raises(NotFound):
                notes.listing(session, Actor("stranger"), about)


def test_ones_own_is_changed_and_managers_change_any(screen: Sessions) -> None:
    with screen.begin() as session:
        uid = notes.write(session, ANNOTATOR, "project:screen", "mine").uid
        with pytest.raises(NotAllowed, match="annotator wrote this note"):
            notes.edit(session, CONTRIBUTOR, uid, "yours")
        with pytest.raises(NotAllowed, match="only he and managers"):
            notes.remove(session, CONTRIBUTOR, uid)
        with pytest.raises(NotFound, match="no note"):
            notes.edit(session, Actor("stranger"), uid, "x")
        note = notes.edit(session, MANAGER, uid, "corrected")
        assert (note.person, note.text) == ("annotator", "corrected")
        assert note.edited_at is not None


@pytest.mark.parametrize(
    ("about", "name"),
    [("image:x", "about"), ("record", "about"), ("", "about"), ("x:y", "about")],
)
def test_a_target_of_no_kind_is_refused_by_name(screen: Sessions, about: str, name: str) -> None:
    with screen.begin() as session, pytest.raises(BadInput, match=f"{name}: "):
        notes.write(session, ANNOTATOR, about, "x")


@pytest.mark.parametrize("text", ["", "  \n", "x" * 20_001, "a\x00b", "a\ud800", "\x1b[31m"])
def test_text_that_cannot_be_kept_is_refused_by_name(screen: Sessions, text: str) -> None:
    with screen.begin() as session, pytest.raises(BadInput, match="text: "):
        notes.write(session, ANNOTATOR, "project:screen", text)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a\n\tb", "‮abc", "x" * 20_000])
def test_any_other_text_is_kept_as_it_is(screen: Sessions, text: str) -> None:
    with screen.begin() as session:
        notes.write(session, ANNOTATOR, "project:screen", text)
        assert notes.listing(session, ANNOTATOR, "project:screen")[0].text == text
