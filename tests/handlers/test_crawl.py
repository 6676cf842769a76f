"""Every route of the process without a login, and every change from a page of another origin."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import targets
import world
from ports import free_port
from processes import STAFF, TESTS, Service, identity

from cid_server_ext.db.session import Sessions, migrate
from cid_server_ext.handlers.routes import operations

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# what everybody may see of a server: its icon, what robots are told, and the way to log in
PUBLIC = {
    "/services/cid/(robots\\.txt|favicon\\.ico)$",
    "/(robots\\.txt)$",
    "/(favicon\\.ico)$",
    "/services/cid/login$",
    "/services/cid/logout$",
}


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder: Path = tmp_path_factory.mktemp("routes")
    migrate(f"sqlite:///{folder}/catalog.sqlite")
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "CID_STORAGE": str(folder / "storage"),
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
    printed = subprocess.run(
        [sys.executable, str(TESTS / "service_routes.py"), str(free_port())],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert "Extension endpoints without" not in printed.stderr
    found: list[str] = json.loads(printed.stdout)
    assert len(found) > 50
    return found


def address(pattern: str) -> str:
    """Return an address that a route's pattern matches."""
    path = re.sub(r"\(\?P<\w+>\[\^/\]\+\)", targets.ABSENT, pattern)
    path = path.replace("([^/]+)/(.+)", "ticket/image.ome.zarr/zarr.json")
    path = path.replace("([0-9a-f]{32})", "0" * 32).replace("([^/]+)", "ticket").replace("/?", "/")
    path = path.replace("static/(.*)", "static/style/style.min.css")
    path = path.replace("files/(.*)", "files/catalog.sqlite").replace("(.*)", "/")
    return re.sub(r"\\(.)", r"\1", path.removesuffix("$").replace(".*", "x"))


def test_no_route_is_open_to_nobody(service: Service, routes: list[str]) -> None:
    opened, client = [], httpx.Client(timeout=30)
    for pattern in routes:
        if pattern in PUBLIC:
            continue
        path = address(pattern)
        assert re.match(pattern, path), pattern
        for verb in VERBS:
            answer = client.request(verb, service.origin + path)
            to = answer.headers.get("Location", "")
            away = answer.status_code == 302 and ("/login" in to or to == path.rstrip("/"))
            if not away and answer.status_code not in (301, 401, 403, 404, 405):
                opened.append((verb, path, answer.status_code))
    client.close()
    assert not opened


def test_no_stored_byte_is_open_to_nobody(
    service: Service, service_database: Sessions, routes: list[str]
) -> None:
    with service_database.begin() as session:
        made = world.make(session, "crawl-bytes")
    shown = service.ask("GET", f"images/{made.image}", "viewer").json()
    ticket = shown["data"].split("/")[4]
    forged = ticket[:-2] + ("AA" if not ticket.endswith("AA") else "BB")
    for path in (f"data/{forged}/thumbnail.png", f"data/{made.image}/thumbnail.png"):
        answer = httpx.get(service.url + path)
        assert (answer.status_code, answer.json()["error"]) == (401, "NotLoggedIn")


def test_every_operation_answers_nobody_by_name(service: Service) -> None:
    for operation in operations():
        path = targets.address(operation, {})
        answer = service.ask(operation.method, path, None, json={})
        assert (answer.status_code, answer.json()["error"]) == (401, "NotLoggedIn"), path


# --- other origins --------------------------------------------------------------------------

EVIL = {"Origin": "https://evil.example"}
COOKIE = {"X-Test-Cookie": "1"}
FOREIGN = {
    "no _xsrf": {},
    "a foreign _xsrf": {"Cookie": "_xsrf=aaaa", "X-XSRFToken": "bbbb"},
    "an _xsrf without its cookie": {"X-XSRFToken": "aaaa"},
    "another origin": {"Cookie": "_xsrf=aaaa", "X-XSRFToken": "aaaa", **EVIL},
    "a form": {"Content-Type": "application/x-www-form-urlencoded"},
    "another user's server": {"Referer": "http://127.0.0.1/user/mallory/", **EVIL},
}


@pytest.mark.parametrize("how", FOREIGN)
def test_a_cookie_changes_nothing_for(
    service: Service, service_database: Sessions, how: str
) -> None:
    with service_database.begin() as session:
        made = world.make(session, f"crawl-{list(FOREIGN).index(how)}")
    names = targets.of(service_database, made)
    who = STAFF | {"name": f"staff {how}"}
    for operation in operations():
        if operation.method == "GET":
            continue
        path = targets.address(operation, names)
        headers = COOKIE | FOREIGN[how]
        content = b"name=x" if how == "a form" else b'{"name": "x"}'
        answer = service.ask(operation.method, path, who, headers=headers, content=content)
        assert (answer.status_code, answer.json()["error"]) == (403, "NotAllowed"), path
    assert service.ask("GET", f"images/{made.image}", "viewer").json()["name"] == "cells"


def test_a_cookie_with_its_own_xsrf_may(service: Service, service_database: Sessions) -> None:
    with service_database.begin() as session:
        made = world.make(session, "crawl-own")
    headers = COOKIE | {"Cookie": "_xsrf=aaaa", "X-XSRFToken": "aaaa", "Origin": service.origin}
    answer = service.ask(
        "PATCH", f"images/{made.image}", "manager", headers=headers, json={"name": "x"}
    )
    assert answer.status_code == 200, answer.text


def test_a_cookie_reads_nothing_for_another_origin(service: Service) -> None:
    answer = service.ask("GET", "projects", "manager", headers=COOKIE | EVIL)
    assert (answer.status_code, answer.json()["error"]) == (403, "NotAllowed")
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_token_needs_no_xsrf_and_heeds_no_cookie(
    service: Service, service_database: Sessions
) -> None:
    with service_database.begin() as session:
        made = world.make(session, "crawl-token")
    for headers in ({}, {"Cookie": "_xsrf=aaaa; jupyterhub-services=somebody"}):
        answer = service.ask(
            "PATCH", f"images/{made.image}", "manager", headers=headers, json={"name": "x"}
        )
        assert answer.status_code == 200
    assert httpx.get(service.url + "api/v1/whoami", headers=identity("a")).json()["name"] == "a"


def test_protected_answers_are_kept_by_no_cache(
    service: Service, service_database: Sessions
) -> None:
    with service_database.begin() as session:
        made = world.make(session, "crawl-cache")
    for path in ("projects", f"images/{made.image}", f"images/{targets.ABSENT}"):
        answer = service.ask("GET", path, "viewer")
        assert answer.headers["Cache-Control"] == "private, no-store"
    for path in ("", f"images/{made.image}", f"images/{targets.ABSENT}"):
        page = httpx.get(service.url + path, headers=identity("viewer"))
        assert page.headers["Cache-Control"] == "private, no-store"
