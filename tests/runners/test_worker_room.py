"""What a worker has for one run: a folder that is swept, a log that is cut, a meter."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from books import book, execute, text_of
from processes import wait_until

from cid_client.wire import counted, environment
from cid_server_ext.runners.local import LocalClusters
from cid_server_ext.runners.tokens import new_key, token_for
from cid_server_ext.runners.worker import folders, moved
from cid_server_ext.runners.worker import log as logs
from cid_server_ext.runners.worker.log import Log
from cid_server_ext.runners.worker.meter import Gpus, Meter

OWNER = """
import sys, pathlib, signal
from cid_server_ext.runners.worker import folders
with folders.owned("cid-run-", pathlib.Path(sys.argv[1])) as path:
    print(path, flush=True)
    signal.pause()
"""


def test_the_folder_of_a_killed_process_is_swept_and_no_other(tmp_path):
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with owner.stdout as said:
        left = Path(said.readline().strip())
        (left / "outputs").mkdir()
        (tmp_path / "cid-run-of-somebody").mkdir()
        with folders.owned("cid-run-", tmp_path) as mine:
            assert folders.sweep(tmp_path.glob("cid-run-*")) == []
            owner.send_signal(signal.SIGKILL)
            owner.wait(60)
            assert folders.sweep(tmp_path.glob("cid-run-*")) == [left]
            assert mine.is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["cid-run-of-somebody"]


def test_a_folder_stays_while_a_run_lives_in_it(tmp_path):
    outer, lock = folders.take("cid-cluster-", tmp_path)
    (outer / "dask" / "worker").mkdir(parents=True)
    with folders.owned("cid-run-", outer / "dask" / "worker"):
        os.close(lock)  # as if the conductor had been killed
        assert folders.sweep([outer]) == []
    assert folders.sweep([outer]) == [outer]
    assert not outer.exists()


def test_a_conductor_sweeps_what_a_killed_one_left(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left, lock = folders.take("cid-cluster-", tmp_path)
    os.close(lock)
    clusters = LocalClusters()
    clusters.stop(clusters.open({}, 0, {}).name)
    assert not left.exists()
    assert not list(tmp_path.glob("cid-cluster-*"))


def test_a_log_keeps_the_beginning_and_the_end_and_no_token(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "FIRST", 1000)
    monkeypatch.setattr(logs, "LAST", 20_000)
    with Log() as log:
        log.say("it begins")
        os.write(log.stderr, b"Authorization: CID-Run 0123456789abcdef\n")
        for number in range(200):
            os.write(log.stderr, f"{number} {'x' * 1000}\n".encode())
        os.write(log.stderr, b"\xff the driver is unwell\n")
    log.write(tmp_path / "run.log")
    text = (tmp_path / "run.log").read_text("utf-8")
    assert "it begins" in text
    assert "driver is unwell" in text
    assert "bytes were cut here" in text
    assert "0123456789abcdef" not in text
    assert len(text) < 40_000


def test_a_kernel_s_last_words_are_in_the_log(tmp_path):
    from cid_server_ext.runners import notebook
    from cid_server_ext.runners.watch import Watch

    crash = "import ctypes\nctypes.string_at(0)"
    work = {"notebook": book(crash), "kernel": "python3", "parameters": {}, "wall_seconds": 60}
    kernel = {"PATH": os.environ["PATH"], "IPYTHONDIR": str(tmp_path / "ipython")}
    with Log() as log:
        outcome = notebook.execute(work, tmp_path, Watch(60), lambda *_: None, kernel, log=log)
    log.write(tmp_path / "run.log")
    assert outcome.error["error"] == "KernelDied"
    assert "Segmentation fault" in (tmp_path / "run.log").read_text("utf-8")


def test_a_meter_counts_the_kernel_and_what_it_started(tmp_path):
    busy = (
        "import subprocess, sys, time\n"
        "held = bytearray(200 * 2**20)\n"
        "code = 'import time; b = bytearray(100 * 2**20); e = time.process_time() + 0.5\\n"
        "while time.process_time() < e: pass\\nprint(1)'\n"
        "subprocess.run([sys.executable, '-c', code], check=True)"
    )
    # a larger child before: what the system says of all children tells nothing of this one
    subprocess.run([sys.executable, "-c", "bytearray(400 * 2**20)"], check=True)
    meter = Meter()
    from cid_server_ext.runners import notebook
    from cid_server_ext.runners.watch import Watch

    work = {"notebook": book(busy), "kernel": "python3", "parameters": {}, "wall_seconds": 60}
    kernel = {"PATH": os.environ["PATH"], "IPYTHONDIR": str(tmp_path / "ipython")}
    outcome = notebook.execute(work, tmp_path, Watch(60), lambda *_: None, kernel, meter=meter)
    assert outcome.state == "done", outcome.error
    used = meter.usage(read=7, written=8)
    assert used["cpu_seconds"] >= 0.5
    assert used["wall_seconds"] >= 0.5
    assert 200 * 2**20 < used["peak_memory"] < 400 * 2**20
    assert (used["bytes_read"], used["bytes_written"], used["workers"]) == (7, 8, 1)


SMI = """#!/bin/sh
echo "$@" > {told}
echo 50
echo "[N/A]"
echo 100
exec sleep 600
"""


def test_gpus_count_as_much_of_a_second_as_they_are_busy(tmp_path, monkeypatch):
    fake = tmp_path / "nvidia-smi"
    fake.write_text(SMI.format(told=tmp_path / "told"))
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,3")
    with Gpus() as gpus:
        wait_until(lambda: gpus.seconds == 1.5, 60, "three lines were read")
    assert "--id=1,3" in (tmp_path / "told").read_text()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with Gpus() as none:
        pass
    assert none.seconds is None


@pytest.mark.parametrize("text", ["", "x y", "5", "../.. 1", "\x00" * 100])
def test_what_a_notebook_writes_in_place_of_counts_is_none(tmp_path, text):
    (tmp_path / moved.MOVED).write_text(text)
    (tmp_path / moved.TILES).write_text(text)
    assert moved.moved(tmp_path) == (0, 1)
    assert moved.tiles(tmp_path) == {"tile": 0, "tiles": 0}


def test_what_was_read_is_counted_here_and_on_other_workers(tmp_path, monkeypatch):
    monkeypatch.setenv("CID_RUN", "counted-run")
    monkeypatch.setenv("CID_SCRATCH", str(tmp_path))
    counted.add("", 5)
    counted.add("counted-run", 100)
    counted.tell("counted-run", {"tcp://a": 1000, "tcp://b": 10})
    counted.tell("counted-run", {"tcp://a": 2000, "tcp://b": 10})
    assert moved.moved(tmp_path) == (2110, 2)
    (tmp_path / moved.MOVED).write_text(f"{10**40} {10**40}")
    assert moved.moved(tmp_path) == (moved.MOST, 10_000)


def test_a_worker_opens_for_a_run_what_that_run_may_open_and_no_token_travels(monkeypatch):
    key = new_key()
    monkeypatch.setenv("CID_URL", "http://127.0.0.1:1/")
    monkeypatch.setenv("CID_RUN_KEY", key)
    monkeypatch.delenv("CID_RUN", raising=False)
    access = environment.access_again("http://elsewhere/", "a-run.2")
    assert access.url == "http://127.0.0.1:1/"
    assert access.authorization == f"CID-Run {token_for(key, 'a-run', 2)}"
    assert access.run == "a-run.2"


def test_a_gigabyte_of_prints_is_cut_and_never_held(tmp_path):
    """The worker's own memory, not the kernel's; a tenth of a gigabyte does for a test."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    source = book(
        "for _ in range(1000):\n    print('x' * 100_000)", "print('after')", "sorted(vars())"
    )
    outcome, executed = execute(tmp_path, source)
    assert outcome.state == "done", outcome.error
    text = text_of(executed)
    assert text.startswith("x")
    assert "the rest of this cell's output was cut" in text
    assert "after\n" in text
    assert "quiet" not in text.partition("after\n")[2]
    assert len(text) < 10 * 2**20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


def test_what_a_kernel_leaves_behind_is_ended(tmp_path):
    pid = tmp_path / "pid"
    cell = f"import os\nos.system('sleep 600 & echo $! > {pid}')"
    outcome, _ = execute(tmp_path, book(cell))
    assert outcome.state == "done"
    there = Path("/proc", pid.read_text().strip(), "stat")

    def gone() -> bool:
        try:
            return there.read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    wait_until(gone, 60, "the child has ended")
    assert gone()
