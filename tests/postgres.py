"""A real PostgreSQL for the tests, on a free loopback port, in a folder that goes away.

The server refuses to run as root, so as root it runs as `nobody`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from processes import free_port

FOUND = shutil.which("initdb") is not None and shutil.which("pg_ctl") is not None

FAST = "fsync=off synchronous_commit=off full_page_writes=off shared_buffers=32MB"


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    folder: Path
    port: int

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"


def start() -> Postgres:
    folder = Path(tempfile.mkdtemp(prefix="cid-pg-"))
    if os.geteuid() == 0:
        owner = pwd.getpwnam("nobody")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    port = free_port()
    settings = [f"listen_addresses=127.0.0.1 port={port} unix_socket_directories={folder}", FAST]
    options = " ".join(f"-c {setting}" for setting in " ".join(settings).split())
    data = str(folder / "data")
    _run(folder, "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8")
    _run(folder, "pg_ctl", "-D", data, "-l", str(folder / "log"), "-w", "-o", options, "start")
    return Postgres(folder, port)


def stop(server: Postgres) -> None:
    _run(server.folder, "pg_ctl", "-D", str(server.folder / "data"), "-m", "immediate", "stop")
    shutil.rmtree(server.folder)


def _run(folder: Path, *command: str) -> None:
    who = {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}
    environ = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    subprocess.run(command, check=True, cwd=folder, env=environ, stdout=subprocess.DEVNULL, **who)
