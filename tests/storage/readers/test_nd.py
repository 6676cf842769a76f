"""MetaMorph: a .nd and its files are one image for each stage position; a STK alone is one too."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cid_server_ext.storage.readers import open_images, sort

DNA = "crafted/metamorph/nd_stk"


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 999, shape, dtype=np.uint16)


def nd(folder: Path, name: str = "exp", **words: object) -> Path:
    """Write a .nd: nd(folder, NWavelengths=2, WaveName1="DAPI")."""
    lines = ['"NDInfoFile", Version 1.0', '"StartTime1", 20240417 14:03:21.125']
    for key, value in words.items():
        said = str(value).upper() if isinstance(value, bool) else value
        lines.append(f'"{key}", "{said}"' if "Name" in key else f'"{key}", {said}')
    path = folder / f"{name}.nd"
    path.write_text("\r\n".join([*lines, '"EndFile"']), encoding="latin-1")
    return path


def stack(path: Path, planes: np.ndarray) -> np.ndarray:
    tifffile.imwrite(path, planes, photometric="minisblack", metadata=None)
    return planes


def test_the_real_one_is_read_whole(real: Path, only) -> None:
    image = only(real / DNA / "dna.nd")
    assert (image.axes, image.shape, image.dtype) == ("czyx", (2, 20, 130, 133), np.uint16)
    assert image.scale == {"z": 0.5, "y": 0.512, "x": 0.512}
    assert [channel["name"] for channel in image.channels] == ["491 conf", "561 wf"]
    assert image.tags == (("Acquisition date", "2024-04-17T14:03:21.125000", None),)
    assert image.unknown["Objective"] == "the file does not say (MetaMorph)"
    found = image.array.compute()
    for at, wave in enumerate(("w1491 conf", "w2561 wf")):
        assert (found[at] == tifffile.imread(real / DNA / f"dna_{wave}.STK")).all()


def test_a_stk_alone_is_calibrated_by_its_own_tags(real: Path, only) -> None:
    image = only(real / DNA / "dna_w1491 conf.STK")
    assert (image.axes, image.shape) == ("zyx", (20, 130, 133))
    assert image.scale == {"z": 0.5, "y": 0.512, "x": 0.512}
    assert ("Acquisition date", "2024-04-01T10:00:00", None) in image.tags


def test_stages_waves_and_times_have_their_places(tmp_path: Path) -> None:
    path = nd(
        tmp_path, DoStage=True, NStagePositions=2, Stage1='"A01, left"', Stage2='"B 2"',
        DoWave=True, NWavelengths=2, WaveName1="DAPI/em 460", WaveName2="(GFP) ü", WaveDoZ1=True,
        WaveDoZ2=True, WaveInFileName=True, DoTimelapse=True, NTimePoints=3, DoZSeries=True,
        NZSteps=2, ZStepSize=0.25,
    )  # fmt: skip
    expected = pixels(2, 3, 2, 2, 10, 12)  # stage, t, c, z
    names = ("DAPI-em 460", "(GFP) ü")
    for s, t, c in np.ndindex(2, 3, 2):
        stack(tmp_path / f"exp_w{c + 1}{names[c]}_s{s + 1}_t{t + 1}.TIF", expected[s, t, c])
    images = open_images(path)
    assert [image.name for image in images] == ["A01, left", "B 2"]
    for image, one in zip(images, expected, strict=True):
        assert (image.axes, image.shape) == ("tczyx", (3, 2, 2, 10, 12))
        assert image.scale["z"] == 0.25
        assert [channel["name"] for channel in image.channels] == ["DAPI/em 460", "(GFP) ü"]
        assert (image.array.compute() == one).all()
    (group,) = sort(tmp_path).groups
    assert (group.main, len(group.members)) == ("exp.nd", 12)


def test_a_wave_of_one_plane_is_at_every_z_and_that_is_told(tmp_path: Path, only) -> None:
    path = nd(
        tmp_path, DoWave=True, NWavelengths=2, WaveName1="GFP", WaveDoZ1=True, WaveName2="BF",
        WaveDoZ2=False, WaveInFileName=True, DoZSeries=True, NZSteps=3, ZStepSize=1,
    )  # fmt: skip
    deep = stack(tmp_path / "exp_w1GFP.tif", pixels(3, 8, 9))
    flat = stack(tmp_path / "exp_w2BF.tif", pixels(8, 9))
    image = only(path)
    assert (image.array.compute() == np.stack([deep, np.stack([flat] * 3)])).all()
    assert ("Repeated planes", "at every z the one plane of: BF", None) in image.tags


def test_what_was_not_acquired_is_told_and_never_invented(tmp_path: Path, only) -> None:
    path = nd(
        tmp_path, DoWave=True, NWavelengths=2, WaveName1="A", WaveName2="B", WaveInFileName=False,
        DoTimelapse=True, NTimePoints=9,
    )  # fmt: skip
    for name in ("w1_t1", "w2_t1", "w1_t2", "w1_t3", "w2_t3"):
        stack(tmp_path / f"exp_{name}.tif", pixels(8, 9) + 1)
    image = only(path)
    assert (image.axes, image.shape) == ("tcyx", (3, 2, 8, 9))
    told = {key: text for key, text, _ in image.tags}
    assert told["Missing time points"] == "t 4 to 9 of 9: stopped before its end"
    assert told["Missing planes"] == "t 2 c 2 z 1"
    found = image.array.compute()
    assert not found[1, 1].any()
    assert found[1, 0].all()


def test_a_stack_that_stopped_early_is_as_deep_as_it_is(tmp_path: Path, only) -> None:
    path = nd(tmp_path, DoZSeries=True, NZSteps=9)
    stack(tmp_path / "exp.tif", pixels(4, 8, 9))
    assert only(path).shape == (4, 8, 9)


def test_files_of_another_nd_are_not_taken(tmp_path: Path, real: Path) -> None:
    for name in ("exp", "exp 2", "exp2"):
        nd(tmp_path, name, DoWave=True, NWavelengths=1, WaveName1="A", WaveInFileName=True)
        stack(tmp_path / f"{name}_w1A.tif", pixels(8, 9))
    for path in (real / DNA).iterdir():
        shutil.copyfile(path, tmp_path / path.name)
    groups = {group.main: group.members for group in sort(tmp_path).groups}
    assert groups["exp.nd"] == ("exp_w1A.tif",)
    assert groups["exp 2.nd"] == ("exp 2_w1A.tif",)
    assert len(groups["dna.nd"]) == 2


def test_the_file_that_is_missing_is_named(tmp_path: Path, refused) -> None:
    path = nd(tmp_path, DoStage=True, NStagePositions=2, Stage1="a", Stage2="b")
    stack(tmp_path / "exp_s1.tif", pixels(8, 9))
    assert "'exp_s2' (.stk or .tif)" in refused(path)


@pytest.mark.parametrize(
    "name", ["../../../../etc/passwd", "/../../secret", "..\\..\\secret", "/../secret.tif"]
)
def test_a_name_that_leads_out_of_the_folder_finds_nothing(
    tmp_path: Path, name: str, refused
) -> None:
    (tmp_path / "in").mkdir()
    stack(tmp_path / "secret.tif", pixels(8, 9))
    path = nd(tmp_path / "in", DoWave=True, NWavelengths=1, WaveName1=name, WaveInFileName=True)
    assert "missing" in refused(path)
    assert sort(tmp_path / "in").others == ("exp.nd",)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"DoTimelapse": True, "NTimePoints": 10**9}, "more files"),
        ({"DoZSeries": True, "NZSteps": 10**9, "DoTimelapse": True, "NTimePoints": 999}, "more"),
        ({"DoStage": True, "NStagePositions": "many"}, "no number"),
        ({"NTimePoints": "x" * (2 << 20)}, "larger than 1 MB"),
    ],
    ids=["times", "planes", "word", "size"],
)
def test_a_nd_that_asks_for_too_much_is_refused(tmp_path: Path, words, said, refused) -> None:
    path = nd(tmp_path, **words)
    stack(tmp_path / "exp_t1.tif", pixels(8, 9))
    assert said in refused(path)


def test_links_planes_of_another_size_and_cut_files_are_refused(tmp_path: Path, refused) -> None:
    path = nd(tmp_path, DoTimelapse=True, NTimePoints=2)
    stack(tmp_path / "exp_t1.tif", pixels(8, 9))
    stack(tmp_path / "exp_t2.tif", pixels(9, 9))
    assert "not of one image" in refused(path)
    stack(tmp_path / "exp_t2.tif", pixels(8, 9))
    data = (tmp_path / "exp_t2.tif").read_bytes()
    (tmp_path / "exp_t2.tif").write_bytes(data[:-20])
    assert "truncated" in refused(path)
    (tmp_path / "exp_t2.tif").unlink()
    os.symlink("/etc/passwd", tmp_path / "exp_t2.tif")
    assert "link" in refused(path)
