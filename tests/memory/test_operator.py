"""`jupyter cid` for operators: what it prints, its status, and the commands of its page."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import everything
import pytest

from cid_server_ext.db.session import open_database
from cid_server_ext.storage.journal import folder_of, segments

PAGE = Path(__file__).parents[2] / "docs" / "operator" / "backup-and-rebuild.md"
BIN = Path(sys.executable).parent


@pytest.fixture
def home(tmp_path: Path, empty_database: bytes) -> Path:
    """A folder with a catalog and its storage; the records' bytes were never there."""
    (tmp_path / "catalog.sqlite").write_bytes(empty_database)
    sessions = open_database(f"sqlite:///{tmp_path}/catalog.sqlite")
    everything.fill(sessions)
    everything.written(sessions, tmp_path / "storage")
    sessions.kw["bind"].dispose()
    return tmp_path


def run(home: Path, script: str) -> subprocess.CompletedProcess[str]:
    environ = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "CID_STORAGE": str(home / "storage"),
        "CID_DATABASE": f"sqlite:///{home}/catalog.sqlite",
    }
    return subprocess.run(
        ["bash", "-c", script], cwd=home, env=environ, capture_output=True, text=True, timeout=300
    )


def test_the_commands_of_the_page_work(home: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 5
    for block in blocks:
        for line in block.splitlines():
            done = run(home, line)
            # nothing but verify may complain: the records of this catalog have no bytes
            allowed = (1,) if "verify" in line else (0,)
            assert done.returncode in allowed, (line, done.stdout, done.stderr)
            assert done.stderr == "", line
    assert (home / "before.jsonl").read_bytes() == (home / "after.jsonl").read_bytes()
    assert (home / "storage" / "journal-old" / "head.json").exists()


def test_a_rebuild_with_losses_has_status_2_and_lists_them(home: Path) -> None:
    [segment] = segments(folder_of(home / "storage"))
    raw = segment.read_bytes()
    segment.write_bytes(raw.replace(b'"subject":"project:other"', b'"subject":"project:0ther"', 1))
    done = run(home, "jupyter cid rebuild --database sqlite:///new.sqlite")
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[-1]) == (2, "the catalog is there, with losses")
    told = re.compile(
        r"damaged  0{11}1\.jsonl line (\d+): it does not have its digest; "
        r"entries (\d+) to \2 may be lost"
    )
    assert sum(bool(told.fullmatch(line)) for line in lines) == 1
    assert any(re.fullmatch(r"dropped  dataset \d+: project_id", line) for line in lines)
    done = run(home, "jupyter cid rebuild --json --database sqlite:///other.sqlite")
    report = json.loads(done.stdout)
    assert (done.returncode, report["whole"], len(report["damages"])) == (2, False, 1)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("jupyter cid rebuild", "Conflict: this database has data"),
        ("unset CID_DATABASE; jupyter cid export --canonical", "BadInput: say which database"),
        ("unset CID_STORAGE; jupyter cid verify", "BadInput: say which storage"),
        ("jupyter cid verify --storage nowhere", "BadInput: nowhere: no such folder"),
        ("jupyter cid rebuild --storage . --database sqlite:///n.sqlite", "NotFound: . holds no"),
    ],
)
def test_a_refusal_is_one_line(home: Path, command: str, said: str) -> None:
    done = run(home, command)
    assert done.returncode == 1
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1


def test_what_is_counted_and_not_on_storage_is_told_by_project(home: Path) -> None:
    done = run(home, "jupyter cid reconcile")
    assert (done.returncode, done.stderr) == (1, "")
    *projects, last = done.stdout.splitlines()
    assert all(
        re.match(r"project \S+: -\d+ bytes, first (images|files)/", line) for line in projects
    )
    assert re.match(r"\d+ records: -\d+ bytes, 0 bytes of no record", last)
    told = json.loads(run(home, "jupyter cid reconcile --json").stdout)
    assert len(told["differing"]) == len(projects) > 0


def test_images_to_measure_again_are_counted_before_they_are(home: Path) -> None:
    newer = run(home, "jupyter cid quality --dry-run --older-than-version 99 --json")
    assert (newer.returncode, newer.stderr) == (0, "")
    assert (
        json.loads(newer.stdout)["older"]
        > json.loads(run(home, "jupyter cid quality --dry-run --json").stdout)["older"]
    )
    none = run(home, "jupyter cid quality --dry-run --project nobodys")
    assert (none.returncode, none.stderr) == (1, "NotFound: no project 'nobodys'\n")
