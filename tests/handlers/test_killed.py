"""The service is killed while it imports: at its next start each file is there once, or not yet."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import tifffile
import world
from processes import Service, content_digest, start_service, stop, wait_until

from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, open_database

PROJECT = "killed"


@pytest.fixture
def folder(tmp_path: Path, empty_database: bytes) -> Path:
    (tmp_path / "catalog.sqlite").write_bytes(empty_database)
    return tmp_path


@pytest.fixture
def database(folder: Path) -> Iterator[Sessions]:
    made = open_database(f"sqlite:///{folder}/catalog.sqlite")
    with made.begin() as session:
        world.make_project(session, PROJECT)
    yield made
    made.kw["bind"].dispose()


def staged(service: Service, name: str, body: bytes) -> str:
    """Open a deposit, upload, and return its uid: ready to commit."""
    declared = {"files": [{"path": name, "nbytes": len(body)}], "again": True}
    path = f"projects/{PROJECT}/deposits"
    opened = service.ask("POST", path, "contributor", json=declared).json()
    headers = {"Content-Digest": content_digest(body)}
    httpx.put(service.origin + opened["upload"] + name, content=body, headers=headers)
    return opened["uid"]


def test_an_import_survives_kill_9_at_any_moment(
    folder: Path, database: Sessions, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 60000, (3, 700, 700), dtype=np.uint16)
    path = tmp_path / "noise.tif"
    tifffile.imwrite(path, pixels, imagej=True, metadata={"axes": "ZYX"})
    body = path.read_bytes()
    moments = random.Random(4)
    service = start_service(folder)
    uids = [staged(service, f"noise {n}.tif", body) for n in range(4)]
    for uid in uids:
        service.ask("POST", f"deposits/{uid}/commit", "contributor", json={})
        # at a random moment, in whatever step the import is
        threading.Event().wait(moments.uniform(0.0, 2.5))
        os.killpg(service.process.pid, signal.SIGKILL)
        service.process.wait(60)
        service = start_service(folder)

    def all_done() -> bool:
        states = [service.ask("GET", f"deposits/{u}", "contributor").json()["state"] for u in uids]
        assert "failed" not in states
        return states == ["done"] * 4

    wait_until(all_done, 120, "every import is done")
    wait_until(lambda: service.staged() == [], what="staging is empty")
    stop(service.process)

    with database.begin() as session:
        images, files = session.query(t.Image).all(), session.query(t.File).all()
        assert len(images) == len(files) == 4
        used = sum(row.nbytes for row in [*images, *files])
        allocation = session.query(t.Allocation).one()
        assert (allocation.used, allocation.reserved) == (used, 0)
        on_disk = {p.name for p in (folder / "storage" / "images").glob("*/*")}
        assert on_disk == {image.uid for image in images}
