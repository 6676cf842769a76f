"""A microscope PC: a folder that fills, a configuration, and an agent that can be killed."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import tifffile
from processes import wait_until

from cid_client.agent.journal import STATES, Journal, Row
from cid_client.agent.running import JOURNAL
from cid_client.errors import NotFound

T = TypeVar("T")
HERE = Path(__file__).parent
CONFIG = """
[agent]
state = '{state}'
jobs = {jobs}
status_port = {port}
[timing]
scan = 0.5
quiet = {quiet}
companions = 5
[[watch]]
folder = '{folder}'
instrument = "Spinning disk"
"""


def snapshot(folder: Path) -> dict[str, tuple[int, str]]:
    """Return all that lies below a folder: times of files and folders, and sha256 of files."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in [folder, *folder.rglob("*")]
    }


def write_tiff(path: Path, number: int) -> None:
    """Write a small image that no other one equals."""
    import numpy as np

    pixels = np.random.default_rng(number).integers(0, 4000, (16, 16), dtype="uint16")
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, pixels)


@dataclass
class MicroscopePC:
    """Its folders below `home`, and the agent that works on it."""

    home: Path
    url: str
    person: str = "scope"
    process: subprocess.Popen[bytes] | None = None
    killed: int = 0
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def toml(self) -> Path:
        return self.home / "agent.toml"

    def configure(self, rules: str, quiet: float = 0.3, jobs: int = 3, port: int = 0) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        told = CONFIG.format(
            state=self.home / "state", folder=self.data, quiet=quiet, jobs=jobs, port=port
        )
        self.toml.write_text(told + rules, encoding="utf-8")

    def command(self, action: str) -> list[str]:
        program = [sys.executable, str(HERE / "acting_agent.py"), self.person]
        return [*program, action, "--config", str(self.toml)]

    def _environ(self) -> dict[str, str]:
        mine = {"CID_URL": self.url, "CID_TOKEN": "x", "CID_STATE": str(self.home / "memory")}
        return {**os.environ, "PYTHONPATH": str(HERE.parents[2]), **mine, **self.environ}

    def start(self) -> None:
        with (self.home / "agent.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command("run"), env=self._environ(), stdout=log, stderr=log
            )

    def ask(self, action: str) -> subprocess.CompletedProcess[str]:
        """Run `cid agent check` or `status`."""
        return subprocess.run(
            self.command(action),
            env=self._environ(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def kill(self) -> None:
        """Kill it as a power cut would."""
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        self.process.kill()
        self.process.wait(60)
        self.killed += 1

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(60)

    def log(self) -> str:
        return (self.home / "agent.log").read_text()

    def _told(self, ask: Callable[[Journal], T], nothing: T) -> T:
        try:
            journal = Journal(self.home / "state" / JOURNAL, read_only=True)
        except (NotFound, sqlite3.OperationalError):  # it is just beginning
            return nothing
        try:
            return ask(journal)
        finally:
            journal.close()

    def rows(self) -> list[Row]:
        return self._told(lambda journal: journal.latest(*STATES, limit=1_000_000), [])

    def count(self) -> Counter[str]:
        counts = self._told(Journal.counts, {})
        return Counter({state: n for state, (n, _) in counts.items() if n})

    def waits_for(self, verified: int, seconds: float = 120) -> None:
        """Wait until so many are verified, and the agent lives."""

        def enough() -> bool:
            assert self.process is None or self.process.poll() is None, self.log()
            return self.count()["verified"] >= verified

        try:
            wait_until(enough, seconds, f"{verified} are verified")
        except AssertionError as error:
            left = [(r.path, r.state, r.reason) for r in self.rows() if r.state != "verified"]
            raise AssertionError(
                f"{error}: {self.count()} {left[:5]} {self.log()[-2000:]}"
            ) from None
