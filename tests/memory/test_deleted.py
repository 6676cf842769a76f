"""The database file is deleted under a real service: everything comes back from storage."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import everything
import httpx
import numpy as np
import pytest
import world
import zarr
from processes import STAFF, Service, deposit, start_service, stop, wait_until

from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, open_database

REAL = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    if not REAL.is_dir():
        pytest.skip("needs the real microscopy files of ../shared/data, which are not here")
    return [
        REAL / "formats" / "imagej" / "xyc_16bit__cell_dna_mts_actin.tif",
        REAL / "formats" / "ometiff" / "4D-series.ome.tiff",
    ]


@pytest.fixture
def running(tmp_path: Path, empty_database: bytes) -> Iterator[list[Service]]:
    """A folder with an empty catalog; the services that are started in it end with the test."""
    (tmp_path / "catalog.sqlite").write_bytes(empty_database)
    with database(tmp_path) as sessions, sessions.begin() as session:
        world.make_project(session, "screen")
    started = [start_service(tmp_path)]
    yield started
    for service in started:
        stop(service.process)


@contextmanager
def database(folder: Path) -> Iterator[Sessions]:
    made = open_database(f"sqlite:///{folder}/catalog.sqlite")
    yield made
    made.kw["bind"].dispose()


def pixels(service: Service, uid: str) -> np.ndarray:
    """Return level 0 as the service gives it."""
    image = service.ask("GET", f"images/{uid}", "viewer").json()
    store = zarr.storage.FsspecStore.from_url(service.origin + image["data"])
    return np.asarray(zarr.open_array(store, path="0", mode="r")[:])


def test_delete_rebuild_go_on(tmp_path: Path, files: list[Path], running: list[Service]) -> None:
    [service] = running
    uids = []
    for path in files:
        done = deposit(service, "contributor", "screen", path, dataset="day 1")
        assert done["state"] == "done", done
        uids += done["images"]
    tag = service.ask("PUT", f"images/{uids[0]}/tags/Protein", "annotator", json={"value": "GFP"})
    assert tag.status_code == 200, tag.text
    with database(tmp_path) as sessions, sessions.begin() as session:
        template = world.templates.publish(session, world.STAFF, world.MANIFEST, world.NOTEBOOK)
        image = session.query(t.Image).filter_by(uid=uids[0]).one()
        run = world.add_run(session, image, template, person="contributor", token="x")
        run.state = "committing"
        run_uid = run.uid
    seen = {uid: pixels(service, uid) for uid in uids}
    asked = [f"images/{uid}" for uid in uids] + ["images?q=gfp", "projects/screen"]
    before = [answer(service, path) for path in asked]

    head = tmp_path / "storage" / "journal" / "head.json"
    with database(tmp_path) as sessions:
        last = everything.last(sessions)
        wait_until(lambda: f'"id":{last},' in head.read_text(), what="the journal is on storage")
    os.killpg(service.process.pid, signal.SIGKILL)
    service.process.wait(60)
    with database(tmp_path) as sessions:
        exported = everything.export(sessions)
    for path in tmp_path.glob("catalog.sqlite*"):
        path.unlink()

    url = f"sqlite:///{tmp_path}/catalog.sqlite"
    command = [sys.executable, "-m", "cid_server_ext.cli"]
    rebuilt = [*command, "rebuild", "--storage", str(tmp_path / "storage"), "--database", url]
    done = subprocess.run(rebuilt, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("the catalog is as it was\n")
    written = [*command, "export", "--canonical", "--database", url, "-o", str(tmp_path / "after")]
    subprocess.run(written, check=True)
    assert (tmp_path / "after").read_bytes() == exported

    verified = [*command, "verify", "--deep", "--database", url]
    done = subprocess.run(
        [*verified, "--storage", str(tmp_path / "storage")], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.splitlines()[-1].endswith(": valid")) == (0, True)

    running.append(service := start_service(tmp_path))
    assert [answer(service, path) for path in asked] == before
    for uid in uids:
        assert (pixels(service, uid) == seen[uid]).all()
    original = service.ask("GET", f"images/{uids[0]}", STAFF).json()["original_url"]
    assert httpx.get(service.origin + original).content == files[0].read_bytes()
    state = f"runs/{run_uid}"
    wait_until(
        lambda: service.ask("GET", state, STAFF).json()["state"] == "failed", 90, "the run ends"
    )


def answer(service: Service, path: str) -> Any:
    """Return an answer without its tickets."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            tickets = ("thumbnail", "data", "original_url")
            return {name: plain(v) for name, v in value.items() if name not in tickets}
        return [plain(v) for v in value] if isinstance(value, list) else value

    found = service.ask("GET", path, "viewer")
    assert found.status_code == 200, found.text
    return plain(found.json())
