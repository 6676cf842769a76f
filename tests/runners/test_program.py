"""The conductor as a program: started, refused in one line, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy import text

from cid_server_ext.db.session import migrate, open_database


def started(url, **more):
    environment = {"PATH": os.environ["PATH"], "CID_DATABASE": url, "CID_URL": "http://x/", **more}
    return subprocess.Popen(
        [sys.executable, "-m", "cid_server_ext.runners.conductor"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_sigterm_ends_the_program_at_once_and_cleanly(tmp_path):
    url = f"sqlite:///{tmp_path}/cid.db"
    migrate(url)
    process = started(url)
    assert "conducting as" in process.stderr.readline()
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 0, rest
    assert time.monotonic() - began < 5
    assert "Traceback" not in rest


@pytest.mark.parametrize(
    ("revision", "told"),
    [("0001", "jupyter cid migrate"), ("9999", "schema 9999, which this release does not know")],
)
def test_another_schema_is_refused_in_one_line(tmp_path, revision, told):
    url = f"sqlite:///{tmp_path}/cid.db"
    migrate(url)
    sessions = open_database(url)
    stamp = text("UPDATE alembic_version SET version_num = :revision")
    with sessions.begin() as session:
        session.execute(stamp, {"revision": revision})
    sessions.kw["bind"].dispose()
    process = started(url)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert len(said.splitlines()) == 1
    assert told in said


def test_a_missing_setting_is_named(tmp_path):
    process = started("")
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "CID_DATABASE is not set" in told
