"""Who is no member is told nothing: no row, count, value, thumbnail, nor that anything is there.

Every GET route is asked with the names of a private project and with names of nothing; the answers
are the same, and hold no private word. A route, or a query, without an entry here fails.
"""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import hidden_world
import httpx
import pytest
import targets
import world
from hidden_world import Hidden
from processes import STAFF, Service
from test_matrix import ROWS

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.people import members, teams
from cid_server_ext.db.session import Sessions
from cid_server_ext.handlers.routes import Operation, operations

unique = itertools.count()

# path parameters that name nothing private
PUBLIC = {"period": "2026-01"}
# microscopes and what an upload from one must say are no secret
PUBLIC |= dict.fromkeys(("instrument", "version", "mask"), targets.ABSENT) | {"number": "1.0.0"}

THREE = ("stranger", "member of another project", "run of another project")

# the questions that a GET with a query is asked, as templates over the names
WORDS: list[dict[str, str]] = [  # what is asked of every search
    {},
    {"q": "{begin}"},
    {"q": "{word}"},
    {"q": "Staining:{begin}"},
    {"q": '"{key}":"{word} choice"'},
    {"q": "has:{word}"},
    {"q": "in:{path}"},
    {"q": "project:{project}"},
    {"q": "team:{team}"},
    {"q": "by:{person}"},
    {"q": "-project:{project}"},
    {"q": "id:{image}"},
    {"project": "{project}"},
    {"dataset": "{path}"},
    {"project": "{project}", "dataset": "{path}", "kind": "image"},
]
SORTED = [{"q": "{begin}", "sort": sort} for sort in ("newest", "name", "{key}", "-{key}")]
QUERIES: dict[str, list[dict[str, str]]] = {
    "images": [*WORDS, *SORTED, {"project": "{project}", "q": "{begin}", "limit": "1"}],
    "records": [*WORDS, *SORTED],
    "search/count": WORDS,
    "search/facets": [
        words | {"keys": keys}
        for words in WORDS
        for keys in ("Staining,project,dataset,by", "{key}")
    ],
    "search/complete": [
        {"q": typed}
        for typed in (
            "",
            "{begin}",
            "Staining:{begin}",
            '"{key}":',
            "project:{begin}",
            "team:lab-{begin}",
            "by:{begin}",
            "in:{begin}",
            "has:{begin}",
        )
    ],
    "search/top": [{"limit": "100"}],
    "instruments/{instrument}/controls": [{}, {"metric": "{word}"}],
    "runs": [{}, {"batch": "{batch}"}, {"project": "{project}"}],
    "batches": [{}, {"project": "{project}"}, {"mine": "true"}],
    "batches/{batch}": [{}, {"failures": "3"}],
    "notices": [{}, {"unread": "true"}],
    "images/{image}/lineage": [{}, {"depth": "9", "direction": "from"}],
    "subscriptions": [{}, {"project": "{project}"}, {"ended": "true"}],
    "subscriptions/{subscription}/matches": [{}, {"state": "left"}],
    "templates": [{}, {"project": "{project}"}],
    "templates/{template}/versions/{number}/diff": [{}, {"to": "1.0.0"}],
    "requests": [{}, {"state": "asked"}],
    "projects/{project}/usage": [{}, {"dataset": "{dataset}"}],
    "projects/{project}/card": [{}],
    "notes": [
        {"about": "project:{project}"},
        {"about": "image:{image}"},
        {"about": "record:{image}"},
        {"about": "dataset:{dataset}"},
    ],
    "trash": [{"project": "{project}"}],
    "journal": [
        {},
        {"project": "{project}"},
        {"about": "image:{image}"},
        {"about": "project:{project}"},
        {"about": "run:{run}"},
    ],
    "terms/{term}/values": [{"q": ""}, {"q": "{begin}"}, {"q": "{begin}", "project": "{project}"}],
    "sheets": [
        {"project": "{project}"},
        {"project": "{project}", "q": "{begin}"},
        {"project": "{project}", "dataset": "{path}", "format": "xlsx"},
    ],
}

# what tells nobody anything of a project, or nothing to staff either
SAYS_NOTHING = {
    "openapi.json",
    "whoami",
    "prices",
    "instruments",
    "instruments/{instrument}",
    "instruments/standing",  # numbers, of the images that one sees
    "instruments/{instrument}/controls",
    "instruments/{instrument}/versions/{version}",
    "images/{image}/controls",  # numbers of its microscope
    "masks",
    "masks/{mask}",
    "masks/{mask}/versions/{number}",
    "terms",
    "requests",  # staff sees the newest of all
    "notices",  # one's own only
    "deposits/{deposit}",  # its person's only
    "runs/{run}/work",  # its own worker's only
    "images/{image}/lineage",
    "keys",
    "runs/{run}/crate",  # packed
    "batches/{batch}/crate",
    "health",  # batches that wait, and numbers
    "limits",
    "teams/{team}/limits",  # numbers
    "teams/{team}/invoices/{period}",  # nothing to pay
    "teams/{team}/invoices/{period}/csv",
    "teams/{team}/invoices/{period}/pdf",
    "sheets",  # packed
    "search/count",  # a number, below
}


@pytest.fixture(scope="module")
def hidden(service: Service, service_database: Sessions) -> Hidden:
    with service_database.begin() as session:
        made = hidden_world.make(session)
    with service_database.begin() as session:
        return Hidden(
            made.names | {"entry": str(hidden_world.entry_of(session, made))},
            made.told,
            made.world,
        )


@pytest.fixture(scope="module")
def readers(hidden: Hidden, service_database: Sessions) -> dict[str, Any]:
    """People who are no members of the private project, each with some right elsewhere."""
    with service_database.begin() as session:
        other = world.make(session, f"elsewhere-{next(unique)}")
        manager = Actor("manager")
        for person in ("visitor", "neighbour"):
            members.put_member(session, manager, other.project, person, "manager")
        teams.put_member(session, world.STAFF, f"lab-{other.project}", "chief", "leader")
    return {
        "stranger": "somebody-else",
        "ended": hidden.names["ended"],
        "member of another project": "neighbour",
        "leader of another team": "chief",
        "guest elsewhere": {"name": "visitor", "groups": ["cid-guest"]},
        "reads only": {"name": "neighbour", "scopes": ["custom:cid:read"]},
        "run of another project": f"run:{other.run_token}",
    }


@dataclass(frozen=True)
class Question:
    """One request, and which names it says."""

    path: str
    query: dict[str, str]
    says: frozenset[str]


def questions(operation: Operation, names: dict[str, str]) -> list[Question]:
    """Return every question to a route about these names."""
    given = {name: quote(value, safe="") for name, value in (names | PUBLIC).items()}
    path = operation.path.format(**given)
    found = []
    for query in QUERIES[operation.path] if operation.endpoint.query else [{}]:
        templates = [operation.path, *query.values()]
        said = {names[field] for field in fields(templates) if field in names}
        filled = {key: template.format(**names) for key, template in query.items()}
        found.append(Question(path, filled, frozenset(said)))
    return found


def fields(templates: list[str]) -> set[str]:
    formatter = string.Formatter()
    return {field for one in templates for _, field, _, _ in formatter.parse(one) if field}


def told(answer: httpx.Response, says: Collection[str]) -> str:
    """Return the answer without the names that were said in the question."""
    text = answer.text if "json" in answer.headers["Content-Type"] else answer.content.hex()
    text = re.sub(r"/data/[^/\"]+/", "/data/a ticket/", text)  # another one each minute
    for name in sorted(filter(None, says), key=len, reverse=True):
        either = f"{re.escape(quote(name, safe=''))}|{re.escape(name)}"
        text = re.sub(rf"\b({either})\b" if name.isdigit() else either, "·", text)
    return text


def leaked(text: str, hidden: Hidden) -> list[str]:
    return sorted(word for word in hidden.told if word in text)


GETS = [o for o in operations() if o.method == "GET"]
CHANGES = [o for o in operations() if o.method != "GET"]


@pytest.mark.parametrize("operation", GETS, ids=lambda o: o.path)
def test_hidden_and_absent_are_the_same(
    operation: Operation, service: Service, hidden: Hidden, readers: dict[str, Any]
) -> None:
    nothing = hidden.absent()
    wrong = []
    for reader, who in readers.items():
        pairs = zip(
            questions(operation, hidden.names), questions(operation, nothing.names), strict=True
        )
        for about, absent in pairs:
            there = service.ask("GET", about.path, who, params=about.query)
            not_there = service.ask("GET", absent.path, who, params=absent.query)
            texts = told(there, about.says), told(not_there, absent.says)
            if there.status_code != not_there.status_code or texts[0] != texts[1]:
                wrong.append((reader, about, there.text[:300], not_there.text[:300]))
            if found := leaked(texts[0], hidden):
                wrong.append((reader, about, found))
            assert {there.status_code, not_there.status_code} <= {200, 400, 403, 404}
    assert not wrong


@pytest.mark.parametrize("operation", CHANGES, ids=lambda o: f"{o.method} {o.path}")
def test_a_change_of_what_is_hidden_is_refused_as_of_nothing(
    operation: Operation, service: Service, hidden: Hidden, readers: dict[str, Any]
) -> None:
    row = ROWS[operation.method, operation.path]
    nothing = hidden.absent()
    wrong = []
    for reader, who in readers.items():
        if reader not in THREE or operation.endpoint.who in ("anyone", "person", "writer"):
            continue  # these make something of their own
        path, body = row(hidden.world)
        absent_path, absent_body = row(nothing.world)
        there = service.ask(operation.method, path, who, json=body)
        not_there = service.ask(operation.method, absent_path, who, json=absent_body)
        says = [{str(name) for name in vars(one.world).values()} for one in (hidden, nothing)]
        texts = told(there, says[0]), told(not_there, says[1])
        if there.status_code != not_there.status_code or texts[0] != texts[1]:
            wrong.append((reader, path, there.text[:300], not_there.text[:300]))
        if found := leaked(texts[0], hidden):
            wrong.append((reader, path, found))
    assert not wrong


def test_there_is_something_to_be_told(service: Service, hidden: Hidden) -> None:
    silent = []
    for operation in GETS:
        if operation.path in SAYS_NOTHING:
            continue
        who = "leader" if operation.path == "usage" else STAFF
        found = [
            leaked(service.ask("GET", about.path, who, params=about.query).text, hidden)
            for about in questions(operation, hidden.names)
        ]
        if not any(found):
            silent.append(operation.path)
    assert not silent


def test_a_member_counts_what_others_do_not(
    service: Service, hidden: Hidden, readers: dict[str, Any]
) -> None:
    asked = {"q": hidden.names["word"]}
    for reader in readers.values():
        assert service.ask("GET", "search/count", reader, params=asked).json() == {"count": 0}
    assert service.ask("GET", "search/count", "viewer", params=asked).json()["count"] >= 2


def test_every_query_has_its_questions() -> None:
    with_query = {o.path for o in GETS if o.endpoint.query}
    assert with_query == set(QUERIES)
    for path, queries in QUERIES.items():
        [operation] = [o for o in GETS if o.path == path]
        taken = set(operation.endpoint.query.model_fields)
        asked_for = {key for query in queries for key in query}
        assert asked_for <= taken
        free = {"sort", "limit", "after", "first", "last", "format", "kind", "machine", "state"}
        assert taken - free <= asked_for, f"{path}: ask with every word it takes"


def test_every_name_in_a_path_is_known(hidden: Hidden) -> None:
    for operation in GETS:
        assert fields([operation.path]) <= {*hidden.names, *PUBLIC}, operation.path


def test_bytes_are_read_with_no_ticket_but_ones_own(
    service: Service, hidden: Hidden, service_database: Sessions
) -> None:
    name = f"bytes-{next(unique)}"
    with service_database.begin() as session:
        mine = world.make(session, name)
        members.put_member(session, Actor("manager"), name, "outsider", "viewer")
    secret = service.folder / "storage" / "images" / hidden.names["image"]
    secret.mkdir(parents=True)
    (secret / "thumbnail.png").write_bytes(b"secret")
    seen = service.ask("GET", f"images/{hidden.names['image']}", "viewer").json()["thumbnail"]
    assert httpx.get(service.origin + seen).content == b"secret"
    own = service.ask("GET", f"images/{mine.image}", "outsider").json()["thumbnail"]
    ticket = own.split("/data/")[1].split("/")[0]
    other = seen.split("/data/")[1].split("/")[0]
    forged = f"{other.split('.')[0]}.{ticket.split('.')[1]}"
    data = f"{service.url}data"
    for url in (
        f"{data}/{ticket}/../{hidden.names['image']}/thumbnail.png",
        f"{data}/{ticket}/..%2f{hidden.names['image']}%2fthumbnail.png",
        f"{data}/{ticket}/{hidden.names['image']}/thumbnail.png",
        f"{data}/{forged}/thumbnail.png",
    ):
        answer = httpx.get(url)
        assert answer.status_code in (400, 401, 403, 404), url
        assert b"secret" not in answer.content
