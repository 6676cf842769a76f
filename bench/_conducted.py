"""A catalog service with one image and a conductor on its queue, for what is measured of runs."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import processes
from books import book
from house import House, add_image
from sqlalchemy import inspect

from cid_server_ext.core import journal
from cid_server_ext.core.runs.states import ENDED
from cid_server_ext.db.session import migrate, open_database
from cid_server_ext.db.tables import Image
from cid_server_ext.runners.conductor import Conductor
from cid_server_ext.runners.local import LocalClusters
from cid_server_ext.runners.means import Means

MOST = 1000  # images of a submit
ONE_CELL = book("x = 1 + n", parameters="n = 0")
OWN = {"id", "uid", "name", "nbytes", "created_at"}


@contextlib.contextmanager
def house() -> Iterator[House]:
    """Start service and conductor on a fresh SQLite catalog; both end."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/catalog.sqlite"
        migrate(url)
        service = processes.start_service(folder, CID_RATE="100000", CID_BURST="100000")
        project = {"team": "lab", "name": "demo", "title": "demo", "limit": 10**12}
        project["members"] = {"researcher": "contributor"}
        answer = service.ask("POST", "projects", processes.STAFF, json=project)
        assert answer.status_code == 201, answer.text
        sessions = open_database(url)
        means = Means(sessions, LocalClusters(), service.url, "bench", poll=0.2)
        conductor = Conductor(means)
        thread = threading.Thread(target=conductor.run)
        thread.start()
        try:
            yield House(service, sessions, add_image(service, folder / "cell.tif"))
        finally:
            conductor.stop()
            thread.join(60)
            sessions.kw["bind"].dispose()
            processes.stop(service.process)


def images(of: House, count: int) -> list[str]:
    """Return so many images that share the bytes of the one: nothing reads them."""
    kept = [column.key for column in inspect(Image).column_attrs if column.key not in OWN]
    with of.sessions.begin() as session:
        one = session.query(Image).filter_by(uid=of.image).one()
        there = session.query(Image).filter(Image.name.like("copy %")).count()
        for number in range(there, count):
            same = {key: getattr(one, key) for key in kept}
            session.add(Image(**same | {"name": f"copy {number}", "nbytes": 0}))
        session.flush()
        journal.record(session, "bench", "copy image", f"image:{one.uid}")
        found = session.query(Image.uid).filter(Image.name.like("copy %")).limit(count)
        return [uid for (uid,) in found]


def template(of: House, workers: int) -> str:
    """Publish a notebook of one cell that so many workers execute; return its name."""
    name = f"one-cell-{workers}"
    manifest = {
        "template": {"name": name, "version": "1.0.0", "title": name},
        "parameters": {"n": {"type": "integer", "default": 0}},
        "resources": {"wall_seconds": 600, "workers": workers},
    }
    body = {"manifest": manifest, "notebook": ONE_CELL}
    answer = of.service.ask("POST", "templates", processes.STAFF, json=body)
    assert answer.status_code == 201, answer.text
    return name


def submit(of: House, template: str, runs: int) -> list[str]:
    """Submit so many runs of a template; return their batches."""
    batches, left = [], images(of, runs)
    while left:
        now, left = left[:MOST], left[MOST:]
        body = {"template": template, "images": now, "parameters": {}}
        answer = of.service.ask("POST", "runs", "researcher", json=body)
        assert answer.status_code == 201, answer.text
        batches.append(answer.json()["batch"])
    return batches


def ended(of: House, batches: list[str], seconds: float) -> list[dict[str, Any]]:
    """Return the runs of these batches when all have ended; raise TimeoutError before that."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        counts = [asked(of, f"batches/{batch}")["counts"] for batch in batches]
        left = sum(one[state] for one in counts for state in one if state not in ENDED)
        if not left:
            return [run for batch in batches for run in _runs(of, batch)]
        time.sleep(min(5.0, 0.05 + left / 50))
    raise TimeoutError(f"{left} runs did not end in {seconds:g} s")


def asked(of: House, path: str) -> dict[str, Any]:
    """Return what the catalog answers the researcher."""
    answer = of.service.ask("GET", path, "researcher")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _runs(of: House, batch: str) -> Iterator[dict[str, Any]]:
    after = ""
    while after is not None:
        page = asked(of, f"runs?batch={batch}&limit=200" + (after and f"&after={after}"))
        yield from page["runs"]
        after = page["next"]
