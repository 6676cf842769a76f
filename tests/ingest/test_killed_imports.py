"""The importing process is killed at any moment: run again, each file is there once and whole."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import bringing
import pytest
import world
from bringing import tif
from sqlalchemy import select, update

from cid_server_ext.db import clock
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, open_database
from cid_server_ext.ingest.convert import warm_up
from cid_server_ext.ingest.importer import Importer
from cid_server_ext.storage import manifests
from cid_server_ext.storage.roots import Folder

MOMENTS = 10  # on each database


@pytest.fixture
def importer(sessions: Sessions, tmp_path: Path) -> Iterator[Importer]:
    with sessions.begin() as session:
        world.make_project(session, "screen")
    made = Importer(sessions, Folder(tmp_path / "root"))
    yield made
    made.close()


def tree(seed: int) -> dict[str, bytes]:
    """Things of several kinds, none of which was there before."""
    return {
        f"{seed}/a.tif": tif(seed),
        f"{seed}/b.tif": tif(seed + 1000),
        f"{seed}/cut.tif": tif(seed + 2000)[:1500],
        f"{seed}/notes.txt": f"of {seed}".encode(),
    }


def attempt(importer: Importer, uid: str) -> int:
    """Import in a process of its own, which shares our nursery, and return its pid."""
    url = importer.sessions.kw["bind"].url
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # we have threads; it uses none of them
        pid = os.fork()
    if pid == 0:
        try:
            Importer(open_database(url), importer.root)._import(uid)
        finally:
            os._exit(0)
    return pid


def let_go(importer: Importer) -> None:
    """The leases of the dead end."""
    with importer.sessions.begin() as session:
        session.execute(update(t.Deposit).values(lease_until=clock.after(session, -1)))


def test_kill_9_at_any_moment_of_an_import_and_again(importer: Importer) -> None:
    warm_up()
    began = time.monotonic()
    bringing.brought(importer, tree(100))
    lasts = time.monotonic() - began
    moments, brought, cut = random.Random(5), tree(100), 0
    for n in range(MOMENTS):
        brought |= tree(n)
        uid = bringing.opened(importer, tree(n))
        pid = attempt(importer, uid)
        threading.Event().wait(lasts * (n + moments.random()) / MOMENTS)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        under_way = bringing.ended(importer, uid).state == "importing"
        cut += under_way
        lasts *= 1 if under_way else 0.8  # the machine has become quicker
        let_go(importer)
        importer._import(uid)
        ended = bringing.ended(importer, uid)
        assert (ended.state, ended.error) == ("done", None)
        assert [one["path"] for one in ended.results["problems"]] == [f"{n}/cut.tif"]
    assert cut >= MOMENTS // 3
    importer.sweep()
    assert bringing.staged(importer) == []
    with importer.sessions() as session:
        files = session.scalars(select(t.File)).all()
        places = sorted(f"{file.dataset.path}/{file.name}" for file in files)
        assert places == sorted(brought)
        for file in files:
            body = brought[f"{file.dataset.path}/{file.name}"]
            assert file.sha256 == bringing.sha256(body)
            assert importer.root.digest(f"{file.prefix}/{file.stored}") == file.sha256
        images = session.scalars(select(t.Image)).all()
        assert len({image.original_id for image in images}) == len(images) == 2 * (MOMENTS + 1)
        for image in images:
            assert manifests.promised(importer.root.path(image.prefix), image.sha256)
    held, used, reserved = bringing.counters(importer)
    assert (used, reserved) == (held, 0)
    stored = importer.root.path("images").glob("*/*")
    assert {path.name for path in stored} == {image.uid for image in images}
