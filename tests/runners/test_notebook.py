"""Parameters reach the kernel as data, whatever they hold."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from books import book, execute, text_of

from cid_server_ext.runners.notebook import plain

HOSTILE = {
    "text": '"; import os; os.mkdir("canary") #',
    "lines": "1\nimport os\nos.mkdir('canary')",
    "quotes": "'''\"\"\"\\\\' \\",
    "braces": "{a} %s ${HOME} \\N{BULLET}",
    "odd": "µ \x00 \u2028 \U0001f52c",
    "whole": -3,
    "number": 1e-300,
    "truth": False,
}


def test_hostile_values_arrive_as_they_were(tmp_path):
    names = ", ".join(f"{name!r}: {name}" for name in HOSTILE)
    source = book(f"import json; print(json.dumps({{{names}}}))", parameters="text = ''")
    outcome, executed = execute(tmp_path, source, HOSTILE)
    assert outcome.state == "done", outcome.error
    assert json.loads(text_of(executed)) == HOSTILE
    assert not (tmp_path / "canary").exists()


def test_a_worker_loads_no_grammar_of_addresses():
    """It would take each run 1.5 s; a release of another package may load it by another name."""
    code = "import sys, cid_server_ext.runners.notebook; print('lark' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


def test_a_default_stays_where_nothing_is_given(tmp_path):
    source = book("print(sigma, mode)", parameters="sigma = 1.0\nmode = 'fast'")
    _, executed = execute(tmp_path, source, {"sigma": 2.5})
    assert text_of(executed) == "2.5 fast\n"


@pytest.mark.parametrize(
    "wrong",
    [
        {"a b": 1},
        {"a\nimport os": 1},
        {"__import__": 1},
        {"import": 1},
        {"a": [1]},
        {"a": {"b": 1}},
        {"a": None},
        {"a": float("nan")},
    ],
)
def test_what_is_no_plain_value_never_reaches_papermill(wrong):
    with pytest.raises(ValueError, match=r"parameter|name"):
        plain(wrong)


def test_a_parameter_that_was_tampered_with_fails_the_run(tmp_path):
    outcome, executed = execute(tmp_path, book("print('ran')"), {"a\nprint('canary')": 1})
    assert outcome.state == "failed"
    assert "is no name for a parameter" in outcome.error["message"]
    assert text_of(executed) == ""
