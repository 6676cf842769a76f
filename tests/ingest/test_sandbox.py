"""A child is closed in: what a foreign file makes its reader try ends with that file, by name."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cid_server_ext.errors import BadFile
from cid_server_ext.ingest import children, sandbox
from cid_server_ext.ingest.convert import convert
from cid_server_ext.ingest.limits import Limits
from cid_server_ext.ingest.workers import Worker

# A reader that does what its file says, as one that a hostile file has taken over would.
PROBER = """
import os, socket, subprocess
from pathlib import Path
from cid_server_ext.storage import readers
from cid_server_ext.storage.readers.policy import Policy

def connect(kind, address):
    line = socket.socket(kind, socket.SOCK_STREAM)
    line.connect(address)

TRIES = {
    "read": lambda at: Path(at).read_bytes(),
    "look": os.listdir,
    "write": lambda at: Path(at).write_text("x"),
    "remove": os.unlink,
    "move": lambda at: os.rename(at, at + "2"),
    "signal": lambda at: os.kill(int(at), 0),
    "run": lambda at: subprocess.run([at]),
    "tcp": lambda at: connect(socket.AF_INET, ("127.0.0.1", int(at))),
    "unix": lambda at: connect(socket.AF_UNIX, at),
    "udp": lambda at: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
}

def probe(path):
    _, what, where = path.read_text().split(chr(10))
    TRIES[what](where)
    raise ValueError("nobody kept it from that")

readers.POLICIES = (Policy("Prober", probe, magic=(b"PROBE",)), *readers.POLICIES)
"""
LET = "nobody kept it from that"
REFUSED = "reading it led out of its own folder"
VERSIONS = """
import os, sys
from cid_server_ext.ingest import sandbox
home, known = sys.argv[1], sandbox.version()
for version in range(known + 1):
    if (pid := os.fork()) == 0:
        sandbox.version = lambda: version
        sandbox.enter(sandbox.Room(f"{home}/in", f"{home}/out"))
        open(f"{home}/in/a").read()
        open(f"{home}/out/{version}", "w").write("x")
        tries = (lambda: open(f"{home}/secret"), lambda: open(f"{home}/in/a", "a"))
        let = []
        for one in tries if version else ():
            try:
                one()
                let.append(one)
            except PermissionError:
                pass
        try:
            __import__("socket").socket()
            let.append("socket")
        except PermissionError:
            pass
        os._exit(len(let))
    assert os.waitpid(pid, 0)[1] == 0, version
print(known)
"""


@pytest.fixture(scope="module", autouse=True)
def probing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Children with one reader more."""
    folder = tmp_path_factory.mktemp("prober")
    (folder / "sitecustomize.py").write_text(PROBER)
    before = children._server.environ
    children.warm_up({**children.CLEAN, "PYTHONPATH": str(folder)})
    yield
    children.cool_down()
    children._server.environ = before


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder with what is nobody's business, beside the deposit's."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "other.tif").write_bytes(b"another file of the deposit")
    outside = tmp_path / "storage"
    outside.mkdir()
    (outside / "catalog.sqlite").write_text("secret")
    return outside


def tried(tmp_path: Path, what: str, where: object) -> str:
    """Return what is told of a file that makes its reader try this."""
    path = tmp_path / "in" / "x.dat"
    path.write_text(f"PROBE\n{what}\n{where}")
    with pytest.raises(BadFile) as refused:
        convert(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    return str(refused.value)


def test_other_files_are_neither_read_nor_written(tmp_path: Path, outside: Path) -> None:
    secret = outside / "catalog.sqlite"
    original = tmp_path / "in" / "other.tif"
    tries = [
        ("read", secret),
        ("read", "/etc/passwd"),
        ("read", f"/proc/{os.getpid()}/environ"),
        ("read", f"/proc/self/root{secret}"),
        ("look", outside),
        ("look", "/"),
        ("write", outside / "new"),
        ("write", original),
        ("remove", original),
        ("move", original),
        ("remove", secret),
        ("run", sys.executable),
        ("signal", os.getpid()),
    ]
    held = sandbox.version()
    for what, where in tries:
        told = tried(tmp_path, what, where)
        if held >= (6 if what == "signal" else 1):
            assert told.startswith(REFUSED), (what, where, told)
    assert secret.read_text() == "secret"
    assert [path.name for path in outside.iterdir()] == ["catalog.sqlite"]
    assert original.read_bytes() == b"another file of the deposit"
    assert LET in tried(tmp_path, "read", original)  # it may belong to it


@pytest.mark.usefixtures("outside")
def test_nothing_is_sent_anywhere(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "s"))
        unix.listen()
        for what, where in (("tcp", tcp.getsockname()[1]), ("unix", tmp_path / "s"), ("udp", "")):
            assert tried(tmp_path, what, where).startswith(REFUSED), what
        tcp.setblocking(False)
        with pytest.raises(BlockingIOError):
            tcp.accept()


def test_a_child_that_was_closed_in_is_not_given_what_lies_elsewhere(tmp_path: Path) -> None:
    """Files of one room may have the same child, those of another have another."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for at in range(2):
            tifffile.imwrite(tmp_path / name / f"{at}.tif", np.full((8, 8), at, np.uint8))
    started: list[children.Child] = []

    def start() -> children.Child:
        started.append(children.Child(Limits()))
        return started[-1]

    with Worker(Limits(), start=start) as worker:
        for number, name in enumerate("aabba"):
            source, target = tmp_path / name / f"{number % 2}.tif", tmp_path / "out" / str(number)
            room = sandbox.Room(str(source.parent), str(target.parent))
            [image] = worker.convert(source, target, nbytes=100, room=room)
            assert image.shape == (8, 8)
    assert len(started) == 3


def test_older_kernels_hold_what_they_can(tmp_path: Path) -> None:
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    for name in ("in/a", "secret"):
        (tmp_path / name).write_text("x")
    told = subprocess.run(
        [sys.executable, "-c", VERSIONS, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    assert int(told.stdout) == sandbox.version()


def test_a_system_that_cannot_close_a_child_in_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sandbox, "version", lambda: 0)
    children._say_what_is_missing.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            children._say_what_is_missing()
    [line] = caplog.messages
    assert line.startswith("what reads foreign files is not kept from other files (the kernel has")
