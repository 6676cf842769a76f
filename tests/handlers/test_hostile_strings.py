"""Text that breaks what is careless, in every place of every request and on the pages."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl, urlencode

import hostile
import httpx
import pytest
import targets
import world
from live import Live
from processes import STAFF, identity
from test_matrix import ROWS

from cid_server_ext.handlers.routes import Operation, operations
from cid_server_ext.openapi import document

DOCUMENT = document()
PEOPLE = {"staff": STAFF, "team": "leader", "leader": "leader"}
PEOPLE |= dict.fromkeys(("owner", "asker", "self", "person"), "contributor")
LEAKS = ("Traceback", "sqlalchemy", "psycopg", "sqlite3", "/cid_server_ext/")
unique = itertools.count()

Request = tuple[str, str, str, Any]  # place, text, address, body


@pytest.mark.parametrize("operation", list(operations()), ids=lambda o: f"{o.method} {o.path}")
def test_any_text_anywhere_is_kept_as_it_is_or_refused_by_name(
    live: Live, operation: Operation
) -> None:
    made = read_world(live) if operation.method == "GET" else new_world(live)
    who: Any = PEOPLE.get(operation.endpoint.who, "manager")
    who = f"run:{made.run_token}" if operation.endpoint.who == "run" else who
    headers = identity(who) | {"Content-Type": "application/json"}
    _, sent = ROWS[operation.method, operation.path](made)
    fields = {*targets.parameters(operation), *(sent if isinstance(sent, dict) else ())}

    def ask(request: Request) -> str | None:
        place, text, path, body = request
        answer = client.request(
            operation.method,
            f"{live.service.url}api/v1/{path}",
            content=None if body is None else json.dumps(body),
            headers=headers,
        )
        wrong = judged(place, text, answer, fields)
        return wrong and f"{place}={text[:40]!r}: {wrong} {answer.status_code} {answer.text[:200]}"

    with httpx.Client(timeout=60) as client, ThreadPoolExecutor(4) as threads:
        tried = requests(live, operation, made)
        # what one database keeps the other refuses, or not: each text meets both in some place
        mine = itertools.islice(tried, live.database == "sqlite", None, 2)
        wrong = [found for found in threads.map(ask, mine) if found]
    assert not wrong, "\n".join(wrong)


def requests(live: Live, operation: Operation, made: world.World) -> Iterator[Request]:
    """Yield each place with each text."""
    described = DOCUMENT["paths"]["/" + operation.path][operation.method.lower()]
    path, body = ROWS[operation.method, operation.path](made)
    names = targets.of(live.sessions, made)
    for text in hostile.STRINGS:
        short = text[:8000]  # of an address more is no address
        if short.isascii() or short.encode(errors="ignore").decode() == short:
            for name in targets.parameters(operation):
                yield name, short, targets.address(operation, names, **{name: short}), body
            bare, _, known = path.partition("?")
            for parameter in described["parameters"]:
                if parameter["in"] == "query":
                    asked = dict(parse_qsl(known)) | {parameter["name"]: short}
                    yield parameter["name"], short, f"{bare}?{urlencode(asked)}", body
        if "requestBody" in described:
            schema = described["requestBody"]["content"]["application/json"]["schema"]
            _, body = ROWS[operation.method, operation.path](made)  # a name that is new again
            for place, put in hostile.places(body, schema, DOCUMENT):
                yield place, text, path, put(text)


def judged(place: str, text: str, answer: httpx.Response, fields: set[str]) -> str | None:
    """Return what is wrong with an answer, or None."""
    if answer.status_code >= 500:
        return "broke"
    if any(leak in answer.text for leak in LEAKS):
        return "tells what it is made of"
    if answer.status_code == 400 and not hostile.named(answer.json()["message"], place, fields):
        return "refused without the field's name"
    if answer.is_success and answer.headers["Content-Type"] == "application/json":
        found = hostile.values(answer.json(), place.rpartition(".")[2])
        kept = {hostile.plain(value, place) for value in found}
        asked = answer.request.url.path.endswith("/approve")  # shows what was asked, not decided
        if answer.request.method == "GET" or asked:
            return None
        if kept and hostile.plain(text, place) not in kept:
            return f"kept as {sorted(kept)[:3]}"
    return None


_read: dict[str, world.World] = {}


def read_world(live: Live) -> world.World:
    """Return a world that nobody changes, the same for all who only read."""
    if live.database not in _read:
        _read[live.database] = new_world(live)
    return _read[live.database]


def new_world(live: Live) -> world.World:
    with live.sessions.begin() as session:
        return world.organise(session, world.make(session, f"hostile-{next(unique)}"))
