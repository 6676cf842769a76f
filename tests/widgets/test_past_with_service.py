"""History, trash and moving on the real client and the real service."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import numpy as np
import pytest
import tifffile
from playwright.sync_api import expect
from processes import STAFF, Service, wait_until
from speaking import connected
from stage import Show

import cid_client as cid
from cid_widgets import Browser, History, Trash

NAME = "past-widgets"


@pytest.fixture(scope="module")
def people(
    service: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[cid.Catalog]]:
    """Manager, contributor and viewer of a project with three images."""
    members = {"maud": "manager", "carl": "contributor", "vito": "viewer"}
    body = {"name": NAME, "team": "past", "limit": 10**8, "members": members}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    catalogs = [connected(service, name) for name in members]
    folder = tmp_path_factory.mktemp("past")
    for n in range(3):
        path = folder / f"cell {n}.tif"
        tifffile.imwrite(path, np.full((32, 32), n, "uint8"))
        catalogs[1].upload(path, NAME, "plate 1")
    yield catalogs
    for catalog in catalogs:
        catalog.close()


def told(history: History) -> list[str]:
    assert history.error == ""
    return [f"{one['person']} {''.join(one['words'])}" for one in history.entries]


def test_what_was_done_is_told_and_taken_back(people: list[cid.Catalog], service: Service) -> None:
    maud, carl, vito = people
    image = carl.search(project=NAME, name="cell 1")[0]
    image.tag(Staining=["DAPI", "GFP"]).rename("mitosis").note("bleached")
    carl.annotate(carl.search(project=NAME), set={"Passage": 3})
    history = History(maud, NAME)
    assert told(history)[:5] == [
        "carl tagged 3 records: Passage",
        "carl wrote a note about mitosis: “bleached”",
        "carl renamed cell 1 to mitosis",
        "carl tagged mitosis with Staining: DAPI; GFP",
        told(history)[4],
    ]
    assert told(history)[4].startswith("carl added 1 image (")
    assert told(history)[-1] == "staff made the project"
    [picture] = history.entries[2]["images"]
    assert httpx.get(service.origin + picture["thumbnail"]).status_code == 200

    renamed = history.entries[2]["entry"]
    image.rename("anaphase")
    history.take_back(renamed)
    assert history.refused["message"].startswith("changed since: rename by carl")
    [later] = history.refused["changed"]
    assert (later["person"], later["action"]) == ("carl", "rename")
    history.take_back(later["entry"])
    history.take_back(renamed)
    assert (history.refused, image.refresh().name) == (None, "cell 1")
    assert told(history)[0] == "maud took back: carl renamed cell 1 to mitosis"
    undone = next(one for one in history.entries if one["entry"] == renamed)
    assert undone["undone"]["person"] == "maud"

    history.person, history.kind = "carl", "tags"
    assert [line.split()[1] for line in told(history)] == ["tagged", "wrote", "tagged"]
    of_image = History(vito, about=vito.image(image.uid))
    assert not any(one["undoable"] for one in of_image.entries)
    assert told(of_image)[-1] == "carl added cell 1"
    assert History(vito, "somebody-elses").error


def test_what_is_moved_away_is_seen_in_the_trash_and_comes_back(
    people: list[cid.Catalog], show: Show, service: Service
) -> None:
    maud, carl, vito = people
    browser = Browser(carl, project=NAME)
    first, second = (row["uid"] for row in browser.rows[:2])
    browser.selected = [first, second]
    browser.move("screen/best")
    assert browser.organised["text"] == "2 images lie in screen/best now."
    assert {row["dataset"] for row in browser.rows} == {"screen/best", "plate 1"}
    browser.put_back()
    assert {row["dataset"] for row in browser.rows} == {"plate 1"}
    browser.selected = [first, second]
    browser.throw_away()
    assert len(browser.rows) == 1

    page, stage = show(Trash(maud, NAME), "trash")
    line = page.locator(".cid-thrown")
    expect(line).to_contain_text("thrown away by carl")
    expect(line.locator(".cid-thumb")).to_have_count(2)

    def pictured() -> bool:
        """With tickets that are younger than the end of those from before the trash."""
        stage.widget.refresh()
        [held] = stage.widget.thrown
        answers = [httpx.get(service.origin + one["thumbnail"]) for one in held["images"]]
        return [answer.status_code for answer in answers] == [200, 200]

    wait_until(pictured, what="the pictures are there")
    line.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("The trash is empty.")).to_be_visible()
    browser.refresh()
    assert {row["dataset"] for row in browser.rows} == {"plate 1"}
    assert len(browser.rows) == 3

    browser.selected = [first]
    browser.throw_away()
    seen = Trash(vito, NAME)
    assert (seen.role, len(seen.thrown)) == ("viewer", 1)
    seen.restore(seen.thrown[0]["uid"])
    assert "contributor" in seen.error
    stage.widget.refresh()
    stage.widget.purge(seen.thrown[0]["uid"])
    assert (stage.widget.error, stage.widget.thrown) == ("", [])
