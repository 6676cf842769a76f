"""The newest of many projects: each range is longer than a page, and their ids are mixed."""

from __future__ import annotations

import random
from collections.abc import Iterator

import postgres
import pytest
from compare_answers import opened
from live import DATABASES
from sqlalchemy import insert, text

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.search import find, index
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, reading

PROJECTS, RECORDS, OTHERS = 14, 2500, 50
ANNA = Actor("anna")


@pytest.fixture(scope="module")
def homes() -> list[int]:
    """The project of each record; the last two projects are not Anna's."""
    pick = random.Random(3)
    return [pick.randint(1, PROJECTS) for _ in range(RECORDS)]


@pytest.fixture(scope="module", params=DATABASES)
def wide(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    empty_database: bytes,
    homes: list[int],
) -> Iterator[Sessions]:
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("wide") / "catalog.sqlite"
        path.write_bytes(empty_database)
        url = f"sqlite:///{path}"
    else:
        url = postgres.copy(request.getfixturevalue("postgresql"))
    with opened(url) as sessions:
        write(sessions, homes)
        yield sessions


def write(sessions: Sessions, homes: list[int]) -> None:
    same = {"type": "file", "kind": "table", "prefix": "x", "sha256": "0", "created_by": "anna"}
    places = range(1, PROJECTS + 1)
    rows = {
        t.Team: [{"id": 1, "name": "lab"}],
        t.Project: [{"id": p, "name": f"p{p:02}", "team_id": 1} for p in places],
        t.ProjectMember: [
            {"project_id": p, "person": "anna", "role": "viewer"} for p in places[:-2]
        ],
        t.Dataset: [{"id": p, "project_id": p, "path": ""} for p in places],
        t.Term: [
            {"id": n, "key": key, "folded": key, "kind": "sample", "type": "text"}
            for n, key in enumerate(["odd", "other"], 1)
        ],
        t.Value: [
            {"id": n, "term_id": 1 if n == 1 else 2, "text": text, "folded": text}
            for n, text in enumerate(["yes", *map(str, range(OTHERS))], 1)
        ],
        t.Record: [
            {"id": n, "project_id": p, "dataset_id": p, "name": f"r {n % 7}", "nbytes": n % 5}
            | same
            for n, p in enumerate(homes, 1)
        ],
        t.Tag: [
            {"record_id": n, "term_id": 1, "value_id": 1, "source": "person", "set_by": "anna"}
            for n in range(1, RECORDS + 1, 2)
        ]
        + [
            {
                "record_id": n,
                "term_id": 2,
                "value_id": 2 + n * 7 % OTHERS,
                "source": "person",
                "set_by": "anna",
            }
            for n in range(1, RECORDS + 1)
        ],
    }
    with sessions.begin() as session:
        for model, each in rows.items():
            session.connection().execute(insert(model.__table__), each)
        index.refresh(session, range(1, RECORDS + 1))
    # with statistics, and tallies of many entries, SQLite takes another way, where it must not stop
    # before it has read a page of each project
    with sessions() as session:
        session.execute(text("ANALYZE"))
        session.commit()


QUERIES = {
    "": lambda n: True,
    "odd:yes": lambda n: n % 2 == 1,
    "-odd:yes": lambda n: n % 2 == 0,
    "name:3": lambda n: n % 7 == 3,
    '*"r 3"*': lambda n: n % 7 == 3,
    "size>3": lambda n: n % 5 == 4,
    "odd:yes size<1": lambda n: n % 2 == 1 and n % 5 == 0,
}


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.usefixtures("ways")
@pytest.mark.parametrize("limit", [1, 49, 50, 51, 199])
def test_no_page_leaves_one_out(wide: Sessions, homes: list[int], query: str, limit: int) -> None:
    newest = [n for n, p in enumerate(homes, 1) if p <= PROJECTS - 2 and QUERIES[query](n)][::-1]
    orders = {
        "newest": newest,
        "oldest": sorted(newest),
        "size": sorted(newest, key=lambda n: n % 5),
        "-size": sorted(newest, key=lambda n: -(n % 5)),
        "name": sorted(newest, key=lambda n: n % 7),
    }
    with reading(wide) as session:
        for sort, expected in orders.items():
            read: list[int] = []
            after = None
            for _ in range(3):
                asked = find.Asked(query, sort=sort, limit=limit, after=after)
                page = find.find(session, ANNA, asked)
                read += page.ids
                after = page.next
                if after is None:
                    break
            assert read == expected[: 3 * limit], sort
        assert find.count(session, ANNA, find.Asked(query)) == len(newest)
