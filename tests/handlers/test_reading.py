"""What is sent is read by one set of rules, and what breaks them is named."""

from __future__ import annotations

import datetime as dt
import json
import socket
from typing import Any

import httpx
import pytest
from live import Live
from processes import STAFF, identity
from pydantic import BaseModel

from cid_server_ext.errors import BadInput
from cid_server_ext.handlers import reading


class Inner(BaseModel):
    text: str = ""
    many: list[str] = []


class Body(BaseModel):
    count: int = 0
    share: float = 0.0
    inner: Inner = Inner()
    free: dict[str, Any] = {}
    day: dt.date | None = None
    until: reading.Moment | None = None


class Query(BaseModel):
    q: str = ""
    limit: int = 50
    keys: list[str] = []
    more: list[str] | None = None


def read(raw: bytes | str) -> Body:
    raw = raw.encode() if isinstance(raw, str) else raw
    body: Body = reading.body(Body, raw)
    return body


def test_json_is_read() -> None:
    body = read('{"count": 3, "free": {"a": [1.5, null, true, "ü \\ud83d\\ude00"]}}')
    assert body.free == {"a": [1.5, None, True, "ü 😀"]}
    assert read(b"").count == 0


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("{", "not JSON"),
        ("'a'", "not JSON"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b'{"inner": {"text": "\xed\xa0\x80"}}', "not UTF-8"),
        ("[" * 100_000, "levels"),
        ('{"free": ' + '{"a": ' * 80 + "1" + "}" * 81, "free"),
        ('{"count": NaN}', "NaN"),
        ('{"share": -Infinity}', "-Infinity"),
        ('{"share": 1e400}', "share"),
        ('{"share": "nan"}', "share"),
        ('{"share": "1"}', "share"),
        ('{"until": "2026-11-21T00:00:00"}', "until"),
        ('{"until": "9999-12-31T23:59:59-14:00"}', "until: a moment between the years 1 and 9999"),
        ('{"count": "1"}', "count"),
        ('{"count": true}', "count"),
        ('{"count": 9223372036854775808}', "count"),
        ('{"count": "9223372036854775808"}', "count"),
        ('{"count": ' + "9" * 100_000 + "}", "64 bits"),
        ('{"free": {"a": {"b": -9223372036854775809}}}', "free.a.b"),
        ('{"count": 1, "count": 2}', "count: given twice"),
        ('{"free": {"x": 1, "x": 1}}', "x: given twice"),
        (r'{"inner": {"text": "a\u0000b"}}', "inner.text"),
        (r'{"inner": {"text": "\ud800"}}', "inner.text"),
        (r'{"inner": {"many": ["a", "\udfff"]}}', "inner.many.1"),
        (r'{"free": {"a\u0000": 1}}', "free"),
        (r'{"free": {"x": "\ud800"}}', "free.x"),
        ("[]", "body"),
        ("null", "body"),
        ('{"count": 1.5}', "count"),
        ('{"day": "2026-02-30"}', "day"),
    ],
)
def test_what_no_database_takes_is_refused_by_name(raw: bytes | str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(raw)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


def test_types_that_json_has_not_are_text() -> None:
    assert read('{"day": "2026-11-20", "share": 1}').day == dt.date(2026, 11, 20)


def test_a_query_is_taken_as_it_was_sent() -> None:
    sent = {"q": [b" a\tb "], "keys": [b"x", b"y"], "more": [b"z"]}
    asked = reading.query(Query, sent)
    assert (asked.q, asked.keys, asked.more) == (" a\tb ", ["x", "y"], ["z"])


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"q": [b"a", b"b"]}, "q: given more than once"),
        ({"q": [b"\xff"]}, "q: not UTF-8"),
        ({"q": [b"a\x00b"]}, "q: "),
        ({"limit": [b"99999999999999999999"]}, "limit"),
        ({"keys": [b"ok", b"\xc3"]}, "keys"),
    ],
)
def test_a_query_that_is_none_is_refused_by_name(sent: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as caught:
        reading.query(Query, sent)
    assert str(caught.value).startswith(said)


# --- over HTTP ------------------------------------------------------------------------------


def test_paths_queries_and_bodies_are_all_read_so(live: Live) -> None:
    for path in ("images/a%00b", "projects/%00", "images/%ff", "files/%ed%a0%80"):
        answer = live.service.ask("GET", path, "anyone")
        assert (answer.status_code, answer.json()["error"]) == (400, "BadInput"), answer.text
        assert path.split("/")[0][:-1] in answer.json()["message"]
    for query in ("q=%00", "limit=1e3", "limit=99999999999999999999", "after=-1", "q=a&q=b"):
        answer = live.service.ask("GET", f"images?{query}", "anyone")
        assert (answer.status_code, answer.json()["error"]) == (400, "BadInput"), answer.text
        assert query.split("=")[0] in answer.json()["message"]
    answer = live.service.ask("GET", "images?unknown=1", "anyone")
    assert (answer.status_code, "unknown" in answer.json()["message"]) == (400, True)


def test_nobody_is_refused_before_what_is_sent_is_looked_at(live: Live) -> None:
    answer = live.service.ask("POST", "projects", None, content=b"{")
    assert (answer.status_code, answer.json()["error"]) == (401, "NotLoggedIn")


def test_a_body_is_taken_as_it_is(live: Live) -> None:
    headers = {"Content-Encoding": "gzip"}
    answer = live.service.ask("POST", "projects", STAFF, content=b"\x1f\x8b", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "BadInput")
    assert "Content-Encoding" in answer.json()["message"]


@pytest.mark.parametrize("said", [True, False], ids=["with its length", "chunked"])
def test_a_body_that_is_too_large_is_refused_by_name(live: Live, said: bool) -> None:
    body = json.dumps({"name": "x" * (3 << 20)}).encode()
    content = body if said else iter([body[:1000], body[1000:]])
    answer = live.service.ask("POST", "projects", STAFF, content=content)
    assert (answer.status_code, answer.json()["error"]) == (413, "TooLarge")
    assert "2097152" in answer.json()["message"]


def test_a_gigabyte_is_not_taken_in(live: Live) -> None:
    """Whether it says how much comes or not: the answer is there long before, and the line ends."""
    for how in ("Content-Length: 1000000000", "Transfer-Encoding: chunked"):
        with _opened(live, "POST", "projects", how) as line:
            sent, piece = 0, b"x" * (1 << 20)
            try:
                while sent < 1000 << 20:
                    line.sendall(b"100000\r\n" + piece + b"\r\n" if "chunked" in how else piece)
                    sent += len(piece)
            except OSError:
                pass
            assert sent < 100 << 20
    assert live.service.ask("GET", "whoami", "anyone").is_success


def test_a_large_body_is_refused_before_it_is_sent(live: Live) -> None:
    with _opened(live, "POST", "projects", "Content-Length: 1000000000") as line:
        answer = b"".join(iter(lambda: line.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"TooLarge"' in answer


@pytest.mark.parametrize("length", ["-5", "1e3", "NaN", "99999999999999999999999"])
def test_a_length_that_is_none_reaches_nobody(live: Live, length: str) -> None:
    with _opened(live, "POST", "projects", f"Content-Length: {length}") as line:
        answer = b"".join(iter(lambda: line.recv(4096), b""))
    assert answer.split()[1] in (b"400", b"413")


def test_more_than_was_announced_is_another_request(live: Live) -> None:
    """A body of which one byte was announced is one byte; the rest opens nothing."""
    with _opened(live, "POST", "projects", "Content-Length: 1") as line:
        line.sendall(b'{"name": "smuggled", "team": "lab", "limit": 1}\r\n\r\n')
        answer = line.recv(65536)
        assert answer.split()[1] == b"400"
    assert live.service.ask("GET", "projects/smuggled", STAFF).status_code == 404


def _opened(live: Live, method: str, path: str, *headers: str) -> socket.socket:
    """Return a connection on which the head of a request by staff was sent."""
    url = httpx.URL(live.service.url)
    line = socket.create_connection((url.host, url.port or 80), timeout=60)
    told = [f"{name}: {value}" for name, value in identity(STAFF).items()]
    head = [f"{method} {url.path}api/v1/{path} HTTP/1.1", "Host: x", *told, *headers]
    line.sendall("\r\n".join([*head, "", ""]).encode())
    return line


def test_a_verb_that_is_not_served_says_which_are(live: Live) -> None:
    answer = live.service.ask("PUT", "whoami", "anyone", json={})
    assert (answer.status_code, answer.json()["error"]) == (405, "NotAllowed")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    answer = live.service.ask("HEAD", "trash/x/restore", "anyone")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")


@pytest.mark.parametrize("verb", ["GET", "POST", "DELETE"])
def test_an_unknown_address_is_not_found(live: Live, verb: str) -> None:
    answer = live.service.ask(verb, "nothing/here", "anyone")
    assert (answer.status_code, answer.json()["error"]) == (404, "NotFound")
