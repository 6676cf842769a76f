"""The card on the real client and service: what it previews is what is done, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from playwright.sync_api import expect
from processes import STAFF, Service
from speaking import connected
from stage import Show, heard

import cid_client as cid
from cid_widgets import Tagger

pytestmark = pytest.mark.usefixtures("bundle")
PROJECT = "tagger-tests"


@pytest.fixture(scope="module")
def speak(service: Service) -> Iterator[Callable[[str], cid.Catalog]]:
    """Connect as a manager, a contributor or a viewer of one project."""
    members = {"maja": "manager", "tess": "contributor", "vito": "viewer"}
    body = {"name": PROJECT, "team": "tagger-team", "limit": 50_000_000, "members": members}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    made: list[cid.Catalog] = []

    def connect(person: str) -> cid.Catalog:
        made.append(connected(service, person))
        return made[-1]

    yield connect
    for catalog in made:
        catalog.close()


def test_a_card_of_the_service_is_filled_by_hand_applied_and_taken_back(
    show: Show, speak: Callable[[str], cid.Catalog], tmp_path: Path
) -> None:
    tess, maja = speak("tess"), speak("maja")
    for n in range(3):
        path = tmp_path / f"cell {n}.tif"
        tifffile.imwrite(path, np.full((8, 8), n, dtype="uint8"))
        tess.upload(path, PROJECT, "plate 1")
    project = maja.project(PROJECT)
    project.add_term("Quality", type="choice", values=["good", "blurred"])
    project.add_term("Slit", type="number", unit="µm")
    project.add_term("Operator", type="id", scheme="orcid")

    images = list(tess.search(project=PROJECT))
    images[0].tag({"Staining": ["DAPI"], "Cell type": "HeLa"})
    tagger = Tagger(tess.search(project=PROJECT, sort="name"), tess)
    assert tagger.error == ""
    assert tagger.values["Cell type"] == {"HeLa": 1}
    page, _ = show(tagger, "tagger")
    would, button = page.locator(".cid-would"), page.get_by_role("button", name="Apply to 3 images")
    stains = page.get_by_role("combobox", name="Staining")
    stains.fill("dap")
    page.get_by_role("option", name="DAPI").click()
    expect(would).to_have_text("2 images will change, 1 has it already")
    stains.fill("Dapii")
    stains.press("Enter")
    page.get_by_role("button", name="use “DAPI”").click()
    cell = page.get_by_role("combobox", name="Cell type")
    cell.fill("hela")
    cell.press("Enter")
    expect(page.get_by_text("“hela” is written “HeLa” here.")).to_be_visible()
    slit = page.get_by_label("Slit", exact=True)
    slit.fill("250 nm")
    slit.press("Enter")
    quality = page.get_by_role("combobox", name="Quality")
    quality.fill("fine")
    quality.press("Enter")
    expect(
        page.get_by_text("'fine' is not one of 'good', 'blurred' maja may add it.")
    ).to_be_visible()
    expect(button).to_be_disabled()
    quality.fill("Good")
    quality.press("Enter")
    operator = page.get_by_role("combobox", name="Operator")
    operator.fill("https://orcid.org/0000-0002-1825-0098")
    operator.press("Enter")
    expect(page.get_by_text("its check digit is wrong")).to_be_visible()
    operator.fill("https://orcid.org/0000-0002-1825-0097")
    operator.press("Control+Enter")
    expect(page.get_by_text("3 images changed")).to_be_visible()
    expect(page.get_by_role("link", name="open ↗")).to_have_attribute(
        "href", "https://orcid.org/0000-0002-1825-0097"
    )
    assert tagger.values["Slit"] == {"0.25": 3}
    tags = tess.search(project=PROJECT)[0].tags
    said = {"Staining": "DAPI", "Cell type": "HeLa", "Slit": 0.25, "Quality": "good"}
    assert {key: tags[key] for key in said} == said
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back.")).to_be_visible()
    assert tagger.values["Cell type"] == {"HeLa": 1}
    assert tagger.values["Staining"] == {"DAPI": 1}


def test_others_see_what_the_service_lets_them(
    speak: Callable[[str], cid.Catalog],
) -> None:
    vito, maja = speak("vito"), speak("maja")
    viewer = Tagger(vito.search(project=PROJECT), vito)
    assert viewer.tag_target["why"].endswith("ask maja to make you annotator.")
    viewer.changes = {"set": {"Cell type": "HeLa"}}
    assert "role annotator" in viewer.error
    with pytest.raises(cid.NotAllowed):
        viewer.apply()

    manager = Tagger(maja.search(project=PROJECT), maja)
    new = {"ask": "add_term", "key": "Passage", "how": {"type": "number"}}
    heard(manager, method="custom", content=new)
    assert manager.error == ""
    assert "Passage" in project_keys(maja)
    manager.undo()
    assert "Passage" not in project_keys(maja)
    # somebody was quicker: the undo is refused and says by whom
    manager.changes = {"set": {"Cell type": "Vero"}}
    manager.apply()
    speak("tess").annotate(maja.search(project=PROJECT), set={"Cell type": "COS-7"})
    heard(manager, method="custom", content={"ask": "undo_tags"})
    assert "tess" in manager.error


def project_keys(catalog: cid.Catalog) -> list[str]:
    return [term.key for term in catalog.project(PROJECT).terms()]
