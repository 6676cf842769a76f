"""A real catalog service with one image, and conductors that work on its queue: two fixtures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import tifffile
from books import book
from processes import STAFF, Service, deposit, start_service, stop, wait_until

from cid_server_ext.db.session import Sessions, open_database
from cid_server_ext.runners.clusters import Clusters
from cid_server_ext.runners.conductor import Conductor
from cid_server_ext.runners.local import LocalClusters
from cid_server_ext.runners.means import Means

ENDED = ("done", "failed", "cancelled")
OUTPUTS = """
import cid_client, numpy as np
run = cid_client.current_run()
labels = (run.input.to_xarray().values > 100).astype("uint32")
run.outputs.labels("things", labels, source=run.input)
run.outputs.metric("things", int(labels.max()) + n)
"""


@dataclass
class House:
    """The service, its database, an image, and what a researcher does with them."""

    service: Service
    sessions: Sessions
    image: str
    published: int = 0
    copies: list[str] = field(default_factory=list)

    def template(self, *cells: str, parameters: str = "n = 0", wall_seconds: int = 120) -> str:
        """Publish a notebook of these cells and return its name."""
        name, self.published = f"test-{self.published}", self.published + 1
        manifest = {
            "template": {"name": name, "version": "1.0.0", "title": name},
            "parameters": {"n": {"type": "integer", "default": 0}},
            "resources": {"wall_seconds": wall_seconds, "workers": 2},
        }
        body = {"manifest": manifest, "notebook": book(*cells, parameters=parameters)}
        answer = self.service.ask("POST", "templates", STAFF, json=body)
        assert answer.status_code == 201, answer.text
        return name

    def submit(self, template: str, runs: int = 1, **parameters: Any) -> list[str]:
        """Submit the template on copies of the image; one run for each."""
        images = [self.image, *self.more(runs - 1)][:runs]
        body = {"template": template, "images": images, "parameters": parameters}
        answer = self.service.ask("POST", "runs", "researcher", json=body)
        assert answer.status_code == 201, answer.text
        return [run["uid"] for run in answer.json()["runs"]]

    def more(self, count: int) -> list[str]:
        """Return the uids of further images, each like the first."""
        for n in range(len(self.copies), count):
            self.copies.append(add_image(self.service, self.service.folder / f"more {n}.tif"))
        return self.copies[:count]

    def run(self, uid: str) -> dict[str, Any]:
        """Return the run as the API shows it."""
        return self.service.ask("GET", f"runs/{uid}", "researcher").json()

    def ended(self, uid: str, seconds: float = 180) -> dict[str, Any]:
        """Return the run when it has come to its end."""

        def over() -> dict[str, Any] | None:
            now = self.run(uid)
            return now if now["state"] in ENDED else None

        return wait_until(over, seconds, f"the end of run {uid}")

    def reaches(self, uid: str, state: str, cell: int = 0, attempt: int = 1) -> dict[str, Any]:
        """Return the run when it is in `state` and has completed `cell` cells of an attempt."""

        def there() -> dict[str, Any] | None:
            now = self.run(uid)
            assert now["state"] not in ENDED or now["state"] == state, now
            far = now["progress"].get("cell", 0) >= cell and now["attempt"] >= attempt
            return now if now["state"] == state and far else None

        return wait_until(there, 180, f"run {uid} {state}")

    def notebook(self, run: dict[str, Any]) -> str:
        """Return the text of the run's executed notebook."""
        file = self.service.ask("GET", f"files/{run['notebook']['uid']}", "researcher").json()

        return httpx.get(self.service.origin + file["url"], timeout=30).text


def add_image(service: Service, path: Path) -> str:
    pixels = np.zeros((64, 64), np.uint8)
    pixels[10:20, 30:50] = 200
    tifffile.imwrite(path, pixels)
    done = deposit(service, "researcher", "demo", path)
    assert done.get("state") == "done", done
    return done["images"][0]


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, empty_database: bytes) -> Iterator[House]:
    """A service of our own: nobody else's runs are in its queue."""
    folder = tmp_path_factory.mktemp("house")
    (folder / "catalog.sqlite").write_bytes(empty_database)
    service = start_service(folder)
    project = {
        "team": "lab",
        "name": "demo",
        "title": "demo",
        "limit": 10**9,
        "members": {"researcher": "contributor"},
    }
    made = service.ask("POST", "projects", STAFF, json=project)
    assert made.status_code == 201, made.text
    sessions = open_database(f"sqlite:///{folder}/catalog.sqlite")
    yield House(service, sessions, add_image(service, folder / "cell.tif"))
    sessions.kw["bind"].dispose()
    stop(service.process)


@pytest.fixture
def conduct(house: House) -> Iterator[Callable[..., Conductor]]:
    """Start conductors on the house's queue; they are stopped at the end of the test."""
    started: list[tuple[Conductor, threading.Thread]] = []

    def start(clusters: Clusters | None = None, name: str = "conductor", **how: Any) -> Conductor:
        means = Means(
            house.sessions, clusters or LocalClusters(), house.service.url, name, poll=0.2
        )
        conductor = Conductor(means, **how)
        thread = threading.Thread(target=conductor.run)
        thread.start()
        started.append((conductor, thread))
        return conductor

    yield start
    for conductor, thread in started:
        conductor.stop()
        thread.join(60)
        assert not thread.is_alive()
