"""A catalog of one's own for a moment: a Jupyter Server with our extension, in a folder."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cid_client
from cid_client.errors import CidError

PATIENCE = 120.0  # seconds until it answers
LAST = 20  # seconds until it is killed


@contextmanager
def own_catalog(folder: Path) -> Iterator[cid_client.Catalog]:
    """Give a catalog that nobody else has; it and its runs end with the block."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    token = secrets.token_hex(16)
    environ = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "JUPYTER_TOKEN": token,
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
    arguments = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--allow-root")
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *arguments],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield _answering(server, f"http://127.0.0.1:{port}/cid/", token, folder)
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(LAST)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _answering(
    server: subprocess.Popen[bytes], url: str, token: str, folder: Path
) -> cid_client.Catalog:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            catalog = cid_client.connect(url, token)
            catalog.whoami()
        except CidError:
            time.sleep(0.2)
        else:
            return catalog
    said = (folder / "server.log").read_text(errors="replace").strip().splitlines()[-3:]
    raise CidError(f"the catalog for the check did not start: {' | '.join(said)}")
