"""Conditions, counts, annotations, history, trash, links, usage and sheets of the real service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from openpyxl import load_workbook
from processes import STAFF, Service
from speaking import said_of
from world import MANIFEST, NOTEBOOK

import cid_client as cid
from cid_client.search import found as pages

Connect = Callable[[str], cid.Catalog]


@pytest.fixture
def nora(speak: Connect) -> cid.Catalog:
    return speak("nora")


@pytest.fixture
def shelf(service: Service, nora: cid.Catalog, tmp_path: Path) -> str:
    """A project of its own for each test, with three images of which two are tagged."""
    name = f"steps-{tmp_path.name.strip('_').replace('_', '-')[:40].lower()}"
    body = {
        "name": name, "team": "steps-team", "limit": 50_000_000,
        "members": {"nora": "contributor", "otis": "viewer"},
    }  # fmt: skip
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    for n in range(3):
        path = tmp_path / f"cell {n}.tif"
        tifffile.imwrite(path, np.full((8, 8), n, dtype="uint8"))
        [image] = nora.upload(path, name, "plate 1", again=True)
        if n:
            image.tag({"Cell type": "HeLa" if n == 1 else "HEK 293", "Passage": n * 5})
    return name


def names(found: cid.Search) -> list[str]:
    return sorted(image.name for image in found)


def test_conditions_find_what_they_say(nora: cid.Catalog, shelf: str) -> None:
    def found(**conditions: object) -> list[str]:
        return names(nora.search(project=shelf, **conditions))

    [first, hela, hek] = found()
    assert found(cell_type="HEK 293") == [hek]
    assert found(cell_type="HEK") == []
    assert found(cell_type=["HeLa", "HEK 293"]) == [hela, hek]
    assert found(cell_type__not="HeLa") == [first, hek]
    assert found(cell_type=None) == [first]
    assert found(passage__gt=5) == [hek]
    assert found(passage__ge=5, passage__lt=10) == [hela]
    assert found(passage=5) == [hela]
    assert found(in_="plate 1", created__gt="1d", **{"Cell type": "HeLa"}) == [hela]
    assert [image.name for image in nora.search(project=shelf, sort="name")] == [first, hela, hek]


def test_a_search_counts_and_tells_its_values(
    nora: cid.Catalog, shelf: str, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("no image")
    nora.upload(tmp_path / "a.txt", shelf, "plate 1", kind="files", again=True)
    found = nora.search(project=shelf, dataset="plate 1")
    assert found.count() == 3
    assert nora.search("hela OR hek", project=shelf).count() == 2
    assert nora.search(project=shelf, limit=1).count() == 1
    facets = found.facets("Cell type", "Passage")
    assert facets["Cell type"].values == {"HeLa": 1, "HEK 293": 1}
    [numbers] = facets["Passage"].numbers
    assert (numbers.lowest, numbers.highest, numbers.count) == (5, 10, 2)
    assert "HeLa" in facets["Cell type"]._repr_html_()


def test_a_search_is_annotated_in_one_step_that_is_undone(nora: cid.Catalog, shelf: str) -> None:
    found = nora.search(project=shelf, dataset="plate 1", cell_type__not=None)
    dry = nora.annotate(found, set={"Staining": ["DAPI", "GFP"]}, dry=True)
    assert (dry.dry, dry.records, dry.changed) == (True, 2, 2)
    assert nora.search(project=shelf, staining="GFP").count() == 0
    assert nora.annotate(found, set={"Staining": ["DAPI", "GFP"]}, remove=["Passage"]).changed == 2
    [hela] = nora.search(project=shelf, cell_type="HeLa")
    assert sorted(hela.tags["Staining"]) == ["DAPI", "GFP"]
    assert "Passage" not in hela.tags

    [step] = nora.history(shelf, limit=1)
    assert (step.person, step.undoable) == ("nora", True)
    step.undo()
    assert not step.undoable
    assert said_of(hela.refresh()) == {"Cell type": "HeLa", "Passage": 5}
    with pytest.raises(cid.Conflict):
        step.undo()


def test_an_image_keeps_several_values_of_a_key(nora: cid.Catalog, shelf: str) -> None:
    image = nora.search(project=shelf)[0].tag(Staining=["DAPI", "GFP"])
    nora.annotate(image, remove={"Staining": "GFP"})
    nora.annotate(image, add={"Staining": "Phalloidin"})
    assert sorted(image.refresh().tags["Staining"]) == ["DAPI", "Phalloidin"]


def test_a_search_runs_on_all_that_it_finds(
    speak: Connect, nora: cid.Catalog, shelf: str, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = {**MANIFEST, "template": {**MANIFEST["template"], "name": shelf}}
    published = {"manifest": manifest, "notebook": NOTEBOOK}
    assert service.ask("POST", "templates", STAFF, json=published).status_code < 300
    monkeypatch.setattr(pages, "PAGE", 1)
    found = nora.search("cell OR nucleus", project=shelf, dataset="plate 1", passage__ge=5)
    batch = nora.run(shelf, found)
    assert len(found._read) == 1
    for run in batch:
        run.cancel()
    assert {run.record["inputs"][0]["uid"] for run in batch} == {image.uid for image in found}
    assert len(batch) == 2


def test_viewers_change_nothing(speak: Connect, shelf: str) -> None:
    otis = speak("otis")
    found = otis.search(project=shelf)
    with pytest.raises(cid.NotAllowed):
        otis.annotate(found, set={"Staining": "DAPI"})
    with pytest.raises(cid.NotAllowed):
        found[0].trash()
    with pytest.raises(cid.NotAllowed):
        otis.project(shelf).dataset("plate 1").move("plate 2")


def test_what_is_thrown_away_comes_back(nora: cid.Catalog, shelf: str) -> None:
    project = nora.project(shelf)
    thrown = nora.trash(nora.search(project=shelf)[:2])
    assert (thrown.state, thrown.records) == ("kept", 2)
    assert nora.search(project=shelf).count() == 1
    assert [one.uid for one in project.trash] == [thrown.uid]
    assert thrown.restore().state == "restored"
    assert nora.search(project=shelf).count() == 3

    image = nora.search(project=shelf, cell_type="HeLa")[0]
    back = image.trash()
    with pytest.raises(cid.NotFound):
        image.refresh()
    back.restore()
    assert image.refresh().tags["Cell type"] == "HeLa"
    project.dataset("plate 1").trash().restore()
    assert "plate 1" in [one.path for one in project.datasets]


def test_a_project_tells_what_takes_its_room(
    nora: cid.Catalog, shelf: str, service: Service
) -> None:
    project = nora.project(shelf)
    limits = {"limit": 40_000_000, "soft": 1}
    assert service.ask("PUT", f"{project.path}/allocation", STAFF, json=limits).status_code == 200
    told = project.usage()
    assert (told.limit, told.soft, told.state) == (40_000_000, 1, "warning")
    assert told.used == project.refresh().allocation.used > 0
    assert {part["path"]: part["used"] for part in told.datasets}["plate 1"] == told.used
    assert [person["person"] for person in told.people] == ["nora"]
    assert "40.0 MB" in told._repr_html_()


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_sheet_goes_out_edited_and_back(
    nora: cid.Catalog, shelf: str, tmp_path: Path, suffix: str
) -> None:
    path = nora.search(project=shelf, cell_type="HeLa").sheet(tmp_path / f"tags.{suffix}")
    if suffix == "csv":
        content = path.read_bytes()
        assert content.count(b"HeLa") == 1
        path.write_bytes(content.replace(b"HeLa", b"A549"))
    else:
        book = load_workbook(path)
        for row in book.active.iter_rows():
            for cell in row:
                cell.value = "A549" if cell.value == "HeLa" else cell.value
        book.save(path)
    preview = nora.preview(path, shelf)
    [change] = preview.changes
    assert (change["key"], change["before"], change["after"]) == ("Cell type", "HeLa", "A549")
    assert nora.search(project=shelf, cell_type="A549").count() == 0
    nora.apply(path, shelf)
    assert nora.search(project=shelf, cell_type="A549").count() == 1
    assert nora.history(shelf, limit=1)[0].undo().person == "nora"
    assert nora.search(project=shelf, cell_type="HeLa").count() == 1


def test_a_preview_that_is_of_yesterday_is_not_applied(
    nora: cid.Catalog, shelf: str, tmp_path: Path
) -> None:
    found = nora.search(project=shelf, cell_type="HeLa")
    path = found.sheet(tmp_path / "tags.csv")
    path.write_bytes(path.read_bytes().replace(b"HeLa", b"A549"))
    preview = nora.preview(path, shelf)
    found[0].tag({"Cell type": "Vero"})
    with pytest.raises(cid.Conflict):
        preview.apply()
    with pytest.raises(cid.BadInput, match=r"tags\.pdf"):
        found.sheet(tmp_path / "tags.pdf")
    with pytest.raises(cid.BadInput, match="one project"):
        nora.search().sheet(tmp_path / "tags.csv")
