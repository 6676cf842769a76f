"""The data plane over real HTTP: bytes out by ticket, uploads in, whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import planes
import pytest
from processes import wait_until

from cid_server_ext.handlers.data import DataHandler
from cid_server_ext.storage.plane import DataPlane
from cid_server_ext.storage.tickets import Right, Signer

IMAGE = "images/ab/abcdefgh"
STAGING = "staging/abcdefgh/in"
BODY = bytes(range(256)) * 4096  # 1 MiB
ENCODED = "filename*=UTF-8''page%20%C3%A9.html"


@dataclass
class Plane:
    """A data plane that listens, and what a test needs to speak with it."""

    plane: DataPlane
    port: int

    def url(self, path: str, mode: str = "r", limit: int = 0, prefix: str = "") -> str:
        prefix = prefix or (IMAGE if mode == "r" else STAGING)
        ticket = self.plane.signer.sign(Right(prefix, mode, limit))
        return f"http://127.0.0.1:{self.port}/data/{ticket}/{path}"

    def get(self, path: str, **headers: str) -> httpx.Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.get(self.url(path), headers=names)

    def put(self, path: str, body: bytes = BODY, limit: int = 10**9, **headers) -> httpx.Response:
        return httpx.put(self.url(path, "w", limit), content=body, headers=digest(body) | headers)

    def staged(self) -> dict[str, int]:
        folder, found = self.plane.root.root / STAGING, {}
        for path in folder.rglob("*"):
            with suppress(FileNotFoundError):  # it is removed while we look
                if path.is_file():
                    found[path.relative_to(folder).as_posix()] = path.stat().st_size
        return found

    def nothing_is_staged(self) -> bool:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if not self.staged():
                return True
            time.sleep(0.01)
        return False


def digest(body: bytes) -> dict[str, str]:
    code = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return {"Content-Digest": f"sha-256=:{code}:"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    root = tmp_path_factory.mktemp("root")
    image = root / IMAGE
    (image / "image.ome.zarr" / "0").mkdir(parents=True)
    (image / "image.ome.zarr" / "zarr.json").write_text("{}")
    (image / "image.ome.zarr" / "0" / "chunk").write_bytes(BODY)
    (image / "thumbnail.png").write_bytes(b"\x89PNG")
    (image / "page é.html").write_text("<script>alert(1)</script>")
    (image / "empty").touch()
    (image / "large").write_bytes(BODY * 5 + b"tail")
    (root / "images/ab/secret").write_text("of another image")
    (image / "link").symlink_to("/etc/passwd")
    (image / "inner").symlink_to(image / "empty")
    with planes.listening(root) as (plane, port):
        yield Plane(plane, port)


@pytest.fixture
def fresh(served: Plane) -> Plane:
    """The same plane with nothing staged."""
    served.plane.root.remove("staging")
    served.plane.gauge._seen.clear()
    return served


# --- out ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["image.ome.zarr/0/chunk", "large", "empty", "thumbnail.png"])
def test_the_stored_bytes_are_sent(served: Plane, path: str) -> None:
    answer = served.get(path)
    expected = (served.plane.root.root / IMAGE / path).read_bytes()
    assert (answer.status_code, answer.content) == (200, expected)
    assert answer.headers["Content-Length"] == str(len(expected))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "private, max-age=30"


@pytest.mark.parametrize(
    ("path", "kind", "disposition"),
    [
        ("image.ome.zarr/zarr.json", "application/json", None),
        ("image.ome.zarr/0/chunk", "application/octet-stream", None),
        ("thumbnail.png", "image/png", None),
        ("page é.html", "application/octet-stream", f"attachment; {ENCODED}"),
    ],
)
def test_a_browser_is_told_never_to_run_it(served: Plane, path, kind, disposition) -> None:
    headers = served.get(path).headers
    assert headers["Content-Type"] == kind
    assert headers.get("Content-Disposition") == disposition
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


SIZE = len(BODY)


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=100-", 100, SIZE),
        ("bytes=-7", SIZE - 7, SIZE),
        (f"bytes=-{SIZE * 2}", 0, SIZE),
        (f"bytes=5-{SIZE * 2}", 5, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
    ],
)
def test_one_range_is_sent(served: Plane, asked: str, start: int, stop: int) -> None:
    answer = served.get("image.ome.zarr/0/chunk", Range=asked)
    assert (answer.status_code, answer.content) == (206, BODY[start:stop])
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE * 3}-{SIZE * 4}", "bytes=-0"])
def test_a_range_past_the_end_is_refused(served: Plane, asked: str) -> None:
    answer = served.get("image.ome.zarr/0/chunk", Range=asked)
    assert (answer.status_code, answer.json()["error"]) == (416, "BadInput")
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=9-2", "bytes=-", "lines=1-2", "x"])
def test_a_range_that_is_not_one_is_ignored(served: Plane, asked: str) -> None:
    answer = served.get("image.ome.zarr/0/chunk", Range=asked)
    assert (answer.status_code, len(answer.content)) == (200, SIZE)


def test_a_file_seen_before_is_not_sent_again(served: Plane) -> None:
    etag = served.get("large").headers["ETag"]
    assert etag[0] == '"'
    for same in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        answer = served.get("large", If_None_Match=same)
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
    assert served.get("large", If_None_Match='"x"').status_code == 200
    part = served.get("large", Range="bytes=0-9", If_Range=etag)
    whole = served.get("large", Range="bytes=0-9", If_Range='"x"')
    assert (part.status_code, whole.status_code) == (206, 200)


def test_head_says_what_get_would_send(served: Plane) -> None:
    answer = httpx.head(served.url("large"))
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(BODY) * 5 + 4)
    assert answer.headers["ETag"] == served.get("large").headers["ETag"]


@pytest.mark.parametrize("path", ["absent", "image.ome.zarr", "image.ome.zarr/0", "empty/x"])
def test_what_is_not_there_is_not_found(served: Plane, path: str) -> None:
    answer = served.get(path)
    assert (answer.status_code, answer.json()["error"]) == (404, "NotFound")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        *("..%2Fsecret", "%2e%2e/secret", "x/..%2F..%2Fsecret"),
        *("a%00b", "a%5Cb", "%2Fetc%2Fpasswd", "link"),
    ],
)
def test_no_path_leads_out(served: Plane, path: str) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as line:
        target = served.url("").removeprefix(f"http://127.0.0.1:{served.port}") + path
        line.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: line.recv(4096), b""))
    assert answer.split()[1] == b"400"
    assert b"of another" not in answer
    assert b"root:" not in answer


def test_a_link_is_not_followed_even_inside(served: Plane) -> None:
    assert served.get("inner").status_code == 404


def test_a_ticket_opens_its_own_prefix_only(served: Plane) -> None:
    ticket = served.plane.signer.sign(Right("images/ab/another1", "r"))
    url = f"http://127.0.0.1:{served.port}/data/{ticket}/large"
    assert httpx.get(url).status_code == 404


@pytest.mark.parametrize("ticket", ["x", "e30.AAAA", "W10.W10", "%00"])
def test_forged_tickets_open_nothing(served: Plane, ticket: str) -> None:
    answer = httpx.get(f"http://127.0.0.1:{served.port}/data/{ticket}/large")
    assert (answer.status_code, answer.json()["error"]) == (401, "NotLoggedIn")


def test_an_ended_ticket_opens_nothing(served: Plane) -> None:
    past = Signer(served.plane.signer.keys, clock=lambda: time.time() - 200)
    ticket = past.sign(Right(IMAGE, "r"))
    answer = httpx.get(f"http://127.0.0.1:{served.port}/data/{ticket}/large")
    assert (answer.status_code, answer.json()["error"]) == (401, "NotLoggedIn")


def test_a_right_to_read_is_no_right_to_write(served: Plane) -> None:
    reading = httpx.put(served.url("x"), content=b"x", headers=digest(b"x"))
    writing = httpx.get(served.url("x", "w", 10))
    for answer in (reading, writing):
        assert (answer.status_code, answer.json()["error"]) == (403, "NotAllowed")


def test_a_reader_who_goes_away_leaves_no_file_open(served: Plane) -> None:
    def opened() -> bool:
        """Is the file open somewhere in this process?"""
        for entry in Path("/proc/self/fd").iterdir():
            with suppress(FileNotFoundError):
                if os.readlink(entry).endswith(f"{IMAGE}/large"):
                    return True
        return False

    for _ in range(20):
        with httpx.stream("GET", served.url("large")) as answer:
            next(answer.iter_bytes(1000))
    wait_until(lambda: not opened(), what="it is closed")


def test_the_server_lets_it_in_without_a_login() -> None:
    """Jupyter Server denies what is not marked; the ticket is the login here."""
    for verb in ("get", "head", "put"):
        assert getattr(getattr(DataHandler, verb), "__allow_unauthenticated", False)


# --- in -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 65536, 1 << 20, (5 << 20) + 1])
def test_a_file_comes_in(fresh: Plane, size: int) -> None:
    body = (BODY * 6)[:size]
    answer = fresh.put("a b/x.bin", body)
    assert answer.status_code == 201
    assert answer.json()["sha256"] == hashlib.sha256(body).hexdigest()
    assert (fresh.plane.root.root / STAGING / "a b/x.bin").read_bytes() == body
    assert fresh.staged() == {"a b/x.bin": size}


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Content-Digest": ""}, "Content-Digest"),
        ({"Content-Digest": "md5=:AAAA:"}, "Content-Digest"),
        ({"Content-Digest": "sha-256=:AAAA:"}, "Content-Digest"),
        ({"Content-Encoding": "gzip"}, "Content-Encoding"),
        (digest(b"other"), "send again"),
    ],
)
def test_what_is_not_as_announced_leaves_nothing(fresh: Plane, headers, said: str) -> None:
    answer = fresh.put("x", **headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "BadInput")
    assert said in answer.json()["message"]
    assert fresh.nothing_is_staged()


def test_a_length_must_be_said(fresh: Plane) -> None:
    answer = httpx.put(
        fresh.url("x", "w", 10**9), content=iter([b"abc", b"def"]), headers=digest(b"abcdef")
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "BadInput")
    assert fresh.nothing_is_staged()


def test_no_more_comes_in_than_was_reserved(fresh: Plane) -> None:
    assert fresh.put("a", limit=SIZE + 10).status_code == 201
    answer = fresh.put("b", b"x" * 11, limit=SIZE + 10)
    assert (answer.status_code, answer.json()["error"]) == (413, "OverQuota")
    assert fresh.put("b", b"x" * 10, limit=SIZE + 10).status_code == 201
    assert fresh.staged() == {"a": SIZE, "b": 10}


def test_no_more_files_come_in_than_a_deposit_holds(
    fresh: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh.plane.gauge, "most_files", 2)
    said = {"Tus-Resumable": "1.0.0", "Upload-Length": "0", "Upload-Metadata": "path Yg=="}
    assert fresh.put("a", b"").status_code == 201
    assert httpx.post(fresh.url("", "w"), headers=said).status_code == 201
    for refused in (fresh.put("c", b""), httpx.post(fresh.url("", "w"), headers=said)):
        assert (refused.status_code, refused.json()["error"]) == (413, "TooLarge")
        assert "at most 2 files" in refused.json()["message"]
    assert set(fresh.staged()) == {"a", "b"}


def test_a_refused_upload_is_answered_before_its_body(fresh: Plane) -> None:
    answer = fresh.put("x", BODY * 20, limit=10)
    assert (answer.status_code, answer.json()["error"]) == (413, "OverQuota")
    assert fresh.nothing_is_staged()


def test_room_of_a_failed_upload_is_given_back(fresh: Plane) -> None:
    for _ in range(3):
        assert fresh.put("x", limit=SIZE, **digest(b"other")).status_code == 400
    assert fresh.put("x", limit=SIZE).status_code == 201


def test_a_connection_that_breaks_leaves_nothing(fresh: Plane) -> None:
    target = fresh.url("x", "w", 10**9).removeprefix(f"http://127.0.0.1:{fresh.port}")
    told = f"Content-Length: {SIZE}\r\nContent-Digest: {digest(BODY)['Content-Digest']}"
    with socket.create_connection(("127.0.0.1", fresh.port)) as line:
        line.sendall(f"PUT {target} HTTP/1.1\r\nHost: x\r\n{told}\r\n\r\n".encode())
        line.sendall(BODY[: SIZE // 2])
        wait_until(fresh.staged)
        assert list(fresh.staged().values()) == [SIZE]  # its room is taken at once
    assert fresh.nothing_is_staged()
    assert fresh.put("x", limit=SIZE).status_code == 201


@pytest.mark.parametrize("path", ["..%2Fx", "a%5Cb", "CON", "a%2F%2Fb", ".part-1", "x."])
def test_names_that_lead_elsewhere_are_refused(fresh: Plane, path: str) -> None:
    answer = fresh.put(path)
    assert (answer.status_code, answer.json()["error"]) == (400, "BadInput")
    assert fresh.nothing_is_staged()


def test_a_file_and_a_folder_of_one_name_are_a_conflict(fresh: Plane) -> None:
    assert fresh.put("a/b").status_code == 201
    for path in ("a", "a/b/c"):
        answer = fresh.put(path)
        assert (answer.status_code, answer.json()["error"]) == (409, "Conflict")
    assert fresh.staged() == {"a/b": SIZE}


def test_other_verbs_are_answered_as_errors_of_ours(served: Plane) -> None:
    answer = httpx.delete(served.url("large"))
    assert (answer.status_code, answer.json()["error"]) == (405, "NotAllowed")
    assert "nosniff" in answer.headers["X-Content-Type-Options"]
