"""The disk is full, read-only or dying: a clear reason, nothing left, and the next one comes in."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import bringing
import pytest
import world
from bringing import tif
from sqlalchemy import delete, update

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


CALLS = ("fsync", "rename", "replace", "link", "mkdir", "unlink")
STRIDE = float(os.environ.get("FAULT_STRIDE", "2.2"))  # 1: each single call


def test_whichever_call_fails_the_import_is_whole_or_nothing(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first call, the second, the third … ends with EIO, until none is left to fail."""
    at, failures = 1, 0
    while True:
        before, made = bringing.counters(importer), kept(importer)
        uid, calls = bringing.opened(importer, TREE, again=True), itertools.count(1)
        with monkeypatch.context() as broken:
            for name in CALLS:
                broken.setattr(os, name, nth(getattr(os, name), calls, at))
            with suppress(OSError):  # a thread of the service notes it, and lives
                importer._import(uid)
        ended = bringing.ended(importer, uid)
        if ended.state == "done":
            assert len(ended.results["images"]) == 2
        else:
            failures += 1
            assert (ended.state, ended.error["error"]) == ("failed", "Unavailable"), at
            assert bringing.counters(importer) == before, at
        with importer.sessions.begin() as session:
            session.execute(update(t.Deposit).values(lease_until=clock.after(session, -1)))
            session.execute(delete(t.Duty))
        importer.sweep()
        assert bringing.staged(importer) == [], at
        assert len(kept(importer)) - len(made) == (0 if ended.state == "failed" else 3), at
        if next(calls) <= at:
            break
        at = max(at + 1, round(at * STRIDE))
    assert failures > 2


def kept(importer: Importer) -> list[Path]:
    """Return every original and file that is published."""
    return [path for path in importer.root.path("files").rglob("*") if path.is_file()]


def nth(call: Callable[..., Any], calls: Iterator[int], at: int) -> Callable[..., Any]:
    """Return a call that fails when it is the one of this number, of all that share the count."""

    def made(*given: Any, **named: Any) -> Any:
        if next(calls) == at:
            failing(errno.EIO)()
        return call(*given, **named)

    return made
