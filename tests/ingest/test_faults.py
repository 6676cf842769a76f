"""The disk is full, read-only or dying: a clear reason, nothing left, and the next one comes in."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bringing
import pytest
import world
from bringing import tif
from sqlalchemy import update

from cid_server_ext.db import clock
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.ingest import trees
from cid_server_ext.ingest.importer import Importer
from cid_server_ext.ingest.limits import Limits
from cid_server_ext.storage import digests
from cid_server_ext.storage.roots import Folder

TREE = {"a.tif": tif(1), "day/b.tif": tif(2), "c.txt": b"words"}
Break = Callable[[pytest.MonkeyPatch, int], None]


@pytest.fixture
def importer(sessions: Sessions, tmp_path: Path) -> Iterator[Importer]:
    with sessions.begin() as session:
        world.make_project(session, "screen")
    made = Importer(sessions, Folder(tmp_path / "root"))
    yield made
    made.close()


def failing(number: int) -> Callable[..., Any]:
    def fails(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fails


def reading(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(digests, "of_file", failing(number))


def remembering(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(trees.Tree, "_remember", failing(number))


def publishing(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """The second thing cannot be moved any more."""
    publish, done = Folder._publish, []

    def fails(self: Folder, *what: Any) -> None:
        if len(done) == 1:
            failing(number)()
        done.append(what)
        publish(self, *what)

    monkeypatch.setattr(Folder, "_publish", fails)


@pytest.mark.parametrize(
    ("breaks", "number", "said"),
    [
        (reading, errno.EIO, "cannot read or write"),
        (remembering, errno.ENOSPC, "the storage is full"),
        (publishing, errno.ENOSPC, "the storage is full"),
        (publishing, errno.EROFS, "takes no bytes now"),
    ],
)
def test_a_storage_that_fails_is_named_and_nothing_is_left(
    importer: Importer, monkeypatch: pytest.MonkeyPatch, breaks: Break, number: int, said: str
) -> None:
    with monkeypatch.context() as broken:
        breaks(broken, number)
        failed = bringing.brought(importer, TREE)
    assert (failed.state, failed.error["error"]) == ("failed", "Unavailable")
    assert said in failed.error["message"]
    assert (bringing.counters(importer), bringing.staged(importer)) == ((0, 0, 0), [])
    assert bringing.originals(importer) == {}
    done = bringing.brought(importer, TREE)
    assert (done.state, len(done.results["images"])) == ("done", 2)
    held, used, reserved = bringing.counters(importer)
    assert (used, reserved) == (held, 0)


def test_a_child_that_may_write_no_more_is_no_fault_of_the_file(importer: Importer) -> None:
    importer.limits = Limits(file_bytes=1000)
    failed = bringing.brought(importer, TREE)
    assert (failed.state, failed.error["error"]) == ("failed", "Unavailable")
    assert (bringing.counters(importer), bringing.staged(importer)) == ((0, 0, 0), [])


def test_what_cannot_be_removed_now_is_removed_later(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Folder, "_publish", failing(errno.EROFS))
        broken.setattr(Folder, "remove", failing(errno.EROFS))
        failed = bringing.brought(importer, TREE)
    assert failed.state == "failed"
    assert bringing.counters(importer) == (0, 0, 0)
    assert bringing.staged(importer) == [failed.uid]
    with importer.sessions.begin() as session:
        session.execute(update(t.Deposit).values(lease_until=clock.after(session, -1)))
    importer.sweep()
    assert bringing.staged(importer) == []
