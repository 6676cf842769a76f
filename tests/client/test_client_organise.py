"""Datasets, moves, links, notes and changes of what one has read, on the real service."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from processes import STAFF, Service
from speaking import said_of

import cid_client as cid

Connect = Callable[[str], cid.Catalog]
PAGE = Path(__file__).parents[2] / "docs" / "user" / "organise.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
HOME, OTHER = "organise-client", "organise-other"
BYTES = {
    "plan.pdf": b"%PDF-1.7 plan",
    "stack.czi": b"ZISRAWFILE and more",
    "system.log": b"12:00 laser on\n",
    "analysis.ipynb": b'{"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
}


@pytest.fixture(scope="module")
def homes(service: Service) -> None:
    """Two projects: ola and ida contribute to the first, ola and uma to the other."""
    for name, people in ((HOME, ("ola", "ida")), (OTHER, ("ola", "uma"))):
        members = dict.fromkeys(people, "contributor") | {"sam": "manager"}
        body = {"name": name, "team": "organise", "limit": 10**8, "members": members}
        assert service.ask("POST", "projects", STAFF, json=body).status_code == 201


@pytest.fixture
def ola(speak: Connect, homes: None) -> cid.Catalog:
    return speak("ola")


def tiff(folder: Path, name: str) -> Path:
    tifffile.imwrite(folder / name, np.arange(64, dtype="uint8").reshape(8, 8))
    return folder / name


@pytest.fixture
def image(ola: cid.Catalog, tmp_path: Path) -> cid.Image:
    """An image in a dataset of its own."""
    [made] = ola.upload(tiff(tmp_path, "cell.tif"), HOME, f"of {tmp_path.name}", again=True)
    return made.refresh()


@pytest.fixture
def deposited(ola: cid.Catalog, tmp_path: Path) -> dict[str, cid.Image | cid.File]:
    """An image, and a file of each kind, deposited in one dataset."""
    found: dict[str, cid.Image | cid.File] = {}
    for name, content in BYTES.items():
        (tmp_path / name).write_bytes(content)
        [found[name]] = ola.upload(tmp_path / name, HOME, "in", kind="files", again=True)
    [found["cell.tif"]] = ola.upload(tiff(tmp_path, "cell.tif"), HOME, "in", again=True)
    return found


def treated(
    ola: cid.Catalog, uma: cid.Catalog, record: cid.Image | cid.File, folder: Path
) -> list[object]:
    """Do to a record all that a person can do, and tell what was seen on the way."""
    project, seen = ola.project(HOME), []
    before = record.refresh().sha256

    record.tag(Staining=["DAPI", "GFP"], Passage=7).untag("Passage")
    found = ola.records("", project=HOME, staining="GFP", name=record.name)
    seen.append([one == record for one in found])
    seen.append((found.count(), found.facets("Staining")["Staining"].values))
    record.note("bleached *quickly*").change("bleached after 20 frames")
    seen.append([(note.text, note.person, bool(note.edited_at)) for note in record.notes()])
    seen.append([one == record for one in ola.records('"after 20 frames"', project=HOME)])

    record.rename(f"{record.name} again")
    to = project.make_dataset("kept/of ola")
    seen.append((record.move("kept/of ola").dataset, record.undo().dataset, record.etag is None))
    moved = ola.move(record, to)
    seen.append((moved.moved == [record.uid], record.refresh().dataset))
    seen.append([one == record for one in to.records()])

    shelf = ola.project(OTHER).make_dataset("shown").link(record)
    there = uma.records(project=OTHER)
    seen.append([(one == record, one.project, one.dataset, said_of(one)) for one in there])
    with pytest.raises(cid.NotAllowed):
        there[0].rename("mine")
    shelf.unlink(record)
    seen.append(uma.records(project=OTHER).count())

    thrown = record.trash()
    seen.append((thrown.state, thrown.records, ola.records(project=HOME, name=record.name).count()))
    with pytest.raises(cid.NotFound):
        record.refresh()
    thrown.restore()
    seen.append((record.refresh().dataset, said_of(record), len(record.notes())))
    *later, first = [entry.action for entry in record.history()]
    seen.append(later)
    seen.append(first.removeprefix("create ") in ("image", "file"))
    seen.append(record.refresh().sha256 == before)
    folder.mkdir()
    path = record.download(folder)
    original = path.name.removesuffix(" again")
    seen.append(path.read_bytes() == (folder.parent / original).read_bytes())
    record.trash()
    return seen


def test_files_of_any_kind_are_treated_as_images_are(
    ola: cid.Catalog, speak: Connect, deposited: dict[str, cid.Image | cid.File], tmp_path: Path
) -> None:
    uma = speak("uma")
    told = {
        name: treated(ola, uma, record, tmp_path / f"back {name}")
        for name, record in deposited.items()
    }
    as_image = told["cell.tif"]
    assert as_image[0] == [True]
    assert as_image[-3:] == [True, True, True]
    assert {"tag", "untag", "rename", "move", "write note", "link"} <= set(as_image[-4])
    for name, seen in told.items():
        assert seen == as_image, name


def test_a_dataset_moves_with_what_is_in_it(
    ola: cid.Catalog, image: cid.Image, speak: Connect
) -> None:
    project = ola.project(HOME)
    held = project.dataset(image.dataset)
    held.note("first plate")
    assert held.move("screen/first").undo().path == image.dataset
    below = project.make_dataset(f"{held.path}/below")
    held.move("screen/first")
    assert {below.refresh().path, "screen/first"} <= {one.path for one in project.datasets}
    assert [one.dataset for one in held.search()] == ["screen/first"]
    assert [note.text for note in held.notes()] == ["first plate"]
    with pytest.raises(cid.Conflict, match="first"):
        project.make_dataset("second").move("screen/first")
    with pytest.raises(cid.NotFound, match="plate 9"):
        project.dataset("plate 9")

    used = ola.project(OTHER).allocation.used
    held.move("of the screen", OTHER)
    assert (held.project, image.refresh().project) == (OTHER, OTHER)
    assert ola.project(OTHER).allocation.used > used
    held.trash()
    with pytest.raises(cid.NotFound):
        held.refresh()
    assert speak("uma").project(OTHER).trash[0].restore().state == "restored"


def test_a_live_dataset_shows_what_its_query_finds(ola: cid.Catalog, image: cid.Image) -> None:
    project = ola.project(HOME)
    live = project.make_dataset("good ones", f'snr>3 in:"{image.dataset}"')
    assert live.search().count() == 0
    image.tag(SNR=5)
    assert [one.uid for one in project.dataset("good ones").search()] == [image.uid]
    live.query = f'snr>9 in:"{image.dataset}"'
    assert (live.query[:5], live.search().count()) == ("snr>9", 0)
    assert live.undo().records().count() == 1
    with pytest.raises(cid.Conflict, match="live"):
        image.move("good ones")
    with pytest.raises(cid.BadInput):
        live.change(query="snr>")
    live.trash()


def test_what_another_changed_since_is_not_overwritten(
    ola: cid.Catalog, image: cid.Image, speak: Connect
) -> None:
    other = speak("ida").image(image.uid)
    other.rename("ida's").tag(Staining="DAPI")
    with pytest.raises(cid.Conflict) as refused:
        image.rename("ola's")
    changed = refused.value.changed
    assert [(one.person, one.action) for one in changed] == [("ida", "tag"), ("ida", "rename")]
    assert changed[1].detail["to"] == "ida's"
    assert "by ida (tag), ida (rename) since" in str(refused.value)
    assert "\n" not in str(refused.value)
    with pytest.raises(cid.Conflict):  # trying again does not help
        image.tag(Staining="GFP")
    assert said_of(image.refresh()) == {"Staining": "DAPI"}
    assert image.rename("ola's").tag(Staining="GFP").name == "ola's"
    with pytest.raises(cid.Conflict):
        other.untag("Staining")
    assert said_of(image.undo()) == {"Staining": "DAPI"}


def test_what_i_did_myself_is_no_conflict(ola: cid.Catalog, image: cid.Image) -> None:
    [same] = ola.search(project=HOME, in_=image.dataset)
    same.tag(Staining="DAPI").rename("elsewhere")
    ola.annotate(image, set={"Passage": 3})
    assert image.rename("here").tag({"Cell type": "HeLa"}).untag("Passage").name == "here"
    assert said_of(image) == {"Staining": "DAPI", "Cell type": "HeLa"}


def test_what_the_page_shows_works(
    speak: Connect, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"name": "demo", "team": "organise", "limit": 10**8, "members": {"ola": "contributor"}}
    assert service.ask("POST", "projects", STAFF, json=body).status_code in (201, 409)
    ola = speak("ola")
    ola.upload(tiff(tmp_path, "cell.tif"), "demo", again=True)
    (tmp_path / "plan.pdf").write_bytes(b"%PDF-1.7")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cid, "connect", lambda: ola)
    kernel: dict[str, object] = {}
    for snippet in SNIPPETS:
        exec(compile(snippet, PAGE.name, "exec"), kernel)
    assert kernel["good"].query == "staining:DAPI snr>10"
    assert (tmp_path / "papers" / "plan of the screen.pdf").is_file()


def test_a_purge_is_for_good(ola: cid.Catalog, image: cid.Image, speak: Connect) -> None:
    thrown = image.trash()
    with pytest.raises(cid.NotAllowed):
        thrown.purge()
    assert thrown.first[0]["uid"] == image.uid
    assert speak("sam").project(HOME).trash[0].purge().state == "purged"
    with pytest.raises(cid.Conflict, match="purged"):
        thrown.restore()


def test_notes_are_ones_own(ola: cid.Catalog, speak: Connect) -> None:
    project, ida = ola.project(HOME), speak("ida")
    mine = project.note("about the *whole* project")
    [found] = ida.project(HOME).notes()
    assert (found.text, found.person, found.about) == (mine.text, "ola", f"project:{HOME}")
    with pytest.raises(cid.NotAllowed, match="ola"):
        found.change("no")
    with pytest.raises(cid.NotAllowed):
        found.delete()
    mine.delete()
    assert project.notes() == []
    with pytest.raises(cid.NotFound):
        speak("uma").project(HOME)
