"""HTTP with the catalog: errors by name, GETs tried again, nothing sent twice."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import numpy as np
import pytest

from cid_client import errors
from cid_client.wire.environment import Access
from cid_client.wire.session import PAUSES, Session

URL = "http://catalog.test/services/cid/"


def session(answer: Callable[[httpx.Request], httpx.Response]) -> Session:
    return Session(Access(URL, "token secret"), transport=httpx.MockTransport(answer))


def refusing(status: int, **answer: str) -> Session:
    return session(lambda request: httpx.Response(status, json=answer or None))


@pytest.mark.parametrize(
    "name",
    ["BadInput", "BadFile", "BadParameter", "NotLoggedIn", "NotAllowed", "NotFound", "Conflict",
     "OverQuota"],
)  # fmt: skip
def test_an_error_comes_back_under_its_own_name(name: str) -> None:
    kind = getattr(errors, name)
    with pytest.raises(kind, match=r"^why, in one line$") as caught:
        refusing(kind.status, error=name, message="why,\n in one line").get("images")
    assert type(caught.value) is kind
    assert caught.value.status == kind.status


def test_a_refusal_by_somebody_else_goes_by_its_status() -> None:
    with pytest.raises(errors.NotAllowed, match="hub says no"):
        refusing(403, message="hub says no").get("images")
    with pytest.raises(errors.CidError, match="answered 500") as caught:
        session(lambda request: httpx.Response(500, text="<html>oops")).get("images")
    assert caught.value.status == 500


def test_the_server_has_no_error_that_the_client_does_not_know() -> None:
    ours = {kind.__name__: kind.status for kind in errors._below(errors.CidError)}
    server = pytest.importorskip("cid_server_ext.errors")
    kinds = errors._below(server.CidError)
    theirs = {k.__name__: k.status for k in kinds if k.__module__ == server.__name__}
    assert theirs.items() <= ours.items()
    assert len(theirs) > 8


@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_whoever_sends_very_much_waits_for_his_turn(verb: str) -> None:
    answers = iter([httpx.Response(429, headers={"Retry-After": "0"}, json={"error": "TooMany"})])
    asking = session(lambda request: next(answers, httpx.Response(200, json={"n": 1})))
    assert (asking.get("runs") if verb == "GET" else asking.send(verb, "runs", {})) == {"n": 1}


def test_a_wait_that_is_too_long_is_an_error() -> None:
    headers = {"Retry-After": "3600"}
    asking = session(lambda request: httpx.Response(429, headers=headers, json=None))
    with pytest.raises(errors.TooMany) as caught:
        asking.get("runs")
    assert caught.value.retry_after == 3600


def test_a_get_is_tried_again_while_the_catalog_is_away() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if len(asked) == 1:
            raise httpx.ConnectError("refused")
        return httpx.Response(503 if len(asked) == 2 else 200, json={"fine": True})

    assert session(answer).get("whoami") == {"fine": True}
    assert len(asked) == 3


def test_a_catalog_that_stays_away_is_unavailable() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        raise httpx.ConnectError("connection refused")

    why = f"the catalog at {URL} does not answer: connection refused"
    with pytest.raises(errors.Unavailable) as caught:
        session(answer).get("whoami")
    assert str(caught.value) == why
    assert len(asked) == len(PAUSES) + 1


def test_who_had_rather_wait_than_fail_says_how_often() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(502 if len(asked) < 7 else 200, json={"fine": True})

    patient = Session(
        Access(URL, "CID-Run x"), transport=httpx.MockTransport(answer), pauses=(0.0,) * 9
    )
    assert patient.get("runs/x/work") == {"fine": True}
    assert len(asked) == 7


@pytest.mark.parametrize("verb", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_changes_something_is_sent_once(verb: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(503, json={"error": "Unavailable", "message": "later"})

    with pytest.raises(errors.Unavailable, match="later"):
        session(answer).send(verb, "runs", {})
    assert len(asked) == 1


def test_a_login_page_means_that_the_token_has_ended() -> None:
    page = httpx.Response(302, headers={"Location": "/hub/login"})
    with pytest.raises(errors.NotLoggedIn, match="your token has ended"):
        session(lambda request: page).get("images")


def test_a_page_that_is_no_catalog_is_told() -> None:
    with pytest.raises(errors.Unavailable, match="is the address right"):
        session(lambda request: httpx.Response(200, text="<html>hello")).get("images")


def test_the_token_is_shown_to_the_api_and_not_to_the_data_plane() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={})

    made = session(answer)
    made.get("whoami")
    made.read("/services/cid/data/ticket/zarr.json", byte_range="bytes=0-3")
    api, data = asked
    assert api.headers["Authorization"] == "token secret"
    assert "Authorization" not in data.headers
    assert data.headers["Range"] == "bytes=0-3"
    assert str(data.url) == "http://catalog.test/services/cid/data/ticket/zarr.json"


def test_numbers_of_numpy_are_sent_as_numbers() -> None:
    got: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        got.append(request.content)
        return httpx.Response(200, json={})

    session(answer).send("POST", "runs", {"sigma": np.float32(1.5), "n": np.int64(3)})
    assert got == [b'{"sigma": 1.5, "n": 3}']


@pytest.mark.parametrize("value", [float("nan"), object()])
def test_what_json_cannot_say_is_refused_before_it_is_sent(value: object) -> None:
    with pytest.raises(errors.BadInput, match="cannot be sent"):
        refusing(200).send("POST", "runs", {"value": value})
