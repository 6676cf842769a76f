"""What a caller has seen, and what moved on since: ETag, If-Match, If-None-Match."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import httpx
import pytest
import world
from live import Live
from processes import STAFF
from test_matrix import ROWS

from cid_server_ext.core.people import members
from cid_server_ext.handlers import etags
from cid_server_ext.handlers.routes import Operation, operations, tagged

unique = itertools.count()


@pytest.fixture
def made(live: Live) -> world.World:
    with live.sessions.begin() as session:
        return world.make(session, f"etag-{next(unique)}")


def read(live: Live, path: str, who: Any = "manager") -> str:
    answer = live.service.ask("GET", path, who)
    assert answer.status_code == 200, answer.text
    return answer.headers["ETag"]


def rename(
    live: Live, image: str, name: str, if_match: str | None = None, who: Any = "manager"
) -> httpx.Response:
    headers = {} if if_match is None else {"If-Match": if_match}
    return live.service.ask("PATCH", f"images/{image}", who, json={"name": name}, headers=headers)


def test_a_change_of_what_was_read_goes_through(live: Live, made: world.World) -> None:
    etag = read(live, f"images/{made.image}")
    assert rename(live, made.image, "seen", etag).json()["name"] == "seen"
    assert read(live, f"images/{made.image}").split("-")[0] != etag.split("-")[0]


def test_a_change_of_what_moved_on_is_told_what_moved(live: Live, made: world.World) -> None:
    etag = read(live, f"images/{made.image}")
    tag = f"images/{made.image}/tags/Staining"
    assert live.service.ask("PUT", tag, "annotator", json={"value": "DAPI"}).is_success
    answer = rename(live, made.image, "unseen", etag)
    assert (answer.status_code, answer.json()["error"]) == (409, "Conflict")
    [change] = answer.json()["changed"]
    assert (change["person"], change["subject"]) == ("annotator", f"image:{made.image}")
    assert "DAPI" in str(change["detail"])
    assert change["at"].startswith("20")
    assert "annotator" in answer.json()["message"]
    assert live.service.ask("GET", f"images/{made.image}", "manager").json()["name"] == "cells"
    fresh = read(live, f"images/{made.image}")
    assert rename(live, made.image, "seen again", fresh).is_success


def test_without_if_match_a_change_goes_through(live: Live, made: world.World) -> None:
    assert rename(live, made.image, "first").is_success
    assert rename(live, made.image, "second").is_success


def test_a_part_of_a_record_takes_the_records_etag(live: Live, made: world.World) -> None:
    etag = read(live, f"images/{made.image}")
    tag = f"images/{made.image}/tags/Staining"

    def put(value: str) -> httpx.Response:
        return live.service.ask(
            "PUT", tag, "annotator", json={"value": value}, headers={"If-Match": etag}
        )

    assert put("DAPI").status_code == 200
    assert put("GFP").status_code == 409
    members = f"projects/{made.project}/members/newcomer"
    seen = {"If-Match": read(live, f"projects/{made.project}")}
    for expected in (200, 409):
        answer = live.service.ask("PUT", members, "manager", json={"role": "viewer"}, headers=seen)
        assert answer.status_code == expected, answer.text
    assert answer.json()["changed"][0]["subject"] == f"project:{made.project}"


def test_twenty_at_once_with_one_etag_are_one_change(live: Live, made: world.World) -> None:
    etag = read(live, f"images/{made.image}")
    answers: list[httpx.Response] = []
    threads = [
        threading.Thread(
            target=lambda n=n: answers.append(rename(live, made.image, f"racer {n}", etag))
        )
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    won = [answer for answer in answers if answer.status_code == 200]
    lost = [answer for answer in answers if answer.status_code == 409]
    assert (len(won), len(lost)) == (1, 19)
    name = live.service.ask("GET", f"images/{made.image}", "viewer").json()["name"]
    assert name == won[0].json()["name"]
    for answer in lost:
        assert [change["detail"]["to"] for change in answer.json()["changed"]] == [name]


def test_twenty_taggers_at_once_all_succeed(live: Live, made: world.World) -> None:
    keys = [f"Key {n}" for n in range(20)]
    answers: list[httpx.Response] = []

    def put(key: str) -> None:
        path = f"images/{made.image}/tags/{key}"
        answers.append(live.service.ask("PUT", path, "annotator", json={"value": key}))

    threads = [threading.Thread(target=put, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {answer.status_code for answer in answers} == {200}, [a.text for a in answers]
    tags = live.service.ask("GET", f"images/{made.image}", "viewer").json()["tags"]
    assert {tag["key"] for tag in tags} >= set(keys)


def test_what_one_did_oneself_is_seen_by_its_answer(live: Live, made: world.World) -> None:
    tag = f"images/{made.image}/tags/Staining"
    etag = read(live, f"images/{made.image}")
    for value in ("DAPI", "GFP", "GFP"):
        seen = {"If-Match": etag}
        answer = live.service.ask("PUT", tag, "annotator", json={"value": value}, headers=seen)
        assert answer.status_code == 200, answer.text
        etag = answer.headers["ETag"]
    assert rename(live, made.image, "a", etag, "contributor").is_success
    assert rename(live, made.image, "b", who="manager").is_success
    answer = rename(live, made.image, "unseen", etag, "annotator")
    assert answer.status_code == 403
    answer = rename(live, made.image, "unseen", etag)
    told = [(one["person"], one["action"]) for one in answer.json()["changed"]]
    assert told == [("manager", "rename"), ("contributor", "rename")]
    assert "by manager (rename), contributor (rename) since" in answer.json()["message"]


def test_any_record_is_tagged_as_it_was_seen(live: Live, made: world.World) -> None:
    for uid in (made.image, made.file):
        address = f"records/{uid}"
        etag = read(live, address)
        put = {"json": {"value": "DAPI"}, "headers": {"If-Match": etag}}
        first = live.service.ask("PUT", f"{address}/tags/Staining", "annotator", **put)
        assert first.status_code == 200, first.text
        assert first.headers["ETag"] == read(live, address) != etag
        refused = live.service.ask("PUT", f"{address}/tags/Staining", "manager", **put)
        assert (refused.status_code, refused.json()["error"]) == (409, "Conflict")
        assert [one["person"] for one in refused.json()["changed"]] == ["annotator"]
        assert first.json()["uid"] == uid
        seen = live.service.ask("GET", address, "viewer").json()
        assert "DAPI" in [tag["value"] for tag in seen["tags"]]


def test_a_star_matches_what_is_there(live: Live, made: world.World) -> None:
    assert rename(live, made.image, "whatever it was", "*").status_code == 200
    assert rename(live, made.image[::-1], "nothing", "*").status_code == 404


@pytest.mark.parametrize("header", ["abc", '"abc', '"a" "b"', "", ","])
def test_an_if_match_that_is_none_is_refused(live: Live, made: world.World, header: str) -> None:
    answer = rename(live, made.image, "x", header)
    assert (answer.status_code, answer.json()["error"]) == (400, "BadInput")
    assert "If-Match" in answer.json()["message"]


def test_if_match_where_nothing_has_an_etag_is_refused(live: Live, made: world.World) -> None:
    body = {"template": "count-things", "images": [made.image]}
    answer = live.service.ask(
        "POST", "runs", "contributor", json=body, headers={"If-Match": '"0123456789abcdef-1"'}
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "BadInput")


@pytest.mark.parametrize("weak", [True, False])
def test_a_weak_or_foreign_tag_never_matches(live: Live, made: world.World, weak: bool) -> None:
    header = f"W/{read(live, f'images/{made.image}')}" if weak else '"of-another-server"'
    answer = rename(live, made.image, "x", header)
    assert (answer.status_code, answer.json()["error"]) == (409, "Conflict")


def test_one_of_several_tags_is_enough(live: Live, made: world.World) -> None:
    etag = read(live, f"images/{made.image}")
    assert rename(live, made.image, "x", f'"another", {etag}').status_code == 200


def test_whoever_may_not_change_hears_that(live: Live, made: world.World) -> None:
    etag = read(live, f"images/{made.image}", "viewer")
    assert rename(live, made.image, "moved on").is_success
    assert rename(live, made.image, "x", etag, "viewer").status_code == 403
    assert rename(live, made.image, "x", etag, "stranger").status_code == 404


def test_what_was_seen_is_not_sent_again(live: Live, made: world.World) -> None:
    etag = read(live, f"images/{made.image}")
    path = f"images/{made.image}"

    def ask(header: str) -> httpx.Response:
        return live.service.ask("GET", path, "manager", headers={"If-None-Match": header})

    for header in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        answer = ask(header)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"].split("-")[0] == etag.split("-")[0]
    for header in ('"x"', "not quoted"):
        assert ask(header).status_code == 200
    assert rename(live, made.image, "other").is_success
    assert ask(etag).status_code == 200


def test_new_tickets_are_no_change(live: Live, made: world.World) -> None:
    first = live.service.ask("GET", f"images/{made.image}", "manager")
    other = live.service.ask("GET", f"images/{made.image}", "annotator")
    assert first.json()["data"] != other.json()["data"]
    assert first.headers["ETag"] == other.headers["ETag"]


def test_an_etag_tells_nothing_of_other_projects(live: Live, made: world.World) -> None:
    before = read(live, f"images/{made.image}")
    with live.sessions.begin() as session:
        world.make(session, f"etag-{next(unique)}")
    assert read(live, f"images/{made.image}") == before


def test_what_a_project_does_with_the_facilitys_values_is_told_to_no_other(live: Live) -> None:
    with live.sessions.begin() as session:
        mine = world.make(session, f"etag-{next(unique)}")
    with live.sessions.begin() as session:
        theirs = world.make(session, f"etag-{next(unique)}")
        members.put_member(session, world.STAFF, mine.project, "me", "manager")
        members.put_member(session, world.STAFF, theirs.project, "they", "manager")

    def ask(method: str, path: str, who: str, **more: Any) -> httpx.Response:
        answer = live.service.ask(method, path, who, **more)
        assert answer.status_code in (200, 409), answer.text
        return answer

    def rename(who: str, word: str, project: str, **more: Any) -> httpx.Response:
        values = ask("GET", f"{term}/values", who, params={"q": word}).json()["values"]
        body = {"to": f"{word} 2", "project": project}
        address = f"{term}/values/{values[0]['uid']}/rename"
        return ask("POST", address, who, json=body, **more)

    listed = ask("GET", "terms", "me").json()["terms"]
    term = f"terms/{next(one['uid'] for one in listed if one['key'] == 'Cell type')}"
    for who, made, word in (("me", mine, "plain"), ("they", theirs, "private")):
        ask("PUT", f"images/{made.image}/tags/Cell type", who, json={"value": word})
    before = read(live, term, "me")
    rename("they", "private", theirs.project)
    assert read(live, term, "me") == before
    stale = {"If-Match": '"0123456789abcdef-0"'}
    answer = rename("me", "plain", mine.project, headers=stale)
    assert answer.status_code == 409
    assert "private" not in answer.text
    assert "they" not in [one["person"] for one in answer.json()["changed"]]


def test_an_import_is_no_change_of_the_projects_own(live: Live, made: world.World) -> None:
    before = read(live, f"projects/{made.project}")
    files = {"files": [{"path": "a.tif", "nbytes": 1000}]}
    opened = live.service.ask("POST", f"projects/{made.project}/deposits", "manager", json=files)
    assert opened.status_code == 201
    after = live.service.ask(
        "GET", f"projects/{made.project}", "manager", headers={"If-None-Match": before}
    )
    assert after.status_code == 200  # with the new sum
    assert after.headers["ETag"].split("-")[0] == before.split("-")[0]


def test_staff_reading_twice_sees_one_state(live: Live, made: world.World) -> None:
    etag = read(live, f"images/{made.image}", STAFF)
    assert read(live, f"images/{made.image}", STAFF).split("-")[0] == etag.split("-")[0]
    assert rename(live, made.image, "by staff", etag, STAFF).status_code == 200


def test_head_answers_as_get_does_without_a_body(live: Live, made: world.World) -> None:
    with live.sessions.begin() as session:
        made = world.organise(session, made)
    wrong = []
    for operation in operations():
        if operation.method != "GET":
            continue
        path, _ = ROWS["GET", operation.path](made)
        for who in ("manager", "stranger", f"run:{made.run_token}", None):
            answers = [live.service.ask(verb, path, who) for verb in ("GET", "HEAD")]
            told = [
                (a.status_code, a.headers["Content-Type"], a.headers.get("ETag")) for a in answers
            ]
            if told[0] != told[1] or answers[1].content:
                wrong.append((path, who, told))
    assert not wrong
    seen = {"If-None-Match": read(live, f"images/{made.image}")}
    answer = live.service.ask("HEAD", f"images/{made.image}", "manager", headers=seen)
    assert (answer.status_code, answer.content) == (304, b"")


CHANGES = [o for o in operations() if o.method != "GET" and tagged(o.path) is not None]
PEOPLE = {"staff": STAFF, "leader": "leader", "asker": "contributor", "owner": "contributor"}


@pytest.mark.parametrize("operation", CHANGES, ids=lambda o: f"{o.method} {o.path}")
def test_every_change_of_a_record_heeds_what_was_seen(live: Live, operation: Operation) -> None:
    found = tagged(operation.path)
    assert found is not None
    with live.sessions.begin() as session:
        made = world.make(session, f"etag-{next(unique)}")
        made = world.publish(session, world.organise(session, made))
        made = world.stand_still(session, made)
    came = live.service.folder / "storage" / "staging" / made.deposit / "in" / "a.tif"
    came.parent.mkdir(parents=True)
    came.write_bytes(b"ten bytes.")  # what it declares, else its commit is refused
    path, body = ROWS[operation.method, operation.path](made)
    who = PEOPLE.get(operation.endpoint.who, "manager")
    who = f"run:{made.run_token}" if operation.endpoint.who == "run" else who
    record = "/".join(path.split("/")[: found.path.count("/") + 1])
    etag = read(live, record, who)

    def change(if_match: str) -> httpx.Response:
        headers = {"If-Match": if_match}
        return live.service.ask(operation.method, path, who, json=body, headers=headers)

    stale = change('"0123456789abcdef-1"')
    assert (stale.status_code, stale.json()["error"]) == (409, "Conflict")
    assert isinstance(stale.json()["changed"], list)
    done = change(etag)
    assert done.status_code == operation.endpoint.status
    told = operation.method != "POST" and found.told_by(operation.endpoint.answer)
    assert ("ETag" in done.headers) == told
    if told:
        assert done.headers["ETag"] == read(live, record, who)


def test_every_record_that_can_change_is_held_while_it_does() -> None:
    last = {found.names[-1] for o in CHANGES if (found := tagged(o.path)) and found.names}
    assert last <= set(etags.PLACES)
