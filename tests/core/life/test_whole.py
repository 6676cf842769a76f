"""An undo never tears records, tags, notes or datasets from where they belong by now."""

from __future__ import annotations

import pytest
import shelf
import world
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import (
    datasets,
    links,
    notes,
    projects,
    records,
    renames,
    tags,
    terms,
)
from cid_server_ext.core.ledger import usage
from cid_server_ext.core.life import trash, undo
from cid_server_ext.core.people import members
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import Conflict, NotAllowed

CONTRIBUTOR, MANAGER = Actor("contributor"), Actor("manager")


@pytest.fixture
def screen(sessions: Sessions) -> Sessions:
    """Project screen with a file in a; project other with dataset there."""
    with sessions.begin() as session:
        for name in ("screen", "other"):
            world.make_project(session, name)
        shelf.add_file(session, "screen", "plan.pdf", "a")
        datasets.create(session, CONTRIBUTOR, "other", "there")
    return sessions


def record(session: Session) -> t.Record:
    return session.scalars(select(t.Record).where(t.Record.name == "plan.pdf")).one()


def dataset(session: Session, path: str) -> str:
    found = select(t.Dataset.uid).where(t.Dataset.path == path, t.Dataset.trash_id.is_(None))
    return session.scalars(found).one()


def take_back(sessions: Sessions, action: str, actor: Actor = CONTRIBUTOR) -> None:
    with sessions.begin() as session:
        chosen = select(t.Journal.id).where(t.Journal.action == action)
        entry = session.scalars(chosen.order_by(t.Journal.id.desc())).first()
        assert entry is not None
        undo.undo(session, actor, entry)


def change(sessions: Sessions, old: str, **where: str) -> None:
    with sessions.begin() as session:
        datasets.change(session, CONTRIBUTOR, dataset(session, old), **where)


def test_a_dataset_made_below_since_holds_the_move(screen: Sessions) -> None:
    change(screen, "a", path="b")
    with screen.begin() as session:
        datasets.create(session, CONTRIBUTOR, "screen", "b/new")
    with pytest.raises(Conflict, match="'b/new' would be torn from its place"):
        take_back(screen, "move dataset")
    change(screen, "b/new", path="new")
    with screen.begin() as session:
        first = select(t.Journal.id).where(t.Journal.action == "move dataset")
        undo.undo(session, CONTRIBUTOR, session.scalars(first.order_by(t.Journal.id)).first())
        assert dataset(session, "a")


def test_a_file_deposited_since_holds_the_move_to_another_project(screen: Sessions) -> None:
    change(screen, "a", project="other")
    with screen.begin() as session:
        shelf.add_file(session, "other", "later.pdf", "a")
    with pytest.raises(Conflict, match=r"'later.pdf' lies elsewhere"):
        take_back(screen, "move dataset")
    with screen() as session:
        used = dict(
            session.execute(select(t.Project.name, t.Allocation.used).join(t.Allocation)).all()
        )
        assert used == {"screen": 0, "other": 600}


def test_what_lay_in_a_dataset_that_is_in_the_trash_does_not_go_back(screen: Sessions) -> None:
    with screen.begin() as session:
        datasets.create(session, CONTRIBUTOR, "screen", "b")
    with screen.begin() as session:
        records.move(session, CONTRIBUTOR, [record(session).uid], dataset(session, "b"))
    with screen.begin() as session:
        thrown = trash.throw(session, CONTRIBUTOR, [], [dataset(session, "a")]).uid
    with pytest.raises(Conflict, match="its dataset is in the trash"):
        take_back(screen, "move")
    with screen.begin() as session:
        trash.restore(session, CONTRIBUTOR, thrown)
    take_back(screen, "move")


def test_tags_notes_and_links_do_not_come_back_to_another_project(screen: Sessions) -> None:
    with screen.begin() as session:
        uid = record(session).uid
        tags.put(session, CONTRIBUTOR, uid, "Clone", "A7")
        note = notes.write(session, CONTRIBUTOR, f"record:{uid}", "good").uid
        datasets.create(session, CONTRIBUTOR, "screen", "shown")
        links.put(session, CONTRIBUTOR, dataset(session, "shown"), uid)
    with screen.begin() as session:
        tags.remove(session, CONTRIBUTOR, uid, "Clone")
    with screen.begin() as session:
        notes.remove(session, CONTRIBUTOR, note)
    with screen.begin() as session:
        records.move(session, CONTRIBUTOR, [uid], dataset(session, "there"))
    for action in ("untag", "remove note"):
        with pytest.raises(Conflict, match=r"'plan.pdf' lies elsewhere"):
            take_back(screen, action)
    change(screen, "shown", project="other")
    with screen.begin() as session:
        links.remove(session, CONTRIBUTOR, dataset(session, "shown"), uid)
    take_back(screen, "unlink")
    with screen() as session:
        (link,) = session.scalars(select(t.Link))
        assert link.project_id == link.dataset.project_id


def test_undoing_a_move_needs_the_role_in_both_projects(screen: Sessions) -> None:
    change(screen, "a", project="other")
    with screen.begin() as session:
        members.put_member(session, MANAGER, "other", "contributor", "annotator")
    with pytest.raises(NotAllowed, match="needs the role contributor"):
        take_back(screen, "move dataset")
    take_back(screen, "move dataset", MANAGER)


def test_in_a_closed_project_nothing_is_taken_back(screen: Sessions) -> None:
    change(screen, "a", path="b")
    with screen.begin() as session:
        projects.change(session, world.STAFF, "screen", title=None, state="closed")
    for actor in (CONTRIBUTOR, MANAGER, world.STAFF):
        with pytest.raises(Conflict, match="'screen' is closed"):
            take_back(screen, "move dataset", actor)


@pytest.mark.parametrize("whole", [True, False])
def test_what_was_thrown_away_since_comes_back_first(screen: Sessions, whole: bool) -> None:
    with screen.begin() as session:
        uid, folder = record(session).uid, dataset(session, "a")
    if whole:
        change(screen, "a", project="other")
    else:
        with screen.begin() as session:
            records.move(session, CONTRIBUTOR, [uid], dataset(session, "there"))
    with screen.begin() as session:
        thrown = trash.throw(session, CONTRIBUTOR, *([], [folder]) if whole else ([uid], [])).uid
    action = "move dataset" if whole else "move"
    with pytest.raises(Conflict, match="was thrown away since: restore it first"):
        take_back(screen, action)
    with screen.begin() as session:
        trash.restore(session, CONTRIBUTOR, thrown)
    take_back(screen, action)
    with screen() as session:
        assert record(session).project.name == "screen"
        assert usage.check(session) == []


@pytest.mark.parametrize("since", ["tag", "note"])
def test_a_tag_or_note_of_the_other_project_holds_the_move(screen: Sessions, since: str) -> None:
    with screen.begin() as session:
        uid = record(session).uid
        records.move(session, CONTRIBUTOR, [uid], dataset(session, "there"))
    with screen.begin() as session:
        if since == "tag":
            tags.put(session, CONTRIBUTOR, uid, "Clone", "A7")
        else:
            notes.write(session, CONTRIBUTOR, f"record:{uid}", "good")
    with pytest.raises(Conflict, match="has tags or notes of the project it is in now"):
        take_back(screen, "move")


@pytest.mark.parametrize("undone", ["merge terms", "move"])
def test_a_value_that_came_to_another_key_is_not_torn_from_it(
    screen: Sessions, undone: str
) -> None:
    with screen.begin() as session:
        uid, more = record(session).uid, shelf.add_file(session, "screen", "more.pdf").uid
        tags.put(session, CONTRIBUTOR, uid, "Clone", "A7")
        term = session.scalars(select(t.Term).where(t.Term.key == "Clone")).one().uid
        into = session.scalars(select(t.Term).where(t.Term.key == "Protein")).one().uid
    if undone == "move":
        with screen.begin() as session:
            records.move(session, CONTRIBUTOR, [uid], dataset(session, "there"))
    with screen.begin() as session:
        renames.merge_terms(session, MANAGER, term, into)
    with screen.begin() as session:
        tags.put(session, CONTRIBUTOR, more, "Protein", "A7")
    with pytest.raises(Conflict, match="has a value that came to another key since"):
        take_back(screen, undone, MANAGER)


def test_in_a_closed_project_no_words_change(screen: Sessions) -> None:
    with screen.begin() as session:
        tags.put(session, CONTRIBUTOR, record(session).uid, "Clone", "A7")
        term = session.scalars(select(t.Term).where(t.Term.key == "Clone")).one().uid
    with screen.begin() as session:
        terms.change(session, MANAGER, term, {"key": "Line"})
    with screen.begin() as session:
        projects.change(session, world.STAFF, "screen", title=None, state="closed")
    new = terms.NewTerm("More")
    for change_words in (
        lambda session: terms.change(session, MANAGER, term, {"key": "Other"}),
        lambda session: terms.declare(session, MANAGER, "screen", new),
    ):
        with pytest.raises(Conflict, match="this project is closed"), screen.begin() as session:
            change_words(session)
    with pytest.raises(Conflict, match="'screen' is closed"):
        take_back(screen, "rename term", MANAGER)
