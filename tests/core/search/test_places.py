"""`in:` costs the same for one dataset and for many, and live datasets cannot multiply."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import event, insert
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.search import find, index, resolve
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, reading
from cid_server_ext.errors import BadInput

PROJECTS = 1100  # more than SQLite takes alternatives in one condition
STAFF, ANNA = Actor("staff", staff=True), Actor("anna")
CHAIN = {f"part {n}": " ".join([f'in:"part {n + 1}"'] * 60) for n in range(3)}
LIVE = CHAIN | {"part 3": "cell", "one": "in:two", "two": "-in:one"}
RECORD = {"type": "file", "kind": "table", "prefix": "x", "nbytes": 1, "sha256": "0"}
RECORD |= {"created_by": "anna"}


@pytest.fixture
def session(sessions: Sessions) -> Iterator[Session]:
    """A catalog of many projects, each with a dataset in a dataset; Anna is in the first one."""
    numbers = range(1, PROJECTS + 1)
    inner = [{"id": n, "project_id": n, "path": "screen/plate", "query": None} for n in numbers]
    outer = [
        {"id": PROJECTS + n, "project_id": n, "path": "screen", "query": None} for n in numbers
    ]
    rows = {
        t.Team: [{"id": 1, "name": "lab"}],
        t.Project: [{"id": n, "name": f"p{n}", "team_id": 1} for n in numbers],
        t.ProjectMember: [{"project_id": 1, "person": "anna", "role": "viewer"}],
        t.Dataset: [
            *inner,
            *outer,
            *(
                {"id": 3 * PROJECTS + n, "project_id": 1, "path": path, "query": query}
                for n, (path, query) in enumerate(LIVE.items())
            ),
        ],
        t.Record: [
            {"id": n, "project_id": n, "dataset_id": n, "name": "cell"} | RECORD
            for n in (1, PROJECTS)
        ],
    }
    with sessions.begin() as writing:
        for model, each in rows.items():
            writing.connection().execute(insert(model.__table__), each)
        index.refresh(writing, [1, PROJECTS])
    with reading(sessions) as opened:
        yield opened


def asked(session: Session, actor: Actor, text: str) -> tuple[list[int], int]:
    """Return what is found, and in how many statements."""
    statements: list[str] = []

    def count(*told: object) -> None:
        statements.append(str(told[2]))

    event.listen(session.connection(), "before_cursor_execute", count)
    try:
        return find.find(session, actor, find.Asked(text)).ids, len(statements)
    finally:
        event.remove(session.connection(), "before_cursor_execute", count)


def test_a_dataset_of_many_projects_is_found_in_each(session: Session) -> None:
    assert asked(session, STAFF, "in:screen")[0] == [PROJECTS, 1]
    assert asked(session, STAFF, f"in:p{PROJECTS}/screen")[0] == [PROJECTS]
    assert asked(session, STAFF, "in=screen")[0] == []
    assert asked(session, ANNA, "in:screen")[0] == [1]


def test_many_datasets_are_looked_up_together(session: Session) -> None:
    many = ",".join(["screen", "nothing", *(f"p{n}/screen" for n in range(50))])
    found, statements = asked(session, ANNA, f"in:{many}")
    assert (found, statements) == asked(session, ANNA, "in:screen")


def test_live_datasets_that_multiply_are_refused_before_they_cost_much(session: Session) -> None:
    statements: list[str] = []
    event.listen(session.connection(), "before_cursor_execute", lambda *a: statements.append(a[2]))
    for text in ('in:"part 0"', '-in:"part 0"', "in:one"):
        with pytest.raises(BadInput, match=r"^q: in: more than \d+ live datasets"):
            find.find(session, ANNA, find.Asked(text))
    assert len(statements) < 3 * 4 * resolve.MOST_LIVE
    assert asked(session, ANNA, 'in:"part 2"')[0] == [1]
