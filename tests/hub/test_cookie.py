"""The catalog in a browser: the hub's login is the login, and a change needs its XSRF token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hub_people import Visitor

import cid_client as cid

API = "/services/cid/api/v1/"


@pytest.fixture(scope="module")
def visitor(hub: Any) -> Iterator[Visitor]:
    """A researcher who logged in at the hub and opened the catalog's page."""
    with Visitor(hub, "researcher") as logged_in:
        logged_in.http.follow_redirects = True
        yield logged_in


def xsrf(visitor: Visitor) -> dict[str, str]:
    found = [c for c in visitor.http.cookies.jar if c.name == "_xsrf" and "cid" in c.path]
    return {"X-XSRFToken": str(found[-1].value)}


def test_the_page_logs_in_by_the_hub_and_shows_my_projects(
    visitor: Visitor, project: str, picture: cid.Image
) -> None:
    page = visitor.http.get("/services/cid/")
    assert page.status_code == 200
    assert str(page.url).endswith("/services/cid/")
    assert "Projects of researcher" in page.text
    assert project in page.text
    assert picture.name in visitor.http.get(f"/services/cid/images/{picture.uid}").text


def test_the_cookie_reads_and_changes_only_with_the_xsrf_token(
    visitor: Visitor, picture: cid.Image
) -> None:
    visitor.http.get("/services/cid/")
    assert visitor.http.get(f"{API}whoami").json()["name"] == "researcher"
    tag = f"{API}images/{picture.uid}/tags/Staining"
    refused = visitor.http.put(tag, json={"value": "DAPI"})
    assert (refused.status_code, refused.json()["error"]) == (403, "NotAllowed")
    foreign = visitor.http.put(tag, json={"value": "DAPI"}, headers={"X-XSRFToken": "2|a|b|1"})
    assert foreign.status_code == 403
    good = visitor.http.put(tag, json={"value": "DAPI"}, headers=xsrf(visitor))
    assert good.status_code == 200
    assert ("Staining", "DAPI") in [(t["key"], t["value"]) for t in good.json()["tags"]]


def test_without_login_the_api_says_so_and_the_page_asks_for_it(hub: Any) -> None:
    import httpx

    answer = httpx.get(f"{hub.url}{API}whoami")
    assert (answer.status_code, answer.json()["error"]) == (401, "NotLoggedIn")
    page = httpx.get(f"{hub.url}/services/cid/")
    assert page.status_code == 302
    assert "/hub/api/oauth2/authorize" in page.headers["Location"]
    bogus = httpx.get(f"{hub.url}{API}whoami", headers={"Authorization": "token bogus"})
    assert (bogus.status_code, bogus.json()["error"]) == (401, "NotLoggedIn")
