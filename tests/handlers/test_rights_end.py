"""A right that ends is over within 10 s, in every process, for addresses that were given before."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import world
from processes import STAFF, Service, content_digest, start_service, stop, wait_until
from sqlalchemy import select

from cid_server_ext.background import revoker
from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.people import members
from cid_server_ext.core.runs import states
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, open_database
from cid_server_ext.storage import revoked

PROMISED = 10.0  # seconds
unique = itertools.count()


@pytest.fixture(scope="module")
def two(
    tmp_path_factory: pytest.TempPathFactory, empty_database: bytes
) -> Iterator[tuple[Service, Service]]:
    """Two service processes on one database and one storage."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "catalog.sqlite").write_bytes(empty_database)
    (folder / "storage").mkdir()
    (folder / "signing.key").write_bytes(b"k" * 32)
    first = start_service(folder)
    try:
        second = start_service(folder)
        yield first, second
        stop(second.process)
    finally:
        stop(first.process)


@pytest.fixture(scope="module")
def sessions(two: tuple[Service, Service]) -> Iterator[Sessions]:
    made = open_database(f"sqlite:///{two[0].folder}/catalog.sqlite")
    yield made
    made.kw["bind"].dispose()


@pytest.fixture
def made(two: tuple[Service, Service], sessions: Sessions) -> world.World:
    """A project whose image has bytes of its own."""
    with sessions.begin() as session:
        made = world.make(session, f"p-{next(unique)}")
        image = session.scalars(select(t.Image).where(t.Image.uid == made.image)).one()
        image.prefix = f"images/{made.image[:2]}/{made.image}"
        image.original.prefix = f"files/{image.original.uid[:2]}/{image.original.uid}"
        store(two[0].folder, image.prefix, "thumbnail.png")
        store(two[0].folder, image.original.prefix, image.original.name)
    return made


def store(folder: Path, prefix: str, name: str) -> None:
    path = folder / "storage" / prefix / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"bytes")


def addresses(two: tuple[Service, Service], image: str, who: object) -> list[str]:
    """Return thumbnail and original, asked from one process, read from both."""
    record = two[0].ask("GET", f"images/{image}", who).json()
    paths = (record["thumbnail"], record["original_url"])
    found = [service.origin + path for service in two for path in paths]
    assert [httpx.get(url).status_code for url in found] == [200] * 4
    return found


def all_refused(urls: list[str]) -> Callable[[], bool]:
    return lambda: all(httpx.get(url).status_code == 401 for url in urls)


def test_a_member_who_is_removed_reads_nothing_any_more(two, made: world.World) -> None:
    mine = addresses(two, made.image, "viewer")
    others = addresses(two, made.image, "annotator")
    gone = two[1].ask("DELETE", f"projects/{made.project}/members/viewer", "manager")
    assert gone.status_code == 200
    assert two[0].ask("GET", f"images/{made.image}", "viewer").status_code == 404
    wait_until(all_refused(mine), what="the tickets of the removed member are refused")
    assert [httpx.get(url).status_code for url in others] == [200] * 4
    assert httpx.get(mine[0]).json()["error"] == "NotLoggedIn"
    assert httpx.head(mine[0]).status_code == 401


def test_what_ended_is_looked_for_often_enough() -> None:
    assert revoker.EVERY + revoked.LOOK < PROMISED / 3


def test_who_keeps_another_right_has_new_addresses_at_once(two, sessions, made) -> None:
    with sessions.begin() as session:
        other = world.make(session, f"p-{next(unique)}")
    mine = addresses(two, made.image, "viewer")
    gone = two[0].ask("DELETE", f"projects/{other.project}/members/viewer", "manager")
    assert gone.status_code == 200
    wait_until(all_refused(mine), what="old tickets are refused")
    assert addresses(two, made.image, "viewer") != mine


def test_a_membership_ends_at_its_date_in_addresses_too(two, sessions, made) -> None:
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=10)
    with sessions.begin() as session:
        members.put_member(session, Actor("manager"), made.project, "visitor", "viewer", ends)
    mine = addresses(two, made.image, "visitor")
    wait_until(all_refused(mine), what="the tickets of a membership that ended")
    assert dt.datetime.now(dt.UTC) >= ends


def test_a_lowered_member_writes_nothing_any_more(two, made: world.World) -> None:
    upload = two[0].ask("GET", f"deposits/{made.deposit}", "contributor").json()["upload"]

    def put() -> int:
        headers = {"Content-Digest": content_digest(b"0123456789")}
        url = f"{two[1].origin}{upload}a.tif"
        return httpx.put(url, content=b"0123456789", headers=headers).status_code

    assert put() == 201
    lowered = two[0].ask(
        "PUT",
        f"projects/{made.project}/members/contributor",
        "manager",
        json={"role": "annotator"},
    )
    assert lowered.status_code == 200
    wait_until(lambda: put() == 401, what="the write ticket is refused")
    assert two[0].ask("GET", f"deposits/{made.deposit}", "contributor").status_code == 404


def test_a_run_that_ended_reads_nothing_any_more(two, sessions, made) -> None:
    mine = addresses(two, made.image, f"run:{made.run_token}")
    with sessions.begin() as session:
        run = session.scalars(select(t.Run).where(t.Run.uid == made.run)).one()
        states.move(session, run.id, "failed")
    wait_until(all_refused(mine), what="the tickets of a run that ended")
    refused = two[0].ask("GET", f"images/{made.image}", f"run:{made.run_token}")
    assert (refused.status_code, refused.json()["error"]) == (401, "NotLoggedIn")


def test_what_was_thrown_away_is_read_by_nobody(two, sessions, made) -> None:
    mine = addresses(two, made.image, "viewer") + addresses(two, made.image, STAFF)
    with sessions.begin() as session:
        image = session.scalars(select(t.Image).where(t.Image.uid == made.image)).one()
        step = t.Trash(
            project_id=image.project_id,
            person="manager",
            what="x",
            nbytes=0,
            purge_at=image.created_at,
        )
        session.add(step)
        session.flush()
        image.trash_id = step.id
        journal.record(session, "manager", "trash", f"image:{image.uid}")
    wait_until(all_refused(mine), what="the tickets of what was thrown away")


def test_a_link_taken_away_ends_what_it_opened(two, sessions, made) -> None:
    with sessions.begin() as session:
        other = world.make_project(session, f"p-{next(unique)}")
        members.put_member(session, Actor("manager"), other.name, "friend", "viewer")
        root = session.scalars(select(t.Dataset).where(t.Dataset.project_id == other.id)).one()
        image = session.scalars(select(t.Image).where(t.Image.uid == made.image)).one()
        key = {"dataset_id": root.id, "record_id": image.id}
        session.add(t.Link(**key, project_id=other.id, linked_by="manager"))
    mine = addresses(two, made.image, "friend")  # its original too: who views may download it
    with sessions.begin() as session:
        session.delete(session.get_one(t.Link, tuple(key.values())))
        journal.record(session, "manager", "unlink", f"image:{made.image}")
    wait_until(all_refused(mine), what="the tickets that a link opened")
    addresses(two, made.image, "viewer")


def test_a_ticket_says_nothing_of_whom_and_where(two, made: world.World) -> None:
    import base64

    url = addresses(two, made.image, "viewer")[0]
    packed = url.split("/data/")[1].split(".")[0]
    said = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    assert made.image in said
    assert made.project not in said
    assert "viewer" not in said
