"""One person's turn, and sizes that are told wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import world
from live import Live
from processes import Service, content_digest, start_service, stop


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory, empty_database: bytes) -> Iterator[Service]:
    """A service that lets each person ask 20 times at once, and then once in 5 s."""
    folder: Path = tmp_path_factory.mktemp("slow")
    (folder / "catalog.sqlite").write_bytes(empty_database)
    service = start_service(folder, CID_RATE="0.2", CID_BURST="20")
    yield service
    stop(service.process)


def test_whoever_asks_too_often_waits_and_nobody_else(slow: Service) -> None:
    answers = [slow.ask("GET", "projects", "greedy") for _ in range(30)]
    assert [answer.status_code for answer in answers[:20]] == [200] * 20
    last = answers[-1]
    assert (last.status_code, last.json()["error"]) == (429, "TooMany")
    assert 1 <= int(last.headers["Retry-After"]) <= 5
    page = httpx.get(slow.url, headers={"X-Test-User": '{"name": "greedy"}'})
    assert (page.status_code, "TooMany" in page.text) == (429, True)
    assert slow.ask("GET", "projects", "patient").status_code == 200


@pytest.mark.parametrize("nbytes", ["-1", "NaN", "1.5", '"1e9"', "1e30", "null", "true"])
def test_a_size_that_is_none_is_refused(live: Live, nbytes: str) -> None:
    name = f"size-{live.database}-{abs(hash(nbytes))}"
    with live.sessions.begin() as session:
        world.make_project(session, name)
    body = '{"files": [{"path": "a.tif", "nbytes": ' + nbytes + "}]}"
    answer = live.service.ask("POST", f"projects/{name}/deposits", "contributor", content=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "BadInput")


def test_an_upload_is_cut_at_what_was_reserved(live: Live) -> None:
    name = f"cut-{live.database}"
    with live.sessions.begin() as session:
        world.make_project(session, name)
    others = {*live.service.staged()}
    files = {"files": [{"path": "a.tif", "nbytes": 1}]}
    opened = live.service.ask("POST", f"projects/{name}/deposits", "contributor", json=files)
    url = live.service.origin + opened.json()["upload"] + "a.tif"

    def gigabyte() -> Iterator[bytes]:
        for _ in range(1000):
            sent.append(1 << 20)
            yield b"x" * (1 << 20)

    digest = content_digest(b"x")
    for headers in ({"Content-Length": str(1000 << 20)}, {}):  # the second is chunked
        sent: list[int] = []
        try:
            told = {**headers, "Content-Digest": digest}
            answer = httpx.put(url, content=gigabyte(), headers=told, timeout=60)
            assert answer.status_code in (400, 413)
        except httpx.TransportError:  # the line was cut while we were sending
            pass
        assert sum(sent) < 200 << 20
    assert {*live.service.staged()} - others <= {opened.json()["uid"]}
    assert httpx.put(url, content=b"x", headers={"Content-Digest": digest}).status_code == 201


def test_a_run_token_that_opens_nothing_has_no_large_body_read(live: Live) -> None:
    sent: list[int] = []

    def sheet() -> Iterator[bytes]:
        for _ in range(24):
            sent.append(1 << 20)
            yield b" " * (1 << 20)

    headers = {"Authorization": "CID-Run nobody", "Content-Length": str(24 << 20)}
    url = f"{live.service.url}api/v1/sheets/preview"
    try:
        answer = httpx.post(url, content=sheet(), headers=headers, timeout=60)
        assert (answer.status_code, answer.json()["error"]) == (401, "NotLoggedIn")
    except httpx.TransportError:  # the line was cut while we were sending
        pass
    assert sum(sent) < 24 << 20
