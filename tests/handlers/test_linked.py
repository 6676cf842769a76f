"""Who reaches an image by a link only sees the image, and nothing of the project it belongs to."""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace

import httpx
import pytest
import world
from processes import STAFF, Service
from sqlalchemy import event, select

from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import datasets, projects
from cid_server_ext.core.people import members
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.handlers import project_shapes
from cid_server_ext.handlers.ask import Ask

unique = itertools.count()


@pytest.fixture
def linked(service: Service, service_database: Sessions) -> SimpleNamespace:
    """A result of a run, and its file, linked into a project where "friend" is viewer."""
    home, other = f"home-{next(unique)}", f"other-{next(unique)}"
    with service_database.begin() as session:
        made = world.make(session, home)
        project = world.make_project(session, other)
        members.put_member(session, Actor("manager"), other, "friend", "viewer")
        root = datasets.at(session, Actor("contributor"), project, "shown")
        result = session.scalars(select(t.Image).where(t.Image.uid == made.result)).one()
        original = result.original  # not linked itself
        result.source_id = session.scalars(
            select(t.Image.id).where(t.Image.uid == made.image)
        ).one()
        original.prefix = f"files/{original.uid[:2]}/{original.uid}"
        path = service.folder / "storage" / original.prefix / original.name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"as it came")
        at_home = t.File.project_id == result.project_id
        table = session.scalars(select(t.File).where(at_home, t.File.id != original.id)).first()
        for record in (result, table):
            key = {"dataset_id": root.id, "record_id": record.id}
            session.add(t.Link(**key, project_id=project.id, linked_by="contributor"))
    return SimpleNamespace(home=home, other=other, made=made, original=original.uid, file=table.uid)


def test_a_linked_image_is_shown_where_the_link_is(service: Service, linked) -> None:
    asked = f"images/{linked.made.result}"
    seen = service.ask("GET", asked, "friend").json()
    assert (seen["project"], seen["dataset"]) == (linked.other, "shown")
    assert (seen["source"], seen["run"]) == (None, None)
    assert [tag["key"] for tag in seen["tags"]] == ["Objective"]
    said = json.dumps(seen)
    for hidden in (linked.home, f"lab-{linked.home}", linked.made.run, linked.made.image):
        assert hidden not in said
    at_home = service.ask("GET", asked, "viewer").json()
    assert (at_home["project"], at_home["run"]) == (linked.home, linked.made.run)
    assert at_home["source"] == linked.made.image


def test_lists_lineage_and_pages_show_no_more(service: Service, linked) -> None:
    for path in ("images", f"images/{linked.made.result}/lineage", f"files/{linked.file}"):
        answer = service.ask("GET", path, "friend")
        assert answer.status_code == 200
        assert linked.home not in answer.text
        assert linked.made.image not in answer.text
    lineage = service.ask("GET", f"images/{linked.made.result}/lineage", "friend").json()
    none: dict[str, list[str]] = {"parents": [], "children": [], "images": [], "runs": []}
    assert lineage == {**none, "more": False}
    headers = {"X-Test-User": json.dumps({"name": "friend"})}
    page = httpx.get(f"{service.url}images/{linked.made.result}", headers=headers)
    assert page.status_code == 200
    assert linked.home not in page.text


def test_who_views_a_linked_image_may_download_its_original(service: Service, linked) -> None:
    seen = service.ask("GET", f"images/{linked.made.result}", "friend").json()
    assert httpx.get(service.origin + seen["original_url"]).content == b"as it came"
    assert seen["original"]["uid"] == linked.original
    assert service.ask("GET", f"files/{linked.original}", "friend").status_code == 404


def test_an_original_that_holds_hidden_images_too_is_not_given(
    service: Service, service_database: Sessions, linked
) -> None:
    with service_database.begin() as session:
        beside = world.add_image(session, linked.home, "another scene of the file")
        whole = session.scalars(select(t.File).where(t.File.uid == linked.original)).one()
        session.get_one(t.Image, beside.id).original_id = whole.id
        journal.record(session, "contributor", "came", f"image:{beside.uid}")
    asked = {"records": [linked.made.result]}
    at_home, seen = (
        service.ask("GET", f"images/{linked.made.result}", who).json()
        for who in ("viewer", "friend")
    )
    assert httpx.get(service.origin + at_home["original_url"]).content == b"as it came"
    assert (seen["original_url"], seen["original"]["uid"]) == (None, linked.original)
    took = service.ask("POST", "downloads", "viewer", json=asked).json()
    assert (took["left"], took["files"]) == (0, 2)
    left = service.ask("POST", "downloads", "friend", json=asked).json()
    assert (left["files"], [one["uid"] for one in left["left_out"]]) == (1, asked["records"])
    assert "take it as ome-zarr" in left["left_out"][0]["why"]
    assert linked.home not in json.dumps(left)


def test_a_linked_image_is_changed_at_home_only(service: Service, linked) -> None:
    asked = f"images/{linked.made.result}"
    for method, path, body in (
        ("PATCH", asked, {"name": "mine"}),
        ("PUT", f"{asked}/tags/Staining", {"value": "DAPI"}),
    ):
        refused = service.ask(method, path, "friend", json=body)
        assert (refused.status_code, refused.json()["error"]) == (403, "NotAllowed")
        assert linked.home not in refused.text


def test_the_list_of_projects_asks_the_database_as_often_for_many(sessions: Sessions) -> None:
    asked: list[str] = []
    engine = sessions.kw["bind"]
    event.listen(engine, "before_cursor_execute", lambda *a: asked.append(a[2]))

    def times() -> int:
        with sessions() as session:
            asked.clear()
            ask = Ask(session, world.STAFF, None)
            shown = project_shapes.several(ask, projects.listing(session, world.STAFF))
            assert all(len(project.members) == 7 for project in shown)
            return len(asked)

    with sessions.begin() as session:
        world.make_project(session, "one")
    once = times()
    with sessions.begin() as session:
        for number in range(20):
            world.make_project(session, f"more-{number}")
    assert times() == once


def test_staff_reading_a_page_of_a_project_is_noted_once(
    service: Service, service_database: Sessions, linked
) -> None:
    staff = STAFF | {"name": f"staff-{next(unique)}"}
    for _ in range(2):
        assert service.ask("GET", f"projects/{linked.home}", staff).status_code == 200
        assert service.ask("GET", "images", staff, params={"project": linked.home}).is_success
    with service_database() as session:
        entries = session.scalars(
            select(t.Journal).where(t.Journal.person == staff["name"]).order_by(t.Journal.id)
        ).all()
    assert [entry.action for entry in entries][:1] == ["staff read"]
    assert entries[0].detail == {
        "what": f"GET projects/{linked.home}",
        "projects": [linked.home],
    }
    named = [name for entry in entries for name in entry.detail["projects"]]
    assert len(named) == len(set(named))
