"""What the README tells people to type works."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tifffile

import cid_client as cid
from hub_config import nuclei

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_every_make_target_it_names_exists() -> None:
    named = set(re.findall(r"make ([a-z]+)", README))
    made = subprocess.run(
        ["make", "--dry-run", *sorted(named)], cwd=ROOT, capture_output=True, text=True
    )
    assert {"demo", "test", "bench"} <= named
    assert made.returncode == 0, made.stderr


def test_every_page_and_folder_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README) + re.findall(r"^\| `([^`]+)`", README, re.M)
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_its_notebook_lines_run(
    hub: Any, staff: cid.Catalog, researcher: cid.Catalog, segment: str, tmp_path: Path
) -> None:
    with contextlib.suppress(cid.Conflict):
        new = {"name": "demo", "team": "imaging", "limit": 10**9}
        staff.session.send("POST", "projects", {**new, "members": {"researcher": "contributor"}})
    plane = nuclei.simulate().pixels[0, 0, 2]
    tifffile.imwrite(tmp_path / "nuclei.tif", plane)
    researcher.upload(tmp_path / "nuclei.tif", "demo")
    [code] = blocks("python")
    script = f"{code}\nassert len(run.result.table('objects')) > 3\nassert picture.ndim == 2\n"
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "CID_URL": hub.service_url, "CID_TOKEN": hub.token("researcher")},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("command", ["import", "template", "migrate"])
def test_the_command_line_explains_itself(command: str) -> None:
    told = subprocess.run(
        [Path(sys.executable).parent / "jupyter-cid", command, "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "usage: jupyter cid" in told.stdout
