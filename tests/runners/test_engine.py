"""The engine: progress is told, an end is real, and the notebook says what happened."""

from __future__ import annotations

import json
import threading
import time

import nbformat
from books import book, execute, statuses, text_of

from cid_server_ext.runners import outputs
from cid_server_ext.runners.watch import Watch


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


def test_cancel_interrupts_the_running_cell(tmp_path):
    watch = Watch(60)
    reached = threading.Event()

    def report(done, cells, text):
        if done == 1:
            reached.set()

    def cancel():
        assert reached.wait(60)
        watch.stop("cancelled")

    threading.Thread(target=cancel).start()
    began = time.monotonic()
    source = book("print('hello')", "import time; time.sleep(600)", "print('never')")
    outcome, executed = execute(tmp_path, source, watch=watch, report=report)
    assert time.monotonic() - began < 30
    assert (outcome.state, outcome.error["error"], outcome.error["cell"]) == (
        "cancelled",
        "Cancelled",
        2,
    )
    assert statuses(executed) == ["completed", "failed", "pending"]
    assert "hello" in text_of(executed)
    assert "never" not in text_of(executed)


def test_the_wall_time_ends_a_cell_that_ignores_interrupts(tmp_path):
    stubborn = """
import time
while True:
    try:
        time.sleep(600)
    except KeyboardInterrupt:
        pass
"""
    watch = Watch(wall_seconds=3, grace=2)
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
