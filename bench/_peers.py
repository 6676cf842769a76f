"""Peers do the same: tantivy (the class of Lucene), Tiled (10^5 entries), jupyter-scheduler.

They live in environments of their own below run/, made when it is first needed; they are no
dependency of ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _facility import Made

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parent / "run"
PACKAGES = ("tantivy==0.27.0", "tiled[server]==0.2.20", "numpy", "httpx")
SCHEDULER = ("jupyter-scheduler==2.12.1", "ipykernel==7.4.0")
SMALL = 100_000


@dataclass(frozen=True)
class Answered:
    """What a peer said, in seconds, and which images it found."""

    made: float
    seconds: list[float]
    found: list[list[int]]


def python(name: str = "peers", packages: tuple[str, ...] = PACKAGES) -> Path | None:
    """Return the Python of some peers' environment; None when it cannot be made here."""
    environment = ENVIRONMENTS / name
    found = environment / "bin" / "python"
    ready = environment / "ready"
    if not ready.exists():
        print(f"installing {', '.join(packages)} below {environment.relative_to(HERE.parent)}")
        venv.create(environment, with_pip=True, clear=True)
        command = [str(found), "-m", "pip", "install", "-q", *packages]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"peers: not measured, they cannot be installed: {done.stderr.strip()[-300:]}")
            return None
        ready.touch()
    return found


def ask(peer: str, folder: Path, *more: str) -> Answered | None:
    """Let a peer of the catalog answer; None, with a line, when it cannot."""
    return ask_of(PACKAGES, peer, folder, *more)


def ask_of(packages: tuple[str, ...], peer: str, folder: Path, *more: str) -> Answered | None:
    """Let a peer answer that needs these packages; None, with a line, when it cannot."""
    found = python("peers" if packages == PACKAGES else peer, packages)
    if found is None:
        return None
    command = [str(found), str(HERE / f"_peer_{peer}.py"), str(folder), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{peer}: not measured: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return Answered(**json.loads((folder / f"{peer}.json").read_text()))


def save(folder: Path, name: str, made: Made, cases: list[dict[str, Any]], images: int) -> None:
    """Write what a peer needs: the first images and the questions."""
    np.savez(folder / f"{name}.npz", project=made.project[:images], value=made.value[:, :images])
    (folder / ("cases.json" if name == "facility" else f"{name}.json")).write_text(
        json.dumps(cases)
    )
