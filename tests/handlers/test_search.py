"""Search over HTTP: what is found, by whom, what is refused and by which name."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import postgres
import pytest
import world
from hostile import QUERIES, SCRIPTS
from live import DATABASES, Live
from processes import Service, start_service, stop, wait_until
from sqlalchemy import insert

from cid_server_ext.core.search import index
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, open_database

unique = itertools.count()


@pytest.fixture
def made(live: Live) -> world.World:
    with live.sessions.begin() as session:
        return world.make(session, f"search-{live.database[:2]}-{next(unique)}")


def ask(live: Live, who: Any, path: str, **query: Any) -> Any:
    answer = live.service.ask("GET", path, who, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_one_query_finds_the_same_as_images_records_and_count(
    live: Live, made: world.World
) -> None:
    text = f"project:{made.project} objective:63x -kind:labels"
    images = ask(live, "viewer", "images", q=text)["images"]
    records = ask(live, "viewer", "records", q=text)["records"]
    assert [row["uid"] for row in images] == [made.result, made.image]
    assert [row["uid"] for row in records] == [made.result, made.image]
    assert ask(live, "viewer", "search/count", q=text) == {"count": 2}
    assert records[0]["thumbnail"]
    assert records[0]["tags"] == images[0]["tags"]


def test_parameters_mean_what_the_query_would(live: Live, made: world.World) -> None:
    with live.sessions.begin() as session:
        inner = world.add_image(session, made.project, "inner", "screen/plate 1").uid
    project = made.project
    for query in (
        {"project": project, "dataset": "screen"},
        {"q": f'in:"{project}/screen"'},
        {"q": f"project:{project} in:screen kind:image", "kind": "image"},
        {"q": f"*inner* project:{project}", "sort": "-name"},
    ):
        assert [row["uid"] for row in ask(live, "viewer", "images", **query)["images"]] == [inner]
    assert ask(live, "viewer", "images", project=project, kind="labels")["images"] == []


def test_pages_follow_each_other_in_any_order(live: Live, made: world.World) -> None:
    with live.sessions.begin() as session:
        for name in ("d", "a", "c", "b"):
            world.add_image(session, made.project, name)
    for sort in ("newest", "name", "-size"):
        read: list[str] = []
        after: dict[str, str] = {}
        while True:
            page = ask(live, "viewer", "images", project=made.project, sort=sort, limit=2, **after)
            read += [row["name"] for row in page["images"]]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        assert len(read) == len(set(read)) == 6
        if sort == "name":
            assert read == sorted(read)


def test_facets_and_completion_say_what_the_project_has(live: Live, made: world.World) -> None:
    found = ask(
        live, "viewer", "search/facets", project=made.project, keys="objective,kind", q="cells"
    )
    assert found["facets"][0]["values"] == [{"value": "63x/1.4 oil", "count": 2}]
    assert found["facets"][1]["values"] == [{"value": "image", "count": 2}]
    offered = ask(live, "viewer", "search/complete", q="objective:6")["completions"]
    assert offered[0]["label"] == "63x/1.4 oil"
    top = ask(live, "viewer", "search/top", limit=1)["tags"]
    assert top[0]["key"] == "Objective"


def test_whoever_is_no_member_finds_counts_and_is_offered_nothing(
    live: Live, made: world.World
) -> None:
    for who in ("stranger", "ended"):
        for q in ("", "cells", "objective:63x", f"project:{made.project}", "-cells", made.image):
            assert ask(live, who, "images", q=q) == {"images": [], "next": None}
            assert ask(live, who, "records", q=q) == {"records": [], "next": None}
            assert ask(live, who, "search/count", q=q) == {"count": 0}
            (facet,) = ask(live, who, "search/facets", q=q, keys="objective")["facets"]
            assert (facet["values"], facet["numbers"]) == ([], [])
        assert ask(live, who, "search/complete", q="objective:")["completions"] == []
        assert ask(live, who, "search/complete", q=f"project:{made.project}")["completions"] == []
        assert ask(live, who, "search/top") == {"tags": []}
        hidden = live.service.ask("GET", f"images?project={made.project}", who)
        absent = live.service.ask("GET", "images?project=absent", who)
        assert hidden.status_code == absent.status_code == 404
        assert hidden.text.replace(made.project, "") == absent.text.replace("absent", "")


def test_a_live_dataset_shows_what_its_query_finds(live: Live, made: world.World) -> None:
    body = {"path": "results", "query": "things"}
    opened = live.service.ask("POST", f"projects/{made.project}/datasets", "manager", json=body)
    assert opened.is_success, opened.text
    found = ask(live, "viewer", "images", project=made.project, dataset="results")["images"]
    assert [row["uid"] for row in found] == [made.result]


def test_live_datasets_that_show_each_other_are_refused(live: Live, made: world.World) -> None:
    for path, query in [("one", "in:two"), ("two", "in:one")]:
        body = {"path": path, "query": query}
        live.service.ask("POST", f"projects/{made.project}/datasets", "manager", json=body)
    answer = live.service.ask("GET", f"images?q=in:{made.project}/one", "viewer")
    assert (answer.status_code, answer.json()["error"]) == (400, "BadInput")
    assert "more than 4 live datasets inside each other" in answer.json()["message"]


def test_a_batch_runs_on_what_a_query_finds(live: Live, made: world.World) -> None:
    body = {"template": "count-things", "query": f"project:{made.project} -things"}
    answer = live.service.ask("POST", "runs", "contributor", json=body)
    assert answer.status_code == 201, answer.text
    inputs = [image["uid"] for run in answer.json()["runs"] for image in run["inputs"]]
    assert inputs == [made.image]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "images: a list of uids, or a query instead"),
        ({"images": [], "query": "x"}, "images: a list of uids, or a query instead"),
        ({"query": "nothing-is-called-so"}, "query: it finds no image that you can see"),
        ({"query": "a OR"}, "q: nothing to look for at 5"),
    ],
)
def test_a_batch_without_images_is_refused(
    live: Live, made: world.World, body: dict[str, Any], said: str
) -> None:
    body = {"template": "count-things", **body}
    answer = live.service.ask("POST", "runs", "contributor", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "BadInput")
    assert answer.json()["message"] == said


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("images?q=%22", "q: "),
        ("images?q=" + "+".join(["a"] * 10_000), "q: "),
        ("records?q=snr%3Ehigh", "q: "),
        ("images?sort=nbytes", "sort: "),
        ("images?after=7x", "after: "),
        ("images?after=1e6", "after: "),
        ("records?sort=name&after=17", "after: "),
        ("images?kind=original", "kind: "),
        ("images?kind=table", "kind: "),
        ("images?limit=1000000", "limit: "),
        ("images?page=1000000", "page: "),
        ("search/count?q=(", "q: "),
        ("search/facets?q=x", "keys: "),
        ("search/facets?keys=" + ",".join("abcdefghijklm"), "keys: "),
        ("search/complete?q=" + "a" * 2001, "q: "),
        ("search/top?limit=0", "limit: "),
    ],
)
def test_what_is_wrong_is_named_by_its_field(live: Live, path: str, field: str) -> None:
    answer = live.service.ask("GET", path, "viewer")
    assert (answer.status_code, answer.json()["error"]) == (400, "BadInput"), answer.text
    assert answer.json()["message"].startswith(field)


@pytest.mark.parametrize("text", [*QUERIES, *SCRIPTS])
def test_hostile_text_is_matched_literally_or_refused(
    live: Live, made: world.World, text: str
) -> None:
    for path in ("images?q=", "images?sort=", "images?after=", "images?dataset=",
                 "search/facets?keys=", "search/complete?q=", "search/count?project="):  # fmt: skip
        answer = live.service.ask("GET", path + quote(text, safe=""), "viewer")
        assert answer.status_code in (200, 400, 404), (path, text, answer.text)
        if answer.status_code == 400:
            field = path.partition("?")[2][:-1]
            said = answer.json()["message"]
            assert said.startswith(f"{field}: ") or field == "dataset", said


# --- what costs too much ------------------------------------------------------------------------

# no index helps: each name has every three letters of what is looked for, and none has it whole
LONG = " ".join(f"{n}zq zq{n} q{n}z" for n in range(10)) + " " + "x" * 120
HEAVY = " OR ".join(f"*{n // 10}zq{n % 10}zq*" for n in range(60))
MANY = 20_000


@pytest.fixture(scope="module", params=DATABASES)
def busy(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, empty_database: bytes
) -> Iterator[Service]:
    """A service with many records and little time for a search."""
    folder: Path = tmp_path_factory.mktemp("busy")
    if request.param == "sqlite":
        (folder / "catalog.sqlite").write_bytes(empty_database)
        url = f"sqlite:///{folder}/catalog.sqlite"
    else:
        url = postgres.copy(request.getfixturevalue("postgresql"))
    sessions = open_database(url)
    fill(sessions)
    sessions.kw["bind"].dispose()
    service = start_service(
        folder,
        CID_DATABASE=url,
        CID_SEARCH_SECONDS="0.4",
        CID_RATE="1000000",
        CID_BURST="1000000",
    )
    yield service
    stop(service.process)


def fill(sessions: Sessions) -> None:
    """Add many records with long names to a project, and one that is rare."""
    with sessions.begin() as session:
        made = world.make(session, "busy")
        like = session.query(t.Image).filter_by(uid=made.image).one()
        same = {
            column.name: getattr(like, column.name)
            for column in t.Record.__table__.columns
            if column.name not in ("id", "uid", "name") and hasattr(like, column.name)
        }
        rows = [{**same, "uid": t.new_uid(), "name": f"head {LONG}"} for _ in range(MANY)]
        session.connection().execute(insert(t.Record.__table__), rows)
    with sessions.begin() as session:
        ids = [row.id for row in session.query(t.Record.id).filter(t.Record.kind == "image")]
        documents = [
            {"record_id": n, "name": f"head {LONG}", "words": "head", "postings": []}
            for n in ids[2:]
        ]
        everything = {"entry": t.EVERYTHING, "project_id": same["project_id"], "kind": 1}
        session.connection().execute(insert(t.Document.__table__), documents)
        postings = [{**everything, "record_id": n} for n in ids[2:]]
        session.connection().execute(insert(t.Posting.__table__), postings)
        tally = t.Tally.__table__
        session.connection().execute(
            tally.update()
            .where(tally.c.entry == t.EVERYTHING, tally.c.kind == 1)
            .values(n=len(ids))
        )
        index.refresh(session, ids[:2])


def test_a_search_that_takes_too_long_ends_by_name(busy: Service) -> None:
    began = time.monotonic()
    answer = busy.ask("GET", "search/count", "viewer", params={"q": HEAVY})
    assert (answer.status_code, answer.json()["error"]) == (400, "TooCostly")
    assert "add a word" in answer.json()["message"]
    assert time.monotonic() - began < 60
    plain = {"q": "*head*"}  # which is quick enough, unless the machine is not
    wait_until(lambda: busy.ask("GET", "search/count", "viewer", params=plain).is_success)


def test_costly_searches_hold_nobody_up(busy: Service) -> None:
    def quick() -> float:
        """Return how long the quickest took: it is the others' load if not all are slow."""
        took = []
        for _ in range(10):
            began = time.monotonic()
            answer = busy.ask("GET", "images", "viewer", params={"q": "objective:63x"})
            took.append(time.monotonic() - began)
            assert (answer.status_code, len(answer.json()["images"])) == (200, 2)
        return min(took)

    quick()
    errors: list[str] = []
    ended = threading.Event()

    def costly() -> None:
        while not ended.is_set():
            answer = busy.ask("GET", "search/count", "manager", params={"q": HEAVY})
            errors.append(answer.json().get("error", "none"))

    threads = [threading.Thread(target=costly) for _ in range(4)]
    for thread in threads:
        thread.start()
    beside = quick()
    ended.set()
    for thread in threads:
        thread.join()
    assert set(errors) == {"TooCostly"}
    # none waited for the lane: alone, each costly search takes as long as it may
    assert beside < 0.4


def test_a_step_that_takes_a_query_is_ended_too(busy: Service) -> None:
    body = {"template": "count-things", "query": "*head*"}
    answer = busy.ask("POST", "runs", "contributor", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "BadInput")
    assert answer.json()["message"] == (
        f"query: it finds {MANY} records, at most 10000 are taken at once"
    )
