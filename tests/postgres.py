"""A real PostgreSQL for the tests, on a free loopback port, in a folder that goes away.

The server refuses to run as root, so as root it runs as `nobody`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

import psycopg
from ports import free_port
from processes import wait_until

FOUND = shutil.which("initdb") is not None and shutil.which("pg_ctl") is not None

FAST = "fsync=off synchronous_commit=off full_page_writes=off shared_buffers=32MB"


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    folder: Path
    port: int

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    @property
    def data(self) -> str:
        return str(self.folder / "data")


def start(settings: str = FAST) -> Postgres:
    """Start a server; what FAST says is lost when its processes are killed."""
    folder = Path(tempfile.mkdtemp(prefix="cid-pg-"))
    if os.geteuid() == 0:
        owner = pwd.getpwnam("nobody")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    port = free_port()
    server = Postgres(folder, port)
    data = server.data
    _run(folder, "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8")
    own = f"listen_addresses='127.0.0.1' port={port} unix_socket_directories='{folder}' {settings}"
    with (folder / "data" / "postgresql.conf").open("a") as file:
        file.write("\n" + own.replace(" ", "\n") + "\n")
    launch(server)
    return server


def launch(server: Postgres) -> None:
    """Start it on what it has, and wait until it answers."""
    _run(
        server.folder, "pg_ctl", "-D", server.data, "-l", str(server.folder / "log"), "-w", "start"
    )


def halt(server: Postgres, mode: str = "fast") -> None:
    """Stop it; its data stay."""
    _run(server.folder, "pg_ctl", "-D", server.data, "-m", mode, "-w", "stop")


def kill(server: Postgres) -> None:
    """Kill its first process, as nobody should; the others notice and end."""
    first = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
    all_of_them = [first, *map(int, _children(first))]
    os.kill(first, signal.SIGKILL)
    # its number too must be free before it starts again
    wait_until(lambda: not any(map(_there, all_of_them)), what="PostgreSQL's processes end")


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def stop(server: Postgres) -> None:
    _run(server.folder, "pg_ctl", "-D", str(server.folder / "data"), "-m", "immediate", "stop")
    shutil.rmtree(server.folder)


def copy(server: Postgres, template: str = "empty") -> str:
    """Make a database like `template` and return its URL."""
    name = f"t{uuid.uuid4().hex}"
    address = f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres"
    with psycopg.connect(address, autocommit=True) as connection:
        quick = " STRATEGY file_copy" if connection.info.server_version >= 150_000 else ""
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}{quick}")
    return server.url(name)


def _run(folder: Path, *command: str) -> None:
    who = {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}
    environ = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    subprocess.run(command, check=True, cwd=folder, env=environ, stdout=subprocess.DEVNULL, **who)
