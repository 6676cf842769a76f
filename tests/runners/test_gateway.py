"""Clusters of a real Dask Gateway, as the hub configures it."""

from __future__ import annotations

import json
import time

import gateways
import pytest
from dask_gateway.auth import BasicAuth
from gateways import address, processes_of
from processes import wait_until
from sqlalchemy import select
from tasks import environments, hold

from cid_server_ext.core.queue import leases
from cid_server_ext.db.tables import Run
from cid_server_ext.errors import BadInput, Unavailable
from cid_server_ext.runners.clusters import Lost
from cid_server_ext.runners.gateway import GatewayClusters
from hub_config.gateway import CONDUCTOR

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

SECRETS = {"JUPYTERHUB_API_TOKEN": "a hub token", "CID_DATABASE": "sqlite:////somewhere"}
RESOURCES = {"cores": 1, "memory": "1 GiB", "wall_seconds": 60, "workers": 2}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A running gateway, whose own environment holds secrets."""
    with gateways.gateway_in(tmp_path_factory.mktemp("gateway"), SECRETS) as site:
        yield site


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
    for environment in finished(cluster.submit("environments", environments)):
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
def parent(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
run = __import__("cid_client").current_run()
run.outputs.metric("kernel", json.dumps(sorted({*os.environ, *environment("self")})))
run.outputs.metric("nursery", json.dumps(sorted(environment(os.getppid()))))
run.outputs.metric("worker", json.dumps(sorted(environment(parent(os.getppid())))))
run.outputs.metric("cluster", run.client().submit(sum, [1, 2]).result())
tiles = run.map_tiles(lambda tile: tile + 1, run.input.to_xarray(), size=32)
run.outputs.metric("brightest", int(tiles.max()))
values = {*os.environ.values(), *environment(os.getppid()).values()}
run.outputs.metric("values", json.dumps(sorted(values)))
"""


def test_a_whole_run_through_the_gateway_sees_no_secret(house, conduct, clusters, site):
    (uid,) = house.submit(house.template(LOOK))
    conduct(clusters)
    run = house.ended(uid)
    assert run["state"] == "done", run["error"]
    # over TLS, with the worker's certificate
    assert (run["metrics"]["cluster"], run["metrics"]["brightest"]) == (3, 201)
    names = ("kernel", "nursery", "worker")
    kernel, nursery, worker = (json.loads(run["metrics"][name]) for name in names)
    ours = {name for name in kernel if name.startswith(("CID", "JUPYTERHUB", "DASK", "GATEWAY"))}
    assert ours == {"CID_URL", "CID_RUN", "CID_ATTEMPT", "CID_RUN_TOKEN", "CID_SCRATCH"}
    assert "CID_RUN_KEY" in worker
    assert not {name for name in nursery if name.startswith(("CID", "DASK"))}
    assert not SECRETS.keys() & {*kernel, *nursery, *worker}
    assert not set(SECRETS.values()) & set(json.loads(run["metrics"]["values"]))
    wait_until(lambda: clusters.list_mine() == [], 60, "the cluster is closed")
    wait_until(lambda: not processes_of(site), 60, "nothing of the cluster runs")


HELD = """
import os, pathlib, time
while not pathlib.Path({folder!r}, os.environ["CID_RUN"]).exists():
    time.sleep(0.05)
"""


def test_a_lane_grows_with_its_runs_and_shrinks_again_under_one_that_works(
    house, conduct, clusters, site, tmp_path
):
    first, second = house.submit(house.template(HELD.format(folder=str(tmp_path))), 2)
    assert house.service.ask("POST", f"runs/{second}/pause", "researcher").status_code == 200
    conduct(clusters)
    house.reaches(first, "running")
    (name,) = clusters.list_mine()
    assert len(processes_of(site, "dask worker")) == 1
    assert house.service.ask("POST", f"runs/{second}/resume", "researcher").status_code == 200
    house.reaches(second, "running")
    assert clusters.list_mine() == [name]
    assert len(processes_of(site, "dask worker")) == 2
    (tmp_path / second).touch()
    assert house.ended(second)["state"] == "done"
    wait_until(lambda: len(processes_of(site, "dask worker")) == 1, 60, "one worker less")
    assert house.run(first)["state"] == "running"
    (tmp_path / first).touch()
    ended = house.ended(first)
    assert (ended["state"], ended["attempt"]) == ("done", 1)
    wait_until(lambda: clusters.list_mine() == [], 60, "the cluster is closed")


def test_a_conductor_that_is_started_again_goes_on_with_what_runs(
    house, conduct, clusters, tmp_path
):
    runs = house.submit(house.template(HELD.format(folder=str(tmp_path))), 3)
    before = conduct(clusters, name="before")

    def two_run() -> bool:  # and one waits on the cluster; which, Dask decides
        return [house.run(uid)["state"] for uid in runs].count("running") == 2

    wait_until(two_run, 60, "two runs")
    first, second, third = sorted(
        runs, key=lambda uid: house.run(uid)["state"]
    )  # the last is starting
    (name,) = clusters.list_mine()
    before.stop()

    def handed() -> bool:
        with house.sessions() as session:
            held = select(Run.lease_by).where(Run.uid.in_([first, second, third]))
            return set(session.scalars(held)) == {leases.HANDED}

    wait_until(handed, what="the runs are handed over")
    (tmp_path / first).touch()
    assert house.ended(first)["state"] == "done"  # nobody conducts, and it comes in
    conduct(clusters, name="after")
    house.reaches(third, "running")
    assert clusters.list_mine() == [name]
    for uid in (second, third):
        (tmp_path / uid).touch()
    for uid in (first, second, third):
        ended = house.ended(uid)
        assert (ended["state"], ended["attempt"]) == ("done", 1), ended["error"]
    wait_until(lambda: clusters.list_mine() == [], 60, "the cluster is closed")


def driver(house, uid):
    """Return who drives a run."""
    with house.sessions() as session:
        return session.scalar(select(Run.lease_by).where(Run.uid == uid))


def test_runs_whose_cluster_went_with_their_conductor_are_queued_without_a_strike(
    house, conduct, clusters, tmp_path
):
    (uid,) = house.submit(house.template(HELD.format(folder=str(tmp_path))))
    before = conduct(clusters, name="before")
    house.reaches(uid, "running")
    (name,) = clusters.list_mine()
    before.stop()
    wait_until(lambda: driver(house, uid) == leases.HANDED, 60, "the run is handed over")
    clusters.stop(name)
    wait_until(lambda: clusters.list_mine() == [], 60, "the cluster is gone")
    (tmp_path / uid).touch()
    conduct(clusters, name="after")
    ended = house.ended(uid)
    assert (ended["state"], ended["attempt"]) == ("done", 2), ended["error"]
    with house.sessions() as session:
        assert session.scalar(select(Run.strikes).where(Run.uid == uid)) == []
    wait_until(lambda: clusters.list_mine() == [], 60, "the cluster is closed")


def test_a_worker_that_dies_under_an_adopted_run_is_told(house, conduct, clusters, site, tmp_path):
    (uid,) = house.submit(house.template(HELD.format(folder=str(tmp_path))))
    before = conduct(clusters, name="before")
    house.reaches(uid, "running")
    before.stop()
    conduct(clusters, name="after")
    wait_until(lambda: driver(house, uid) == "after", 60, "the run is adopted")
    for process in processes_of(site, "spawn_main"):
        process.kill()
    (tmp_path / uid).touch()
    ended = house.ended(uid)
    assert (ended["state"], ended["attempt"]) == ("done", 2), ended["error"]
    with house.sessions() as session:
        (strike,) = session.scalar(select(Run.strikes).where(Run.uid == uid))
    assert (strike["error"], strike["own"]) == ("WorkerDied", True)
    wait_until(lambda: clusters.list_mine() == [], 60, "the clusters are closed")


def test_a_worker_executes_one_run_at_a_time_though_it_seceded(clusters, tmp_path):
    cluster = opened(clusters, workers=2)
    wait_until(lambda: cluster.workers() == 2, 60, "two workers")
    tasks = [cluster.submit(f"hold {n}", hold, str(tmp_path)) for n in range(3)]
    wait_until(lambda: len(list(tmp_path.iterdir())) == 2, what="two runs")
    assert not any(task.ended for task in tasks)
    go, now = tmp_path / "go", time.monotonic_ns()
    go.touch()
    pids = [finished(task) for task in tasks]
    go.unlink()
    started = sorted(int(path.name) for path in tmp_path.iterdir())
    assert len(set(pids)) == 2
    assert started[1] < now < started[2]


def test_the_death_of_a_worker_loses_its_run_at_once_and_never_repeats_it(clusters, site, tmp_path):
    cluster = opened(clusters)
    task = cluster.submit("hold", hold, str(tmp_path))
    wait_until(lambda: list(tmp_path.iterdir()), 60, "the run has begun")
    (worker,) = [p for p in processes_of(site, "spawn_main") if "forkserver" not in str(p)]
    worker.kill()
    with pytest.raises(Lost, match="worker died"):
        finished(task)
    assert len(list(tmp_path.iterdir())) == 1


def test_the_death_of_the_scheduler_loses_the_run(clusters, site, tmp_path):
    cluster = opened(clusters)
    task = cluster.submit("hold", hold, str(tmp_path))
    wait_until(lambda: list(tmp_path.iterdir()), 60, "the run has begun")
    (scheduler,) = processes_of(site, "dask scheduler")
    scheduler.kill()
    with pytest.raises(Lost):
        finished(task)
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
