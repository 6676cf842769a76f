"""`jupyter cid adopt` from end to end: shown, killed, gone on with, seen, taken back."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import old_data
import pytest
import tifffile
import world
from processes import start_service, stop, wait_until
from speaking import As
from sqlalchemy import func, select

import cid_client
from cid_client.wire.environment import Access
from cid_client.wire.session import Session
from cid_server_ext import cli
from cid_server_ext.core.memory.export import canonical
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import open_database

RULES = """
instrument = "Confocal 1"

[[rules]]
name = "text"
path = "**/*.txt"
project = "screen"
view = "none"

[[rules]]
name = "people"
path = "{user}/{rest:**}"
project = "screen"
dataset = "old/{user}"
tags = {"Owner" = "{user}"}
"""


def test_the_whole_way(
    tmp_path: Path,
    empty_database: bytes,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "catalog.sqlite").write_bytes(empty_database)
    (tmp_path / "storage").mkdir()
    url = f"sqlite:///{tmp_path}/catalog.sqlite"
    old = tmp_path / "old"
    for at in range(6):
        old_data.tif(old / f"ana/run/{at}.tif", at)
    pixels = old_data.image(old / "ana/new.ome.zarr", 7)
    older = old_data.image(old / "ana/older.zarr", 8, "0.4")
    (old / "ana/notes.txt").write_text("hello")
    (old / "loose.tif").write_bytes(b"?")
    (tmp_path / "rules.toml").write_text(RULES)
    sessions = open_database(url)
    with sessions.begin() as session:
        world.make_project(session, "screen")

    def export() -> bytes:
        with sessions() as session:
            return b"".join(canonical(session))

    def brought() -> int:
        with sessions() as session:
            return session.scalar(select(func.count()).select_from(t.Reference)) or 0

    def run(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(list(words))
        code, out = ended.value.code, capsys.readouterr().out
        return (code, out) if isinstance(code, int) else (1, f"{out}{code}")

    settings = {"CID_ADOPT_ROOTS": f"nas={old}", "CID_DATABASE": url}
    settings["CID_STORAGE"] = str(tmp_path / "storage")
    for key, value in settings.items():
        monkeypatch.setenv(key, value)
    before = export()
    how = ("--rules", str(tmp_path / "rules.toml"))

    code, shown = run("adopt", str(old), *how, "--csv", str(tmp_path / "t.csv"))
    assert code == 0
    assert "new: 9 things" in shown
    assert "quarantine: 1 thing, " in shown
    rows = {
        row["path"]: row for row in csv.DictReader((tmp_path / "t.csv").read_text().splitlines())
    }
    assert rows["loose.tif"]["why"].startswith("no rule matches")
    assert rows["ana/run/1.tif"]["dataset"] == "old/ana"
    assert rows["ana/run/1.tif"]["tags"] == "Owner=ana"
    assert rows["ana/notes.txt"]["stored"] == "0"
    seen = {
        path: rows[path]["shown"] for path in ("ana/notes.txt", "ana/run/1.tif", "ana/older.zarr")
    }
    assert list(seen.values()) == ["no picture", "a view", "in place"]
    assert export() == before

    command = [sys.executable, "-m", "cid_server_ext.cli", "adopt", "nas:", *how, "--apply"]
    code_of_batch = "import cid_server_ext.ingest.adopting.bring as b; b.BATCH = 1; "
    command[1:3] = ["-c", f"{code_of_batch}from cid_server_ext.cli import main; main()"]
    with subprocess.Popen(command, env={**os.environ, **settings}, start_new_session=True) as going:
        wait_until(lambda: brought() >= 2, 120, "something was adopted")
        os.killpg(going.pid, signal.SIGKILL)
    code, said = run("adopt", "nas:", *how, "--apply")
    assert code == 0
    assert brought() == 9
    unit = said.split("--undo ")[1].strip()

    service = start_service(tmp_path, **settings)
    try:
        access = Access(service.url, "none")
        catalog = cid_client.Catalog(Session(access, transport=As("manager")))
        for name, wanted in (("new", pixels), ("older", older)):
            [image] = catalog.search(f'name:"{name}"')
            assert np.array_equal(image.to_xarray().values, wanted)
            assert image.tags["Owner"] == "ana"
            assert image.thumbnail.startswith(b"\x89PNG")
        [cell] = catalog.search('name:"3"')
        assert cell.download(tmp_path / "got").read_bytes() == (old / "ana/run/3.tif").read_bytes()
        assert str(cell.in_place) == "nas:ana/run/3.tif"
        everything = catalog.download(list(catalog.search("")), tmp_path / "all")
        there = [path for path in old.rglob("*") if path.is_file() and path.parent != old]
        assert (everything.files, everything.left) == (len(there) - 1, 0)  # not the notes
        [chunk] = (tmp_path / "all").rglob("new.ome.zarr/0/c/1/0/0")
        assert chunk.read_bytes() == (old / "ana/new.ome.zarr/0/c/1/0/0").read_bytes()
        [made] = image.download(tmp_path / "tif", as_="ome-tiff").parent.iterdir()
        assert np.array_equal(tifffile.imread(made), older)
        catalog.close()
    finally:
        stop(service.process)

    assert "taken back: 17 records" in run("adopt", "--undo", unit)[1]
    assert brought() == 0
    assert export() == before
    sessions.kw["bind"].dispose()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", r"write \[\[rules\]\]"),
        ('[[rules]]\nproject = "x"', "give a pattern"),
        ('[[rules]]\npath = "**"\nproject = "x"\nview = "tiff"', "rule 1.view"),
        ('[[rules]]\npath = "**"\nproject = "x"\nunfit = "?"', "'skip' or 'take'"),
        ('[[rules]]\npath = "{a}/**"\nproject = "{b}"', "no named group"),
        ("view = 1", "is not known"),
        ("[[", "rules.toml"),
    ],
)
def test_rules_that_are_wrong_are_told_by_field(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "rules.toml").write_text(text)
    with pytest.raises(cli.ServerError, match=why):
        cli.read_rules(tmp_path / "rules.toml")


def test_a_path_of_a_rule_gives_names_to_its_parts(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(RULES)
    judge = cli.read_rules(tmp_path / "rules.toml").judge
    goal, why = judge("ana/2019/May", "a [b].tif")
    assert why == ""
    assert goal is not None
    assert (goal.rule, goal.dataset, goal.instrument) == ("people", "old/ana", "Confocal 1")
    assert judge("", "loose.tif")[0] is None
    text, _ = judge("", "x.txt")
    assert text is not None
    assert text.view == "none"
