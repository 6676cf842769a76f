"""Whatever breaks, the log holds nothing that would open something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import world
from processes import Service, identity, start_service, stop
from sqlalchemy import text

from cid_server_ext.db.session import open_database

TOKEN = "hub-token-0123456789abcdef"
COOKIE = "cookie-0123456789abcdef"
RUN = "run-token-0123456789abcdef"
PASSWORD = "password-0123456789abcdef"


@pytest.fixture
def broken(tmp_path: Path, empty_database: bytes) -> Any:
    """A service with an image whose row is damaged: to show it is a defect."""
    (tmp_path / "catalog.sqlite").write_bytes(empty_database)
    url = f"sqlite:///{tmp_path}/catalog.sqlite"
    sessions = open_database(url)
    with sessions.begin() as session:
        made = world.make(session)
    service = start_service(tmp_path)
    engine = sessions.kw["bind"]
    yield service, made, engine
    engine.dispose()
    stop(service.process)


def ask(service: Service, method: str, path: str, **more: Any) -> httpx.Response:
    headers = identity("manager") | {
        "Authorization": f"token {TOKEN}",
        "Cookie": f"jupyterhub-services={COOKIE}; _xsrf={COOKIE}",
    }
    return httpx.request(method, service.url + path, headers=headers, timeout=60, **more)


def test_a_log_of_defects_opens_nothing(broken: Any) -> None:
    service, made, engine = broken
    shown = ask(service, "GET", f"api/v1/images/{made.image}").json()
    ticket = shown["data"].split("/data/")[1].split("/")[0]
    with engine.begin() as connection:
        connection.execute(text("UPDATE record SET shape = '{' WHERE type = 'image'"))
    for path in (f"api/v1/images/{made.image}?token={TOKEN}", f"images/{made.image}"):
        answer = ask(service, "GET", path)
        assert answer.status_code == 500, answer.text
        assert "internal error" in answer.text or "broke" in answer.text
    assert service.ask("GET", f"runs/{made.run}/work", f"run:{made.run_token}").status_code == 500
    assert service.ask("GET", "whoami", f"run:{RUN}").status_code == 401
    for path in ("thumbnail.png", "absent", "x" * 300, "a%00b"):
        answer = ask(service, "GET", f"data/{ticket}/{path}")
        assert answer.status_code in (400, 404), answer.text
    assert ask(service, "PUT", f"data/{ticket}/x", content=b"x").status_code == 403
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE record RENAME TO away"))
    assert ask(service, "GET", "api/v1/images").status_code >= 500
    log = (service.folder / "service.log").read_text()
    assert "Traceback" in log  # for whoever has to find the defect
    assert "/data/…/absent" in log
    for secret in (TOKEN, COOKIE, RUN, made.run_token, ticket):
        assert secret not in log


def test_a_database_that_is_away_leaves_no_password_in_the_log(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://cid:{PASSWORD}@127.0.0.1:1/cid?connect_timeout=2"
    with pytest.raises(AssertionError) as caught:
        start_service(tmp_path, CID_DATABASE=url)
    log = (tmp_path / "service.log").read_text()
    assert "127.0.0.1" in log
    assert PASSWORD not in log + str(caught.value)
