"""A hub starts whole or not at all, and leaves nothing behind, whoever is killed."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hub_people import Visitor
from ports import free_ports
from processes import wait_until

from hub_config import checks, launch
from hub_config.running import Hub, HubFailed, running
from hub_config.site import PORTS, Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(free_ports(len(PORTS)), tmp_path / "run", demo=True)


@pytest.fixture
def started(site: Site) -> Iterator[Hub]:
    with running(site) as hub:
        yield hub


def everything(hub: Hub) -> list[psutil.Process]:
    return psutil.Process(hub.process.pid).children(recursive=True)


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    def lives(process: psutil.Process) -> bool:
        try:
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    return [process for process in processes if lives(process)]


def test_what_does_not_end_in_ten_seconds_is_killed() -> None:
    assert launch.HUB_SECONDS < launch.STOP_SECONDS < 10


def test_ctrl_c_ends_all_and_the_kept_folder_opens_again(site: Site) -> None:
    with running(site) as hub:
        with Visitor(hub, "researcher") as visitor:
            visitor.start_server()
        processes, password = everything(hub), hub.password
        assert len(processes) >= 7  # hub, proxy, catalog, conductor, gateway and its proxy, server
        hub.process.send_signal(signal.SIGINT)
        assert hub.process.wait(60) == 0
    assert not alive(processes)
    assert list(checks.of_end(site)) == []

    with running(site) as again:
        assert again.password == password
        assert again.token("researcher")
        with Visitor(again, "researcher") as visitor:
            assert visitor.status == 302


def test_a_killed_hub_is_reported_and_its_services_end(started: Hub) -> None:
    processes = everything(started)
    hub = next(p for p in processes if p.ppid() == started.process.pid)
    hub.kill()
    assert started.process.wait(60) == 1
    assert "the hub ended with -9" in started.last_words()
    assert not alive(processes)
    assert list(checks.of_end(started.site)) == []


def test_a_killed_launcher_leaves_no_orphan(started: Hub) -> None:
    processes = everything(started)
    started.process.kill()
    wait_until(lambda: not alive(processes), what="all processes end")
    assert list(checks.of_end(started.site)) == []


def test_the_hub_ends_when_who_started_it_is_killed(site: Site) -> None:
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from hub_config.running import running\n"
        "from hub_config.site import Site\n"
        f"with running(Site({site.port}, Path({str(site.run)!r}), True)) as hub:\n"
        "    print(hub.process.pid, flush=True)\n"
        "    time.sleep(600)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    with owner.stdout:
        launcher = psutil.Process(int(owner.stdout.readline()))
        processes = [launcher, *launcher.children(recursive=True)]
        owner.kill()
        owner.wait()
    wait_until(lambda: not alive(processes), what="all processes end")
    assert list(checks.of_end(site)) == []


def test_a_busy_port_is_named_with_its_holder_before_anything_starts(site: Site) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", site.ports["cid"]))
        taken.listen()
        with pytest.raises(HubFailed) as failed, running(site):
            pass
    assert f"port {site.ports['cid']} is in use by pid {os.getpid()}" in str(failed.value)
    assert "CID_PORT" in str(failed.value)
    assert not site.log.exists()


def test_a_run_folder_serves_one_hub(site: Site) -> None:
    site.run.mkdir()
    with (site.run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(HubFailed, match=r"another hub runs in .*CID_RUN_DIR"), running(site):
            pass


def test_a_broken_database_is_one_line(site: Site) -> None:
    site.run.mkdir()
    (site.run / "catalog.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(HubFailed) as failed, running(site):
        pass
    assert "cannot be opened (file is not a database)" in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_service_that_cannot_start_ends_the_start_and_says_why(site: Site) -> None:
    home = site.run / "services" / "cid"
    home.parent.mkdir(parents=True)
    home.write_text("a file where the service's folder should be")
    with pytest.raises(HubFailed, match="its last words") as failed, running(site):
        pass
    assert str(home) in str(failed.value)
    assert list(checks.of_end(site)) == []
