"""A real disk that is full, or out of files: told by name, and nothing is left."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent.parent
FULL = "the storage is full: nothing of this was kept; ask staff for room, then try again"
GOOD = {"read": 200, "pixels": 200, "staged": [], "reserved": 0}


def spaces(*command: str) -> list[str]:
    """Return a command in a mount namespace of its own; skip where this machine has none to give.

    The second way is that of a user who is not root.
    """
    for how in (["--mount"], ["--mount", "--map-root-user"]):
        asked = ["unshare", *how]
        mounted = "mount -t tmpfs small /mnt"
        if shutil.which("unshare") and not subprocess.call(
            [*asked, "sh", "-c", mounted], stderr=subprocess.DEVNULL
        ):
            return [*asked, *command]
    pytest.skip("this machine lets nobody mount a disk of its own")


def told(folder: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    """Return what `small_disk.py` tells, by step."""
    disk = folder / "disk"
    disk.mkdir()
    command = spaces(sys.executable, str(TESTS / "small_disk.py"), str(disk), *arguments)
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return {line.pop("step"): line for line in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        (
            "size=120m",
            {
                "20000000": ("import", FULL),
                "300000": ("upload", "the storage is full: try later"),
            },
        ),
        (
            "size=120m,nr_inodes=2000",
            {"12": ("import", FULL), "1": ("upload", "the storage is full: try later")},
        ),
    ],
    ids=["bytes", "files"],
)
def test_a_disk_that_takes_no_more(
    tmp_path: Path, options: str, refused: dict[str, tuple[str, str]]
) -> None:
    lines = told(tmp_path, options, *refused)
    assert lines["before"] == {"state": "done", **GOOD}
    for step, (at, message) in refused.items():
        refusal = lines[step]["error"] if at == "import" else lines[step]
        assert (lines[step]["at"], refusal["error"]) == (at, "Unavailable"), step
        assert refusal["message"] == message, step
        assert lines[f"{step} still"] == GOOD, step
    assert lines["after"] == {"state": "done", **GOOD}, "there is room again"
    assert lines["source"] == {"same": True}
