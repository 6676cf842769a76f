"""The vocabulary and many records at once, through the client of the real service."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import jsonschema
import numpy as np
import pytest
import tifffile
from processes import STAFF, Service, identity

import cid_client as cid
from cid_client.wire.environment import Access
from cid_client.wire.session import Session

Connect = Callable[[str], cid.Catalog]
PROJECT = "words-of-ours"
DOCS = Path(__file__).parents[2] / "docs"


class AsStaff(httpx.HTTPTransport):
    """Says that staff asks, as the test service expects it."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        del request.headers["Authorization"]
        request.headers.update(identity(STAFF))
        return super().handle_request(request)


@pytest.fixture(scope="module")
def made(service: Service) -> str:
    """A project with a manager, an annotator who contributes, and a viewer."""
    members = {"mona": "manager", "cleo": "contributor", "vico": "viewer"}
    body = {"name": PROJECT, "team": "words-team", "limit": 50_000_000, "members": members}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    return PROJECT


@pytest.fixture
def images(speak: Connect, made: str, tmp_path: Path) -> list[cid.Image]:
    """Three new images."""
    found = []
    for n in range(3):
        path = tmp_path / f"cell {n}.tif"
        tifffile.imwrite(path, np.full((8, 8), n, dtype="uint8"))
        found += speak("cleo").upload(path, made, again=True)
    return found


def test_terms_are_declared_changed_and_taken_back(speak: Connect, made: str) -> None:
    project = speak("mona").project(made)
    passage = project.add_term("Passage", type="number", help="since thawing")
    assert (passage.project, passage.type, passage.many) == (made, "number", False)
    assert project.add_term("Passages").similar == ["Passage"]
    assert "since thawing" in passage._repr_html_()

    passage.rename("Passage number")
    assert "Passage number" in [term.key for term in project.terms()]
    passage.undo()
    assert "Passage" in [term.key for term in project.terms()]
    with pytest.raises(cid.BadInput, match="nothing to undo"):
        passage.undo()

    organ = project.add_term(
        "Organ", type="ontology", values=[{"label": "Liver", "iri": "UBERON:0002107"}]
    )
    more = organ.declare([{"label": "Heart", "iri": "UBERON:0000948"}])
    assert [one.text for one in more] == ["Heart"]
    assert {one.text for one in organ.values()} == {"Liver", "Heart"}
    assert organ.value("Heart").link.endswith("UBERON:0000948")
    more.undo()
    with pytest.raises(cid.NotFound, match="no value 'Heart'"):
        organ.value("Heart")

    card = project.card()
    jsonschema.Draft202012Validator.check_schema(card)
    assert card["properties"]["Passage"]["description"] == "since thawing"
    assert "Microscope" in project.card(machine=True)["properties"]
    with pytest.raises(cid.NotAllowed):
        speak("cleo").project(made).add_term("Clone")
    with pytest.raises(cid.NotAllowed):
        speak("mona").add_term("Clone")


def test_the_facility_has_terms_for_all(service: Service, speak: Connect, made: str) -> None:
    staff = as_staff(service)
    term = staff.add_term("Immersion", type="choice", values=["oil", "water"], kind="machine")
    assert term.project is None
    assert "the facility" in repr(term)
    assert "Immersion" in [one.key for one in speak("vico").terms()]
    term.change(retired=True)
    staff.close()


def test_a_renamed_and_a_merged_value_change_every_use(
    speak: Connect, made: str, images: list[cid.Image]
) -> None:
    mona, cleo = speak("mona"), speak("cleo")
    done = cleo.annotate(images, set={"Strain": "HeLa"})
    assert (done.changed, done.entry is not None) == (3, True)
    cleo.annotate(images[:1], set={"Strain": "HEK"})
    line = next(term for term in mona.project(made).terms() if term.key == "Strain")
    assert [(one.text, one.n) for one in line.values("he")] == [("HeLa", 2), ("HEK", 1)]
    assert "HeLa" in line.values()._repr_html_()

    merged = line.rename_value("HEK", "HeLa")
    assert (merged.value.text, merged.uses, merged.merged) == ("HeLa", 1, True)
    assert said(cleo, images, "Strain") == ["HeLa", "HeLa", "HeLa"]
    merged.undo()
    assert said(cleo, images, "Strain") == ["HEK", "HeLa", "HeLa"]
    with pytest.raises(cid.NotFound, match="no value 'Vero'"):
        line.rename_value("Vero", "HeLa")

    clone = mona.project(made).add_term("Clone")
    gone = clone.merge(line)
    assert gone == line
    gone.undo()
    with pytest.raises(cid.NotAllowed):
        cleo.project(made).terms()[0].rename("Other")


def test_an_annotation_is_taken_back_and_tells_spellings(
    speak: Connect, made: str, images: list[cid.Image]
) -> None:
    cleo = speak("cleo")
    cleo.annotate(images[:2], add={"Staining": ["DAPI", "GFP"]})
    images[0].tag({"staining": ["dapi", "GFP"], "Molecule": "DAPI"})
    assert images[0].snapped == {"staining": "Staining", "dapi": "DAPI"}
    images[0].untag("Molecule")
    assert images[0].snapped == images[0].similar == {}
    dry = cleo.annotate(images, add={"Staining": ["gfp"]}, dry=True)
    assert (dry.changed, dry.entry) == (1, None)
    assert dry.keys["Staining"]["snapped"] == {"gfp": "GFP"}
    with pytest.raises(cid.BadInput, match="nothing to undo"):
        dry.undo()
    done = cleo.annotate(images, add={"Staining": ["RFP"]}, remove={"Staining": ["GFP"]})
    assert said(cleo, images, "Staining") == ["DAPI", "RFP"] * 2 + ["RFP"]
    done.undo()
    assert said(cleo, images, "Staining") == ["DAPI", "GFP"] * 2
    with pytest.raises(cid.Conflict):
        done.undo()
    found = cleo.search("staining:GFP", project=made)
    assert {one.uid for one in cleo.tags(found)} == {image.uid for image in images[:2]}
    gone = images[0].trash()
    assert [one.uid for one in cleo.tags(images)] == [image.uid for image in images[1:]]
    gone.restore()


@pytest.mark.parametrize("page", ["user/tags.md", "staff/vocabulary.md"])
def test_the_python_of_the_page_runs(
    service: Service, made: str, images: list[cid.Image], page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = as_staff(service)
    monkeypatch.setattr(cid, "connect", lambda: staff)
    text = (DOCS / page).read_text(encoding="utf-8").replace('"demo"', f'"{made}"')
    [first, *more] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    kernel: dict[str, object] = {}
    for snippet in [first, *more]:
        exec(compile(snippet, page, "exec"), kernel)
    staff.close()


def as_staff(service: Service) -> cid.Catalog:
    return cid.Catalog(Session(Access(service.url, "token of staff"), transport=AsStaff()))


def said(catalog: cid.Catalog, images: list[cid.Image], key: str) -> list[str]:
    """Return what the records say of a key, in their order."""
    return [t["value"] for one in catalog.tags(images) for t in one.tags if t["key"] == key]
