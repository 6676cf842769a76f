"""The same bytes twice: whoever comes second is told where they are, however they came."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bringing
import pytest
import world
from bringing import tif
from sqlalchemy import update

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.life import purge
from cid_server_ext.db import clock
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.ingest.importer import Importer
from cid_server_ext.ingest.workers import Worker
from cid_server_ext.storage import digests
from cid_server_ext.storage.roots import Folder

BODY = tif(1, 300)
STRANGER = Actor("stranger")


@pytest.fixture
def importers(sessions: Sessions, tmp_path: Path) -> Iterator[list[Importer]]:
    with sessions.begin() as session:
        world.make_project(session, "screen")
    made = [Importer(sessions, Folder(tmp_path / "root")) for _ in range(2)]
    yield made
    for one in made:
        one.close()


def digested(importer: Importer, uid: str) -> None:
    """Note of what is staged what an upload notes."""
    prefix = importer.root.path(f"staging/{uid}")
    for path in bringing.staged_files(importer, uid):
        place = prefix / "in" / path
        digests.note(prefix, place, digests.of_file(place))


def test_two_at_the_same_moment_make_one(importers: list[Importer]) -> None:
    first = importers[0]
    uids = [bringing.opened(first, {name: BODY, "b.txt": b"words"}) for name in ("a.tif", "c.tif")]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one, uid: one._import(uid), importers, uids))
    ended = [bringing.ended(first, uid) for uid in uids]
    assert [one.state for one in ended] == ["done", "done"]
    came = [one for one in ended if one.results["images"]]
    there = [one for one in ended if one.results["there"]]
    (image,) = came[0].results["images"]
    assert (len(came), len(there), there[0].results["images"]) == (1, 1, [])
    assert {one["path"] for one in there[0].results["there"]} in (
        {"a.tif", "b.txt"},
        {"c.tif", "b.txt"},
    )
    assert {one["record"] for one in there[0].results["there"]} == set(came[0].results["files"])
    held, used, reserved = bringing.counters(first)
    assert (used, reserved) == (held, 0)
    purge.sweep(first.sessions, first.root.remove, "a test")  # bytes that were published meanwhile
    folders = [path.name for path in first.root.path("images").glob("*/*")]
    assert folders == [image]
    assert sorted(bringing.originals(first).values()) == sorted(
        [bringing.sha256(BODY), bringing.sha256(b"words")]
    )


def test_what_came_again_unknowingly_is_not_read_again(
    importers: list[Importer], monkeypatch: pytest.MonkeyPatch
) -> None:
    importer = importers[0]
    done = bringing.brought(importer, {"day/a.tif": BODY})
    before = bringing.counters(importer)
    uid = bringing.opened(importer, {"other name.tif": BODY})
    digested(importer, uid)
    monkeypatch.setattr(Worker, "convert", lambda *_, **__: pytest.fail("it is read again"))
    importer._import(uid)
    ended = bringing.ended(importer, uid)
    (original,) = done.results["files"]
    assert (ended.state, ended.results["images"]) == ("done", [])
    assert ended.results["there"] == [{"path": "other name.tif", "record": original}]
    assert (bringing.counters(importer), bringing.staged(importer)) == (before, [])


def test_what_the_storage_has_lost_comes_in_again(importers: list[Importer]) -> None:
    importer = importers[0]
    done = bringing.brought(importer, {"a.tif": BODY})
    with importer.sessions() as session:
        lost = session.query(t.File).filter_by(uid=done.results["files"][0]).one()
        importer.root.path(f"{lost.prefix}/{lost.name}").unlink()
    uid = bringing.opened(importer, {"a.tif": BODY})
    with importer.sessions.begin() as session:  # an hour later: some databases count in seconds
        later = {"created_at": clock.after(session, 3600)}
        session.execute(update(t.Deposit).where(t.Deposit.uid == uid).values(later))
    digested(importer, uid)
    importer._import(uid)
    ended = bringing.ended(importer, uid)
    assert (len(ended.results["images"]), ended.results["there"]) == (1, [])
    assert list(bringing.originals(importer).values()) == [bringing.sha256(BODY)]


def test_asked_for_again_it_comes_again(importers: list[Importer]) -> None:
    importer = importers[0]
    bringing.brought(importer, {"a.tif": BODY})
    uid = bringing.opened(importer, {"a.tif": BODY}, again=True)
    digested(importer, uid)
    importer._import(uid)
    ended = bringing.ended(importer, uid)
    assert (len(ended.results["images"]), ended.results["there"]) == (1, [])


def test_of_one_deposit_both_come(importers: list[Importer]) -> None:
    done = bringing.brought(importers[0], {"a.tif": BODY, "copy/a.tif": BODY})
    assert (len(done.results["images"]), done.results["there"]) == (2, [])


def test_what_one_may_not_read_is_not_told(importers: list[Importer]) -> None:
    importer = importers[0]
    bringing.brought(importer, {"a.tif": BODY})
    with importer.sessions.begin() as session:
        world.make_project(session, "elsewhere")
        theirs = session.query(t.Project).filter_by(name="elsewhere").one()
        more = t.ProjectMember(project_id=theirs.id, person=STRANGER.name, role="contributor")
        session.add(more)
    uid = bringing.opened(importer, {"a.tif": BODY}, who=STRANGER, project="elsewhere")
    digested(importer, uid)
    importer._import(uid)
    ended = bringing.ended(importer, uid)
    assert (len(ended.results["images"]), ended.results["there"]) == (1, [])
