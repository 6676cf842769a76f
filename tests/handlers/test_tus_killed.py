"""The service is killed in the middle of an upload: the next one goes on with every byte it had."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
from processes import STAFF, Service, start_service, stop, wait_until
from tus_client import BODY, HTTP, SPOKEN, repr_digest, told

FILE = random.Random(4).randbytes(6 << 20)
HALF = len(FILE) // 2
HELD = 2 << 20  # bytes that may wait in memory while as many are written


def address(service: Service, uid: str) -> str:
    return service.origin + service.ask("GET", f"deposits/{uid}", "clara").json()["upload"]


def part(at: int, nbytes: int) -> dict[str, str]:
    length = {"Content-Length": str(nbytes)}
    return {**SPOKEN, **length, "Upload-Offset": str(at), "Content-Type": BODY}


def test_a_killed_service_forgets_no_byte_and_keeps_nothing_that_is_not_whole(
    tmp_path: Path, empty_database: bytes
) -> None:
    (tmp_path / "catalog.sqlite").write_bytes(empty_database)
    service = start_service(tmp_path)
    try:
        project = {
            "name": "killed-tus",
            "team": "killed-team",
            "limit": 10**9,
            "members": {"clara": "contributor"},
        }
        assert service.ask("POST", "projects", STAFF, json=project).status_code == 201
        body = {"kind": "files", "files": [{"path": "a.bin", "nbytes": len(FILE)}]}
        uid = service.ask("POST", "projects/killed-tus/deposits", "clara", json=body).json()["uid"]
        headers = {"Upload-Length": str(len(FILE)), "Upload-Metadata": told(path="a.bin")}
        made = HTTP.post(address(service, uid), headers=SPOKEN | headers)
        upload = f".uploads/{made.headers['Location'].rpartition('/')[2]}"
        [came] = (tmp_path / "storage" / "staging" / uid).rglob("bytes")

        def until_killed() -> Iterator[bytes]:
            yield FILE[:HALF]
            wait_until(lambda: came.stat().st_size >= HALF - HELD, 60)
            os.killpg(service.process.pid, signal.SIGKILL)
            service.process.wait(60)
            yield FILE[HALF:]

        with suppress(httpx.TransportError):
            url = address(service, uid) + upload
            HTTP.patch(url, content=until_killed(), headers=part(0, len(FILE)))
        assert service.process.poll() is not None

        service = start_service(tmp_path)
        url = address(service, uid) + upload
        there = int(HTTP.head(url, headers=SPOKEN).headers["Upload-Offset"])
        assert there == came.stat().st_size >= HALF - HELD
        rest = FILE[there:]
        answer = HTTP.patch(url, content=rest, headers=part(there, len(rest)))
        assert answer.headers["Repr-Digest"] == repr_digest(FILE)
        assert service.ask("POST", f"deposits/{uid}/commit", "clara", json={}).status_code == 202

        def done() -> str:
            state = service.ask("GET", f"deposits/{uid}", "clara").json()["state"]
            return state if state in ("done", "failed") else ""

        assert wait_until(done, 60) == "done"
        wait_until(lambda: service.staged() == [], 60)

        lost = service.ask("POST", "projects/killed-tus/deposits", "clara", json=body).json()["uid"]
        made = HTTP.post(address(service, lost), headers=SPOKEN | headers)
        url = service.origin + made.headers["Location"]
        assert HTTP.patch(url, content=FILE[:9], headers=part(0, 9)).status_code == 204
        refused = service.ask("POST", f"deposits/{lost}/commit", "clara", json={})
        assert (refused.status_code, refused.json()["error"]) == (409, "Conflict")
        assert refused.json()["message"].startswith("1 file is still coming, first 'a.bin'")
        service.ask("DELETE", f"deposits/{lost}", "clara")
        wait_until(lambda: service.staged() == [], 60)
    finally:
        stop(service.process)
