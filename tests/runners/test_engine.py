"""The engine: progress is told, an end is real, and the notebook says what happened."""

from __future__ import annotations

import json
import threading

import nbformat
import pytest
from books import book, execute, statuses, text_of
from processes import wait_until

from cid_server_ext.runners import outputs
from cid_server_ext.runners.watch import Watch

pytestmark = pytest.mark.usefixtures("either_kernel")


def test_progress_counts_code_cells_and_names_the_heading(tmp_path):
    told = []
    source = book("# Load", "a = 1", "# Measure", "", "b = a + 1", "c = b")
    outcome, executed = execute(tmp_path, source, report=lambda *word: told.append(word))
    assert outcome.state == "done"
    assert told[0] == (0, 3, "Load")
    assert told[-1] == (3, 3, "Measure")
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert set(statuses(executed)) == {"completed"}


def test_a_failing_cell_is_named_and_later_cells_stay_pending(tmp_path):
    outcome, executed = execute(
        tmp_path, book("# A", "x = 1", "raise ValueError('no\\nway')", "y = 2")
    )
    assert outcome.state == "failed"
    assert outcome.error == {"error": "ValueError", "message": "no way", "cell": 2}
    assert statuses(executed) == ["completed", "failed", "pending"]
    assert executed.metadata.papermill.exception is True


@pytest.fixture
def when_there(tmp_path):
    """Say where a cell leaves a file, and do something in another thread when it has."""
    started = []

    def at_once(then):
        def wait():
            wait_until(path.exists, what="the cell has begun")
            then()

        path = tmp_path / f"begun {len(started)}"
        started.append(threading.Thread(target=wait))
        started[-1].start()
        return f"import pathlib; pathlib.Path({str(path)!r}).touch()"

    yield at_once
    for thread in started:
        thread.join()


def test_cancel_interrupts_the_running_cell(tmp_path, when_there):
    watch = Watch(600)
    begun = when_there(lambda: watch.stop("cancelled"))
    source = book("print('hello')", f"{begun}\nimport time; time.sleep(6000)", "print('never')")
    outcome, executed = execute(tmp_path, source, watch=watch)
    assert (outcome.state, outcome.error["error"], outcome.error["cell"]) == (
        "cancelled",
        "Cancelled",
        2,
    )
    assert statuses(executed) == ["completed", "failed", "pending"]
    assert "hello" in text_of(executed)
    assert "never" not in text_of(executed)


def test_the_wall_time_ends_a_cell_that_ignores_interrupts(tmp_path, when_there):
    watch = Watch(wall_seconds=600, grace=2)
    begun = when_there(lambda: setattr(watch, "_deadline", 0.0))
    stubborn = f"""
import time
while True:
    try:
        {begun}
        time.sleep(600)
    except KeyboardInterrupt:
        pass
"""
    outcome, executed = execute(tmp_path, book("x = 1", stubborn, "y = 1"), watch=watch)
    assert outcome.state == "failed"
    assert outcome.error["error"] == "WallTime"
    assert "its limit of 60 s" in outcome.error["message"]
    assert statuses(executed) == ["completed", "failed", "pending"]


def test_a_kernel_that_dies_is_a_failure_with_its_notebook(tmp_path):
    source = book("print('before')", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "1")
    outcome, executed = execute(tmp_path, source)
    assert (outcome.state, outcome.error["error"], outcome.error["cell"]) == (
        "failed",
        "KernelDied",
        2,
    )
    assert statuses(executed) == ["completed", "failed", "pending"]
    assert "before" in text_of(executed)


def test_endless_output_is_cut_and_the_notebook_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(outputs.OutputLimit.__init__, "__defaults__", (2**20, 2**22))
    source = book("for _ in range(40):\n    print('x' * 100_000)", "print('after')")
    outcome, executed = execute(tmp_path, source)
    assert outcome.state == "done"
    assert len(json.dumps(executed)) < 2**21
    assert "output was cut: at most 1 MiB" in text_of(executed)
    assert text_of(executed).endswith("after\n")


def test_the_notebook_can_be_read_while_it_runs(tmp_path):
    seen = []

    def report(done, cells, text):
        if (tmp_path / "executed.ipynb").exists():
            seen.append(nbformat.read(tmp_path / "executed.ipynb", as_version=4))

    execute(tmp_path, book("1", "2"), report=report)
    assert seen
    assert not list(tmp_path.glob(".*.part"))


def test_a_kernel_that_does_not_exist_is_a_failure(tmp_path):
    source = book("1").replace('"python3"', '"cobol"')
    from cid_server_ext.runners import notebook

    work = {"notebook": source, "kernel": "cobol", "parameters": {}, "wall_seconds": 60}
    outcome = notebook.execute(work, tmp_path, Watch(60), lambda *told: None, {})
    assert outcome.state == "failed"
    assert "cobol" in outcome.error["message"]
    assert (tmp_path / notebook.EXECUTED).exists()


def test_the_kernel_has_the_environment_it_is_given_and_no_other(tmp_path, monkeypatch):
    monkeypatch.setenv("CID_RUN_KEY", "the key")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "a token")
    source = book("import json, os\nprint(json.dumps(dict(os.environ)))\nprint(os.getcwd())")
    _, executed = execute(tmp_path, source, environment={"CID_RUN": "this one"})
    environment, folder = text_of(executed).splitlines()
    assert json.loads(environment)["CID_RUN"] == "this one"
    assert {"CID_RUN_KEY", "JUPYTERHUB_API_TOKEN"}.isdisjoint(json.loads(environment))
    assert folder == str(tmp_path)
