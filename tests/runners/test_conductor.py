"""Whole runs through conductor, workers, papermill and catalog, on processes of this machine."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import psutil
import pytest
from house import OUTPUTS, add_image
from processes import wait_until
from sqlalchemy import update

from cid_server_ext.db.tables import Run
from cid_server_ext.runners.local import LocalClusters, ProcessCluster

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def workers_of(cluster) -> list[psutil.Process]:
    """Return the worker processes, without their nannies."""
    nannies = [psutil.Process(process.pid) for process in cluster._processes]
    return [
        child for nanny in nannies for child in nanny.children() if "spawn_main" in cmdline(child)
    ]


def cmdline(process: psutil.Process) -> str:
    return " ".join(process.cmdline())


def test_a_batch_is_executed_committed_and_its_cluster_closed(house, conduct):
    uids = house.submit(house.template("# Count", OUTPUTS, "print('done', n)"), runs=3, n=4)
    clusters = LocalClusters()
    conduct(clusters)
    for uid in uids:
        run = house.ended(uid)
        assert run["state"] == "done", run["error"]
        assert run["metrics"] == {"things": 5}
        assert [image["kind"] for image in run["outputs"]["images"]] == ["labels"]
        assert run["environment"]["packages"]["papermill"]
        assert "done 4" in house.notebook(run)
        assert run["attempt"] == 1
    folders = [cluster._folder for cluster in clusters._open.values()]
    wait_until(lambda: clusters.list_mine() == [], 60, "the cluster is closed")
    assert len(folders) == 1
    assert not os.path.exists(folders[0])


def test_what_comes_in_is_run_by_itself_and_its_labels_begin_nothing(house, conduct, tmp_path):
    """An import, a subscription to a saved search, a conductor: nobody submits anything."""
    ask, who = house.service.ask, "researcher"
    path = {"path": "night", "query": "night"}
    assert ask("POST", "projects/demo/datasets", who, json=path).is_success
    wanted = {"project": "demo", "search": "night", "template": house.template(OUTPUTS)}
    wanted |= {"parameters": {"n": 1}, "budget": {"runs": 5}}
    made = ask("POST", "subscriptions", who, json=wanted)
    assert made.status_code == 201, made.text
    uid = made.json()["uid"]
    conduct()
    image = add_image(house.service, tmp_path / "night 1.tif")

    def done() -> bool:
        counts = ask("GET", f"subscriptions/{uid}", who).json()["counts"]
        assert counts["failed"] == 0
        return counts["done"] == 1

    wait_until(done, 180, "its run is done")
    (match,) = ask("GET", f"subscriptions/{uid}/matches", who).json()["matches"]
    assert match["uid"] == image
    run = house.ended(match["run"]["uid"])
    assert run["metrics"] == {"things": 2}
    assert run["person"] == who
    ask("DELETE", f"subscriptions/{uid}", who)


def test_a_failing_cell_leaves_its_notebook_and_the_reason(house, conduct):
    (uid,) = house.submit(house.template("print('so far')", "1 / 0", OUTPUTS))
    conduct()
    run = house.ended(uid)
    assert run["state"] == "failed"
    # the parameters are the first two cells: defaults and what was given
    assert run["error"]["error"] == "ZeroDivisionError"
    assert (run["metrics"], run["outputs"]["images"]) == ({}, [])
    assert "so far" in house.notebook(run)


def test_cancelling_a_running_run_keeps_its_partial_notebook(house, conduct):
    (uid,) = house.submit(house.template("print('begun')", "import time; time.sleep(6000)"))
    conduct()
    house.reaches(uid, "running", cell=2)
    assert house.service.ask("POST", f"runs/{uid}/cancel", "researcher").is_success
    run = house.ended(uid)  # long before the cell ends
    assert run["state"] == "cancelled"
    assert "begun" in house.notebook(run)


def test_a_run_is_cancelled_before_a_worker_has_taken_it(house, conduct):
    uids = house.submit(house.template("import time; time.sleep(n)"), runs=3, n=600)
    conduct()
    for uid in uids:
        wait_until(lambda uid=uid: house.run(uid)["state"] != "queued", 180)
    waiting = wait_until(
        lambda: (
            [uid for uid in uids if house.run(uid)["state"] == "starting"]
            if sum(house.run(uid)["state"] == "running" for uid in uids) == 2
            else None
        ),
        180,
        "two workers are busy",
    )
    assert len(waiting) == 1  # a worker takes one run at a time, though its task has seceded
    for uid in [*waiting, *(set(uids) - set(waiting))]:
        assert house.service.ask("POST", f"runs/{uid}/cancel", "researcher").is_success
    for uid in uids:
        assert house.ended(uid)["state"] == "cancelled"
    assert house.run(waiting[0])["started_at"] is None


# the first to come waits to be killed
FIRST_WAITS = """
import pathlib, time
try:
    pathlib.Path({path!r}).mkdir()
    time.sleep(6000)
except FileExistsError:
    print("the second")
"""


def test_a_killed_worker_is_tried_again_with_another_token(house, conduct, tmp_path):
    (uid,) = house.submit(house.template(FIRST_WAITS.format(path=str(tmp_path / "first"))))
    clusters = LocalClusters()
    conduct(clusters)
    wait_until((tmp_path / "first").exists, what="the first attempt")
    first = token_hash(house, uid)
    (cluster,) = (c for c in clusters._open.values() if not c.closed)
    for worker in workers_of(cluster):
        worker.kill()
    run = house.ended(uid)
    assert (run["state"], run["attempt"]) == ("done", 2)
    assert first is not None
    assert token_hash(house, uid) is None


def test_no_other_machine_reaches_the_processes_of_a_cluster_here():
    clusters = LocalClusters()
    cluster = clusters.open({}, 1, {})
    try:
        cluster.wait()
        wait_until(cluster.workers, what="the worker has come")
        (nanny,) = cluster._processes
        ours = [psutil.Process(nanny.pid), *workers_of(cluster)]
        ports = [one for process in ours for one in process.net_connections("inet")]
        heard = {one.laddr.ip for one in ports if one.status == psutil.CONN_LISTEN}
        assert heard == {"127.0.0.1"}
    finally:
        clusters.stop(cluster.name)


def token_hash(house, uid):
    with house.sessions() as session:
        return session.query(Run).filter_by(uid=uid).one().token_hash


# both attempts come this far before one goes on
WAITS = "import pathlib, time\nwhile not pathlib.Path({path!r}).exists(): time.sleep(0.05)"


def test_a_second_conductor_takes_over_and_the_older_attempt_can_commit_nothing(
    house, conduct, tmp_path
):
    on = tmp_path / "go on"
    (uid,) = house.submit(house.template(WAITS.format(path=str(on)), OUTPUTS))
    first = conduct(name="first", lease=3600)
    house.reaches(uid, "running", cell=1)
    with house.sessions.begin() as session:  # as if the first had been silent for a minute
        now = session.query(Run).filter_by(uid=uid).one().created_at
        session.execute(update(Run).where(Run.uid == uid).values(lease_until=now))
    conduct(name="second")
    house.reaches(uid, "running", attempt=2)
    on.touch()
    first.stop()
    run = house.ended(uid)
    assert (run["state"], run["attempt"]) == ("done", 2)
    assert len(run["outputs"]["images"]) == 1


def test_a_conductor_that_stops_closes_its_cluster_and_gives_the_run_back(house, conduct):
    (uid,) = house.submit(house.template("import time; time.sleep(n)"), n=600)
    clusters = LocalClusters()
    conductor = conduct(clusters)
    house.reaches(uid, "running", cell=1)
    processes = [p for c in clusters._open.values() for p in c._processes]
    conductor.stop()
    wait_until(lambda: house.run(uid)["state"] == "queued", what="the run is queued")
    wait_until(lambda: all(p.poll() is not None for p in processes), what="workers are gone")
    assert house.service.ask("POST", f"runs/{uid}/cancel", "researcher").json()["state"] == (
        "cancelled"
    )


def test_neither_worker_nor_kernel_holds_a_secret(house, conduct, monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "a hub token")
    monkeypatch.setenv("CID_DATABASE", "sqlite:////somewhere")
    cell = """
import json, os, pathlib
def environ(pid):
    text = pathlib.Path(f"/proc/{pid}/environ").read_bytes().decode()
    return dict(line.split("=", 1) for line in text.split("\\0") if "=" in line)
def parent(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
nursery = os.getppid()
seen = [dict(os.environ), environ("self"), environ(nursery), environ(parent(nursery))]
print("LOOK" + json.dumps(seen) + "LOOK")
"""
    (uid,) = house.submit(house.template(cell))
    conduct()
    run = house.ended(uid)
    assert run["state"] == "done", run["error"]
    texts = json.loads(house.notebook(run))["cells"]
    printed = "".join(
        "".join(output.get("text", "")) for cell in texts for output in cell.get("outputs", ())
    )
    kernel, born, nursery, worker = json.loads(printed.split("LOOK")[1])
    assert {name for name in kernel if name.startswith("CID_")} == {
        "CID_URL",
        "CID_RUN",
        "CID_ATTEMPT",
        "CID_RUN_TOKEN",
        "CID_SCRATCH",
    }
    assert {name for name in worker if name.startswith("CID_")} == {"CID_URL", "CID_RUN_KEY"}
    assert not {name for name in {*born, *nursery} if name.startswith("CID_")}
    for environment in (kernel, born, nursery, worker):
        assert not {name for name in environment if "JUPYTERHUB" in name or "GATEWAY" in name}


WRITES = """
import cid_client, httpx
run = cid_client.current_run()
image = run.input
session = image.session
seen = session.get(f"images/{image.uid}")
places = [seen["data"] + "zarr.json", seen["thumbnail"], seen["original_url"]]
for place in places:
    for method in ("PUT", "DELETE"):
        answer = httpx.request(method, session.absolute(place), content=b"overwritten")
        run.outputs.metric(f"{method} {places.index(place)}", answer.status_code)
try:
    session.send("PATCH", f"images/{image.uid}", {"name": "mine"})
except cid_client.NotAllowed:
    run.outputs.metric("renamed", 0)
"""


def test_a_template_cannot_write_what_it_reads(house, conduct):
    stored = house.service.folder / "storage"

    def kept() -> dict[Path, bytes]:
        below = [*stored.glob("images/**/*"), *stored.glob("files/**/*")]
        return {path: path.read_bytes() for path in below if path.is_file()}

    before = kept()
    assert before
    assert {path.stat().st_mode & 0o222 for path in before} == {0}
    (uid,) = house.submit(house.template(WRITES))
    conduct()
    run = house.ended(uid)
    assert run["state"] == "done", run["error"]
    tried = {f"{method} {place}" for method in ("PUT", "DELETE") for place in range(3)}
    assert run["metrics"].keys() == tried | {"renamed"}
    assert {run["metrics"][one] for one in tried} <= {403, 405}
    assert kept().items() >= before.items()


def test_outputs_that_were_tampered_with_fail_the_run_and_keep_its_notebook(house, conduct):
    cell = "import os; open(os.environ['CID_SCRATCH'] + '/outputs/manifest.json', 'w').write('x')"
    (uid,) = house.submit(house.template(OUTPUTS, cell))
    conduct()
    run = house.ended(uid)
    assert (run["state"], run["error"]["error"]) == ("failed", "BadOutput")
    assert "cid_client" in house.notebook(run)


def test_scratch_is_gone_before_the_cluster_is(house, conduct, monkeypatch):
    left = []
    end = ProcessCluster._end

    def look_then_end(cluster):
        left.extend(Path(cluster._folder).rglob("cid-run-*"))
        end(cluster)

    monkeypatch.setattr(ProcessCluster, "_end", look_then_end)
    uids = [house.submit(house.template(cell))[0] for cell in ("1", "1 / 0")]
    clusters = LocalClusters()
    conduct(clusters)
    for uid in uids:
        house.ended(uid)
    wait_until(lambda: clusters.list_mine() == [], 60, "the clusters are closed")
    assert left == []


def test_a_stopped_worker_process_ends_on_sigterm(house, conduct):
    clusters = LocalClusters()
    cluster = clusters.open({}, 1, {})
    cluster.wait()
    wait_until(lambda: cluster.workers() == 1, 60, "a worker")
    os.killpg(cluster._processes[0].pid, signal.SIGSTOP)
    clusters.stop(cluster.name)
    assert clusters.list_mine() == []
