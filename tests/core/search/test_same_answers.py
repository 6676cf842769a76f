"""SQLite, PostgreSQL and a naive reading of the rows find the same, for whoever asks."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import postgres
import pytest
from compare_answers import WHO, compare, opened, questions
from odd_facility import Facility, write
from search_oracle import Oracle
from sqlalchemy.orm import Session

from cid_server_ext.core.search import find, parser
from cid_server_ext.core.search.words import fold
from cid_server_ext.db import tables as t
from cid_server_ext.errors import BadInput

QUESTIONS = 10_000
PROCESSES = 2


@pytest.mark.timeout(2400)  # some minutes of work for two cores
def test_ten_thousand_queries_find_what_the_rows_say(
    tmp_path: Path,
    empty_database: bytes,
    oracle: Oracle,
    request: pytest.FixtureRequest,
) -> None:
    (tmp_path / "catalog.sqlite").write_bytes(empty_database)
    urls = [f"sqlite:///{tmp_path}/catalog.sqlite"]
    if postgres.FOUND:
        urls.append(postgres.copy(request.getfixturevalue("postgresql")))
    for url in urls:
        with opened(url) as sessions, sessions.begin() as session:
            write(session, oracle.made)
    parts = [range(at, QUESTIONS, PROCESSES) for at in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        compared = list(pool.map(compare, [urls] * PROCESSES, parts))
    wrong = [each for part in compared for each in part.wrong]
    assert not wrong[:5], len(wrong)
    assert sum(part.asked for part in compared) == QUESTIONS
    assert sum(part.found for part in compared) > QUESTIONS / 3


@pytest.mark.usefixtures("ways")
def test_counts_are_the_numbers_of_answers(session: Session, oracle: Oracle) -> None:
    texts = ["", "project:alpha", "in:screen", "kind:labels", 'objective:"HeLa"']
    plain = [(who, text, find.ANY) for who in WHO for text in texts]
    drawn = [(who, str(node), kinds) for who, node, kinds in questions(oracle.made, range(300))]
    wrong = []
    for who, text, kinds in [*plain, *drawn]:
        expected = len(oracle.ids(parser.parse(text), who, kinds))
        found = find.count(session, WHO[who], find.Asked(text, kinds=kinds))
        if found != expected:
            wrong.append((who, text, found, expected))
    assert wrong == []


ORDERS = ["newest", "oldest", "name", "-name", "size", "-size", "acquired", "-acquired"]
ORDERS += ["snr", "-snr", "Exposure_time", "-acquired_on", "-depth"]


@pytest.mark.usefixtures("ways")
@pytest.mark.parametrize("sort", ORDERS)
def test_pages_of_an_order_give_every_answer_once_in_that_order(
    session: Session, oracle: Oracle, sort: str
) -> None:
    for who, text in [("chen", ""), ("anna", "kind:image"), ("staff", "hela OR snr>3")]:
        read: list[int] = []
        after = None
        while True:
            asked = find.Asked(text, sort=sort, limit=7, after=after)
            page = find.find(session, WHO[who], asked)
            read += page.ids
            if (after := page.next) is None:
                break
        expected = oracle.ids(parser.parse(text), who, find.ANY)
        assert sorted(read) == sorted(expected)
        assert read == in_order(oracle.made, expected, sort)


@pytest.mark.parametrize(
    "sort", ["", "nbytes", "-newest", "id; DROP TABLE record", "objective", "\u202ename", "x" * 120]
)
def test_another_order_is_refused(session: Session, sort: str) -> None:
    with pytest.raises(BadInput, match=r"^sort: "):
        find.find(session, WHO["chen"], find.Asked(sort=sort))


@pytest.mark.parametrize("sort", ORDERS)
@pytest.mark.parametrize(
    "after", ["", "-1", "1e3", "9" * 40, "x", "W10", "bnVsbA", "é", "WyJuYW1lIiwgIlx1ZDgwMCIsIDFd"]
)
def test_a_token_that_no_page_gave_is_refused(session: Session, sort: str, after: str) -> None:
    with pytest.raises(BadInput, match=r"^after: "):
        find.find(session, WHO["chen"], find.Asked(sort=sort, after=after))


def test_a_token_belongs_to_its_order(session: Session) -> None:
    page = find.find(session, WHO["chen"], find.Asked(sort="name", limit=3))
    with pytest.raises(BadInput, match=r"^after: "):
        find.find(session, WHO["chen"], find.Asked(sort="-name", after=page.next))


def in_order(facility: Facility, ids: list[int], sort: str) -> list[int]:
    if sort in ("newest", "oldest"):
        return sorted(ids, reverse=sort == "newest")
    down, name = sort.startswith("-"), sort.removeprefix("-")
    rows = {row["id"]: row for row in facility.rows[t.Record]}
    terms = {row["id"]: row for row in facility.rows[t.Term]}

    def value(record: int) -> object:
        if name == "name":
            return fold(rows[record]["name"]).encode()
        if name in ("size", "acquired"):
            return rows[record]["nbytes" if name == "size" else "acquired_at"]
        numbers = [
            tag["number"]
            for tag in facility.rows[t.Tag]
            if tag["record_id"] == record
            and fold(terms[tag["term_id"]]["key"]) == name.lower().replace("_", " ")
        ]
        return min(numbers, default=None)

    newest = sorted(ids, reverse=True)
    known = [record for record in newest if value(record) is not None]
    ordered = sorted(known, key=value, reverse=down)  # type: ignore[arg-type]
    return ordered + [record for record in newest if value(record) is None]
