"""`make demo ARGS=--check`: the whole way from nothing to verified results, and nothing left."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hub_config import demo


def test_the_demo_verifies_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hub_config.demo", "--check"],
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout
    for label in ("image    ", "objects  ", "run      ", "notebook sha256 ", "address  http"):
        assert len(re.findall(f"  {label}", done.stdout)) == 3
    assert re.search(r"demo verified in \d+ s", done.stdout)


def test_a_folder_that_is_not_there_is_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        demo.main(["--data", str(tmp_path / "none")])
    assert "there is no such folder" in capsys.readouterr().err
