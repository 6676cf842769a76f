"""One operation, several ways to it, one outcome: REST and `cid_client` leave the same catalog."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tifffile
import world
from processes import STAFF, start_service, stop
from ways import Python, Rest, Way, refused, state

from cid_server_ext.db.session import open_database

WAYS: dict[str, Callable[..., Way]] = {"rest": Rest, "python": Python}

# in this order; each begins where the one before it ended
SCENARIOS: dict[str, Callable[[Any], Any]] = {
    "which projects I reach": lambda w: w.me.projects(),
    "two images come in": lambda w: [w.me.upload(path, "screen", "day 1") for path in w.files],
    "find by name": lambda w: w.me.search("first", "screen"),
    "find nothing": lambda w: w.me.search("nothing-of-this-name", "screen"),
    "tag with text": lambda w: w.me.tag("first", "Staining", "DAPI"),
    "tag again": lambda w: w.me.tag("first", "Staining", "GFP"),
    "tag another": lambda w: w.me.tag("second", "Cell type", "HeLa"),
    "find by tag": lambda w: w.me.search("Staining:GFP", "screen"),
    "take a tag off": lambda w: w.me.untag("second", "Cell type"),
    "take off what is not there": lambda w: refused(lambda: w.me.untag("second", "Cell type")),
    "rename": lambda w: w.me.rename("second", "zweites Bild"),
    "a name that is none": lambda w: refused(lambda: w.me.rename("first", "a/b")),
    "a viewer renames": lambda w: refused(lambda: w.viewer.rename("first", "mine")),
    "a stranger finds": lambda w: w.stranger.projects(),
    "run a template": lambda w: w.me.submit("count-things", ["first", "zweites Bild"], sigma=2.0),
    "run with a bad value": lambda w: refused(
        lambda: w.me.submit("count-things", ["first"], sigma=99.0)
    ),
    "cancel": lambda w: w.me.cancel(),
    "where it comes from": lambda w: w.me.lineage("first"),
}


class Facility:
    """Three people who go one way, in a catalog of their own."""

    def __init__(self, way: Callable[..., Way], service: Any, files: list[Any]) -> None:
        self.me = way(service, "researcher")
        self.viewer = way(service, "viewer")
        self.stranger = way(service, "stranger")
        self.files = files


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
        sessions = open_database(f"sqlite:///{folder}/catalog.sqlite")
        body = {"name": "screen", "team": "lab", "limit": 10**8}
        body |= {"members": {"researcher": "contributor", "viewer": "viewer"}}
        assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
        publish = {"manifest": world.MANIFEST, "notebook": world.NOTEBOOK}
        assert service.ask("POST", "templates", STAFF, json=publish).status_code == 201
        facility = Facility(way, service, files)
        found[name] = {
            scenario: (play(facility), state(sessions)) for scenario, play in SCENARIOS.items()
        }
        sessions.kw["bind"].dispose()
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
    assert len(set(states)) >= 8
    assert outcomes["rest"]["find by tag"][0] == ["first"]
    assert outcomes["rest"]["a viewer renames"][0] == "NotAllowed"
