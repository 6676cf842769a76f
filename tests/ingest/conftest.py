"""Files to convert, and a look at the child that does it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cid_server_ext.ingest import children


@pytest.fixture
def real() -> Path:
    folder = Path(__file__).parents[3] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the real microscopy files of ../shared/data, which are not here")
    return folder


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """A small calibrated two-channel ImageJ stack."""
    path = tmp_path / "cells.tif"
    pixels = np.random.default_rng(2).integers(0, 4000, (3, 2, 70, 80), dtype=np.uint16)
    metadata = {"axes": "ZCYX", "unit": "um", "spacing": 0.5}
    tifffile.imwrite(path, pixels, imagej=True, resolution=(10.0, 10.0), metadata=metadata)
    return path


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A file that never ends opening: a pipe that nobody writes to."""
    os.mkfifo(tmp_path / "endless.tif")
    return tmp_path / "endless.tif"


def running() -> list[int]:
    """The children of the nursery that run now."""
    server = children._server.process
    if server is None:
        return []
    tasks = Path(f"/proc/{server.pid}/task/{server.pid}/children")
    return [int(pid) for pid in tasks.read_text().split()]


@pytest.fixture
def child_pid() -> Callable[[], int]:
    """Return the pid of the one child, as soon as there is one."""

    def wait() -> int:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if found := running():
                return found[0]
            time.sleep(0.01)
        raise AssertionError("no child was started")

    return wait


@pytest.fixture(autouse=True)
def no_child_is_left():
    yield
    assert running() == []
