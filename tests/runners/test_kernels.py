"""Kernels that are forked: the same as those that are started, and gone with their worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from books import book, execute, text_of
from jupyter_client.kernelspec import KernelSpecManager
from processes import wait_until

from cid_server_ext.runners import environ
from cid_server_ext.runners.worker import kernels

SEEN = """
import json, locale, os, signal, sys, threading
print(json.dumps({
    "environ": dict(os.environ), "folder": os.getcwd(), "path": sys.path, "main": __name__,
    "flags": repr(sys.flags), "program": os.path.basename(sys.argv[0]),
    "threads": sorted(t.name.split("-")[0] for t in threading.enumerate()),
    "umask": os.umask(0o22), "blocked": [int(s) for s in signal.pthread_sigmask(0, [])],
    "interrupt": repr(signal.getsignal(signal.SIGINT)), "locale": locale.getlocale(),
    "child": repr(signal.getsignal(signal.SIGCHLD)),
    "leads": os.getpid() == os.getsid(0) == os.getpgid(0), "stdin": sys.stdin is not None,
    "handles": sorted({os.readlink(f"/proc/self/fd/{n}").split(":")[0] for n in os.listdir(
        "/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")}
        - {"socket", "anon_inode", "/dev/null"}),
}))
"""
MINE = "import os, random; print(os.getpid(), os.getppid(), random.random())"


def seen(folder: Path, source: str = SEEN) -> Any:
    folder.mkdir()
    outcome, notebook = execute(folder, book(source))
    assert outcome.state == "done", outcome.error
    return text_of(notebook)


def test_a_forked_kernel_is_the_same_as_a_started_one(tmp_path, monkeypatch):
    monkeypatch.setattr("cid_server_ext.runners.worker.kernels._warm", [])
    started = json.loads(seen(tmp_path / "a"))
    kernels.warm_up()
    forked = json.loads(seen(tmp_path / "b"))
    kernels.cool_down()
    own = {"IPYTHONDIR", "TMPDIR", "CID_SCRATCH", "JPY_SESSION_NAME", "JPY_PARENT_PID"}
    for told in (started, forked):
        told["environ"] = {k: v for k, v in told["environ"].items() if k not in own}
        told["folder"] = Path(told["folder"]).name in ("a", "b")
        told["path"] = [Path(p).name if p.startswith(str(tmp_path)) else p for p in told["path"]]
        told["program"] = told["program"].removesuffix(".py")
    assert forked == started


def test_kernels_are_forked_and_no_two_are_alike(tmp_path, forked):
    told = [seen(tmp_path / name, MINE).split() for name in "ab"]
    (one, parent, number), (other, same, another) = told
    assert one != other
    assert parent == same != str(os.getpid())
    assert number != another


def test_a_kernel_that_the_interpreter_would_start_otherwise_is_started(tmp_path, forked):
    parents = []
    for name, setting in (("a", {}), ("b", {"PYTHONOPTIMIZE": "1"})):
        (tmp_path / name).mkdir()
        environment = environ.inherited(os.environ) | {"IPYTHONDIR": str(tmp_path)} | setting
        outcome, notebook = execute(tmp_path / name, book(MINE), environment=environment)
        assert outcome.state == "done", outcome.error
        parents.append(int(text_of(notebook).split()[1]))
    assert parents[0] != os.getpid()
    assert parents[1] == os.getpid()


def test_another_python_is_started(tmp_path, monkeypatch, forked):
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    other.chmod(0o755)
    folder = tmp_path / "share" / "jupyter" / "kernels" / "other"
    folder.mkdir(parents=True)
    argv = [str(other), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Other", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    assert "other" in KernelSpecManager().find_kernel_specs()
    asked: list[Any] = []
    monkeypatch.setattr(kernels.Warm, "fork", lambda *order: asked.append(order))
    from cid_server_ext.runners import notebook
    from cid_server_ext.runners.watch import Watch

    work = {"notebook": book("x = 1"), "kernel": "other", "parameters": {}, "wall_seconds": 60}
    environment = environ.inherited(os.environ) | {"IPYTHONDIR": str(tmp_path / "ipython")}
    outcome = notebook.execute(work, tmp_path, Watch(60), lambda *told: None, environment)
    assert outcome.state == "done", outcome.error
    assert asked == []


def test_a_nursery_that_was_killed_costs_no_run(tmp_path, forked):
    nursery = int(seen(tmp_path / "a", MINE).split()[1])
    os.kill(nursery, signal.SIGKILL)
    assert int(seen(tmp_path / "b", MINE).split()[1]) == os.getpid()
    assert int(seen(tmp_path / "c", MINE).split()[1]) not in (nursery, os.getpid())


def test_a_kernel_goes_with_the_nursery_and_is_told_as_dead(tmp_path, forked):
    die = "import os, signal, time; os.kill(os.getppid(), signal.SIGKILL); time.sleep(60)"
    outcome, _ = execute(tmp_path, book(die))
    assert outcome.error["error"] == "KernelDied"


WORKER = """
import sys
sys.path[:0] = sys.argv[1:2]
from pathlib import Path
from books import book, execute
from cid_server_ext.runners.worker import kernels
kernels.warm_up()
hold = "import os, subprocess, time; p = subprocess.Popen(['sleep', '600']); " \\
    "open('told', 'w').write(f'{os.getppid()} {os.getpid()} {p.pid}\\\\n'); time.sleep(600)"
execute(Path(sys.argv[2]), book(hold))
"""


def test_nothing_outlives_a_worker_that_is_killed(tmp_path):
    tests = str(Path(__file__).parents[1])
    worker = subprocess.Popen([sys.executable, "-c", WORKER, tests, str(tmp_path)])
    told = tmp_path / "told"
    wait_until(lambda: told.exists() and told.read_text().endswith("\n"), what="the cell runs")
    family = [psutil.Process(int(pid)) for pid in told.read_text().split()]
    assert all(process.is_running() for process in family)
    worker.kill()
    worker.wait(60)

    def gone() -> bool:
        return all(not p.is_running() or p.status() == psutil.STATUS_ZOMBIE for p in family)

    wait_until(gone, what="nursery, kernel and what it started end")


def test_a_forked_process_answers_as_one_of_subprocess():
    warm = kernels.Warm()
    null = os.open(os.devnull, os.O_WRONLY)
    order = {"arguments": ["--version"], "environ": warm.environ, "folder": "/"}
    ended = warm.fork(order, null, null)
    assert ended.wait(60) == 0
    assert (ended.poll(), ended.wait(), ended.returncode) == (0, 0, 0)
    ended.kill()  # one that has ended is no error
    order["arguments"] = ["-f", "/nonexistent/kernel.json"]
    held = warm.fork(order, null, null)
    assert held.wait(0) is None
    held.terminate()
    assert held.wait(60) == -signal.SIGTERM
    os.close(null)
    warm.close()


@pytest.mark.parametrize("handle", [subprocess.PIPE, None])
def test_a_pipe_that_has_yet_to_be_made_is_not_ours_to_make(handle):
    assert kernels._handle(handle, 1) == (None if handle else 1)
