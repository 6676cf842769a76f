"""One operation, three ways to it, one outcome: REST, `cid_client` and widgets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import world
from processes import STAFF, Service, start_service, stop
from ways import Python, Rest, Widget, refused, state

from cid_server_ext.db.session import open_database

WAYS: dict[str, Callable[..., Any]] = {"rest": Rest, "python": Python, "widget": Widget}

# in this order; each begins where the one before it ended
SCENARIOS: dict[str, Callable[[Any], Any]] = {
    "which projects I reach": lambda w: w.me.projects(),
    "two images come in": lambda w: [w.me.upload(path, "screen", "day 1") for path in w.files],
    "find by name": lambda w: w.me.search("first", "screen"),
    "find nothing": lambda w: w.me.search("nothing-of-this-name", "screen"),
    "tag with text": lambda w: w.me.tag("first", "Staining", "DAPI"),
    "tag again": lambda w: w.me.tag("first", "Staining", "GFP"),
    "tag another": lambda w: w.me.tag("second", "Cell type", "HeLa"),
    "a spelling that is known": lambda w: w.me.tag("first", "Cell type", "hela "),
    "find by tag": lambda w: w.me.search("Staining:GFP", "screen"),
    "count": lambda w: w.me.count("day", "screen"),
    "values with counts": lambda w: w.me.facet("Staining", "screen"),
    "go on with a query": lambda w: w.me.complete("Cell type:he"),
    "say it of many": lambda w: w.me.annotate(["first", "second"], {"Passage": 4}),
    "take that back": lambda w: w.me.undo("screen"),
    "take a tag off": lambda w: w.me.untag("second", "Cell type"),
    "rename": lambda w: w.me.rename("second", "zweites Bild"),
    "a name that is none": lambda w: refused(lambda: w.me.rename("first", "a/b")),
    "a viewer renames": lambda w: refused(lambda: w.viewer.rename("first", "mine")),
    "a stranger finds": lambda w: w.stranger.projects(),
    "a dataset": lambda w: w.me.make_dataset("screen", "day 2/good"),
    "move an image": lambda w: w.me.move(["zweites Bild"], "screen", "day 2/good"),
    "show it in another": lambda w: w.me.link("zweites Bild", "screen", "day 1"),
    "a search that lives": lambda w: w.me.make_dataset("screen", "stained", "has:staining"),
    "what it finds": lambda w: w.me.inside("screen", "stained"),
    "a note": lambda w: w.me.note("first", "out of focus in the corner"),
    "throw away": lambda w: w.me.throw(["first"]),
    "what takes room": lambda w: w.me.usage("screen"),
    "bring back": lambda w: w.me.restore("screen"),
    "ask for a project": lambda w: w.me.request("atlas", "lab", 10**9, "a larger screen"),
    "it is granted": lambda w: w.staff.approve("atlas"),
    "ask for one more": lambda w: w.me.request("atlas-2", "lab", 10**15, ""),
    "it is refused": lambda w: w.staff.refuse("atlas-2", "no room this year"),
    "somebody joins": lambda w: w.me.add_member("atlas", "viewer", "annotator"),
    "somebody goes": lambda w: w.me.remove_member("atlas", "viewer"),
    "a stranger joins alone": lambda w: refused(
        lambda: w.stranger.add_member("atlas", "stranger", "manager")
    ),
    "run a template": lambda w: w.me.submit("count-things", ["first", "zweites Bild"], sigma=2.0),
    "run with a bad value": lambda w: refused(
        lambda: w.me.submit("count-things", ["first"], sigma=99.0)
    ),
    "cancel": lambda w: w.me.cancel(),
    "where it comes from": lambda w: w.me.lineage("first"),
    "what was done": lambda w: w.me.history("screen"),
}


class Facility:
    """Four people who go one way, in a catalog of their own."""

    def __init__(self, way: Callable[..., Any], service: Any, files: list[Path]) -> None:
        self.me = way(service, "researcher")
        self.viewer = way(service, "viewer")
        self.stranger = way(service, "stranger")
        self.staff = way(service, STAFF)
        self.files = files


def played(way: Callable[..., Any], service: Service, files: list[Path]) -> dict[str, Any]:
    """Return by scenario what was told, and the catalog after it."""
    sessions = open_database(f"sqlite:///{service.folder}/catalog.sqlite")
    body = {"name": "screen", "team": "lab", "limit": 10**8}
    body |= {"members": {"researcher": "contributor", "viewer": "viewer"}}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    publish = {"manifest": world.MANIFEST, "notebook": world.NOTEBOOK}
    assert service.ask("POST", "templates", STAFF, json=publish).status_code == 201
    facility = Facility(way, service, files)
    try:
        return {name: (play(facility), state(sessions)) for name, play in SCENARIOS.items()}
    finally:
        sessions.kw["bind"].dispose()


@pytest.fixture(scope="module")
def outcomes(
    tmp_path_factory: pytest.TempPathFactory, empty_database: bytes
) -> dict[str, dict[str, Any]]:
    """What each way told and left behind, by scenario."""
    found: dict[str, dict[str, Any]] = {}
    for name, way in WAYS.items():
        folder = tmp_path_factory.mktemp(name)
        (folder / "catalog.sqlite").write_bytes(empty_database)
        files = []
        for number, stem in enumerate(("first", "second")):
            files.append(folder / f"{stem}.tif")
            pixels = np.random.default_rng(number).integers(0, 255, (64, 64), dtype="uint8")
            tifffile.imwrite(files[-1], pixels)
        service = start_service(folder)
        try:
            found[name] = played(way, service, files)
        finally:
            stop(service.process)
    return found


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_way_tells_and_leaves_the_same(
    outcomes: dict[str, dict[str, Any]], scenario: str
) -> None:
    told, left = outcomes["rest"][scenario]
    assert len(left) > 10
    for way, outcome in outcomes.items():
        assert outcome[scenario][0] == told, way
        assert sorted({*outcome[scenario][1]} ^ {*left}) == [], way


def test_the_scenarios_change_the_catalog(outcomes: dict[str, dict[str, Any]]) -> None:
    """The comparison above would hold for two catalogs in which nothing happens."""
    states = [tuple(left) for _, left in outcomes["rest"].values()]
    assert len(set(states)) >= 20
    told = {scenario: outcome[0] for scenario, outcome in outcomes["rest"].items()}
    assert told["find by tag"] == ["first"]
    assert told["a spelling that is known"]["Cell type"] == "HeLa"
    assert told["say it of many"] == (2, 2)
    assert told["what it finds"] == ["first"]
    assert told["throw away"] == ("kept", 1)
    assert told["bring back"] == []
    assert told["it is granted"] == [("atlas", "approved")]
    assert told["a viewer renames"].endswith("you are viewer")
    assert told["a stranger joins alone"] == "no project 'atlas' that you can see"
