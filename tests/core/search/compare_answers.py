"""Ask each database the same random queries as the oracle; a part of them in one process."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import random_queries
from odd_facility import Facility, make
from search_oracle import Oracle

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.search import find, parser, plan
from cid_server_ext.core.search import language as q
from cid_server_ext.db.session import Sessions, open_database, reading

SEED = 20261121
WHO = {
    "anna": Actor("anna"),
    "bela": Actor("bela"),
    "chen": Actor("chen"),
    "leader": Actor("leader"),
    "outsider": Actor("outsider"),
    "ended": Actor("ended"),
    "staff": Actor("staff", staff=True),
    "run": Actor("anna", run_id=1),
}
OFTEN = ["anna", "anna", "chen", "chen", "staff", *WHO]


@dataclass
class Compared:
    """How many were asked, how many found something, and what went wrong."""

    asked: int = 0
    found: int = 0
    wrong: list[str] = field(default_factory=list)


@contextmanager
def opened(url: str) -> Iterator[Sessions]:
    """Give sessions on a database, and let go of it."""
    sessions = open_database(url)
    yield sessions
    sessions.kw["bind"].dispose()


# (postings that are few, candidates asked at first): as they are, and so small that a facility of
# hundreds takes the ways of one with millions
STEPS = {"real": (plan.FEW, find.SCANS), "small": (10, (5, 40))}


def steps(name: str) -> None:
    """Let searches take these ways."""
    few, scans = STEPS[name]
    for module in (plan, find):
        module.FEW = few  # type: ignore[attr-defined]
    find.SCANS = scans  # type: ignore[assignment]


def questions(facility: Facility, numbers: range) -> Iterator[tuple[str, q.Node, frozenset[str]]]:
    """Yield who asks, what, and about which kinds; a number is always the same question."""
    for number in numbers:
        pick = random.Random(f"{SEED} {number}")
        node = random_queries.query(pick, facility)
        yield pick.choice(OFTEN), node, pick.choice([find.IMAGES, find.ANY])


def compare(urls: list[str], numbers: range) -> Compared:
    """Ask the questions with these numbers."""
    facility = make(SEED)
    oracle, told = Oracle(facility), Compared()
    gc.freeze()  # it is large and stays: no collection need look through it
    gc.set_threshold(50_000, 20, 20)  # statements are many objects, and gone at once
    with ExitStack() as stack:
        opened_ones = [stack.enter_context(opened(url)) for url in urls]
        sessions = [stack.enter_context(reading(each)) for each in opened_ones]
        for number, (who, node, kinds) in zip(numbers, questions(facility, numbers), strict=True):
            text, limit = str(node), 5 + number % 50
            if parser.parse(text) != node:
                told.wrong.append(f"not read back: {text}")
            expected = oracle.ids(node, who, kinds)
            steps("small" if number // 2 % 3 else "real")
            told.asked += 1
            told.found += bool(expected)
            for session in sessions:
                found = find.find(session, WHO[who], find.Asked(text, kinds=kinds, limit=limit))
                more = found.next is not None
                if found.ids != expected[:limit] or more != (len(expected) > limit):
                    told.wrong.append(f"{session.bind} {who} {text} {found} {expected[:limit]}")
    return told
