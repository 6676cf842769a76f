"""A tree of foreign files is sorted into what belongs together, cheaply and always alike."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cid_server_ext.storage.readers import POLICIES, Sorted, open_images, policy, sort, sorting


def files_of(found: Sorted, root: Path) -> list[str]:
    """Every file that was sorted, those of folders included."""
    every = [*found.others, *found.refused]
    for group in found.groups:
        main = root / group.main
        inside = [p.relative_to(root).as_posix() for p in main.rglob("*") if p.is_file()]
        every += [*(inside if main.is_dir() else [group.main]), *group.members]
    return every


def test_every_real_file_is_sorted_once(real: Path) -> None:
    found = sort(real)
    every = files_of(found, real)
    assert len(every) == len(set(every))
    assert set(every) == {p.relative_to(real).as_posix() for p in real.rglob("*") if p.is_file()}
    groups = {group.main: group for group in found.groups}
    assert groups["crafted/metamorph/nd_stk/dna.nd"].members == (
        "crafted/metamorph/nd_stk/dna_w1491 conf.STK",
        "crafted/metamorph/nd_stk/dna_w2561 wf.STK",
    )
    assert groups["hcs/imagexpress_1well/2024-04-22/1697"].reader == "ImageXpress"
    assert groups["crafted/omezarr/plate_v0.4.ome.zarr"].reader == "OME-Zarr"
    assert groups["hcs/BBBC022_IXMtest_A02_s9.tif"].members == ()
    assert {"README.md", "crafted/hostile/html_renamed.tif"} <= set(found.others)
    assert found == sort(real)


def test_the_order_on_disk_does_not_matter(tmp_path: Path, real: Path) -> None:
    """Two copies whose files were written in another order are sorted alike."""
    source = real / "hcs/imagexpress_1well/2024-04-22/1697/TimePoint_1"
    files = [path for path in source.iterdir() if path.is_file()]
    files += list((real / "crafted/metamorph/nd_stk").iterdir())
    found = []
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        for path in random.Random(seed).sample(files, len(files)):
            shutil.copyfile(path, folder / path.name)
        found.append(sort(folder))
    assert found[0] == found[1]
    assert [group.reader for group in found[0].groups] == ["ImageXpress", "MetaMorph"]


def test_a_store_of_many_files_is_not_opened_file_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "deep" / "x.ome.zarr"
    (store / "0").mkdir(parents=True)
    (store / ".zgroup").write_text('{"zarr_format": 2}')
    for number in range(500):
        (store / "0" / f"0.{number}").touch()
    (tmp_path / "notes.txt").write_text("hello")
    opened: list[Path] = []
    monkeypatch.setattr(
        sorting, "head_of", lambda path: opened.append(path) or policy.head_of(path)
    )
    found = sort(tmp_path)
    assert [group.main for group in found.groups] == ["deep/x.ome.zarr"]
    assert opened == [tmp_path / "notes.txt"]


def test_companions_without_their_main_file_are_others(tmp_path: Path, real: Path) -> None:
    shutil.copyfile(real / "crafted/metamorph/nd_stk/dna.nd", tmp_path / "dna.nd")
    (tmp_path / "x.companion.ome").write_text("<OME/>")
    (tmp_path / "plate.HTD").write_text('"HTSInfoFile", Version 1.0\n')
    found = sort(tmp_path)
    assert (found.groups, found.others) == ((), ("dna.nd", "plate.HTD", "x.companion.ome"))


def test_what_is_no_file_is_refused_and_never_followed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").mkdir()
    tifffile.imwrite(tmp_path / "secret" / "s.tif", np.zeros((4, 4), np.uint8))
    os.symlink(tmp_path / "secret", tmp_path / "in" / "folder")
    os.symlink(tmp_path / "secret" / "s.tif", tmp_path / "in" / "x.tif")
    os.mkfifo(tmp_path / "in" / "pipe.tif")
    found = sort(tmp_path / "in")
    assert (found.groups, found.others) == ((), ())
    assert {name: reason.split(":")[0] for name, reason in found.refused.items()} == {
        "folder": "it is a link, not a file",
        "x.tif": "it is a link, not a file",
        "pipe.tif": "it is neither a file nor a folder",
    }


def test_names_of_every_kind_are_sorted(tmp_path: Path) -> None:
    for name in ("a b", "é", "ü/x.y", "-rf", "$(id)", "line\nbreak"):
        path = tmp_path / f"{name}.tif"
        path.parent.mkdir(exist_ok=True)
        tifffile.imwrite(path, np.zeros((4, 4), np.uint8))
    found = sort(tmp_path)
    assert (len(found.groups), found.others) == (6, ())


def test_a_folder_that_keeps_the_files_of_one_image_opens_as_it(real: Path, refused) -> None:
    (image,) = open_images(real / "crafted/metamorph/nd_stk")
    assert image.shape == (2, 20, 130, 133)
    assert "one by one" in refused(real / "formats/imagej")


def test_each_reader_has_a_name_of_its_own() -> None:
    names = [row.name for row in POLICIES]
    assert len(names) == len(set(names))
