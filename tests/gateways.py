"""A running Dask Gateway as the hub configures it, and a look at what its clusters run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from ports import free_ports
from processes import stop, wait_until

from hub_config.site import PORTS, Site

CONFIG = Path(__file__).parent / "runners" / "gateway_for_tests.py"


@contextmanager
def gateway_in(folder: Path, more: Mapping[str, str] | None = None) -> Iterator[Site]:
    """Run a gateway, with `more` in its environment, whose callers' password is "password"."""
    site = site_in(folder)
    process = launched(site, more)
    try:
        yield site
    finally:
        stop(process)


def site_in(folder: Path) -> Site:
    """Return where a gateway of its own listens and what it keeps."""
    site = Site(free_ports(len(PORTS)), folder)
    (site.run / "clusters" / "home").mkdir(parents=True)
    return site


def launched(site: Site, more: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start the gateway of a site and return its process when it answers."""
    bin_folder = Path(sys.executable).parent
    environment = {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "GATEWAY_PASSWORD": "password",
        "PYTHONPATH": str(CONFIG.parent),  # for the tasks; a worker inherits it
        **(more or {}),
        **site.environment,
    }
    with (site.run / "gateway.log").open("ab") as log:
        process = subprocess.Popen(
            [str(bin_folder / "dask-gateway-server"), "-f", str(CONFIG)],
            env=environment,
            cwd=CONFIG.parents[2],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def answers() -> bool:
        assert process.poll() is None, (site.run / "gateway.log").read_text()[-3000:]
        try:
            return httpx.get(address(site) + "/api/version").is_success
        except httpx.TransportError:
            return False

    try:
        wait_until(answers, 180, "the gateway answers")
    except BaseException:
        stop(process)
        raise
    return process


def address(site: Site) -> str:
    return f"{site.address('gateway')}/services/dask-gateway"


def processes_of(site: Site, kind: str = "dask") -> list[psutil.Process]:
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
