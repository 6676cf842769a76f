"""Whoever opens and sends nothing, or a byte now and then, takes nothing away from others."""

from __future__ import annotations

import resource
import socket
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil
import tifffile
import world
from live import Live
from processes import content_digest, deposit, wait_until

from cid_server_ext.core.catalog import deposits

LINES = 400
IDLE = 64 << 10  # bytes of memory that a line may take which sends nothing


def test_a_person_who_only_opens_deposits_is_stopped_and_nobody_else(live: Live) -> None:
    project = f"hoard-{live.database}"
    who = {"name": f"hoarder-{live.database}", "scopes": ["custom:cid:read", "custom:cid:write"]}
    with live.sessions.begin() as session:
        made = world.make_project(session, project)
        session.add(
            world.t.ProjectMember(project_id=made.id, person=who["name"], role="contributor")
        )
    where, one = f"projects/{project}/deposits", {"files": [{"path": "a.tif", "nbytes": 10}]}
    opened = [live.service.ask("POST", where, who, json=one) for _ in range(deposits.MOST_OPEN)]
    assert {answer.status_code for answer in opened} == {201}
    refused = live.service.ask("POST", where, who, json=one)
    assert (refused.status_code, refused.json()["error"]) == (409, "Conflict")
    assert "finish some or give them up" in refused.json()["message"]
    assert live.service.ask("POST", where, "contributor", json=one).status_code == 201
    uid = opened[0].json()["uid"]
    assert live.service.ask("DELETE", f"deposits/{uid}", who).status_code == 200
    assert live.service.ask("POST", where, who, json=one).status_code == 201


def test_many_lines_that_send_next_to_nothing_hinder_nobody(live: Live, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 3 * LINES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(3 * LINES, hard), hard))
    project = f"slow-{live.database}"
    with live.sessions.begin() as session:
        world.make_project(session, project)
    files = [{"path": f"{n}.bin", "nbytes": 1_000_000} for n in range(LINES)]
    declared = {"kind": "files", "files": files}
    opened = live.service.ask(
        "POST", f"projects/{project}/deposits", "contributor", json=declared
    ).json()
    address = urlsplit(live.service.origin + opened["upload"])
    service = psutil.Process(live.service.process.pid)
    before = service.memory_info().rss
    tifffile.imwrite(tmp_path / "quick.tif", np.arange(10_000, dtype=np.uint16).reshape(100, 100))
    digest = content_digest(b"x" * 1_000_000)
    with ExitStack() as lines:
        for n in range(LINES):
            line = socket.create_connection((address.hostname, address.port), timeout=30)
            lines.enter_context(line)
            head = f"PUT {address.path}{n}.bin HTTP/1.1\r\nHost: {address.netloc}\r\n"
            if n % 2:  # the others do not even end their headers
                head += f"Content-Length: 1000000\r\nContent-Digest: {digest}\r\n\r\nx"
            line.sendall(head.encode())
        wait_until(lambda: len(service.net_connections("tcp")) > LINES, what="the lines are there")
        came = deposit(live.service, "contributor", project, tmp_path / "quick.tif")
        assert (came["state"], len(came["images"])) == ("done", 1)
        assert live.service.ask("GET", f"images/{came['images'][0]}", "viewer").status_code == 200
        assert service.memory_info().rss - before < LINES * IDLE + (128 << 20)
    listed = live.service.ask("GET", f"deposits/{opened['uid']}", "contributor").json()
    assert listed["state"] == "open"
    assert live.service.ask("DELETE", f"deposits/{opened['uid']}", "contributor").status_code == 200
    wait_until(lambda: opened["uid"] not in live.service.staged(), what="nothing of it stays")
