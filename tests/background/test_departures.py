"""Whoever the hub lets go, or out of a group, loses the addresses that were given before."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import httpx
import pytest
import world
from processes import start_service, stop, wait_until
from sqlalchemy import select

from cid_server_ext.background import departures, revoker
from cid_server_ext.background.departures import Departures, HubPeople, Refused
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.people import members
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import open_database
from cid_server_ext.storage import revoked
from cid_server_ext.storage.revoked import Revoked

PROMISED = 10.0  # seconds
NOBODY: frozenset[str] = frozenset()


class Hub:
    """The users of a hub as its API lists them, two a page, for one token."""

    def __init__(self) -> None:
        self.users: dict[str, list[str]] = {}
        self.asked = 0
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                known = self.headers["Authorization"] == "token right"
                self.send_response(200 if known else 403)
                self.end_headers()
                hub.asked += 1
                offset = int(parse_qs(urlparse(self.path).query)["offset"][0])
                self.wfile.write(json.dumps(hub.page(offset)).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hub/api"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def page(self, offset: int) -> dict[str, object]:
        listed = [{"name": name, "groups": groups} for name, groups in self.users.items()]
        more = {"offset": offset + 2} if offset + 2 < len(listed) else None
        return {"items": listed[offset : offset + 2], "_pagination": {"next": more}}

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def hub() -> Iterator[Hub]:
    made = Hub()
    yield made
    made.close()


@pytest.fixture
def known(tmp_path: Path) -> Revoked:
    made = Revoked(tmp_path)
    made.revoke([], after=None, upto=7)
    return made


def test_the_hubs_pages_are_read_to_the_end(hub: Hub) -> None:
    hub.users = {"ana": ["cid-staff"], "ben": [], "chen": ["cid-guest", "x"]}
    found = HubPeople(hub.url, "right")()
    assert found == {
        "ana": {"cid-staff"},
        "ben": NOBODY,
        "chen": {"cid-guest", "x"},
    }
    with pytest.raises(Refused, match="403"):
        HubPeople(hub.url, "wrong")()


def test_who_is_gone_or_changed_groups_is_revoked_and_nobody_else(known: Revoked) -> None:
    staff = frozenset({"cid-staff"})
    hub = {"ana": staff, "ben": NOBODY, "chen": NOBODY}
    follow = Departures(lambda: dict(hub), known)
    follow.look()
    assert known.now().at == {}
    hub.update(ana=NOBODY)
    del hub["ben"]
    follow.look()
    assert known.now().at.keys() == {revoked.person("ana"), revoked.person("ben")}
    assert known.now().journal == 7


def test_it_is_repeated_while_a_process_may_know_the_old_token(
    known: Revoked, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = {"ben": NOBODY}
    follow = Departures(lambda: dict(hub), known)
    follow.look()
    hub.clear()
    moments = []
    for _ in range(3):
        follow.look()
        moments.append(known.now().at[revoked.person("ben")])
    assert moments == sorted(set(moments))
    monkeypatch.setattr(departures.time, "monotonic", lambda: float("inf"))
    follow.look()  # the last time
    last = known.now().at
    follow.look()
    assert known.now().at == last


def test_who_left_is_looked_for_often_enough() -> None:
    assert departures.EVERY + revoker.EVERY + revoked.LOOK < PROMISED / 2


def test_addresses_of_a_departed_account_end_in_time(
    hub: Hub, tmp_path: Path, empty_database: bytes
) -> None:
    (tmp_path / "catalog.sqlite").write_bytes(empty_database)
    sessions = open_database(f"sqlite:///{tmp_path}/catalog.sqlite")
    with sessions.begin() as session:
        made = world.make(session)
        members.put_member(session, Actor("manager"), made.project, "ben", "viewer")
        prefix = session.scalars(select(t.Record.prefix).where(t.Record.uid == made.image)).one()
    sessions.kw["bind"].dispose()
    hub.users = {"ana": [], "ben": [], "viewer": []}
    service = start_service(tmp_path, JUPYTERHUB_API_URL=hub.url, JUPYTERHUB_API_TOKEN="right")
    try:
        path = service.folder / "storage" / prefix / "thumbnail.png"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"bytes")

        def address(who: str) -> str:
            shown = service.ask("GET", f"images/{made.image}", who).json()
            return str(service.origin + shown["thumbnail"])

        wait_until(lambda: hub.asked > 2, what="the service knows who is there")
        bens, others = address("ben"), address("viewer")
        assert httpx.get(bens).content == b"bytes"
        del hub.users["ben"]
        wait_until(lambda: httpx.get(bens).status_code == 401, what="it is refused")
        assert httpx.get(others).status_code == 200
    finally:
        stop(service.process)
