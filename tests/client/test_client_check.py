"""A folder is looked at before any of it is in the catalog; what was looked at is sent once."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
import tifffile
from processes import STAFF, Service
from scipy import ndimage

import cid_client as cid
from cid_client.cli import main
from cid_client.commands import check as command

Connect = Callable[[str], cid.Catalog]


@pytest.fixture
def mara(speak: Connect) -> cid.Catalog:
    return speak("mara")


@pytest.fixture
def project(service: Service, tmp_path: Path) -> str:
    """A project of its own for each test."""
    name = f"check-{tmp_path.name.strip('_').replace('_', '-')[:40].lower()}"
    body = {"name": name, "team": "check-team", "limit": 50_000_000}
    body["members"] = {"mara": "contributor"}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    return name


def cells(seed: int, blur: float = 1.0, gain: float = 1.0) -> np.ndarray:
    """Bright discs on a dim ground, with the noise of photons and a camera."""
    rng = np.random.default_rng(seed)
    truth = np.full((256, 256), 60.0)
    rows, columns = np.mgrid[:256, :256]
    for y, x in rng.integers(20, 236, (25, 2)):
        truth[np.hypot(rows - y, columns - x) < 9] += 900
    photons = rng.poisson(ndimage.gaussian_filter(truth, blur))
    return np.clip((photons + rng.normal(100, 2, truth.shape)) * gain, 0, 65535).astype("uint16")


def write(path: Path, pixels: np.ndarray, **more: object) -> None:
    """An ImageJ TIFF whose pixels are 0.1 µm."""
    path.parent.mkdir(parents=True, exist_ok=True)
    how = {"imagej": True, "resolution": (10.0, 10.0), "metadata": {"unit": "um"}} | more
    tifffile.imwrite(path, pixels, **how)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One file of each kind that somebody should know of before he uploads."""
    folder = tmp_path / "monday"
    seed = zlib.crc32(tmp_path.name.encode()) % 10_000 * 10  # what a test sends is its own
    write(folder / "good.tif", cells(seed + 1))
    write(folder / "known.tif", cells(seed + 2))
    write(folder / "clipped.tif", cells(seed + 3, gain=100.0))
    write(folder / "soft.tif", cells(seed + 4, blur=30))
    write(folder / "deep" / "unscaled.tif", cells(seed + 5), resolution=None, metadata={})
    whole = (folder / "good.tif").read_bytes()
    (folder / "cut.tif").write_bytes(whole[: len(whole) // 2])
    write(folder / "flipped.tif", cells(seed + 6), imagej=False, compression="zlib")
    flipped = bytearray((folder / "flipped.tif").read_bytes())
    flipped[len(flipped) // 2] ^= 0xFF
    (folder / "flipped.tif").write_bytes(flipped)
    (folder / "empty.tif").touch()
    (folder / "notes.xyz").write_text(f"what was done {seed}")
    return folder


def reserved(service: Service, project: str) -> int:
    return int(service.ask("GET", f"projects/{project}", "mara").json()["allocation"]["reserved"])


def test_each_file_gets_its_verdict_and_is_sent_once(
    service: Service,
    mara: cid.Catalog,
    project: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [known] = mara.upload(folder / "known.tif", project)
    checked = mara.check(folder, project, "week 1")
    found = {one.path.removeprefix("monday/"): one for one in checked}
    assert {path: one.verdict for path, one in found.items()} == {
        "good.tif": "good",
        "known.tif": "there",
        "clipped.tif": "look",
        "soft.tif": "look",
        "deep/unscaled.tif": "look",
        "cut.tif": "unreadable",
        "flipped.tif": "unreadable",
        "empty.tif": "unreadable",
        "notes.xyz": "file",
    }
    assert found["known.tif"].record == known.refresh().record["original"]["uid"]
    assert any("Saturation clipped" in line for line in found["clipped.tif"].findings)
    assert any("Focus soft" in line for line in found["soft.tif"].findings)
    assert found["deep/unscaled.tif"].findings == ["the size of a pixel is missing"]
    [image] = found["good.tif"].images
    assert (image["shape"], image["dtype"], image["scale"]["x"]) == ([256, 256], "uint16", 0.1)
    assert image["quality"]["channels"][0]["snr"] > 12
    assert "Microscope" in image["missing"]
    assert 0 < image["completeness"] < 1
    here = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert checked.sent == here - (folder / "known.tif").stat().st_size
    said = "3 not readable, 3 look at it, 1 good, 1 kept as a file, 1 there already"
    assert checked.summary() == said
    assert "Focus soft" in checked._repr_html_()
    # nothing of it is there, but its room is kept
    assert [image.uid for image in mara.search(project=project)] == [known.uid]
    assert reserved(service, project) >= checked.sent

    monkeypatch.setattr(mara.session, "put", lambda *_: pytest.fail("a file is sent again"))
    came = checked.upload()
    assert {image.name for image in came} == {"good", "clipped", "soft", "unscaled", "known"}
    assert {problem.path for problem in came.problems} == {
        f"monday/{name}.tif" for name in ("cut", "flipped", "empty")
    }
    assert reserved(service, project) == 0
    with pytest.raises(cid.Conflict, match="check it again"):
        checked.upload()


def test_what_is_there_already_costs_no_byte_and_what_is_dropped_leaves_none(
    service: Service, mara: cid.Catalog, project: str, tmp_path: Path
) -> None:
    write(tmp_path / "a.tif", cells(11))
    mara.upload(tmp_path / "a.tif", project)
    again = mara.check(tmp_path / "a.tif", project)
    assert ([one.verdict for one in again], again.sent, again.good) == (["there"], 0, True)

    one_byte = bytearray((tmp_path / "a.tif").read_bytes())
    one_byte[-7] ^= 1  # a pixel: no format can tell, but the catalog has the same file
    (tmp_path / "a.tif").write_bytes(one_byte)
    changed = mara.check(tmp_path / "a.tif", project)
    assert changed[0].verdict == "look"
    assert "one of the two may be damaged" in changed[0].findings[0]
    before = set(service.staged())
    changed.drop()
    changed.drop()  # a second time does nothing
    assert len(before - set(service.staged())) == 1
    assert reserved(service, project) == 0


def test_one_damaged_file_alone_has_a_verdict_and_is_refused_when_it_is_brought_all_the_same(
    mara: cid.Catalog, project: str, tmp_path: Path
) -> None:
    write(tmp_path / "whole.tif", cells(21))
    whole = (tmp_path / "whole.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(whole[: len(whole) // 2])
    checked = mara.check(tmp_path / "cut.tif", project)
    assert (checked[0].verdict, checked.good) == ("unreadable", False)
    with pytest.raises(cid.BadFile):
        checked.upload()
    assert list(mara.search(project=project)) == []


def test_it_is_one_command(
    mara: cid.Catalog,
    project: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "connect", lambda *_: mara)
    monkeypatch.setattr("cid_client.commands.upload.connect", lambda *_: mara)
    monkeypatch.setattr(mara, "close", lambda: None)
    assert main(["check", str(folder), "-p", project]) == 1
    table = capsys.readouterr().out
    assert "monday/clipped.tif" in table
    assert "3 not readable" in table
    assert main(["upload", "--check", str(folder), "-p", project]) == 1
    assert "nothing of it was brought in" in capsys.readouterr().err
    assert list(mara.search(project=project)) == []
    for _ in range(2):  # then it is there, and nothing is sent
        assert main(["upload", "--check", str(folder / "good.tif"), "-p", project]) == 0
    assert [image.name for image in mara.search(project=project)] == ["good"]


def test_a_file_that_cannot_be_read_here_is_told_and_not_sent(
    mara: cid.Catalog, project: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.open

    def opened(path: Path, *how: object) -> object:
        if path.name == "soft.tif":
            raise PermissionError(13, "Permission denied")
        return real(path, *how)

    monkeypatch.setattr(Path, "open", opened)
    checked = mara.check(folder / "soft.tif", project)
    assert (checked[0].verdict, checked.sent) == ("unreadable", 0)
    assert checked[0].findings == ["it cannot be read here: Permission denied"]


def test_a_check_is_for_images_only(service: Service, project: str) -> None:
    new = {"kind": "files", "files": [{"path": "a.txt", "nbytes": 1}]}
    opened = service.ask("POST", f"projects/{project}/deposits", "mara", json=new).json()
    httpx.put(service.origin + opened["upload"] + "a.txt", content=b"a", headers={
        "Content-Digest": "sha-256=:ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=:"
    }).raise_for_status()  # fmt: skip
    asked = service.ask("POST", f"deposits/{opened['uid']}/commit", "mara", json={"check": True})
    assert asked.json()["error"] == "BadInput"
    assert service.ask("GET", f"deposits/{opened['uid']}", "mara").json()["state"] == "open"


DESCRIBED = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
<Instrument ID="Instrument:0"><Microscope Model="Strict scope"/></Instrument>
<Image ID="Image:0" Name="a"><InstrumentRef ID="Instrument:0"/>
<Pixels ID="Pixels:0" Type="uint16" DimensionOrder="XYCZT" SizeX="256" SizeY="256" SizeC="1"
 SizeZ="1" SizeT="1" PhysicalSizeX="0.1" PhysicalSizeY="0.1">
<Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData/></Pixels></Image></OME>"""
STRICT = "mask: Strict\ninstrument: Strict scope\nfields:\n  - {key: Cell line, required: true}\n"


def test_what_only_lacks_a_word_waits_for_it_and_is_not_sent_again(
    mara: cid.Catalog,
    service: Service,
    project: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CID_STATE", str(tmp_path / "state"))
    assert service.ask("POST", "instruments", STAFF, json={"name": "Strict scope"}).is_success
    assert service.ask("POST", "masks", STAFF, json={"text": STRICT}).is_success
    path = tmp_path / "strict.ome.tif"
    tifffile.imwrite(path, cells(987_654), description=DESCRIBED)
    monkeypatch.setattr("cid_client.commands.upload.connect", lambda *_: mara)
    monkeypatch.setattr(mara, "close", lambda: None)
    command = ["upload", str(path), "-p", project]
    assert main([*command, "--check"]) == 1
    said = capsys.readouterr().err
    assert "say it with --tag KEY=VALUE in the same command: nothing is sent twice" in said
    assert "Cell line: is required" in said
    monkeypatch.setattr(mara.session, "put", lambda *_: pytest.fail("it is sent again"))
    assert main([*command, "-t", "Cell line=HeLa"]) == 0
    [image] = mara.search("strict", project=project)
    assert image.mask == ("Strict", 1)
    assert reserved(service, project) == 0
