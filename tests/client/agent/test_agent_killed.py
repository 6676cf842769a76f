"""The agent through what happens to a microscope PC: each file goes in once, and right.

AGENT_FILES=500 AGENT_KILLS=20 in the environment is the whole scale: `python -m bench agent`.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cutting import Cutting, cutting
from microscope_pc import MicroscopePC, snapshot, write_tiff
from processes import STAFF, Service, stop, wait_until
from sqlalchemy import func, select

from cid_server_ext.db.session import Sessions
from cid_server_ext.db.tables import Deposit, File, Image, Project

FILES = int(os.environ.get("AGENT_FILES", "120"))
KILLS = int(os.environ.get("AGENT_KILLS", "6"))
NOTHING_PASSES = [0] * 1_000_000
RULES = """
[[rules]]
folder = '(?P<day>[^/]+)'
project = "agent-killed"
team = "agent-team"
dataset = "{day}"
"""


@pytest.fixture(scope="module")
def projects(service: Service) -> None:
    members = {"scope": "contributor"}
    for name in ("agent-killed", "agent-once"):
        body = {"name": name, "team": "agent-team", "limit": 10**10, "members": members}
        assert service.ask("POST", "projects", STAFF, json=body).status_code == 201


@pytest.fixture
def proxy(service: Service) -> Iterator[Cutting]:
    with cutting(urlsplit(service.url).port) as between:
        yield between


@pytest.fixture
def pc(proxy: Cutting, tmp_path: Path) -> Iterator[MicroscopePC]:
    made = MicroscopePC(tmp_path, f"http://127.0.0.1:{proxy.port}/services/cid/")
    made.configure(RULES)
    yield made
    if made.process is not None:
        stop(made.process)


class Microscope(threading.Thread):
    """Writes images one after the other, each as soon as the agent has some of those before.

    One file grows from the first to the last of them. In the middle a folder gets another name.
    """

    def __init__(self, folder: Path, files: int) -> None:
        super().__init__(daemon=True)
        self.folder, self.files, self.made = folder, files, 0
        self.go = threading.Semaphore(files // 10)

    def run(self) -> None:
        (self.folder / "slow").mkdir()
        with (self.folder / "slow" / "growing.dat").open("wb", buffering=0) as growing:
            for number in range(self.files):
                self.go.acquire()
                day = "monday" if number < self.files // 2 else "tuesday"
                write_tiff(self.folder / day / f"cell {number}.tif", number)
                growing.write(random.Random(number).randbytes(1000))
                if number == self.files // 4:
                    (self.folder / "monday").rename(self.folder / "sunday é")
                self.made = number + 1


def its_time(pc: MicroscopePC, state: str, enough: int) -> bool:
    """Return whether something is in this state, or so much is verified."""
    now = pc.count()
    return now[state] > 0 or now["verified"] >= enough


@pytest.mark.usefixtures("projects")
def test_killed_cut_off_and_with_files_that_grow_and_move_each_file_is_there_once(
    pc: MicroscopePC, proxy: Cutting, service_database: Sessions
) -> None:
    (pc.data / "large").mkdir()
    (pc.data / "large" / "map.dat").write_bytes(random.Random(1).randbytes(17 << 20))
    microscope = Microscope(pc.data, FILES)
    began, chance = time.monotonic(), random.Random(4)
    pc.start()
    microscope.start()
    step = FILES // (KILLS + 1)
    for n in range(KILLS):
        pc.waits_for(n * step)
        for _ in range(step):
            microscope.go.release()
        state = chance.choice(["growing", "hashed", "uploading"])
        wait_until(lambda n=n, state=state: its_time(pc, state, (n + 1) * step), 180, state)
        pc.kill()
        pc.start()
        if n == KILLS // 2:
            proxy.cuts = NOTHING_PASSES.copy()
            wait_until(lambda: "does not answer" in pc.log(), 60, "the agent notices")
            assert not [row for row in pc.rows() if row.state == "failed"]
            proxy.cuts = []
    for _ in range(FILES):
        microscope.go.release()
    microscope.join(60)
    before = snapshot(pc.data)
    everything = {str(pc.data / name) for name, (_, digest) in before.items() if digest}

    def settled() -> bool:
        rows = pc.rows()
        there = {row.path for row in rows if row.state == "verified"}
        return there >= everything and {row.state for row in rows} == {"verified"}

    wait_until(settled, 120 + FILES, "all is verified and nothing under way")
    took = time.monotonic() - began
    assert pc.stop() == 0, pc.log()
    assert snapshot(pc.data) == before
    here = {digest for _, digest in before.values() if digest}
    names = {"slow/growing.dat", "large/map.dat"}
    names |= {f"sunday é/cell {n}.tif" for n in range(FILES // 4 + 1)}
    rest = range(FILES // 4 + 1, FILES)
    names |= {f"{'monday' if n < FILES // 2 else 'tuesday'}/cell {n}.tif" for n in rest}
    assert {name for name, (_, digest) in before.items() if digest} == names
    assert len(here) == FILES + 2
    with service_database() as session:
        mine = select(Project.id).where(Project.name == "agent-killed").scalar_subquery()
        files = session.scalars(select(File.sha256).where(File.project_id == mine)).all()
        images = session.scalar(
            select(func.count()).select_from(Image).where(Image.project_id == mine)
        )
        states = Counter(
            session.scalars(select(Deposit.state).where(Deposit.project_id == mine)).all()
        )
    assert Counter(files) == dict.fromkeys(here, 1)
    assert images == FILES
    assert not states["importing"]
    growing = b"".join(random.Random(n).randbytes(1000) for n in range(FILES))
    assert hashlib.sha256(growing).hexdigest() in files
    assert pc.killed == KILLS
    right = f"{len(files)} of {len(here)} there once and unchanged"
    print(f"{FILES} files, {pc.killed} kills: {took:.1f} s, {right}, deposits {dict(states)}")


@pytest.mark.usefixtures("projects")
@pytest.mark.parametrize("nbytes", [1000, 17 << 20], ids=["small", "large"])
def test_killed_before_it_could_write_down_which_deposit_it_had_opened(
    pc: MicroscopePC, service: Service, service_database: Sessions, nbytes: int
) -> None:
    """The next agent is answered with the same one: room is reserved once, for all of it."""
    pc.configure(RULES.replace("agent-killed", "agent-once"))
    mark = pc.home / "opened.json"
    pc.environ["DIES_ONCE"] = str(mark)
    name = f"before {nbytes}.dat"
    body = random.Random(nbytes).randbytes(nbytes)
    (pc.data / "once").mkdir()
    (pc.data / "once" / name).write_bytes(body)
    used = service.ask("GET", "projects/agent-once", STAFF).json()["allocation"]["used"]
    pc.start()
    assert pc.process is not None
    assert pc.process.wait(60) == -signal.SIGKILL
    opened = json.loads(mark.read_text())
    [row] = pc.rows()
    assert (row.state, row.deposit) == ("uploading", "")
    pc.start()
    pc.waits_for(1)
    assert pc.stop() == 0, pc.log()
    [row] = pc.rows()
    assert row.deposit == opened["uid"]
    told = service.ask("GET", "projects/agent-once", STAFF).json()["allocation"]
    assert told["reserved"] == 0
    assert nbytes <= told["used"] - used < nbytes + 1000
    with service_database() as session:
        mine = select(Deposit).join(Project).where(Project.name == "agent-once")
        deposits = [
            deposit
            for deposit in session.scalars(mine)
            if deposit.declared[0]["path"].endswith(name)
        ]
        kept = session.scalars(
            select(File.sha256).where(File.sha256 == hashlib.sha256(body).hexdigest())
        ).all()
    assert [deposit.uid for deposit in deposits] == [opened["uid"]]
    assert len(kept) == 1
