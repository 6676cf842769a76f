"""Masks of the real service: from a notebook, from a shell, and what they do to an upload."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from processes import STAFF, Service
from speaking import connected, said_of

import cid_client as cid
from cid_client import BadInput, Conflict, NotAllowed, NotFound, Wrong, cli
from cid_client.commands import check as check_command
from cid_client.commands import mask as mask_command
from cid_client.commands import upload

PAGE = Path(__file__).parents[2] / "docs" / "staff" / "masks.md"
TEXT = r"""# kept as it is
mask: Dishes
instrument: Dish scope
closed: true
filename: (?P<cell_line>[^_]+)_.*\.tif
machine: []
fields:
  - {key: Cell line, required: true, choices: [HeLa, U2OS]}
  - {key: Exposure, type: number, unit: ms}
  - {key: Dish, type: choice, choices: [glass, plastic], default: glass}
  - {key: Room, from: instrument.room}
"""
Connect = Callable[[str], cid.Catalog]


@pytest.fixture
def staff(service: Service) -> Iterator[cid.Catalog]:
    catalog = connected(service, STAFF)
    yield catalog
    catalog.close()


@pytest.fixture(scope="module")
def dishes(service: Service) -> str:
    members = {"mara": "contributor"}
    body = {"name": "dishes", "team": "dishes", "limit": 10**8, "members": members}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    body = {"name": "Dish scope", "room": "B 7"}
    assert service.ask("POST", "instruments", STAFF, json=body).status_code == 201
    assert service.ask("POST", "masks", STAFF, json={"text": TEXT}).status_code == 201
    return "dishes"


def write(path: Path, number: int) -> Path:
    path.parent.mkdir(exist_ok=True)
    tifffile.imwrite(path, np.full((16, 16), number, "uint16"))
    return path


def test_an_upload_that_does_not_fit_is_refused_before_a_byte_moves(
    speak: Connect, dishes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mara = speak("mara")
    day = tmp_path / "day"
    write(day / "hela_1.tif", 1)
    write(day / "Vero_2.tif", 2)
    (day / "notes.txt").write_text("all went well")
    monkeypatch.setattr(
        "cid_client.uploads.deposit.hashed", lambda part: pytest.fail("a file was read")
    )
    with pytest.raises(BadInput, match=r"^mask 'Dishes': Dsh: ") as refused:
        mara.upload(day, dishes, instrument="dish scope", tags={"Exposure": "long", "Dsh": "?"})
    assert refused.value.fields == (
        Wrong("Dsh", "is no field of mask 'Dishes', which is closed; did you mean 'Dish'?"),
        Wrong("Exposure", "a number, not 'long'"),
        Wrong(
            "Cell line",
            "'Vero' is not one of 'HeLa', 'U2OS' (from the file's name)",
            "day/Vero_2.tif",
        ),
    )
    with pytest.raises(BadInput, match="no mask 'Dishs'; known: "):
        mara.upload(day, dishes, mask="Dishs")
    monkeypatch.undo()
    assert "open deposit" not in {entry.action for entry in mara.history(project=dishes)}

    said = {"Vero_2.tif": {"Cell line": "U2OS"}}
    came = mara.upload(
        day,
        dishes,
        mask="Dishes",
        tags={"Exposure": "0.25 s"},
        tags_of={f"day/{name}": tags for name, tags in said.items()},
    )
    told = {image.name: image for image in came}
    rest = {"Exposure": 250, "Dish": "glass", "Room": "B 7", "Microscope": "Dish scope"}
    assert said_of(told["hela_1"]) == {"Cell line": "HeLa", **rest}
    assert said_of(told["Vero_2"]) == {"Cell line": "U2OS", **rest}
    assert told["hela_1"].mask == ("Dishes", 1)
    assert told["hela_1"].completeness == 1
    sources = {tag["key"]: tag["source"] for tag in told["hela_1"].wire("tags")}
    assert (sources["Cell line"], sources["Dish"], sources["Room"]) == (
        "file",
        "mask",
        "instrument",
    )
    assert sources["Exposure"] == "person"
    file = {"path": "HeLa_9.tif", "nbytes": 1}
    assert mara.open_deposit(dishes, "", [file], mask="Dishes").give_up().state == "aborted"
    with pytest.raises(BadInput, match="Cell line"):
        mara.open_deposit(dishes, "", [{"path": "9.tif", "nbytes": 1}], mask="Dishes")


def test_staff_saves_versions_and_everybody_reads_and_checks(
    speak: Connect, staff: cid.Catalog, dishes: str
) -> None:
    someone = speak("somebody")
    seen = someone.masks["dishes"]
    assert (seen.text, seen.instrument, seen.version) == (TEXT, "Dish scope", 1)
    assert [one["key"] for one in seen.fields] == ["Cell line", "Exposure", "Dish", "Room"]
    assert seen in someone.masks.of("DISH scope")
    assert "Dishes" in someone.masks._repr_html_()
    with pytest.raises(NotAllowed):
        seen.save(TEXT + "help: mine\n")
    with pytest.raises(NotAllowed):
        someone.masks.save("mask: Mine\nfields: []")
    with pytest.raises(NotFound):
        someone.masks["Dishs"]
    text = TEXT.replace("mask: Dishes", "mask: Second dishes").replace(
        "closed: true", "closed: false"
    )
    second = staff.masks.save(text, "for another lab")
    stale = staff.masks["Second dishes"]
    third = second.save({**second.document, "help": "Ask us"}, "a word of help")
    assert (third.version, third.versions[0].note) == (2, "a word of help")
    assert [one["key"] for one in third.at(2).changes] == ["help"]
    assert third.at(1).text == text
    with pytest.raises(Conflict):  # somebody saved since
        staff.session.tell("PUT", stale.path, {"text": text}, etag=stale.etag)
    with pytest.raises(BadInput) as refused:
        staff.masks.save("mask: Second dishes\nfields:\n  - {key: A, tpe: text}\n")
    assert refused.value.fields[0].line == 3
    assert third.retire().retired
    assert not third.undo().retired
    found = third.check(["U2OS_1.tif", "x.tif"], tags={"Mood": "good"})
    assert [one.good for one in found.files] == [True, False]
    assert "B 7" in found._repr_html_()
    assert "does not have the form" in repr(found)
    third.retire()


def test_the_command_line_shows_checks_saves_and_uploads(
    speak: Connect,
    service: Service,
    dishes: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(upload, "connect", lambda url, token: speak("mara"))
    monkeypatch.setattr(mask_command, "connect", lambda url, token: connected(service, STAFF))
    assert cli.main(["mask", "show", "Dishes"]) == 0
    assert capsys.readouterr().out == TEXT
    assert cli.main(["mask", "show"]) == 0
    assert "Dishes  Dish scope  1  Cell line" in capsys.readouterr().out
    draft = tmp_path / "draft.yaml"
    draft.write_text(
        "mask: By shell\nfields:\n  - key: Cell\n    requred: true\n", encoding="utf-8"
    )
    for action in ("check", "save"):
        assert cli.main(["mask", action, str(draft)]) == 1
        assert "line 4: Cell: 'requred' is not known; did you mean" in capsys.readouterr().out
    draft.write_text("mask: By shell\nfields:\n  - {key: Cell, required: true}\n", encoding="utf-8")
    assert cli.main(["mask", "check", str(draft)]) == 0
    assert cli.main(["mask", "save", str(draft), "--note", "first"]) == 0
    assert "By shell: version 1" in capsys.readouterr().out
    assert cli.main(["mask", "check", str(draft), "a.tif"]) == 1
    assert "Cell: is required, and nothing says it" in capsys.readouterr().out

    path = write(tmp_path / "Vero_3.tif", 3)
    where = ["upload", str(path), "-p", dishes, "--mask", "Dishes"]
    assert cli.main([*where, "-t", "Exposure=long"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert f"{path}: Exposure: a number, not 'long'" in said
    assert [line for line in said if "'Vero' is not one of" in line]
    assert cli.main([*where, "-t", "Cell line=u2os"]) == 0
    [image] = speak("mara").search("Vero_3", project=dishes)
    assert image.tags["Cell line"] == "U2OS"


def test_the_page_for_staff_runs(
    staff: cid.Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff.instruments.add("Page confocal")
    page = PAGE.read_text(encoding="utf-8").replace("Confocal 1", "Page confocal")
    [yaml] = re.findall(r"```yaml\n(.*?)```", page, re.S)
    (tmp_path / "confocal.yaml").write_text(yaml, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cid, "connect", lambda: staff)
    [code] = [c for c in re.findall(r"```python\n(.*?)```", page, re.S) if "cid.connect" in c]
    exec(compile(code, "masks.md", "exec"), names := {})
    assert names["seen"].wrong[0].file == "vero_2.tif"
    assert [one["key"] for one in names["mask"].at(2).changes] == ["closed"]


OME = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
<Instrument ID="Instrument:0"><Microscope Model="Asking scope"/></Instrument>
<Image ID="Image:0" Name="{}"><InstrumentRef ID="Instrument:0"/>
<Pixels ID="Pixels:0" Type="uint16" DimensionOrder="XYCZT" SizeX="16" SizeY="16" SizeC="1"
 SizeZ="1" SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData/></Pixels></Image>
</OME>"""
ASKING = """mask: Asking
instrument: Asking scope
fields:
  - {key: Cell line, required: true, choices: [HeLa, U2OS]}
  - {key: Dish, default: glass}
"""


def test_what_the_mask_of_the_files_own_microscope_asks_for_is_said_later_and_nothing_goes_twice(
    speak: Connect,
    service: Service,
    dishes: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CID_STATE", str(tmp_path / "state"))
    assert service.ask("POST", "instruments", STAFF, json={"name": "Asking scope"}).is_success
    assert service.ask("POST", "masks", STAFF, json={"text": ASKING}).is_success
    night = tmp_path / "night"
    for number in (1, 2):  # the file names its microscope; nobody else does
        path, described = write(night / f"{number}.tif", 70 + number), OME.format(number)
        tifffile.imwrite(path, np.full((16, 16), 70 + number, "uint16"), description=described)
    write(night / "other.tif", 79)
    mara = speak("mara")
    monkeypatch.setattr(upload, "connect", lambda url, token: mara)
    monkeypatch.setattr(mara, "close", lambda: None)
    checked = mara.check(night, dishes)
    lines = [(one.field, one.file) for one in checked.wrong]
    assert lines == [("Cell line", "night/1.tif"), ("Cell line", "night/2.tif")]
    assert (checked.masks, checked.good) == (["Asking"], False)
    assert "mask 'Asking' of its microscope: night/1.tif: Cell line: is required" in repr(checked)
    with pytest.raises(BadInput, match="'MCF7' is not one of 'HeLa', 'U2OS'"):
        checked.upload(tags={"Cell line": "MCF7"}, mask="Asking")
    with pytest.raises(BadInput, match="mask 'Asking', of the microscope that the files name"):
        checked.upload()
    checked.drop()

    monkeypatch.setattr(check_command, "connect", lambda url, token: mara)
    named = ["check", str(night), "-p", dishes, "--mask", "Asking"]
    assert cli.main([*named, "-t", "Cell line=MCF7"]) == 1  # before a byte moves
    assert "'MCF7' is not one of" in capsys.readouterr().err
    assert cli.main([*named, "-t", "Cell line=HeLa"]) == 1  # pixels without a size
    assert "is required" not in capsys.readouterr().out

    command = ["upload", str(night), "-p", dishes, "-d", "night"]
    assert cli.main(command) == 1
    said = capsys.readouterr().err.splitlines()
    assert f"{night}: night/1.tif: Cell line: is required, and nothing says it" in said
    assert f"{night}: {upload.SAY_IT}" in said
    assert list(mara.search(project=dishes, dataset="night")) == []
    monkeypatch.setattr(mara.session, "put", lambda *_: pytest.fail("a file is sent again"))
    assert cli.main([*command, "-t", "Cell line=MCF7"]) == 1
    assert "'MCF7' is not one of" in capsys.readouterr().err
    assert cli.main([*command, "-t", "Cell line=hela"]) == 0
    came = {image.name: image for image in mara.search(project=dishes, dataset="night/night")}
    assert came["1"].mask == ("Asking", 1)
    assert said_of(came["2"])["Cell line"] == "HeLa"
    assert said_of(came["2"])["Dish"] == "glass"
    assert came["other"].mask is None
    assert said_of(came["other"]) == {"Cell line": "HeLa"}
    assert not list((tmp_path / "state" / "asked").iterdir())
    reserved = service.ask("GET", f"projects/{dishes}", STAFF).json()["allocation"]["reserved"]
    assert reserved == 0
