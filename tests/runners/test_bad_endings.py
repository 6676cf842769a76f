"""What a notebook can do wrong: a state and a sentence each, its notebook kept, nothing left over.

A worker's whole way through the real catalog, without a cluster: these are many, and quick.
"""

from __future__ import annotations

import secrets
from types import SimpleNamespace

import pytest
from house import OUTPUTS, add_image
from sqlalchemy import select, update

from cid_client.wire.environment import Access
from cid_client.wire.session import Session
from cid_server_ext.core.queue import claims, leases
from cid_server_ext.db.tables import Allocation, Run
from cid_server_ext.runners import inside, tokens
from cid_server_ext.runners.watch import Watch

SCRATCH = "import os, pathlib, shutil\nhere = pathlib.Path(os.environ['CID_SCRATCH'], 'outputs')\n"
ENDLESS = "print('begun')\nimport time\nwhile True:\n    time.sleep(0.1)"
STUBBORN = """
import time
print('begun')
while True:
    try:
        time.sleep(0.1)
    except KeyboardInterrupt:
        pass
"""
LISTED = """
import json
told = json.loads((here / 'manifest.json').read_text())
told['outputs'][0]['path'] = {path!r}
(here / 'manifest.json').write_text(json.dumps(told))
"""
MAKES = "import cid_client\nrun = cid_client.current_run()\nrun.outputs.table('t', {'a': [1]})\n"
LINK = """
(table,) = here.glob('t.*')
table.unlink()
(here / 'other').write_text('x')
table.symlink_to(here / 'other')
"""
LARGE = """
import os, cid_client
with open('large.bin', 'wb') as file:
    file.write(os.urandom(1 << 20) * 9)
cid_client.current_run().outputs.file('large.bin')
"""

CASES = {
    "never ends": (
        (ENDLESS,),
        "WallTime",
        "longer than its limit of 10 s; cell {cell} was at work",
    ),
    "ends at nothing": ((STUBBORN,), "WallTime", "longer than its limit of 10 s"),
    "leaves its kernel": (("print('so far')", "import os; os._exit(3)"), "KernelDied", "memory"),
    "removes its outputs": (
        (MAKES, SCRATCH + "shutil.rmtree(here)"),
        "BadOutput",
        "removed its outputs folder",
    ),
    "lists what is not there": (
        (MAKES, SCRATCH + "next(here.glob('t.*')).unlink()"),
        "BadOutput",
        "is not in the outputs folder",
    ),
    "lists what lies outside": (
        (MAKES, SCRATCH + LISTED.format(path="../executed.ipynb")),
        "BadOutput",
        "is not in the outputs folder",
    ),
    "lists what is somebody's": (
        (MAKES, SCRATCH + LISTED.format(path="/etc/hostname")),
        "BadOutput",
        "is not in the outputs folder",
    ),
    "delivers a link": ((MAKES, SCRATCH + LINK), "BadOutput", "holds a link"),
    "measures nothing": (
        (MAKES + "run.outputs.metric('m', float('nan'))",),
        "BadInput",
        "record a finite number",
    ),
    "names it oddly": (
        (MAKES + "run.outputs.table('things [1] (2)', {'a': [1]})",),
        "BadInput",
        "use letters, digits",
    ),
}


@pytest.fixture
def work(house, tmp_path, monkeypatch):
    """Do the run that waits, as a worker would; return how it ended."""
    security = SimpleNamespace(tls_ca_file=None, tls_worker_cert=None, tls_worker_key=None)
    nobody = SimpleNamespace(address="tcp://127.0.0.1:1")
    local = tmp_path / "worker"
    local.mkdir()
    worker = SimpleNamespace(local_directory=str(local), scheduler=nobody, security=security)
    monkeypatch.setattr(inside, "get_worker", lambda: worker)
    # a template may ask for no less than 10 s
    monkeypatch.setattr(inside, "Watch", lambda seconds: Watch(seconds / 5, grace=1.0))

    def done(uid):
        key = secrets.token_hex(16)
        token = tokens.token_for(key, uid, 1)
        with house.sessions.begin() as session:
            taken = claims.claim(session, "nobody", 600)
            (run,) = [run for run in taken.runs if run.uid == uid]
            leases.attach(session, "nobody", "no cluster", {run.id: tokens.hash_token(token)})
        session = Session(Access(house.service.url, f"CID-Run {token}"))
        told = inside._execute(session, uid, 1, house.service.url, token)
        session.close()
        assert told == {"state": "ended"}
        assert list(local.iterdir()) == []
        return house.ended(uid)

    return done


def left_of(house, uid):
    """Return what is still held for a run: token, lease, bytes reserved."""
    with house.sessions() as session:
        run = session.scalars(select(Run).where(Run.uid == uid)).one()
        return run.token_hash, run.lease_by, run.reserved


@pytest.mark.parametrize("case", CASES)
def test_each_bad_notebook_fails_with_its_reason_and_keeps_what_it_showed(house, work, case):
    cells, error, message = CASES[case]
    (uid,) = house.submit(house.template(*cells, wall_seconds=10 if error == "WallTime" else 600))
    run = work(uid)
    assert (run["state"], run["error"]["error"]) == ("failed", error)
    assert message.format(cell=2 + len(cells)) in run["error"]["message"]
    assert run["outputs"]["images"] == []
    assert run["metrics"] == {}
    shown = house.notebook(run)
    assert cells[-1].splitlines()[-1].strip() in shown.replace("\\n", "\n")
    if error in ("WallTime", "KernelDied"):
        assert run["error"]["cell"] == 2 + len(cells)
        assert {"WallTime": "begun", "KernelDied": "so far"}[error] in shown
    assert left_of(house, uid) == (None, None, 0)


def test_a_hundred_thousand_lines_are_no_trouble_and_odd_names_neither(house, work):
    image = add_image(house.service, house.service.folder / "cell [3] (b) #1 %.tif")
    loud = "for i in range(100_000):\n    print('line', i)"
    body = {"template": house.template(loud, OUTPUTS), "images": [image]}
    made = house.service.ask("POST", "runs", "researcher", json=body)
    run = work(made.json()["runs"][0]["uid"])
    assert run["state"] == "done", run["error"]
    assert len(run["outputs"]["images"]) == 1
    assert "line 99999" in house.notebook(run)


def test_more_than_was_reserved_is_refused_when_there_is_no_room_and_the_notebook_kept(house, work):
    (uid,) = house.submit(house.template(LARGE))
    captured = {"execution_options": {"captured": True}}
    with house.sessions.begin() as session:
        before = session.scalars(select(Allocation.limit)).one()
        session.execute(update(Allocation).values(limit=1), **captured)
    try:
        run = work(uid)
    finally:
        with house.sessions.begin() as session:
            session.execute(update(Allocation).values(limit=before), **captured)
    assert (run["state"], run["error"]["error"]) == ("failed", "OverQuota")
    assert "large.bin" in house.notebook(run)
    assert {file["kind"] for file in run["outputs"]["files"]} <= {"notebook", "log"}
    assert left_of(house, uid) == (None, None, 0)
