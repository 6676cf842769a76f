"""Who gets in, what their tokens open, and what lies in a user's server; on the real hub."""

from __future__ import annotations

import httpx
import psutil
import pytest
from hub_people import Visitor

from cid_server_ext.background.departures import HubPeople
from hub_config.accounts import ACCOUNTS
from hub_config.running import Hub


@pytest.mark.parametrize("name", ACCOUNTS)
def test_each_account_is_who_it_says(hub: Hub, name: str) -> None:
    headers = {"Authorization": f"token {hub.token(name)}"}
    told = httpx.get(f"{hub.service_url}api/v1/whoami", headers=headers, timeout=60).json()
    assert (told["name"], told["staff"], told["guest"]) == (name, name == "staff", name == "guest")


@pytest.mark.parametrize(
    ("name", "password"), [("mallory", None), ("researcher", "wrong-password"), ("cid-demo", None)]
)
def test_others_are_refused(hub: Hub, name: str, password: str | None) -> None:
    with Visitor(hub, name, password) as visitor:
        assert visitor.status == 403


def test_users_cannot_open_clusters_themselves(hub: Hub) -> None:
    headers = {"Authorization": f"jupyterhub {hub.token('researcher')}"}
    answer = httpx.get(f"{hub.site.gateway_url}/api/v1/clusters/", headers=headers, timeout=60)
    assert answer.status_code == 401


def test_a_user_cannot_make_a_token_that_opens_clusters(hub: Hub) -> None:
    with Visitor(hub, "researcher") as visitor:
        scopes = ["access:services!service=dask-gateway"]
        answer = visitor.api("POST", "users/researcher/tokens", json={"scopes": scopes})
    assert answer.status_code == 400


def test_a_users_server_holds_no_secret_of_the_catalog(hub: Hub) -> None:
    with Visitor(hub, "leader") as visitor:
        visitor.start_server()
        environment = server_of(hub, "leader").environ()
        visitor.api("DELETE", "users/leader/server")
    assert environment["CID_URL"] == hub.service_url
    assert environment["HOME"] == str(hub.root / "home" / "leader")
    secrets = [hub.password, *(p.read_text() for p in (hub.root / "secrets").iterdir())]
    held = " ".join(environment.values())
    assert not any(secret in held for secret in secrets)
    assert {"CID_DATABASE", "CID_STORAGE", "CID_DEMO"}.isdisjoint(environment)
    assert "catalog.sqlite" not in held


def test_the_catalog_may_ask_who_is_there_and_in_which_groups(hub: Hub) -> None:
    everything = psutil.Process(hub.process.pid).children(recursive=True)
    environs = (environment_of(process) for process in everything)
    own = next(e for e in environs if e.get("JUPYTERHUB_SERVICE_NAME") == "cid")
    found = HubPeople(own["JUPYTERHUB_API_URL"], own["JUPYTERHUB_API_TOKEN"])()
    assert set(found) >= set(ACCOUNTS)
    assert (found["staff"], found["guest"]) == ({"cid-staff"}, {"cid-guest"})


def server_of(hub: Hub, name: str) -> psutil.Process:
    everything = psutil.Process(hub.process.pid).children(recursive=True)
    return next(p for p in everything if environment_of(p).get("JUPYTERHUB_USER") == name)


def environment_of(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:  # it has just ended
        return {}
