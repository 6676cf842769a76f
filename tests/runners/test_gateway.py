"""Clusters of a real Dask Gateway, as the hub configures it."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest
from dask_gateway.auth import BasicAuth
from processes import stop, wait_until
from tasks import environments, hold

from cid_server_ext.errors import BadInput, Unavailable
from cid_server_ext.runners import gateway as gateways
from cid_server_ext.runners.clusters import Lost
from cid_server_ext.runners.gateway import GatewayClusters
from hub_config.gateway import CONDUCTOR
from hub_config.site import PORTS, Site

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

CONFIG = Path(__file__).with_name("gateway_for_tests.py")
SECRETS = {"JUPYTERHUB_API_TOKEN": "a hub token", "CID_DATABASE": "sqlite:////somewhere"}
RESOURCES = {"cores": 1, "memory": "1 GiB", "wall_seconds": 60, "workers": 2}


def free_ports(count: int) -> int:
    """Return a port that is free, and so are those that follow it, below those given to clients."""
    for first in random.sample(range(12000, 32000, count), 100):
        sockets = [socket.socket() for _ in range(count)]
        try:
            for offset, listener in enumerate(sockets):
                listener.bind(("127.0.0.1", first + offset))
        except OSError:
            continue
        else:
            return first
        finally:
            for listener in sockets:
                listener.close()
    raise AssertionError("no free ports")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A running gateway, whose own environment holds secrets."""
    site = Site(free_ports(len(PORTS)), tmp_path_factory.mktemp("gateway"))
    (site.run / "clusters" / "home").mkdir(parents=True)
    bin_folder = Path(sys.executable).parent
    environment = {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "GATEWAY_PASSWORD": "password",
        "PYTHONPATH": str(CONFIG.parent),  # for the tasks; a worker inherits it
        **SECRETS,
        **site.environment,
    }
    with (site.run / "gateway.log").open("wb") as log:
        process = subprocess.Popen(
            [str(bin_folder / "dask-gateway-server"), "-f", str(CONFIG)],
            env=environment,
            cwd=CONFIG.parents[2],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def answers():
        assert process.poll() is None, (site.run / "gateway.log").read_text()[-3000:]
        try:
            return httpx.get(address(site) + "/api/version").is_success
        except httpx.TransportError:
            return False

    try:
        wait_until(answers, 60, "the gateway answers")
        yield site
    finally:
        stop(process)


def address(site):
    return f"{site.address('gateway')}/services/dask-gateway"


@pytest.fixture
def clusters(site):
    made = GatewayClusters(address(site), site.gateway_proxy, BasicAuth(CONDUCTOR, "password"))
    made.opened = []
    yield made
    for cluster in made.opened:
        cluster.close()
    assert made.list_mine() == []
    wait_until(lambda: not processes_of(site), 60, "clusters are gone")
    made.close()


def processes_of(site, kind="dask"):
    """Return the schedulers and workers that run below this site's folder."""
    found = []
    for process in psutil.process_iter():
        try:
            inside = process.cwd().startswith(str(site.run / "clusters"))
            if inside and process.status() != "zombie" and kind in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def opened(clusters, workers=1):
    cluster = clusters.open({"CID_RUN_KEY": "the key", "CID_URL": "http://x/"}, workers, RESOURCES)
    clusters.opened.append(cluster)
    cluster.wait()
    return cluster


def finished(task, seconds=60):
    wait_until(lambda: task.ended, seconds, "the task")
    return task.result()


def test_a_worker_holds_the_run_key_and_no_other_secret(clusters, site):
    cluster = opened(clusters)
    assert cluster.name in clusters.list_mine()
    for environment in finished(cluster.submit(environments)):
        assert environment["CID_RUN_KEY"] == "the key"
        assert not SECRETS.keys() & environment.keys()
        assert not set(SECRETS.values()) & set(environment.values())
    cluster.close()
    assert cluster.name not in clusters.list_mine()
    cluster.close()
    wait_until(lambda: not processes_of(site), 60, "nothing of the cluster runs")


LOOK = """
import json, os, pathlib
def environment(pid):
    text = pathlib.Path(f"/proc/{pid}/environ").read_bytes().decode()
    return dict(line.split("=", 1) for line in text.split(chr(0)) if "=" in line)
run = __import__("cid_client").current_run()
run.outputs.metric("kernel", json.dumps(sorted(environment("self"))))
run.outputs.metric("worker", json.dumps(sorted(environment(os.getppid()))))
run.outputs.metric("values", json.dumps(sorted({*environment("self").values()})))
"""


def test_a_whole_run_through_the_gateway_sees_no_secret(house, conduct, clusters, site):
    (uid,) = house.submit(house.template(LOOK))
    conduct(clusters)
    run = house.ended(uid, 120)
    assert run["state"] == "done", run["error"]
    kernel, worker = (json.loads(run["metrics"][name]) for name in ("kernel", "worker"))
    ours = {name for name in kernel if name.startswith(("CID", "JUPYTERHUB", "DASK", "GATEWAY"))}
    assert ours == {"CID_URL", "CID_RUN", "CID_RUN_TOKEN", "CID_SCRATCH"}
    assert "CID_RUN_KEY" in worker
    assert not SECRETS.keys() & {*kernel, *worker}
    assert not set(SECRETS.values()) & set(json.loads(run["metrics"]["values"]))
    wait_until(lambda: clusters.list_mine() == [], 60, "the cluster is closed")
    wait_until(lambda: not processes_of(site), 60, "nothing of the cluster runs")


def test_a_worker_executes_one_run_at_a_time_though_it_seceded(clusters, tmp_path):
    cluster = opened(clusters, workers=2)
    wait_until(lambda: cluster.workers() == 2, 60, "two workers")
    tasks = [cluster.submit(hold, str(tmp_path), 4) for _ in range(3)]
    wait_until(lambda: len(list(tmp_path.iterdir())) == 2, what="two runs")
    assert not any(task.ended for task in tasks)
    pids = [finished(task) for task in tasks]
    started = sorted(int(path.name) for path in tmp_path.iterdir())
    assert len(set(pids)) == 2
    assert started[2] - started[0] > 3.5e9


def test_the_death_of_a_worker_loses_its_run_at_once_and_never_repeats_it(clusters, site, tmp_path):
    cluster = opened(clusters)
    task = cluster.submit(hold, str(tmp_path), 600)
    wait_until(lambda: list(tmp_path.iterdir()), 60, "the run has begun")
    (worker,) = [p for p in processes_of(site, "spawn_main") if "forkserver" not in str(p)]
    worker.kill()
    with pytest.raises(Lost, match="worker died"):
        finished(task, 30)
    assert len(list(tmp_path.iterdir())) == 1


def test_the_death_of_the_scheduler_loses_the_run(clusters, site, tmp_path):
    cluster = opened(clusters)
    task = cluster.submit(hold, str(tmp_path), 600)
    wait_until(lambda: list(tmp_path.iterdir()), 60, "the run has begun")
    (scheduler,) = processes_of(site, "dask scheduler")
    scheduler.kill()
    with pytest.raises(Lost):
        finished(task, 60)
    assert cluster.workers() == 0


def test_a_cluster_stopped_while_it_starts_is_lost(clusters):
    cluster = clusters.open({}, 1, RESOURCES)
    clusters.stop(cluster.name)
    with pytest.raises(Lost, match="did not start"):
        cluster.wait()


def test_resources_beyond_the_gateways_limits_are_refused(clusters):
    with pytest.raises(BadInput, match="worker_memory must be <= 16"):
        clusters.open({}, 1, {"memory": "900 GiB"})


def test_another_account_gets_no_cluster(site):
    stranger = GatewayClusters(address(site), site.gateway_proxy, BasicAuth("joe", "password"))
    with pytest.raises(BadInput, match="clusters are for the conductor"):
        stranger.open({}, 1, RESOURCES)
    stranger.close()


def test_a_gateway_that_does_not_answer_is_unavailable():
    nobody = GatewayClusters("http://127.0.0.1:1", "gateway://127.0.0.1:1", BasicAuth("x", "y"))
    with pytest.raises(Unavailable, match="does not answer"):
        nobody.open({}, 1, RESOURCES)
    nobody.close()


@pytest.mark.parametrize(
    ("written", "bytes_"),
    [("2 GiB", 2**31), ("500 MB", 5e8), (1024, 1024), ("1.5GiB", 1.5 * 2**30)],
)
def test_sizes_are_read(written, bytes_):
    assert gateways.nbytes(written) == bytes_


def test_a_size_without_a_known_unit_is_refused():
    with pytest.raises(ValueError, match="write it as '2 GiB'"):
        gateways.nbytes("2 parsec")
