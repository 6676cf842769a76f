"""`cid` on a command line: what it says, how it ends, and that Ctrl-C loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from processes import STAFF, Service, wait_until
from tiny_catalog import TOKEN, Tiny

import cid_client as cid
from cid_client import cli
from cid_client.commands import board, upload


@pytest.fixture(scope="module")
def project(service: Service) -> str:
    body = {"name": "cli", "team": "cli-team", "limit": 10**9, "members": {"clara": "contributor"}}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    return "cli"


@pytest.fixture
def clara(speak: Callable[[str], cid.Catalog], monkeypatch: pytest.MonkeyPatch) -> cid.Catalog:
    """Whom `cid` connects as."""
    monkeypatch.setattr(upload, "connect", lambda url, token: speak("clara"))
    return speak("clara")


def test_files_and_folders_go_in_with_tags_and_what_is_refused_stops_nobody(
    clara: cid.Catalog, project: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "day 1"
    folder.mkdir()
    for n in range(2):
        tifffile.imwrite(folder / f"{n}.tif", np.full((8, 8), n, "uint16"))
    cell = tmp_path / "cell.tif"
    tifffile.imwrite(cell, np.full((16, 16), 7, "uint16"))
    paths = [str(folder), str(tmp_path / "absent.tif"), str(cell)]
    tags = ["--tag", "Cell type=HeLa", "-t", "Passage=7"]
    code = cli.main(["upload", *paths, "-p", project, "-d", "screen", *tags])
    said = capsys.readouterr().err.splitlines()
    assert code == 1
    assert f"{cell}: 1 image, {cid.display.size(cell.stat().st_size)}" in said
    assert f"{tmp_path}/absent.tif does not exist" in said
    assert [line for line in said if line.startswith(f"{folder}: 2 images")]
    found = clara.search("HeLa", project=project)
    assert {image.name for image in found} == {"0", "1", "cell"}
    [image] = [image for image in found if image.name == "cell"]
    assert image.dataset == "screen"
    assert image.tags["Passage"] == "7"
    two = ["--tag", "Passage=7", "--tag", "Passage=8", "--jobs", "1"]
    assert cli.main(["upload", str(cell), "-p", project, *two]) == 1
    assert f"{cell}: Passage: it takes one value, here are 2" in capsys.readouterr().err
    assert cli.main(["upload", str(cell), "-p", project]) == 0
    assert "there already" in capsys.readouterr().err
    assert cli.main(["upload", str(cell), "-p", project, "--files", "--again", "--anew"]) == 0
    assert "1 file, " in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on_and_the_same_command_does(tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "long.tif"
    path.write_bytes(bytes(1000))
    tiny.import_states = [{"progress": {"fraction": 0.5, "text": "writing"}}] * 2000
    command = [sys.executable, "-m", "cid_client", "upload", str(path), "-p", "demo"]
    environ = dict(os.environ, CID_URL=tiny.url, CID_TOKEN=TOKEN)
    for number in (signal.SIGINT, signal.SIGTERM):
        with subprocess.Popen(
            command,
            env=environ,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(cid.__file__).parents[1],
        ) as process:
            wait_until(lambda: tiny.asked("POST", "api/v1/deposits"))
            process.send_signal(number)
            said = process.communicate(timeout=60)[1]
        assert process.returncode == 130
        assert said.splitlines() == [upload.STOPPED_HERE]
        assert {deposit["state"] for deposit in tiny.deposits.values()} == {"aborted"}
        tiny.seen.clear()


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        ([], 2, "the following arguments are required: COMMAND"),
        (["upload", "x"], 2, "--project"),
        (["upload", "x", "-p", "demo", "--tag", "HeLa"], 2, "write KEY=VALUE"),
    ],
)
def test_what_is_missing_is_told(
    argv: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(argv)
    assert ended.value.code == code
    assert said in capsys.readouterr().err


def test_no_catalog_no_answer_and_no_room_have_codes_of_their_own(
    tiny: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(b"II*\x00")
    assert cli.main(["upload", str(path), "-p", "demo"]) == 2
    assert "set CID_URL" in capsys.readouterr().err
    away = ["--url", "http://127.0.0.1:9/", "--token", "x"]
    assert cli.main(["upload", str(path), "-p", "demo", *away]) == 75
    assert "does not answer" in capsys.readouterr().err
    there = ["--url", tiny.url, "--token", TOKEN]
    assert cli.main(["upload", str(path), "-p", "full", *there]) == 1
    assert capsys.readouterr().err == f"{path}: project full has 0 bytes left\n"


def test_a_terminal_has_a_bar_for_each_and_a_log_a_line_for_each(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(board, "BEAT", 0)
    for pretty in (True, False):
        monkeypatch.setattr(sys.stderr, "isatty", lambda answer=pretty: answer, raising=False)
        shown = board.Board()
        shown.show("a.tif", 0.25, "sending a.tif")
        shown.show("b" * 50, 0.5, "sending b")
        shown.end("a.tif", "a.tif: 1 image")
        shown.close()
        said = capsys.readouterr().err
        assert "a.tif: 1 image\n" in said
        assert ("█████░░░░░░░░░░░░░░░  25%  sending a.tif" in said) is pretty
        assert ("\x1b[" in said) is pretty
    assert said == "a.tif: 1 image\n"
