"""Every role against every route, generated from the route table: who may do what, by name."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import world
from processes import STAFF, Service

from cid_server_ext.db.session import Sessions
from cid_server_ext.handlers.routes import TABLE, VERBS, Operation, operations

READ_ONLY = {"name": "readonly", "scopes": ["custom:cid:read"]}
GUEST = {"name": "guest", "groups": ["cid-guest"]}

PERSONAS: dict[str, Any] = {
    "nobody": None,
    "stranger": "stranger",
    "ended": "ended",
    "viewer": "viewer",
    "annotator": "annotator",
    "contributor": "contributor",
    "manager": "manager",
    "leader": "leader",
    "staff": STAFF,
    "guest": GUEST,
    "readonly": READ_ONLY,
    "run": "run",
}
INSIDE = ["viewer", "annotator", "contributor", "manager", "leader", "staff", "guest", "readonly"]
MANAGERS = {"manager", "leader", "staff"}
MAY = {
    "viewer": set(INSIDE),
    "annotator": {"annotator", "contributor", "guest"} | MANAGERS,
    "contributor": {"contributor", "guest"} | MANAGERS,
    "manager": MANAGERS,
    "staff": {"staff"},
}

unique = itertools.count()

# how each operation is called: path parameters and body from a world
Row = Callable[[world.World], tuple[str, Any]]
PUBLISH = {"manifest": world.MANIFEST, "notebook": world.NOTEBOOK}
FILES = {"files": [{"path": "a.tif", "nbytes": 10}]}
ROWS: dict[tuple[str, str], Row] = {
    ("GET", "openapi.json"): lambda w: ("openapi.json", None),
    ("GET", "whoami"): lambda w: ("whoami", None),
    ("GET", "projects"): lambda w: ("projects", None),
    ("POST", "projects"): lambda w: (
        "projects",
        {"name": f"new-{next(unique)}", "team": "new-team", "limit": 10},
    ),
    ("GET", "projects/{project}"): lambda w: (f"projects/{w.project}", None),
    ("PUT", "projects/{project}/members/{person}"): lambda w: (
        f"projects/{w.project}/members/newcomer",
        {"role": "viewer"},
    ),
    ("DELETE", "projects/{project}/members/{person}"): lambda w: (
        f"projects/{w.project}/members/annotator",
        None,
    ),
    ("PUT", "projects/{project}/allocation"): lambda w: (
        f"projects/{w.project}/allocation",
        {"limit": 10**9},
    ),
    ("POST", "projects/{project}/datasets"): lambda w: (
        f"projects/{w.project}/datasets",
        {"path": "a/b"},
    ),
    ("POST", "projects/{project}/deposits"): lambda w: (f"projects/{w.project}/deposits", FILES),
    ("GET", "deposits/{deposit}"): lambda w: (f"deposits/{w.deposit}", None),
    ("DELETE", "deposits/{deposit}"): lambda w: (f"deposits/{w.deposit}", None),
    ("POST", "deposits/{deposit}/commit"): lambda w: (f"deposits/{w.deposit}/commit", {}),
    ("GET", "images"): lambda w: ("images", None),
    ("GET", "images/{image}"): lambda w: (f"images/{w.result}", None),
    ("PATCH", "images/{image}"): lambda w: (f"images/{w.result}", {"name": "renamed"}),
    ("PUT", "images/{image}/tags/{key}"): lambda w: (
        f"images/{w.result}/tags/Staining",
        {"value": "DAPI"},
    ),
    ("DELETE", "images/{image}/tags/{key}"): lambda w: (
        f"images/{w.result}/tags/Objective",
        None,
    ),
    ("GET", "images/{image}/lineage"): lambda w: (f"images/{w.result}/lineage", None),
    ("GET", "files/{file}"): lambda w: (f"files/{w.file}", None),
    ("GET", "templates"): lambda w: ("templates", None),
    ("POST", "templates"): lambda w: ("templates", PUBLISH),
    ("GET", "templates/{template}"): lambda w: ("templates/count-things", None),
    ("GET", "runs"): lambda w: ("runs", None),
    ("POST", "runs"): lambda w: (
        "runs",
        {"template": "count-things", "images": [w.result]},
    ),
    ("GET", "runs/{run}"): lambda w: (f"runs/{w.run}", None),
    ("POST", "runs/{run}/cancel"): lambda w: (f"runs/{w.run}/cancel", None),
    ("GET", "runs/{run}/work"): lambda w: (f"runs/{w.run}/work", None),
    ("POST", "runs/{run}/progress"): lambda w: (f"runs/{w.run}/progress", {"cell": 1}),
    ("POST", "runs/{run}/deposits"): lambda w: (f"runs/{w.run}/deposits", FILES),
}

# what a run token may, beside "anyone" (its own run; never the catalog at large)
RUN_MAY = {
    ("GET", "runs/{run}"),
    ("GET", "runs/{run}/work"),
    ("POST", "runs/{run}/progress"),
    ("POST", "runs/{run}/deposits"),
}
RUN_REFUSED = {  # visible or addressed without a record: refused by name instead of hidden
    ("POST", "projects"),
    ("POST", "templates"),
    ("GET", "templates"),
    ("GET", "templates/{template}"),
    ("POST", "runs"),
    ("POST", "runs/{run}/cancel"),
    ("PUT", "projects/{project}/allocation"),
}


def expected(operation: Operation, persona: str) -> tuple[int, str | None]:
    """Return the status and error name that the table promises."""
    key = (operation.method, operation.path)
    good = (operation.endpoint.status, None)
    hidden, refused = (404, "NotFound"), (403, "NotAllowed")
    who = operation.endpoint.who
    if persona == "nobody":
        return 401, "NotLoggedIn"
    if persona == "run":
        if key in RUN_REFUSED:
            return refused
        return good if who == "anyone" or key in RUN_MAY else hidden
    if who == "anyone":
        return good
    if who == "staff":
        return good if persona in MAY["staff"] else refused
    if who == "owner" and "deposits" in operation.path:
        return good if persona == "contributor" else hidden
    if persona in ("stranger", "ended"):
        return hidden
    if who == "owner":
        return good if persona in {"contributor"} | MANAGERS else refused
    if who == "run":
        return refused
    return good if persona in MAY[who] else refused


@pytest.mark.parametrize("operation", list(operations()), ids=lambda o: f"{o.method} {o.path}")
def test_every_role_gets_what_the_table_says(
    operation: Operation, service: Service, service_database: Sessions
) -> None:
    row = ROWS[operation.method, operation.path]
    wrong = []
    made = None
    for persona, who in PERSONAS.items():
        if made is None:  # a new world after each change
            with service_database.begin() as session:
                made = world.make(session, f"p-{next(unique)}")
        path, body = row(made)
        asked = f"run:{made.run_token}" if who == "run" else who
        answer = service.ask(operation.method, path, asked, json=body)
        error = None if answer.is_success else answer.json()["error"]
        if (answer.status_code, error) != expected(operation, persona):
            wrong.append((persona, answer.status_code, answer.text[:200]))
        if answer.is_success and operation.method != "GET":
            made = None
    assert not wrong


def test_a_route_without_a_row_is_noticed() -> None:
    assert {(o.method, o.path) for o in operations()} == set(ROWS)


def test_no_verb_of_a_handler_lacks_its_endpoint() -> None:
    for path, handler in TABLE.items():
        for verb in VERBS:
            if verb in vars(handler):
                assert hasattr(getattr(handler, verb), "endpoint"), f"{verb} {path}"


def test_an_absent_record_answers_like_a_hidden_one(
    service: Service, service_database: Sessions
) -> None:
    with service_database.begin() as session:
        made = world.make(session, f"p-{next(unique)}")
    for kind, uid in [("images", made.image), ("runs", made.run), ("files", made.file)]:
        hidden = service.ask("GET", f"{kind}/{uid}", "stranger")
        absent = service.ask("GET", f"{kind}/{uid[::-1]}", "stranger")
        assert hidden.status_code == absent.status_code == 404
        assert hidden.text.replace(uid, "") == absent.text.replace(uid[::-1], "")


def test_a_stranger_counts_and_finds_nothing(service: Service, service_database: Sessions) -> None:
    with service_database.begin() as session:
        world.make(session, f"p-{next(unique)}")
    assert service.ask("GET", "images", "stranger").json() == {"images": [], "next": None}
    assert service.ask("GET", "projects", "stranger").json() == {"projects": []}
    assert service.ask("GET", "runs", "stranger").json()["runs"] == []


def test_a_run_reaches_its_inputs_and_no_other_image(
    service: Service, service_database: Sessions
) -> None:
    with service_database.begin() as session:
        made = world.make(session, f"p-{next(unique)}")
        other = world.make(session, f"p-{next(unique)}")
    run = f"run:{made.run_token}"
    assert service.ask("GET", f"images/{made.image}", run).status_code == 200
    assert service.ask("GET", f"images/{made.result}", run).status_code == 404
    assert service.ask("GET", f"images/{other.image}", run).status_code == 404
    assert service.ask("GET", f"runs/{other.run}/work", run).status_code == 404
    listed = service.ask("GET", "images", run).json()["images"]
    assert [image["uid"] for image in listed] == [made.image]


def test_a_cookie_without_xsrf_token_changes_nothing(
    service: Service, service_database: Sessions
) -> None:
    with service_database.begin() as session:
        made = world.make(session, f"p-{next(unique)}")
    cookie = {"X-Test-Cookie": "1"}
    answer = service.ask(
        "PATCH", f"images/{made.image}", "manager", json={"name": "x"}, headers=cookie
    )
    assert (answer.status_code, answer.json()["error"]) == (403, "NotAllowed")
    assert "_xsrf" in answer.json()["message"]
