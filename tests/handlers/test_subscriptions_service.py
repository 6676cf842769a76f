"""Two service processes follow one subscription while 500 images come and one of them is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import standing
from processes import Service, start_service, stop, wait_until
from sqlalchemy import func, select
from standing import arrive, counted, run_on

from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions

PROJECT, IMAGES, EACH = "two-follow", 500, 25


@pytest.fixture
def pair(catalog_url: str, sessions: Sessions, tmp_path: Path) -> Iterator[list[Service]]:
    """Two services that share everything."""
    standing.make(sessions, PROJECT)
    shared = {"CID_DATABASE": catalog_url, "CID_STORAGE": str(tmp_path / "storage")}
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor() as pool:
        made = list(pool.map(lambda folder: start_service(folder, **shared), folders))
    yield made
    for service in made:
        stop(service.process)


def holder(sessions: Sessions) -> int | None:
    """Return the process that has the duty of following."""
    with sessions() as session:
        held = session.scalar(select(t.Duty.holder).where(t.Duty.name == "subscriptions"))
    return None if held is None else int(held.split(":")[1])


def test_each_of_500_is_run_once_though_the_one_that_follows_is_killed(
    pair: list[Service], sessions: Sessions
) -> None:
    wanted = {"project": PROJECT, "search": standing.SEARCH, "template": "count-things"}
    made = pair[0].ask(
        "POST", "subscriptions", "contributor", json=wanted | {"budget": {"runs": IMAGES}}
    )
    assert made.status_code == 201, made.text
    names = [f"stack {n}" for n in range(IMAGES)]
    for at in range(0, IMAGES, EACH):
        with sessions.begin() as session:
            arrive(session, PROJECT, names[at : at + EACH])
        if at == IMAGES // 2:
            wait_until(lambda: run_on(sessions), what="the first runs")
            pid = wait_until(lambda: holder(sessions), what="one follows")
            (follows,) = [service for service in pair if service.process.pid == pid]
            os.killpg(pid, signal.SIGKILL)
            follows.process.wait(60)
    uid = made.json()["uid"]
    wait_until(lambda: counted(sessions, uid).get("queued") == IMAGES, 120, "a run for each")
    assert run_on(sessions) == dict.fromkeys(names, 1)
    with sessions() as session:
        row = session.scalars(select(t.Subscription)).one()
        assert (row.state, row.runs) == ("active", IMAGES)
        assert session.scalar(select(func.sum(t.Run.reserved))) == row.nbytes
        assert session.scalars(select(t.Allocation.reserved)).one() == row.nbytes
