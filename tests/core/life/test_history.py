"""Members read what was done in their projects, and what of it they could take back."""

from __future__ import annotations

import pytest
import shelf
import world
from sqlalchemy import select

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import annotate, datasets, records, renames, tags
from cid_server_ext.core.life import history, trash, undo
from cid_server_ext.core.life.history import Asked
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, NotFound

ANNOTATOR, CONTRIBUTOR, MANAGER = Actor("annotator"), Actor("contributor"), Actor("manager")


@pytest.fixture
def screen(sessions: Sessions) -> Sessions:
    """Projects screen and other; in screen an image was tagged, then renamed."""
    with sessions.begin() as session:
        for name in ("screen", "other"):
            world.make_project(session, name)
        shelf.add_images(session, "other", ["there"])
        uid = shelf.add_images(session, "screen", ["cell"])[0].uid
    with sessions.begin() as session:
        tags.put(session, ANNOTATOR, uid, "Staining", "DAPI")
    with sessions.begin() as session:
        records.change(session, CONTRIBUTOR, t.Image, uid, name="nucleus")
    return sessions


def steps(sessions: Sessions, actor: Actor, **asked: object) -> list[history.Step]:
    with sessions.begin() as session:
        return history.read(session, actor, Asked(**asked))[0]


def test_a_project_is_told_newest_first_and_nothing_of_others(screen: Sessions) -> None:
    found = steps(screen, Actor("viewer"), project="screen")
    assert [step.entry.action for step in found][:2] == ["rename", "tag"]
    assert {step.project for step in found} == {"screen"}
    assert [s.entry.id for s in found] == sorted((s.entry.id for s in found), reverse=True)
    for name in ("screen", "absent"):
        with pytest.raises(NotFound, match=f"no project '{name}'"):
            steps(screen, Actor("stranger"), project=name)


def test_without_a_project_it_is_all_of_ones_own(screen: Sessions) -> None:
    assert {step.project for step in steps(screen, MANAGER)} == {"screen", "other"}
    assert steps(screen, Actor("stranger")) == []
    assert steps(screen, Actor("manager", run_id=1)) == []
    with screen.begin() as session:
        undo.journal.record(session, "staff", "publish prices", "prices:1")
    assert steps(screen, world.STAFF)[0].entry.subject == "prices:1"
    assert "prices:1" not in {step.entry.subject for step in steps(screen, MANAGER)}


def test_about_one_thing(screen: Sessions) -> None:
    with screen() as session:
        uid = session.scalars(select(t.Image.uid).where(t.Image.name == "nucleus")).one()
    found = steps(screen, MANAGER, about=f"image:{uid}")
    assert [step.entry.action for step in found] == ["rename", "tag", "create image"]
    assert steps(screen, Actor("stranger"), about=f"image:{uid}") == []


def test_pages_follow_each_other(screen: Sessions) -> None:
    whole = [step.entry.id for step in steps(screen, MANAGER)]
    paged: list[int] = []
    after = None
    with screen.begin() as session:
        while True:
            page, after = history.read(session, MANAGER, Asked(limit=2, after=after))
            paged += [step.entry.id for step in page]
            if after is None:
                break
    assert paged == whole
    with pytest.raises(BadInput, match="limit: 1 to 200"):
        steps(screen, MANAGER, limit=201)


def test_what_one_may_take_back_is_marked(screen: Sessions) -> None:
    def marked(actor: Actor) -> list[str]:
        return [
            step.entry.action for step in steps(screen, actor, project="screen") if step.undoable
        ]

    assert marked(ANNOTATOR) == ["tag"]
    assert marked(CONTRIBUTOR) == ["rename"]
    assert marked(MANAGER) == marked(world.STAFF) == ["rename", "tag"]
    assert marked(Actor("viewer")) == marked(Actor("manager", writes=False)) == []
    entry = steps(screen, ANNOTATOR, project="screen")[1].entry
    with screen.begin() as session:
        undo.undo(session, ANNOTATOR, entry.id)
    assert marked(ANNOTATOR) == ["undo"]
    taken, _, tagged = steps(screen, MANAGER, project="screen")[:3]
    assert (taken.entry.undoes, tagged.undone_by) == (tagged.entry.id, taken.entry.id)
    assert taken.undone_by is None


def test_a_record_has_what_was_done_to_many_at_once(screen: Sessions) -> None:
    with screen.begin() as session:
        uids = [image.uid for image in shelf.add_images(session, "screen", ["a", "b", "c"])]
    first, second, third = uids
    with screen.begin() as session:
        tags.put(session, ANNOTATOR, third, "Clone", "B1")
    with screen.begin() as session:
        annotate.annotate(session, ANNOTATOR, [first, second], annotate.Wanted({"Clone": "A7"}))
    with screen.begin() as session:
        target = datasets.create(session, CONTRIBUTOR, "screen", "plate").uid
    with screen.begin() as session:
        records.move(session, CONTRIBUTOR, [first, second], target)
    with screen.begin() as session:
        clone = session.scalars(select(t.Value).where(t.Value.text == "A7")).one()
        renames.rename_value(session, MANAGER, clone.term.uid, clone.uid, "B1")
    with screen.begin() as session:
        tags.remove(session, ANNOTATOR, first, "Clone")
    with screen.begin() as session:
        trash.throw(session, CONTRIBUTOR, uids, [])

    def told(uid: str, kind: str = "image", actor: Actor = MANAGER) -> list[str]:
        return [s.entry.action for s in steps(screen, actor, about=f"{kind}:{uid}")][::-1]

    both = ["create image", "annotate", "move", "merge values"]
    assert told(first) == told(first, "record") == [*both, "untag", "trash"]
    assert told(second) == [*both, "trash"]
    assert told(third) == ["create image", "tag", "trash"]
    assert told(first, actor=Actor("stranger")) == []
    assert told("absent") == []
    for uid in uids:
        numbers = [s.entry.id for s in steps(screen, MANAGER, about=f"image:{uid}")]
        assert len(numbers) == len(set(numbers))


def test_staff_reading_a_history_is_noted(screen: Sessions) -> None:
    from cid_server_ext.core.people import staff_reads

    with screen.begin() as session:
        staff_reads.watch(session)
        history.read(session, world.STAFF, Asked(about="nothing"))
        assert staff_reads.unnoted(session, world.STAFF) == []
    with screen.begin() as session:
        staff_reads.watch(session)
        history.read(session, world.STAFF, Asked())
        seen = staff_reads.unnoted(session, world.STAFF)
        assert {read.name for read in seen} == {"screen", "other"}
