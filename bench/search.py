"""How quickly a large catalog is searched, on PostgreSQL and SQLite, beside a look-up by key.

10^6 images with 10^7 tags in 500 projects of 250 people (CID_BENCH_SCALE=0.05 for a quick look).
Every answer is compared with what the generator's columns say. The databases go away in the end,
unless CID_BENCH_KEEP names a folder: then they stay there (6 GB) and the next run takes them.
"""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import httpx
import numpy as np
from _cases import Case, Times, cases
from _facility import NUMBER, TERMS, Made, called, make
from _harness import Bench
from _load import filled
from _peers import SMALL, save
from _peers import ask as ask_peer
from ports import free_port
from processes import identity, start_service, stop
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core.catalog import images
from cid_server_ext.core.search import facets, find
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, open_database, reading

SCALE = float(os.environ.get("CID_BENCH_SCALE", "1"))
ROUNDS = 60
# bars in seconds of p95, inside the process and over HTTP
BARS = {
    "postgresql": {"head": 0.1, "facet": 0.15, "top": 0.15, "home": 0.05},
    "sqlite": dict.fromkeys(("head", "page", "facet", "top", "home", "word", "count"), 0.3),
}
HEAVY = " OR ".join(f"*{n}zq{n}zq*" for n in range(60))


def inside(sessions: Sessions, made: Made, rounds: int) -> Times:
    """Ask in this process, through the functions that the API calls."""
    times, drawn = Times(), cases(made)
    questions = [
        key_asked, head_asked, facet_asked, top_asked, home_asked, word_asked, count_asked
    ]  # fmt: skip
    for number in range(rounds + 3):
        case = next(drawn)
        if number == 3:  # what comes before warms caches
            times.clear()
        for ask in questions if number % 2 else reversed(questions):
            with reading(sessions) as session:
                ask(session, case, times)
    return times


def key_asked(session: Session, case: Case, times: Times) -> None:
    table = t.Record.__table__
    chosen = select(table).where(table.c.id == case.image)
    row = times.add("key", lambda: session.execute(chosen).one())
    assert row.id == case.image


def head_asked(session: Session, case: Case, times: Times) -> None:
    asked = find.Asked(case.head, kinds=find.IMAGES)
    found = times.add("head", lambda: find.find(session, case.actor, asked))
    assert found.ids == case.made.newest(case.tagged())
    page = times.add("page", lambda: images.search(session, case.actor, asked))
    assert [row.id for row in page.rows] == found.ids
    assert {tag.term.key for tag in page.rows[0].tags} == {*TERMS, NUMBER} if found.ids else True


def facet_asked(session: Session, case: Case, times: Times) -> None:
    asked = find.Asked(case.head)
    (facet,) = times.add("facet", lambda: facets.facets(session, case.actor, asked, ["Microscope"]))
    expected = case.microscopes()
    if case.key == "Microscope":  # a facet leaves its own selection out
        counts = np.bincount(case.made.value[0][case.made.mine(case.person)])
        assert sum(each.count for each in facet.values) == counts.sum()
    else:
        assert [(each.value, each.count) for each in facet.values] == expected


def top_asked(session: Session, case: Case, times: Times) -> None:
    found = times.add("top", lambda: facets.top(session, case.actor, 20))
    assert [n for *_, n in found] == case.top(20)


def home_asked(session: Session, case: Case, times: Times) -> None:
    asked = find.Asked(kinds=find.IMAGES)
    found = times.add("home", lambda: find.find(session, case.actor, asked))
    assert found.ids == case.made.newest(case.made.mine(case.person))


def word_asked(session: Session, case: Case, times: Times) -> None:
    asked = find.Asked(f'"{called(case.word)}"', kinds=find.IMAGES)
    found = times.add("word", lambda: find.find(session, case.actor, asked))
    assert found.ids == case.made.newest(case.named())


def count_asked(session: Session, case: Case, times: Times) -> None:
    asked = find.Asked(f'{case.head} "{called(case.word)}"')
    found = times.add("count", lambda: find.count(session, case.actor, asked))
    assert found == int((case.tagged() & case.named()).sum())


@contextmanager
def served(url: str) -> Iterator[httpx.Client]:
    """Give a client of a real service process on a database."""
    with tempfile.TemporaryDirectory() as folder:
        service = start_service(
            Path(folder), CID_DATABASE=url, CID_RATE="1000000", CID_BURST="1000000"
        )
        try:
            with httpx.Client(base_url=f"{service.url}api/v1/", timeout=60) as client:
                yield client
        finally:
            stop(service.process)


def over_http(client: httpx.Client, made: Made, rounds: int) -> Times:
    """Ask for whole answers as a browser would."""
    times, drawn = Times(), cases(made)

    def get(name: str, path: str, case: Case, **query: Any) -> Any:
        who = identity(case.person)
        answer = times.add(name, lambda: client.get(path, params=query, headers=who))
        assert answer.status_code == 200, answer.text
        return answer.json()

    for number in range(rounds + 3):
        case = next(drawn)
        if number == 3:
            times.clear()
        assert get("whoami", "whoami", case)["name"] == case.person  # what any request takes
        key = get("key", f"images/{uid(case.made.newest(case.made.mine(case.person), 1)[0])}", case)
        assert key["kind"] == "image"
        found = get("head", "images", case, q=case.head)["images"]
        assert [row["uid"] for row in found] == [uid(n) for n in case.made.newest(case.tagged())]
        (facet,) = get("facet", "search/facets", case, q=case.head, keys="Microscope")["facets"]
        assert facet["values"]
        top = get("top", "search/top", case)["tags"]
        assert [each["count"] for each in top] == case.top(20)
        home = get("home", "images", case)["images"]
        newest = case.made.newest(case.made.mine(case.person))
        assert [row["uid"] for row in home] == [uid(n) for n in newest]
    return times


def beside_costly(client: httpx.Client, made: Made, rounds: int) -> tuple[float, float]:
    """Return the median of a head tag's page alone, and while others ask what costs too much."""
    alone = over_http(client, made, rounds).p50("head")
    ended, said = threading.Event(), []

    def costly() -> None:
        while not ended.is_set():
            answer = client.get("search/count", params={"q": HEAVY}, headers=identity(STAFF))
            said.append(answer.json().get("error"))

    threads = [threading.Thread(target=costly) for _ in range(3)]
    for thread in threads:
        thread.start()
    beside = over_http(client, made, rounds).p50("head")
    ended.set()
    for thread in threads:
        thread.join()
    assert SCALE < 1 or set(said) == {"TooCostly"}, said
    return alone, beside


STAFF = {
    "name": "staff",
    "scopes": ["custom:cid:read", "custom:cid:staff"],
    "groups": ["cid-staff"],
}


def uid(number: int) -> str:
    return f"00000006-0000-4000-8000-{number:012x}"


def peers(bench: Bench, made: Made, inside: Times, http: Times, folder: Path) -> None:
    """Let tantivy and Tiled answer head-tag questions, and see that they find the same."""
    drawn = [case for case, _ in zip(cases(made), range(ROUNDS), strict=False)]
    for peer, name, number in (("tantivy", "facility", made.images), ("tiled", "small", SMALL)):
        number = min(number, made.images)
        asked = [
            {
                "projects": made.members[case.person],
                "term": list(TERMS).index(case.key),
                "value": made.first[case.key],
            }
            for case in drawn
        ]
        save(folder, name, made, asked, number)
        port = [str(free_port())] if peer == "tiled" else []
        answered = ask_peer(peer, folder, *port)
        if answered is None:
            continue
        first = np.arange(made.images) < number
        assert answered.found == [made.newest(case.tagged() & first) for case in drawn], peer
        what = "newest 50" if peer == "tantivy" else f"page of 50 of {number} entries over HTTP"
        mine = (inside if peer == "tantivy" else http).p50("head")
        theirs = statistics.median(answered.seconds)
        print(f"{peer}: {number} entries in {answered.made:.0f} s")
        bench.seconds(f"head tag, {what}: ours beside {peer}, p50", mine, theirs, peer, None)


def told(bench: Bench, database: str, times: Times, http: Times) -> None:
    """Say what was measured, with the bars."""
    print(f"{database}: p50, p95 and p50 of this process's own work, in ms")
    for place, seen in (("inside", times), ("HTTP", http)):
        shown = [
            f"{name} {seen.p50(name) * 1e3:.1f} {seen.p95(name) * 1e3:.1f}"
            f" {statistics.median(own) * 1e3:.1f}"
            for name, own in seen.own.items()
        ]
        print(f"  {place}: " + " | ".join(shown), flush=True)
    key, bar = times.p50("key"), 1 / 20 if database == "postgresql" else None
    name = f"{database}: head tag, newest 50, p50"
    bench.seconds(name, times.p50("head"), key, "look-up by key", bar)
    for name, limit in BARS[database].items():
        bench.seconds(f"{database}: {name}, p95", times.p95(name), limit, "the bar", 1)
        if name in http.of:
            named = f"{database}: {name} over HTTP, p95"
            bench.seconds(named, http.p95(name), limit, "the bar", 1)


def main() -> int:
    """Make it, measure and say."""
    bench, began = Bench("search"), time.perf_counter()
    made = make(int(1_000_000 * SCALE))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cid-bench-")))
        folder.chmod(0o755)  # PostgreSQL's own user reads below it
        for database in ("postgresql", "sqlite"):
            kept = Path(os.environ.get("CID_BENCH_KEEP") or folder)
            # by another process: what filling leaves behind in memory slows whoever measures
            subprocess.run([sys.executable, __file__, "--fill", database, kept], check=True)
            url = stack.enter_context(filled(database, kept, made))
            print(f"{database}: {made.images} images after {time.perf_counter() - began:.0f} s")
            gc.collect()
            sessions = open_database(url)
            times = inside(sessions, made, ROUNDS)
            sessions.kw["bind"].dispose()
            with served(url) as client:
                http = over_http(client, made, ROUNDS)
                told(bench, database, times, http)
                alone, beside = beside_costly(client, made, ROUNDS // 3)
                name = f"{database}: head tag over HTTP beside costly searches, p50"
                bench.seconds(name, beside, alone, "alone", 0.5)
            if database == "postgresql":
                peers(bench, made, times, http, folder)
    print(f"done after {time.perf_counter() - began:.0f} s")
    return bench.finish()


def fill(database: str, kept: str) -> int:
    """Write the facility's rows, where they are not there yet."""
    with filled(database, Path(kept), make(int(1_000_000 * SCALE))):
        return 0


if __name__ == "__main__":
    sys.exit(fill(*sys.argv[2:]) if "--fill" in sys.argv else main())
