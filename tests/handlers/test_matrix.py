"""Every role against every route, generated from the route table: who may do what, by name."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable
from typing import Any

import batch_rows
import instrument_rows
import mask_rows
import people_rows
import provenance_rows
import pytest
import steering_rows
import subscription_rows
import template_rows
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
    "member": {"contributor", "guest"} | MANAGERS - {"staff"},  # by a role, not as staff
    "manager": MANAGERS,
    "staff": {"staff"},
}

unique = itertools.count()

# how each operation is called: path parameters and body from a world
Row = Callable[[world.World], tuple[str, Any]]
FILES = {"files": [{"path": "a.tif", "nbytes": 10}]}
TARIFF = {"tb_year": "162.00", "archive_tb_year": "20", "gpu_hour": "1", "cpu_hour": "0.05"}
TARIFFS = dict.fromkeys(("internal", "academic", "industrial"), TARIFF | {"vat": "20"})
PRICES = {"valid_from": "2100-01-01", "currency": "EUR", "tariffs": TARIFFS}
CREDIT = {"kind": "cpu", "amount": 1, "day": "2026-01-01", "reason": "a test"}


def sheet(w: world.World) -> str:
    """Return a sheet without rows."""
    return base64.b64encode(b"uid\r\n").decode()


ROWS: dict[tuple[str, str], Row] = {
    ("GET", "openapi.json"): lambda w: ("openapi.json", None),
    ("GET", "whoami"): lambda w: ("whoami", None),
    ("GET", "projects"): lambda w: ("projects", None),
    ("POST", "projects"): lambda w: (
        "projects",
        {"name": f"new-{next(unique)}", "team": "new-team", "limit": 10},
    ),
    ("PATCH", "projects/{project}"): lambda w: (f"projects/{w.project}", {"title": "New"}),
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
    ("GET", "projects/{project}/usage"): lambda w: (f"projects/{w.project}/usage", None),
    ("POST", "projects/{project}/credits"): lambda w: (f"projects/{w.project}/credits", CREDIT),
    ("GET", "teams/{team}/usage"): lambda w: (f"teams/lab-{w.project}/usage", None),
    ("GET", "teams/{team}/invoices/{period}"): lambda w: (
        f"teams/lab-{w.project}/invoices/2025-12",
        None,
    ),
    ("GET", "teams/{team}/invoices/{period}/csv"): lambda w: (
        f"teams/lab-{w.project}/invoices/2025-12/csv",
        None,
    ),
    ("GET", "teams/{team}/invoices/{period}/pdf"): lambda w: (
        f"teams/lab-{w.project}/invoices/2025-12/pdf",
        None,
    ),
    ("GET", "usage"): lambda w: ("usage", None),
    ("GET", "prices"): lambda w: ("prices", None),
    ("POST", "prices"): lambda w: ("prices", PRICES),
    ("POST", "projects/{project}/datasets"): lambda w: (
        f"projects/{w.project}/datasets",
        {"path": "a/b"},
    ),
    ("POST", "projects/{project}/deposits"): lambda w: (f"projects/{w.project}/deposits", FILES),
    ("GET", "deposits/{deposit}"): lambda w: (f"deposits/{w.deposit}", None),
    ("DELETE", "deposits/{deposit}"): lambda w: (f"deposits/{w.deposit}", None),
    ("POST", "deposits/{deposit}/commit"): lambda w: (f"deposits/{w.deposit}/commit", {}),
    ("GET", "search/count"): lambda w: ("search/count?q=objective:63x", None),
    ("GET", "search/facets"): lambda w: ("search/facets?keys=objective,kind", None),
    ("GET", "search/complete"): lambda w: ("search/complete?q=obj", None),
    ("GET", "search/top"): lambda w: ("search/top", None),
    ("GET", "records"): lambda w: ("records?q=kind:notebook", None),
    ("GET", "datasets/{dataset}"): lambda w: (f"datasets/{w.dataset}", None),
    ("PATCH", "datasets/{dataset}"): lambda w: (f"datasets/{w.dataset}", {"path": "plate 2"}),
    ("DELETE", "datasets/{dataset}"): lambda w: (f"datasets/{w.dataset}", None),
    ("PUT", "datasets/{dataset}/links/{record}"): lambda w: (
        f"datasets/{w.dataset}/links/{w.result}",
        None,
    ),
    ("DELETE", "datasets/{dataset}/links/{record}"): lambda w: (
        f"datasets/{w.dataset}/links/{w.linked}",
        None,
    ),
    ("POST", "downloads"): lambda w: ("downloads", {"records": [w.result], "as": "ome-zarr"}),
    ("POST", "records/move"): lambda w: (
        "records/move",
        {"records": [w.result, w.linked], "dataset": w.dataset},
    ),
    ("GET", "notes"): lambda w: (f"notes?about=dataset:{w.dataset}", None),
    ("POST", "notes"): lambda w: ("notes", {"about": f"record:{w.plain}", "text": "good"}),
    ("PATCH", "notes/{note}"): lambda w: (f"notes/{w.note}", {"text": "better"}),
    ("DELETE", "notes/{note}"): lambda w: (f"notes/{w.note}", None),
    ("GET", "trash"): lambda w: (f"trash?project={w.project}", None),
    ("POST", "trash"): lambda w: ("trash", {"records": [w.plain], "datasets": [w.dataset]}),
    ("POST", "trash/{trash}/restore"): lambda w: (f"trash/{w.trash}/restore", None),
    ("DELETE", "trash/{trash}"): lambda w: (f"trash/{w.trash}", None),
    ("GET", "journal"): lambda w: ("journal", None),
    ("POST", "journal/{entry}/undo"): lambda w: (f"journal/{w.entry}/undo", None),
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
    ("GET", "records/{record}"): lambda w: (f"records/{w.plain}", None),
    ("PUT", "records/{record}/tags/{key}"): lambda w: (
        f"records/{w.result}/tags/Staining",
        {"value": ["DAPI", "GFP"]},
    ),
    ("DELETE", "records/{record}/tags/{key}"): lambda w: (
        f"records/{w.result}/tags/Objective",
        None,
    ),
    ("POST", "annotations"): lambda w: (
        "annotations",
        {"records": [w.result], "set": {"Staining": "DAPI"}},
    ),
    ("GET", "terms"): lambda w: ("terms", None),
    ("POST", "terms"): lambda w: ("terms", {"key": f"Key {next(unique)}"}),
    ("GET", "projects/{project}/terms"): lambda w: (f"projects/{w.project}/terms", None),
    ("POST", "projects/{project}/terms"): lambda w: (
        f"projects/{w.project}/terms",
        {"key": "Passage", "type": "number"},
    ),
    ("GET", "projects/{project}/card"): lambda w: (f"projects/{w.project}/card", None),
    ("GET", "terms/{term}"): lambda w: (f"terms/{w.term}", None),
    ("PATCH", "terms/{term}"): lambda w: (f"terms/{w.term}", {"help": "what it is for"}),
    ("POST", "terms/{term}/merge"): lambda w: (f"terms/{w.term}/merge", {"into": w.into}),
    ("GET", "terms/{term}/values"): lambda w: (f"terms/{w.term}/values?q=h", None),
    ("POST", "terms/{term}/values"): lambda w: (f"terms/{w.term}/values", {"values": ["HEK"]}),
    ("POST", "terms/{term}/values/{value}/rename"): lambda w: (
        f"terms/{w.term}/values/{w.value}/rename",
        {"to": "HeLa Kyoto"},
    ),
    ("GET", "sheets"): lambda w: (f"sheets?project={w.project}&format=xlsx", None),
    ("POST", "sheets/preview"): lambda w: (
        "sheets/preview",
        {"project": w.project, "format": "csv", "content": sheet(w)},
    ),
    ("POST", "sheets/apply"): lambda w: (
        "sheets/apply",
        {"project": w.project, "format": "csv", "content": sheet(w), "digest": w.digest},
    ),
    ("GET", "images/{image}/lineage"): lambda w: (f"images/{w.result}/lineage", None),
    ("GET", "files/{file}"): lambda w: (f"files/{w.file}", None),
    ("PATCH", "files/{file}"): lambda w: (f"files/{w.plain}", {"name": "plan 2.pdf"}),
    ("PUT", "files/{file}/tags/{key}"): lambda w: (
        f"files/{w.plain}/tags/Staining",
        {"value": "DAPI"},
    ),
    ("DELETE", "files/{file}/tags/{key}"): lambda w: (f"files/{w.plain}/tags/Objective", None),
    **people_rows.ROWS,
    **instrument_rows.ROWS,
    **subscription_rows.ROWS,
    **template_rows.ROWS,
    **mask_rows.ROWS,
    **batch_rows.ROWS,
    **steering_rows.ROWS,
    **provenance_rows.ROWS,
}

# what a run token may, beside "anyone" (its own run; never the catalog at large)
RUN_MAY = {
    ("GET", "runs/{run}"),
    ("GET", "runs/{run}/work"),
    ("POST", "runs/{run}/progress"),
    ("POST", "runs/{run}/deposits"),
    *provenance_rows.RUN_MAY,
}
RUN_REFUSED = {  # visible or addressed without a record: refused by name instead of hidden
    ("PATCH", "teams/{team}"),
    ("GET", "people/{person}/belongings"),
    ("POST", "people/{person}/handover"),
    ("POST", "requests"),
    ("POST", "requests/{request}/approve"),
    ("POST", "requests/{request}/refuse"),
    ("POST", "projects"),
    ("POST", "runs"),
    ("POST", "runs/preflight"),
    ("POST", "runs/{run}/cancel"),
    ("POST", "runs/{run}/replay"),
    ("GET", "runs/{run}/comparison"),
    ("GET", "runs/{run}/diff/{other}"),
    ("PUT", "projects/{project}/allocation"),
    ("POST", "terms"),
    ("POST", "projects/{project}/credits"),
    ("POST", "prices"),
    ("GET", "prices"),
    *instrument_rows.RUN_REFUSED,
    *mask_rows.RUN_REFUSED,
    *template_rows.RUN_REFUSED,
    *batch_rows.RUN_REFUSED,
    *steering_rows.RUN_REFUSED,
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
    if who == "person":  # with an account of the facility, and a token that writes
        return refused if persona in ("guest", "readonly") else good
    if who == "writer":  # with a token that writes: about oneself
        return refused if persona == "readonly" else good
    if who == "self":
        return good if persona in ("contributor", "staff") else refused
    if who in ("team", "leader"):
        return good if persona in ("leader", "staff") else hidden
    if who == "asker" and persona == "staff":
        return good if operation.method == "GET" else refused
    if who == "asker":
        return good if persona == "contributor" else hidden
    if key == ("POST", "deposits/{deposit}/commit"):  # of a deposit to which nothing came yet
        return (409, "Conflict") if persona == "contributor" else hidden
    if who == "owner" and "deposits" in operation.path:
        others = MANAGERS if operation.method == "DELETE" else set()
        return good if persona in {"contributor"} | others else hidden
    if persona in ("stranger", "ended"):
        return hidden
    if who == "owner":
        return good if persona in {"contributor"} | MANAGERS else refused
    if who == "run":
        return refused
    return good if persona in MAY[who] else refused


@pytest.fixture(scope="module")
def read_world(service_database: Sessions) -> world.World:
    """A world that nobody changes, for all who only read."""
    return world.with_a_step(service_database, f"p-{next(unique)}")


@pytest.mark.parametrize("operation", list(operations()), ids=lambda o: f"{o.method} {o.path}")
def test_every_role_gets_what_the_table_says(
    operation: Operation,
    service: Service,
    service_database: Sessions,
    read_world: world.World,
) -> None:
    row = ROWS[operation.method, operation.path]
    reads = operation.method == "GET"

    def new_world() -> world.World:
        return world.with_a_step(service_database, f"p-{next(unique)}")

    def found(persona: str, made: world.World) -> tuple[int, str | None]:
        path, body = row(made)
        asked = f"run:{made.run_token}" if persona == "run" else PERSONAS[persona]
        answer = service.ask(operation.method, path, asked, json=body)
        return answer.status_code, None if answer.is_success else answer.json()["error"]

    wrong = []
    made = read_world if reads else new_world()
    # who is refused comes first: nobody has changed anything then
    for persona in sorted(PERSONAS, key=lambda persona: expected(operation, persona)[1] is None):
        wanted = expected(operation, persona)
        got = found(persona, made)
        if got != wanted and wanted[1] is None and not reads:  # it was done by another already
            made = new_world()
            got = found(persona, made)
        if got != wanted:
            wrong.append((persona, got, wanted))
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
