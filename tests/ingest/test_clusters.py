"""The same import on children, an embedded cluster and a Gateway's; what is lost is redone."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import bringing
import gateways
import httpx
import numpy as np
import psutil
import pytest
import tifffile
import world
from bringing import tif
from dask_gateway.auth import BasicAuth
from processes import wait_until
from sqlalchemy import select

from cid_server_ext.core.actor import Actor
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, open_database
from cid_server_ext.errors import BadFile, BadInput, Conflict
from cid_server_ext.ingest import bench, children, cluster, openers, workshops
from cid_server_ext.ingest.importer import Importer
from cid_server_ext.ingest.limits import Limits
from cid_server_ext.ingest.workers import Worker
from cid_server_ext.runners.clusters import Lost
from cid_server_ext.runners.gateway import GatewayClusters
from cid_server_ext.storage.roots import Folder
from hub_config.gateway import CATALOG
from hub_config.site import Site

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

WHO = Actor("contributor")
AUTH = BasicAuth(CATALOG, "password")
SMALL_MEMORY = Limits(memory=1 << 30)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    imports = {"CID_IMPORT_CLUSTER": "gateway:http://this"}
    with gateways.gateway_in(tmp_path_factory.mktemp("gateway"), imports) as site:
        yield site


@pytest.fixture(scope="module")
def opens(site: Site) -> Callable[[], openers.Ours]:
    return openers.gateway(gateways.address(site), site.gateway_proxy, AUTH, 2, 2 << 30)


@pytest.fixture(scope="module")
def far(opens: Callable[[], openers.Ours], site: Site) -> Iterator[cluster.Cluster]:
    """A workshop on the Gateway, of which nothing is left after it was closed."""
    made = cluster.Cluster(opens, width=2, spread=True)
    yield made
    nurseries = [
        child
        for process in gateways.processes_of(site)
        for child in process.children()
        if "cid_server_ext.ingest.nursery" in child.cmdline()
    ]
    made.close()
    clusters = GatewayClusters(gateways.address(site), site.gateway_proxy, AUTH)
    assert clusters.list_mine() == []
    clusters.close()
    wait_until(lambda: not gateways.processes_of(site), what="the cluster is gone")
    wait_until(lambda: not any(one.is_running() for one in nurseries), what="no nursery is left")


@pytest.fixture
def sessions(tmp_path: Path, empty_database: bytes) -> Iterator[Sessions]:
    """An empty catalog; which database it is in is all the same here."""
    path = tmp_path / "catalog.sqlite"
    path.write_bytes(empty_database)
    made = open_database(f"sqlite:///{path}")
    yield made
    made.kw["bind"].dispose()


def bomb() -> bytes:
    """A small file that needs more memory than is allowed."""
    out = io.BytesIO()
    pixels = np.zeros((20000, 30000), np.uint8)
    tifffile.imwrite(
        out, pixels, compression="zlib", compressionargs={"level": 1}, rowsperstrip=20000
    )
    return out.getvalue()


def opened(pipe: Path) -> int | None:
    """Open a named pipe for writing, if somebody has it open for reading."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


def held_open(pipe: Path) -> int:
    """Open a pipe as soon as somebody reads it, and keep him waiting."""
    return int(wait_until(lambda: opened(pipe), what="the file is being read"))


def stored(importer: Importer, deposit: t.Deposit) -> dict[str, str]:
    """Return the digests of all that came in, and the reasons of what could not be read."""
    assert (deposit.state, deposit.error) == ("done", None)
    uids = [*deposit.results["images"], *deposit.results["files"]]
    with importer.sessions() as session:
        rows = session.scalars(select(t.Record).where(t.Record.uid.in_(uids)))
        found = {f"{row.kind} {row.dataset.path}/{row.name}": row.sha256 for row in rows}
    return found | {one["path"]: one["message"] for one in deposit.results["problems"]}


def test_an_import_is_the_same_wherever_it_runs(
    sessions: Sessions, tmp_path: Path, far: cluster.Cluster
) -> None:
    tree = {"a.tif": tif(1), "deep/b.tif": tif(2, 300), "cut.tif": tif(3)[:1500]}
    tree |= {"notes.txt": b"monday", "bomb.tif": bomb()}
    near = workshops.workshop("local", root=tmp_path)
    found = []
    for name, workshop in {"here": workshops.HERE, "near": near, "far": far}.items():
        with sessions.begin() as session:
            world.make_project(session, name)
        root = Folder(tmp_path / name)
        importer = Importer(sessions, root, SMALL_MEMORY, workshop=workshop)
        found.append(stored(importer, bringing.brought(importer, tree, project=name, again=True)))
        assert bringing.staged(importer) == []
    near.close()
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == len(tree) + 2 + 2  # two images, two reasons
    assert "memory" in found[0]["bomb.tif"]


def test_what_dies_with_its_machine_is_read_again_once(
    far: cluster.Cluster, site: Site, endless: Path, tmp_path: Path
) -> None:
    with far.worker(Limits(), lambda: False) as worker, ThreadPoolExecutor(1) as pool:
        task = pool.submit(worker.convert, endless, tmp_path / "out", nbytes=10)
        pipe = held_open(endless)
        (tmp_path / "good.tif").write_bytes(tif(1))
        os.replace(tmp_path / "good.tif", endless)
        [machine] = [p for p in gateways.processes_of(site, "spawn_main") if p.children()]
        machine.kill()
        [image] = task.result(120)
        os.close(pipe)
    assert (image.shape, image.folder) == ((40, 40), tmp_path / "out" / "0")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["0"]


def test_a_file_that_ends_machine_after_machine_is_to_blame(
    endless: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with near_cluster() as near, near.worker(Limits(), lambda: False) as worker:
        monkeypatch.setattr(bench.Distant, "_ask", dies)
        with pytest.raises(BadFile, match="3 machines"):
            worker.convert(endless, tmp_path / "out")


def dies(distant: bench.Distant) -> None:
    raise bench.Lost(died=True)


def near_cluster(opens: Callable[[], openers.Ours] = openers.embedded, **more: Any) -> Any:
    """A cluster in this process, for a `with`."""
    return closing(cluster.Cluster(opens, width=1, **more))


def test_an_import_outlives_its_whole_cluster(
    sessions: Sessions,
    tmp_path: Path,
    site: Site,
    opens: Callable[[], openers.Ours],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster, "RETRY", 0.1)
    monkeypatch.setattr("cid_server_ext.ingest.lease.EVERY", 0.0)
    away = threading.Event()

    def unless_away() -> openers.Ours:
        if away.is_set():
            raise Lost("the gateway is away")
        return opens()

    with sessions.begin() as session:
        world.make_project(session, "screen")
    far = cluster.Cluster(unless_away, width=2, spread=True)
    importer = Importer(sessions, Folder(tmp_path / "root"), workshop=far)
    uid = bringing.opened(importer, {"a.tif": tif(1), "b.tif": tif(2), "c.txt": b"?"})
    try:
        pipe = importer.root.path(f"staging/{uid}/in/b.tif")
        content = pipe.read_bytes()
        piped = piped_after_sorting(monkeypatch, pipe)
        importer.submit(uid)
        assert piped.wait(120)
        end = held_open(pipe)
        away.set()
        for process in gateways.processes_of(site):
            process.kill()
        (tmp_path / "b.tif").write_bytes(content)
        os.replace(tmp_path / "b.tif", pipe)

        def waits() -> bool:
            now = bringing.ended(importer, uid)
            assert now.state == "importing", now.error
            return str(now.progress.get("text", "")).endswith(cluster.WAITING)

        wait_until(waits, what="it says that it waits")
        os.close(end)
        away.clear()
        wait_until(lambda: bringing.ended(importer, uid).state != "importing", 120)
        done = bringing.ended(importer, uid)
        assert (done.state, done.error, done.results["problems"]) == ("done", None, [])
        assert len(done.results["images"]) == 2
    finally:
        importer.close()


def piped_after_sorting(monkeypatch: pytest.MonkeyPatch, pipe: Path) -> threading.Event:
    """Put a pipe in the place of one staged file when the tree is sorted, and say when."""
    real, done = Worker.sort, threading.Event()

    def sort(worker: Worker, folder: Path) -> object:
        found = real(worker, folder)
        pipe.unlink()
        os.mkfifo(pipe)
        done.set()
        return found

    monkeypatch.setattr(Worker, "sort", sort)
    return done


def test_a_cluster_that_idles_is_closed_and_the_next_import_opens_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "BEAT", 0.05)
    opened: list[openers.Ours] = []

    def opens() -> openers.Ours:
        opened.append(openers.embedded())
        return opened[-1]

    (tmp_path / "a.tif").write_bytes(tif(1))
    with near_cluster(opens, idle=0.2) as near:
        for n in range(2):
            with near.worker(Limits(), lambda: False) as worker:
                worker.convert(tmp_path / "a.tif", tmp_path / str(n))
            wait_until(lambda: opened[-1].client.status == "closed", what="it is closed")
    assert len(opened) == 2


def test_an_embedded_cluster_has_no_pages_and_no_other_machine_reaches_it() -> None:
    before = {one.laddr for one in psutil.Process().net_connections()}
    opened = openers.embedded()
    try:
        now = [one for one in psutil.Process().net_connections() if one.laddr not in before]
        now = [one for one in now if one.status == psutil.CONN_LISTEN]
        assert {one.laddr.ip for one in now} <= {"127.0.0.1"}
        for one in now:
            for page in ("", "status", "info/main/workers.html", "json/identity.json"):
                answer = httpx.get(f"http://127.0.0.1:{one.laddr.port}/{page}")
                assert answer.status_code == 404
    finally:
        opened.close()


def test_whoever_waits_for_a_cluster_can_be_stopped(tmp_path: Path) -> None:
    told: list[str] = []

    def nobody() -> openers.Ours:
        raise Lost("nobody is there")

    with near_cluster(nobody) as away:
        worker = away.worker(Limits(), lambda: len(told) > 1, told.append)
        with worker, pytest.raises(Conflict, match="stopped"):
            worker.sort(tmp_path)
    assert set(told) == {"waiting for a worker"}


def test_a_child_of_somebody_who_asks_no_more_is_ended(
    monkeypatch: pytest.MonkeyPatch, child_pid: Callable[[], int]
) -> None:
    monkeypatch.setattr(bench, "SILENCE", 0.5)
    held = bench.Bench(children.bounds(Limits()))
    child = psutil.Process(child_pid())
    wait_until(lambda: not child.is_running(), what="the child is gone")
    held._thread.shutdown()


KILLED = """
import sys
from pathlib import Path
from cid_server_ext.ingest import workshops
from cid_server_ext.ingest.limits import Limits
if __name__ == "__main__":
    pipe = Path(sys.argv[1])
    with workshops.workshop("local", root=pipe).worker(Limits(), lambda: False) as worker:
        worker.convert(pipe, pipe.with_name("out"))
"""


def test_kill_9_of_the_service_ends_its_embedded_cluster_and_all_children(
    endless: Path, tmp_path: Path
) -> None:
    script = tmp_path / "service.py"
    script.write_text(KILLED)
    service = subprocess.Popen([sys.executable, str(script), str(endless)], start_new_session=True)
    try:
        os.close(held_open(endless))
        below = psutil.Process(service.pid).children(recursive=True)
        assert below
    finally:
        os.kill(service.pid, signal.SIGKILL)
        service.wait()
    wait_until(lambda: not any(one.is_running() for one in below), what="nothing is left")


def test_paths_are_those_that_the_machines_know(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    (here / "a.tif").write_bytes(tif(1))
    here.rename(there)  # the machines know it by another name
    with near_cluster(place=(here, there)) as near, near.worker(Limits(), lambda: False) as worker:
        assert [group.main for group in worker.sort(here).groups] == ["a.tif"]


def test_a_cluster_is_named_in_one_of_few_ways(tmp_path: Path) -> None:
    assert workshops.workshop("children", root=tmp_path) is workshops.HERE
    for spread in ("gateway:http://gateway", "tcp://scheduler:8786", "tls://scheduler:8786"):
        found = workshops.workshop(spread, root=tmp_path, workers=7)
        assert (found.spread, found.width) == (True, 7)
        found.close()  # nothing was opened
    for wrong in ("", "Local", "gateway", "http://gateway", "tcp:"):
        with pytest.raises(BadInput, match="import_cluster"):
            workshops.workshop(wrong, root=tmp_path)
    with pytest.raises(BadInput, match="import_workers"):
        workshops.workshop("local", root=tmp_path, workers=0)
