"""Hostile files end in one line, in bounded time, and the service goes on."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from processes import wait_until

from cid_server_ext import service
from cid_server_ext.errors import BadFile, Conflict, Unavailable
from cid_server_ext.ingest import children
from cid_server_ext.ingest.convert import Limits, convert

DATA = Path(__file__).parents[3] / "shared" / "data"
HOSTILE = sorted(
    path.relative_to(DATA).as_posix()
    for folder in ("crafted/hostile", "hostile")
    for path in (DATA / folder).rglob("*")
    if path.is_file()
)
GOOD = {"valid_nan_inf.tif", "valid_constant.tif", "valid_bool_mask.tif", "ome_xss.ome.tif"}
NEVER = {"empty", "html_renamed", "truncated_half", "ome_xxe.ome", "ome_dims_lie.ome", "random"} | {
    "header_bomb_1e6x1e6",
    "truncated",
    "zip_bomb_200MB",
    "zip_slip",
}


@pytest.fixture(scope="module", autouse=True)
def loaded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The readers are loaded before a clock runs: a service has done that long ago."""
    folder = tmp_path_factory.mktemp("first")
    tifffile.imwrite(folder / "x.tif", np.zeros((4, 4), np.uint8))
    convert(folder / "x.tif", folder / "out")


@pytest.mark.parametrize("name", HOSTILE or ["absent"])
def test_every_hostile_file_is_an_image_or_refused(real: Path, tmp_path: Path, name: str) -> None:
    start = time.monotonic()
    path = real / name
    said = ""
    try:
        images = convert(path, tmp_path / "out", limits=Limits(memory=3 << 29))
    except BadFile as refused:
        images, said = [], str(refused)
    assert all((image.folder / "thumbnail.png").stat().st_size > 0 for image in images)
    assert (path.name not in GOOD) if said else (path.stem not in NEVER)
    assert "\n" not in said
    assert (tmp_path / "out").exists() is not bool(said)
    assert time.monotonic() - start < 60


def test_a_header_that_claims_terabytes_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, np.zeros((8, 8), np.uint16))
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages.first.tags["ImageWidth"].overwrite(1 << 31)
        file.pages.first.tags["ImageLength"].overwrite(1 << 31)
    with pytest.raises(BadFile):
        convert(path, tmp_path / "out")


def test_more_memory_than_allowed_is_a_clear_reason(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tif"
    tifffile.imwrite(
        path, np.zeros((20000, 30000), np.uint8), compression="zlib", rowsperstrip=20000
    )
    assert path.stat().st_size < 2_000_000
    with pytest.raises(BadFile, match="memory"):
        convert(path, tmp_path / "out", limits=Limits(memory=1 << 30))
    assert not (tmp_path / "out").exists()


def test_more_computing_than_allowed_is_a_clear_reason(tmp_path: Path) -> None:
    path = tmp_path / "slow.tif"
    tifffile.imwrite(path, np.zeros((200, 1000, 1000), np.uint16), compression="zlib")
    with pytest.raises(BadFile, match="1 s of computing"):
        convert(path, tmp_path / "out", limits=Limits(cpu_seconds=1))


def test_headers_that_never_end_are_given_up(endless: Path, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="headers"):
        convert(endless, tmp_path / "out", limits=Limits(planning_seconds=0.5))
    assert not (tmp_path / "out").exists()


def test_a_longer_time_than_allowed_is_given_up(endless: Path, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="longer than"):
        convert(endless, tmp_path / "out", limits=Limits(wall_seconds=0.3))


def in_thread(path: Path, target: Path, **more) -> tuple[threading.Thread, list[Exception]]:
    """Convert in the background; what it raises is put in the list."""
    raised: list[Exception] = []

    def work() -> None:
        try:
            convert(path, target, **more)
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, raised


@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGSEGV, "SIGSEGV"), (signal.SIGABRT, "SIGABRT"), (signal.SIGKILL, "memory")],
)
def test_a_crash_of_the_reader_is_a_bad_file(
    endless: Path, tmp_path: Path, child_pid: Callable[[], int], number: int, said: str
) -> None:
    thread, raised = in_thread(endless, tmp_path / "out")
    os.kill(child_pid(), number)
    thread.join(60)
    (error,) = raised
    assert isinstance(error, BadFile)
    assert said in str(error)
    assert not (tmp_path / "out").exists()


def test_it_can_be_stopped(endless: Path, tmp_path: Path, child_pid) -> None:
    stop = threading.Event()
    thread, raised = in_thread(endless, tmp_path / "out", should_stop=stop.is_set)
    pid = child_pid()
    stop.set()
    thread.join(60)
    assert isinstance(raised[0], Conflict)
    assert not Path(f"/proc/{pid}").exists()
    assert not (tmp_path / "out").exists()


def test_the_child_sees_nothing_of_the_service(
    endless: Path, tmp_path: Path, child_pid, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No secret of its environment, no open file, no shared session; limits are set."""
    children.cool_down()
    monkeypatch.setenv("CID_SIGNING_KEY", "very secret")
    for name in children.SETTINGS:
        monkeypatch.delenv(name, raising=False)
    stop = threading.Event()
    with (tmp_path / "database").open("w"):
        thread, _ = in_thread(endless, tmp_path / "out", should_stop=stop.is_set)
        pid = child_pid()
        try:
            limits = wait_for_limits(pid)
            environ = Path(f"/proc/{pid}/environ").read_bytes()
            opened = [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()]
            session = os.getsid(pid)
        finally:
            stop.set()
            thread.join(60)
    assert b"very secret" not in environ
    assert {line.split(b"=")[0].decode() for line in environ.split(b"\0") if line} == set(
        children.CLEAN
    )
    assert not any("database" in name for name in opened)
    assert sum(name.startswith("socket:") for name in opened) == 1
    assert session == pid
    assert limits["Max address space"] == str(Limits().memory)
    assert limits["Max core file size"] == "0"
    assert limits["Max open files"] == str(Limits().open_files)


def wait_for_limits(pid: int) -> dict[str, str]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        rows = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
        found = {row[:26].strip(): row[26:].split()[0] for row in rows}
        if found["Max core file size"] == "0" and found["Max address space"] != "unlimited":
            return found
        time.sleep(0.01)
    raise AssertionError("the child set no limits")


def test_the_end_of_the_nursery_is_not_the_files_fault(
    endless: Path, cells: Path, tmp_path: Path, child_pid
) -> None:
    thread, raised = in_thread(endless, tmp_path / "out")
    pid = child_pid()
    server = children._server.process
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    thread.join(60)
    assert isinstance(raised[0], Unavailable)
    wait_until(lambda: server.poll() is not None, what="it has ended")
    (image,) = convert(cells, tmp_path / "again")  # another nursery is started
    assert image.name == "cells"


def test_the_services_nursery_has_none_of_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    children.cool_down()
    for name in ("JUPYTERHUB_API_TOKEN", "CID_DATABASE", "CID_BIOFORMATS_JAR"):
        monkeypatch.setenv(name, f"the {name}")
    monkeypatch.setenv("JUPYTERHUB_SERVICE_URL", "http://127.0.0.1:1/services/cid/")
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/services/cid/")
    monkeypatch.setattr(service, "serve", lambda *_: None)
    service.main()
    server = children._server.process
    assert server is not None
    environ = wait_until(Path(f"/proc/{server.pid}/environ").read_bytes)
    assert b"the JUPYTERHUB_API_TOKEN" not in environ
    assert b"the CID_DATABASE" not in environ
    assert b"the CID_BIOFORMATS_JAR" in environ  # readers need it
    children.cool_down()


def test_a_nursery_has_the_environment_it_is_given(cells: Path, tmp_path: Path) -> None:
    try:
        children.warm_up({"PATH": "/usr/bin", "CID_MARK": "here"})
        server = children._server.process
        assert server is not None
        # it is empty for a moment, while the program is put in place
        environ = wait_until(Path(f"/proc/{server.pid}/environ").read_bytes)
        assert sorted(environ.split(b"\0"))[1:] == [b"CID_MARK=here", b"PATH=/usr/bin"]
        (image,) = convert(cells, tmp_path / "out")
        assert image.name == "cells"
    finally:
        children._server.environ = None
        children.cool_down()
