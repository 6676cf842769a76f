"""Uploads that break off, that two send at once, and whose tickets end."""

from __future__ import annotations

import errno
import os
import random
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from processes import wait_until
from tus_client import BODY, Tus, listening, repr_digest, told

from cid_server_ext.handlers import arriving
from cid_server_ext.handlers import tus as handler
from cid_server_ext.handlers.tus import NewUpload, OneUpload
from cid_server_ext.storage import revoked
from cid_server_ext.storage.arriving import Writing
from cid_server_ext.storage.tickets import Right, Signer

FILE = bytes(range(256)) * 12_000  # 3 MiB: several pieces


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tus]:
    with listening(tmp_path_factory.mktemp("root")) as client:
        yield client


@pytest.fixture
def tus(served: Tus) -> Tus:
    """The client of a deposit to which nothing came yet."""
    served.plane.root.remove("staging")
    served.plane.gauge._seen.clear()
    return served


# --- what breaks off ---------------------------------------------------------------------------


def test_what_came_before_the_line_broke_stays(tus: Tus) -> None:
    url = tus.create("a", len(FILE))
    headers = {"Upload_Offset": "0", "Content_Type": BODY, "Content_Length": str(len(FILE))}
    with tus.line("PATCH", url, **headers) as line:
        line.sendall(FILE[:2_345_678])
    there = wait_until(lambda: tus.offset(url) == 2_345_678 and tus.offset(url))
    assert tus.visible() == {}
    assert tus.patch(url, there, FILE[there:]).headers["Repr-Digest"] == repr_digest(FILE)


def test_who_never_heard_where_his_upload_began_begins_it_again(tus: Tus) -> None:
    just_room = replace(tus, limit=len(FILE) + 10)
    lost = just_room.create("a", len(FILE))
    tus.patch(lost, 0, FILE[:1000])
    again = just_room.create("a", len(FILE))
    assert just_room.post("b", len(FILE)).status_code == 413
    assert tus.head(lost).status_code == 404
    assert tus.patch(again, 0, FILE).status_code == 204
    assert tus.visible() == {"a": FILE}


def test_nobody_writes_while_another_one_does(tus: Tus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "TURN", 0.3)
    url = tus.create("a", 100)
    headers = {"Upload_Offset": "0", "Content_Type": BODY, "Content_Length": "100"}
    with tus.line("PATCH", url, Expect="100-continue", **headers) as line:
        assert line.recv(100).startswith(b"HTTP/1.1 100")
        line.sendall(b"x" * 50)
        busy = tus.patch(url, 0, b"y")
        assert (busy.status_code, busy.json()["error"]) == (423, "Busy")
        line.sendall(b"x" * 50)
        assert line.recv(100).startswith(b"HTTP/1.1 204")
    assert tus.visible() == {"a": b"x" * 100}


def test_a_sender_who_is_heard_of_no_more_gives_way(
    tus: Tus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving, "QUIET", 0.2)
    url = tus.create("a", 100)
    headers = {"Upload_Offset": "0", "Content_Type": BODY, "Content_Length": "100"}
    with tus.line("PATCH", url, **headers) as line:  # a cable that was pulled out says nothing
        line.sendall(b"x" * 50)
        wait_until(lambda: tus.patch(url, 50, b"y" * 50).status_code == 204, 60)
        assert line.recv(100) == b""
    assert tus.visible() == {"a": b"x" * 50 + b"y" * 50}


def test_several_processes_serve_one_upload(tus: Tus) -> None:
    with listening(tus.root) as other:
        url, at = tus.create("a", len(FILE)), 0
        ways = [(other, other.again(url)), (tus, url)]
        while at < len(FILE):
            client, where = ways[at // 500_000 % 2]
            assert client.offset(where) == at
            answer = client.patch(where, at, FILE[at : at + 500_000])
            at = int(answer.headers["Upload-Offset"])
    assert answer.headers["Repr-Digest"] == repr_digest(FILE)
    assert tus.visible() == {"a": FILE}


def test_a_file_that_was_complete_when_its_process_was_killed_is_put_in_place(tus: Tus) -> None:
    url = tus.create("a", 10)
    tus.patch(url, 0, b"01234")
    [came] = tus.root.rglob("bytes")
    came.write_bytes(b"0123456789")
    assert tus.head(url).headers["Repr-Digest"] == repr_digest(b"0123456789")
    assert tus.visible() == {"a": b"0123456789"}
    assert tus.patch(url, 10, b"").status_code == 204  # whose answer was lost asks again


def test_a_full_disk_is_told_and_what_came_before_stays(
    tus: Tus, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = tus.create("a", len(FILE))
    tus.patch(url, 0, FILE[:1000])
    write = Writing.write

    def full(writing: Writing, *pieces: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Writing, "write", full)
    answer = tus.patch(url, 1000, FILE[1000:])
    assert (answer.status_code, answer.json()["error"]) == (503, "Unavailable")
    monkeypatch.setattr(Writing, "write", write)
    assert tus.offset(url) == 1000
    assert tus.patch(url, 1000, FILE[1000:]).status_code == 204
    assert tus.visible() == {"a": FILE}


def test_bytes_that_come_faster_than_the_disk_takes_them_arrive_as_they_were(
    tus: Tus, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Writing._put

    def slowly(writing: Writing, pieces: tuple[memoryview, ...]) -> None:
        for piece in pieces:
            for at in range(0, len(piece), 1024):
                put(writing, (piece[at : at + 1024],))

    monkeypatch.setattr(Writing, "_put", slowly)
    body = random.Random(2).randbytes(9_876_543)
    answer = tus.patch(tus.create("a", len(body)), 0, body)
    assert answer.headers["Repr-Digest"] == repr_digest(body)
    assert tus.visible() == {"a": body}


# --- tickets -----------------------------------------------------------------------------------


def test_every_write_ticket_of_the_deposit_opens_its_uploads(tus: Tus) -> None:
    url = tus.create("a", 10)
    assert tus.patch(tus.again(url), 0, b"01234").status_code == 204
    assert replace(tus, prefix="staging/another1/in").head(url).status_code == 200
    other = replace(tus, prefix="staging/another1/in")
    assert other.head(other.again(url)).status_code == 404
    reader = replace(tus, mode="r", prefix="images/ab/abcdefgh")
    assert reader.head(reader.again(url)).status_code == 403
    assert reader.post("b", 1).status_code == 403
    forged = url.replace("/data/", "/data/x")
    for answer in (tus.head(forged), tus.patch(forged, 0, b"x"), tus.ask("DELETE", forged)):
        assert answer.status_code == 401


def test_an_upload_under_way_outlives_its_ticket_but_not_for_long(tus: Tus) -> None:
    past = Signer(tus.plane.signer.keys, clock=lambda: time.time() - 200)
    ended = past.sign(Right(tus.prefix, "w", tus.limit))
    url = tus.create("a", 10)
    old = f"http://127.0.0.1:{tus.port}/data/{ended}/"
    assert tus.patch(f"{old}.uploads/{url[-32:]}", 0, b"01234").status_code == 204
    assert tus.ask("POST", old, Upload_Length="1").status_code == 401
    [came] = tus.root.rglob("bytes")
    past_it = time.time() - handler.SINCE_ITS_LAST_BYTE - 10
    os.utime(came, (past_it, past_it))
    answer = tus.patch(f"{old}.uploads/{url[-32:]}", 5, b"56789")
    assert (answer.status_code, answer.json()["error"]) == (401, "NotLoggedIn")
    assert tus.patch(tus.again(url), 5, b"56789").status_code == 204


def test_an_upload_ends_with_the_right_of_its_person(tus: Tus) -> None:
    ticket = tus.plane.signer.sign(Right("staging/revoked1/in", "w", 100, revoked.person("ana"), 1))
    url = f"http://127.0.0.1:{tus.port}/data/{ticket}/"
    made = tus.ask("POST", url, Upload_Length="10", Upload_Metadata=told(path="a"))
    where = f"http://127.0.0.1:{tus.port}{made.headers['Location']}"
    tus.plane.revoked.revoke([revoked.person("ana")], after=None, upto=5)
    wait_until(lambda: tus.head(where).status_code == 401)
    assert tus.patch(where, 0, b"x").status_code == 401


def test_the_server_lets_it_in_without_a_login() -> None:
    """Jupyter Server denies what is not marked; the ticket is the login here."""
    marked = [NewUpload.post, NewUpload.options, OneUpload.head, OneUpload.patch, OneUpload.delete]
    for verb in (*marked, OneUpload.options):
        assert getattr(verb, "__allow_unauthenticated", False)
