"""`jupyter cid` in a shell: what it prints, and one line for each refusal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

import cid_client as cid

BIN = Path(sys.executable).parent


def jupyter_cid(hub: Any, *arguments: str, who: str = "researcher") -> subprocess.CompletedProcess:
    """Run `jupyter cid ...` as one of the demo's people."""
    return subprocess.run(
        [BIN / "jupyter", "cid", *arguments],
        env={
            **os.environ,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "CID_URL": hub.service_url,
            "CID_TOKEN": hub.token(who),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture
def ramp(tmp_path: Path) -> Path:
    path = tmp_path / "ramp.tif"
    tifffile.imwrite(path, np.arange(10_000, dtype=np.uint16).reshape(100, 100))
    return path


def test_a_folder_is_imported_and_one_bad_file_ends_itself_only(
    hub: Any, researcher: cid.Catalog, project: str, ramp: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.tif").write_text("no picture")
    (tmp_path / "cut.tif").write_bytes(ramp.read_bytes()[:5000])
    before = researcher.project(project).allocation
    done = jupyter_cid(hub, "import", str(tmp_path), "--project", project, "--dataset", "shell")
    assert done.returncode == 1
    [line] = done.stdout.splitlines()
    image = researcher.image(line.split()[0])
    assert (image.name, image.dataset, image.shape) == ("ramp", "shell", (100, 100))
    refused = sorted(done.stderr.splitlines())
    assert [line.split(": ")[:2] for line in refused] == [
        [str(tmp_path / "cut.tif"), "BadFile"],
        [str(tmp_path / "notes.tif"), "BadFile"],
    ]
    after = researcher.project(project).allocation
    assert after.reserved == before.reserved
    assert after.used - before.used == image.nbytes + image.record["original"]["nbytes"]


@pytest.mark.parametrize(
    ("project_name", "who", "said"),
    [
        ("no-such-project", "researcher", "NotFound: no project 'no-such-project'"),
        ("whole-way", "guest", "NotAllowed: this needs the role contributor"),
    ],
)
def test_a_refusal_is_one_line(
    hub: Any, project: str, ramp: Path, project_name: str, who: str, said: str
) -> None:
    done = jupyter_cid(hub, "import", str(ramp), "--project", project_name, who=who)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert said in line


def test_a_path_that_is_not_there_is_said(hub: Any, project: str, tmp_path: Path) -> None:
    done = jupyter_cid(hub, "import", str(tmp_path / "absent.tif"), "--project", project)
    assert done.returncode == 1
    assert "absent.tif: no such file or folder" in done.stderr


def test_only_staff_publishes(hub: Any) -> None:
    folder = Path(__file__).parents[2] / "notebooks" / "templates" / "segment-cells"
    done = jupyter_cid(hub, "template", "publish", str(folder))
    assert (done.returncode, done.stderr) == (
        1,
        "NotAllowed: only facility staff may do this\n",
    )
    done = jupyter_cid(hub, "template", "publish", str(folder), who="staff")
    assert done.stdout.startswith("segment-cells 1.1.0  ")
