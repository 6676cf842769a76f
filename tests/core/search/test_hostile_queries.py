"""Text that means something to SQL, FTS5 or tsquery means only itself in a query."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from compare_answers import WHO
from hostile import STRINGS
from search_oracle import Oracle
from sqlalchemy import event
from sqlalchemy.orm import Session

from cid_server_ext.core.search import facets, find, parser
from cid_server_ext.core.search import language as q
from cid_server_ext.core.search.words import fold
from cid_server_ext.errors import BadInput

MORE = ["NEAR(a b)", "hela*", "^hela", "{a b}:c", "hela + b", "a:b:c", "!!", "''", "&|<->", "%%_"]
FIT = [s for s in [*STRINGS, *MORE] if len(s) < 1000]


def quotable(text: str) -> bool:
    return bool(fold(text)) and not any(
        unicodedata.category(c) in ("Cc", "Cs") and not c.isspace() for c in text
    )


def found(session: Session, text: str) -> list[int] | None:
    """Return what is found; None when it is refused by the name of the field."""
    try:
        return find.find(session, WHO["chen"], find.Asked(text, limit=200)).ids
    except BadInput as refused:
        assert str(refused).startswith("q: ")  # noqa: PT017
        return None


@pytest.mark.parametrize("text", FIT)
def test_as_a_query_it_is_matched_literally_or_refused(
    session: Session, oracle: Oracle, text: str
) -> None:
    answer = found(session, text)
    if answer is not None:
        assert answer == oracle.ids(parser.parse(text), "chen", find.ANY)[:200]


@pytest.mark.parametrize("text", FIT)
@pytest.mark.parametrize("key", ["objective", "in", "name", "channel", "project", "by", "run"])
def test_in_quotes_it_is_a_value_like_any_other(
    session: Session, oracle: Oracle, text: str, key: str
) -> None:
    answer = found(session, f"{key}:{q.quoted(text)}")
    if quotable(text) and key not in ("in", "channel"):
        assert answer is not None
    if answer is not None:
        asked = parser.parse(f"{key}:{q.quoted(text)}")
        assert answer == oracle.ids(asked, "chen", find.ANY)[:200]


@pytest.mark.parametrize("text", [s for s in FIT if quotable(s)])
def test_only_names_that_have_it_are_found_by_it(
    session: Session, oracle: Oracle, text: str
) -> None:
    named = [r["id"] for r in oracle.records if fold(text) in fold(r["name"])]
    mine = oracle.ids(q.EVERYTHING, "chen", find.ANY)
    expected = [record for record in mine if record in named][:200]
    assert found(session, f"*{q.quoted(text)}*") == expected


@pytest.mark.parametrize("text", FIT)
def test_as_a_key_of_a_facet_it_has_no_values(session: Session, text: str) -> None:
    if not quotable(text) or len(text) > 200:
        return
    try:
        (facet,) = facets.facets(session, WHO["chen"], find.Asked(), [text])
    except BadInput as refused:
        assert str(refused).startswith("keys: ")  # noqa: PT017
    else:
        assert (facet.values, facet.numbers) == ([], [])


TERMS = range(parser.MOST)


@pytest.mark.parametrize(
    "text",
    [
        " ".join(f"word{n}" for n in TERMS),
        " ".join(f'-"w {n}"' for n in TERMS),
        " ".join(f"snr>{n}" for n in TERMS),
        " ".join(f"has:objective -objective:{n}" for n in TERMS[: parser.MOST // 2]),
    ],
)
@pytest.mark.usefixtures("ways")
def test_as_many_terms_as_there_may_be_are_no_join_of_as_many_tables(
    session: Session, oracle: Oracle, text: str
) -> None:
    asked: list[tuple[str, Any]] = []
    connection = session.connection()

    def log(*told: Any) -> None:
        asked.append((told[2], told[3]))

    event.listen(connection, "before_cursor_execute", log)
    assert found(session, text) == oracle.ids(parser.parse(text), "chen", find.ANY)[:200]
    event.remove(connection, "before_cursor_execute", log)
    if connection.dialect.name == "postgresql":  # it takes seconds to plan one
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars().all()
            assert sum("Join" in line or "Nested Loop" in line for line in plan) < 30


def test_what_is_asked_travels_as_a_parameter_and_never_as_sql(session: Session) -> None:
    secret = "zqwxj'; DROP TABLE record; --"
    queries = [
        f'"{secret}"',
        f'*"{secret}"*',
        f'objective:"{secret}" OR objective:"{secret}"*',
        f'"{secret}":1 OR has:"{secret}" OR "{secret}">5um',
        f'in:"{secret}" project:"{secret}" by:"{secret}" id:"{secret}" channel:"{secret}"',
    ]
    statements: list[str] = []

    def log(*told: Any) -> None:
        statements.append(told[2])

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", log)
    for text in queries:
        find.find(session, WHO["anna"], find.Asked(text))
        find.find(session, WHO["anna"], find.Asked(text, sort="name"))
        find.count(session, WHO["anna"], find.Asked(text))
        facets.facets(session, WHO["anna"], find.Asked(text), ["objective", secret])
    event.remove(connection, "before_cursor_execute", log)
    assert len(statements) > 50
    assert not [line for line in statements if "zqwxj" in line.lower() or "drop" in line.lower()]
