r"""Rules written for Windows, where there is none: drives, shares, names and files in use."""

from __future__ import annotations

import os
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace
from typing import Any

import pytest

from cid_client.agent import config, description, listing, places
from cid_client.agent.companions import families
from cid_client.agent.config import Watch
from cid_client.agent.listing import Listing, State, below
from cid_client.agent.rules import judge, read_rule
from cid_client.agent.units import Unit, of_folder
from cid_client.errors import NotConfigured
from cid_client.uploads import items

LONG = "\\".join(["a folder with a long name"] * 12) + "\\x.tif"
OME = '<OME><Image><Pixels><TiffData><UUID FileName="b.ome.tif"/></TiffData></Pixels></Image></OME>'


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        (r"D:\data\x.tif", r"\\?\D:\data\x.tif"),
        (r"D:/data/x.tif", r"\\?\D:\data\x.tif"),
        (r"D:\data\..\other\x.tif", r"\\?\D:\other\x.tif"),
        (rf"D:\{LONG}", rf"\\?\D:\{LONG}"),
        (r"\\nas\scope 1\x.tif", r"\\?\UNC\nas\scope 1\x.tif"),
        (r"\\?\UNC\nas\scope\x.tif", r"\\?\UNC\nas\scope\x.tif"),
        (r"\\?\D:\data\x.tif", r"\\?\D:\data\x.tif"),
        (r"D:\data\con.tif", r"\\?\D:\data\con.tif"),
        (r"D:\data\ends with a dot.", r"\\?\D:\data\ends with a dot."),
        (r"data\x.tif", r"data\x.tif"),
    ],
)
def test_windows_is_asked_for_exactly_this_file(path: str, asked: str) -> None:
    assert places.at(PureWindowsPath(path)) == asked


def test_elsewhere_a_path_is_what_it_is() -> None:
    assert places.at(Path("/data/con.tif")) == "/data/con.tif"
    assert not places.is_share(Path("//data/x"))


@pytest.mark.parametrize(
    ("one", "other", "nested"),
    [
        (r"C:\Data", r"c:\data\day 1", True),
        (r"C:\data", r"\\?\C:\DATA", True),
        (r"C:\data", r"C:\data 2", False),
        (r"C:\data", r"D:\data", False),
        (r"\\NAS\scope", r"\\nas\Scope\day 1", True),
        (r"\\nas\scope", r"\\?\UNC\nas\scope", True),
        (r"\\nas\scope", r"\\nas\scope-2", False),
    ],
)
def test_capitals_and_spellings_do_not_make_two_folders_of_one(
    one: str, other: str, nested: bool
) -> None:
    for here, there in ((one, other), (other, one)):
        assert places.nested(PureWindowsPath(here), PureWindowsPath(there)) is nested


@pytest.mark.parametrize("home", [r"D:\data", r"\\nas\scope", r"\\?\D:\data"])
def test_a_unit_of_windows_goes_by_the_rules_and_is_sent_by_its_plain_name(home: str) -> None:
    watch: Any = Watch(PureWindowsPath(home))
    here = Listing(watch.folder / "Ana" / "day 1", {"HeLa_1.tif": State(7, 1)}, [])
    [unit], _ = of_folder(here, watch)
    assert unit.folder == "Ana/day 1"
    rule = read_rule(
        {"path": "{leader}/{day}/{cell}_*.tif", "project": "{leader}-raw", "dataset": "{day}"},
        1,
        pytest.fail,
    )
    assert rule
    goal, why = judge([rule], unit.folder, unit.path.name, "")
    assert goal, why
    assert (goal.project, goal.dataset) == ("Ana-raw", "day 1")
    [part] = unit.parts()
    assert part.declared == {"path": "HeLa_1.tif", "nbytes": 7}
    assert str(part.file) == places.at(watch.folder / "Ana" / "day 1" / "HeLa_1.tif")
    set_: Any = Unit(unit.path, watch, 8, 1, 2, "", files=(("HeLa_1.tif", 7), ("sub/x.ets", 1)))
    assert str(set_.parts()[1].file).endswith(r"\Ana\day 1\sub\x.ets")


def busy(name: str) -> PermissionError:
    """Return what Windows says of a file that another program has."""
    error = PermissionError(13, "The process cannot access the file", name)
    error.winerror = 32  # type: ignore[attr-defined]
    return error


def test_a_file_that_a_program_has_open_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert places.why(busy("D:/data/x.tif")) == "a program has x.tif still open"
    assert "Permission denied" in places.why(PermissionError(13, "Permission denied", "x"))
    for name in ("cells.nd", "cells_w1.stk", "cells_w2.stk", "cells 2_w1.stk"):
        (tmp_path / name).write_text("x")
    (tmp_path / "a.ome.tif").write_text("x")
    (tmp_path / "b.ome.tif").write_text("x")
    monkeypatch.setattr(description, "_description", lambda path: OME.encode())
    here, opened = listing.listing(tmp_path), Path.open
    nd = str(tmp_path / "cells.nd")

    def open_(self: Path, *how: Any, **more: Any) -> Any:
        if str(self) == nd:
            raise busy(nd)
        return opened(self, *how, **more)

    monkeypatch.setattr(Path, "open", open_)
    found = {family.main: family for family in families(here)}
    assert found["cells.nd"].files.keys() == {"cells.nd", "cells_w1.stk", "cells_w2.stk"}
    assert found["cells.nd"].missing[0] == "the end of cells.nd"
    assert found["a.ome.tif"].files.keys() == {"a.ome.tif", "b.ome.tif"}

    state = here.files["a.ome.tif"]
    again = State(state.nbytes, state.mtime + 1)
    monkeypatch.setattr(description, "_description", lambda path: (_ for _ in ()).throw(busy("")))
    assert description.named(tmp_path / "a.ome.tif", *again) == frozenset()
    monkeypatch.setattr(description, "_description", lambda path: OME.encode())
    assert description.named(tmp_path / "a.ome.tif", *again) == {"b.ome.tif"}
    monkeypatch.setattr(items, "pieces", lambda file: (_ for _ in ()).throw(busy(str(file))))
    with pytest.raises(PermissionError) as refused:
        items.hashed(items.Part(tmp_path / "x", "x", 1))
    assert places.why(refused.value) == "a program has x still open"


class Entry:
    """One of a folder of Windows, as `os.scandir` gives it."""

    def __init__(self, path: Path, junction: bool = False, gone: bool = False) -> None:
        self.name, self.path = path.name, str(path)
        self._path, self._junction, self._gone = path, junction, gone

    def is_symlink(self) -> bool:
        return False

    def stat(self, follow_symlinks: bool) -> Any:
        if self._gone:
            raise FileNotFoundError(2, "gone", self.path)
        return SimpleNamespace(st_reparse_tag=places.JUNCTION if self._junction else 0)

    def is_dir(self) -> bool:
        return self._path.is_dir()

    def is_file(self) -> bool:
        return self._path.is_file()


def test_junctions_are_passed_by_as_links_are_and_what_has_just_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A junction to a folder above would be walked round and round."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.tif").write_text("x")
    scandir = os.scandir

    class Entries(list[Entry]):
        def __enter__(self) -> Entries:
            return self

        def __exit__(self, *_: object) -> None:
            """Close nothing."""

    def scanned(folder: str) -> Entries:
        with scandir(folder) as found:
            entries = Entries(Entry(Path(entry.path)) for entry in found)
        entries += [Entry(tmp_path, junction=True), Entry(tmp_path / "gone.tif", gone=True)]
        return entries

    monkeypatch.setattr(listing.os, "scandir", scanned)
    assert [path for path, _ in below(tmp_path)] == ["sub/x.tif"]


def test_the_configuration_says_what_windows_wants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = tmp_path / "agent.toml"
    toml.write_text('[agent]\nstate = "C:\\Users\\scope"\n')
    with pytest.raises(NotConfigured, match="write paths of Windows in single quotes"):
        config.read(toml)
    monkeypatch.setattr(config, "Path", PureWindowsPath)
    reading = config._Reading()
    for text in (r"C:\data", r"\\nas\scope", r"\\?\D:\data"):
        assert reading.path("watch 1.folder", text) == PureWindowsPath(text)
    assert reading.wrong == []
    for text in ("C:data", r"\data", "data"):
        assert reading.path("watch 1.folder", text) is None
    assert len(reading.wrong) == 3
    reading.wrong.clear()
    reading.apart(PureWindowsPath(r"\\nas\agent\x"), ())
    assert reading.wrong == [
        r"agent.state: \\nas\agent\x is on another computer: give a folder of this one"
    ]
