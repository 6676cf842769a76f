"""Several files in one child: what one does to it is never another's reason."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from bringing import tif

from cid_server_ext.errors import BadFile
from cid_server_ext.ingest import converted, workers
from cid_server_ext.ingest.limits import Limits
from cid_server_ext.ingest.sandbox import Room
from cid_server_ext.ingest.workers import JOBS, Worker


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two good files and, between them, one that needs more memory than is allowed."""
    for name, content in (("a.tif", tif(1)), ("c.tif", tif(2))):
        (tmp_path / name).write_bytes(content)
    bomb = np.zeros((20000, 30000), np.uint8)
    tifffile.imwrite(tmp_path / "b.tif", bomb, compression="zlib", rowsperstrip=20000)
    return [tmp_path / name for name in ("a.tif", "b.tif", "c.tif")]


def room_for(folder: Path) -> Room:
    """Return the room of several files of one import."""
    return Room(str(folder), str(folder))


def test_a_bomb_among_others_costs_itself_alone(files: list[Path], tmp_path: Path) -> None:
    planned: list[int] = []
    room = room_for(tmp_path)
    with Worker(Limits(memory=1 << 30)) as worker:
        for path in files:
            target = tmp_path / f"out {path.stem}"
            if path.stem == "b":
                with pytest.raises(BadFile, match="memory"):
                    worker.convert(path, target, nbytes=10, room=room, on_plan=planned.append)
                assert not target.exists()
                assert len([nbytes for nbytes in planned if nbytes]) == 1  # tried twice, asked once
            else:
                [image] = worker.convert(path, target, nbytes=10, room=room)
                assert image.shape == (40, 40)


def test_a_child_that_died_of_another_file_is_no_reason(
    files: list[Path], tmp_path: Path, child_pid: Callable[[], int]
) -> None:
    room = room_for(tmp_path)
    with Worker(Limits()) as worker:
        worker.convert(files[0], tmp_path / "first", nbytes=10, room=room)
        os.kill(child_pid(), signal.SIGSEGV)
        [image] = worker.convert(files[2], tmp_path / "second", nbytes=10, room=room)
        assert image.shape == (40, 40)


def test_small_files_share_a_child_and_large_ones_do_not(
    files: list[Path], tmp_path: Path, child_pid: Callable[[], int]
) -> None:
    room = room_for(tmp_path)
    with Worker(Limits()) as worker:
        seen = []
        for n in range(3):
            worker.convert(files[0], tmp_path / str(n), nbytes=10, room=room)
            seen.append(child_pid())
        assert len(set(seen)) == 1
        worker._jobs = JOBS
        worker.convert(files[0], tmp_path / "many", nbytes=10, room=room)
        assert child_pid() not in seen
        worker.convert(files[0], tmp_path / "large")
        assert worker._child is None


def test_a_tree_is_sorted_by_a_child(tmp_path: Path) -> None:
    names = [f"{'long name ' * 20}{n}.txt" for n in range(400)]  # more than one message holds
    for name in names:
        (tmp_path / name).write_text("words")
    (tmp_path / "a.tif").write_bytes(tif(1))
    with Worker(Limits()) as worker:
        found = worker.sort(tmp_path)
    assert [group.main for group in found.groups] == ["a.tif"]
    assert sorted(found.others) == sorted(names)


def test_a_child_that_never_stops_talking_is_ended(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "TOLD", 100)
    with Worker(Limits()) as worker:
        with pytest.raises(BadFile, match="astray"):
            worker.convert(files[0], tmp_path / "out", nbytes=10)
        with pytest.raises(BadFile, match="astray"):
            worker.sort(tmp_path)


def test_a_number_that_is_none_is_left_out(tmp_path: Path) -> None:
    told = {
        **{"name": "a", "axes": "yx", "shape": [2, 2], "dtype": "uint8", "levels": 1, "units": {}},
        **{"channels": [], "unknown": {}, "objects": None, "of": None, "quality": None},
        "scale": {"y": float("inf"), "x": 0.5},
        "tags": [["Exposure", "?", float("nan")], ["Gain", "2", 2]],
    }
    image = converted.taken(json.loads(json.dumps(told)), tmp_path)
    assert image.scale == {"x": 0.5}
    assert image.tags == [("Exposure", "?", None), ("Gain", "2", 2.0)]
    for wrong in ({"shape": [-1, 2]}, {"levels": 1.5}, {"scale": {"x": "1 um"}}, {"of": True}):
        with pytest.raises(BadFile, match="astray"):
            converted.taken({**told, **wrong}, tmp_path)
