"""The hub's configuration: loopback only, and each secret and right where it belongs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from hub_config import gateway
from hub_config.accounts import ACCOUNTS
from hub_config.site import HOST, Site

CONFIG = Path(gateway.__file__).parent


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(21000, tmp_path / "run", demo=True)


def load(site: Site, name: str, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.delenv("CID_DEMO", raising=False)
    for variable, value in site.environment.items():
        monkeypatch.setenv(variable, value)
    return PyFileConfigLoader(name, path=str(CONFIG)).load_config()


@pytest.fixture
def hub_config(site: Site, monkeypatch: pytest.MonkeyPatch) -> Config:
    return load(site, "jupyterhub_config.py", monkeypatch)


def services(config: Config) -> dict[str, dict[str, Any]]:
    return {service["name"]: service for service in config.JupyterHub.services}


def test_a_site_is_read_back_from_its_environment(site: Site) -> None:
    assert Site.of(site.environment) == site


def test_a_secret_is_made_once_and_only_we_can_read_it(site: Site) -> None:
    first = site.secret("password")
    assert site.secret("password") == first
    assert (site.run / "secrets" / "password").stat().st_mode & 0o777 == 0o600
    assert Site(1, site.run.with_name("other")).secret("password") != first


def test_everything_listens_on_loopback(hub_config: Config, site: Site) -> None:
    hub = hub_config.JupyterHub
    proxy = hub_config.ConfigurableHTTPProxy
    urls = [hub.bind_url, proxy.api_url, *(s["url"] for s in hub.services if "url" in s)]
    assert {urlsplit(url).hostname for url in urls} == {HOST} == {hub.hub_ip}
    ports = [hub.hub_port, *(urlsplit(url).port for url in urls)]
    assert sorted(ports) == sorted(set(site.ports.values()) - {site.ports["gateway-api"]})


def test_the_database_is_known_to_catalog_and_conductor_only(
    hub_config: Config, site: Site
) -> None:
    knowing = {
        name
        for name, service in services(hub_config).items()
        if site.database in str(service.get("environment"))
    }
    assert knowing == {"cid", "cid-conductor"}
    assert "CID_STORAGE" not in services(hub_config)["cid-conductor"]["environment"]


def test_a_users_server_is_told_the_address_and_folders_of_its_own(
    hub_config: Config, site: Site
) -> None:
    spawner = SimpleNamespace(user=SimpleNamespace(name="researcher"))
    told = {
        name: value(spawner) if callable(value) else value
        for name, value in hub_config.Spawner.environment.items()
    }
    home = str(site.run / "home" / "researcher")
    assert told.pop("CID_URL") == site.service_url
    assert all(value.startswith(home) for value in told.values())


def test_only_the_demos_names_can_log_in(hub_config: Config) -> None:
    assert hub_config.Authenticator.allowed_users == set(ACCOUNTS)
    assert "allow_all" not in hub_config.Authenticator
    assert "admin_users" not in hub_config.Authenticator


def test_each_role_holds_what_it_needs_and_no_more(hub_config: Config) -> None:
    roles = {role["name"]: role for role in hub_config.JupyterHub.load_roles}
    assert set(roles["user"]["scopes"]) == {
        "self",
        "access:services!service=cid",
        "custom:cid:write",
    }
    assert roles["cid-conductor"]["scopes"] == ["access:services!service=dask-gateway"]
    assert roles["cid-staff"]["groups"] == ["cid-staff"]


def test_the_page_of_a_visited_server_never_acts_as_staff(hub_config: Config) -> None:
    assert "custom:cid:staff" in hub_config.Spawner.server_token_scopes
    assert "custom:cid:staff" not in hub_config.Spawner.oauth_client_allowed_scopes


def test_without_the_demo_nobody_speaks_for_others(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = load(Site(site.port, site.run), "jupyterhub_config.py", monkeypatch)
    assert "cid-demo" not in services(plain)
    granted = {scope for role in plain.JupyterHub.load_roles for scope in role["scopes"]}
    assert "tokens" not in granted


def test_the_gateway_listens_on_loopback_without_pages(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load(site, "gateway_config.py", monkeypatch)
    assert config.DaskGateway.address == f"{HOST}:{site.ports['gateway-api']}"
    assert config.Proxy.address == f"{HOST}:{site.ports['gateway']}"
    assert "--no-dashboard" in config.ClusterConfig.scheduler_cmd


def cluster_of(site: Site, user: str, **chosen: Any) -> dict[str, Any]:
    options = gateway.options(site)
    return options.get_configuration(options.parse_options(chosen), SimpleNamespace(name=user))


def test_the_conductors_variables_reach_the_workers(site: Site) -> None:
    made = cluster_of(site, gateway.CONDUCTOR, worker_memory=1.5, environment={"CID_RUN_KEY": "k"})
    assert made["environment"]["CID_RUN_KEY"] == "k"
    assert made["worker_memory"] == int(1.5 * 2**30)


@pytest.mark.parametrize("user", ["researcher", "cid-conductor", "service:cid"])
def test_a_cluster_is_for_the_conductor_only(site: Site, user: str) -> None:
    with pytest.raises(ValueError, match="submit a run to the catalog"):
        cluster_of(site, user)


def test_the_catalog_may_ask_for_clusters_only_where_it_imports_on_them(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def roles(config: Any) -> set[str]:
        return {role["name"] for role in config.JupyterHub.load_roles}

    assert "cid-imports" not in roles(load(site, "jupyterhub_config.py", monkeypatch))
    monkeypatch.setenv("CID_IMPORT_CLUSTER", f"gateway:{site.gateway_url}")
    config = load(site, "jupyterhub_config.py", monkeypatch)
    assert "cid-imports" in roles(config)
    for name in ("cid", "dask-gateway"):
        told = services(config)[name]["environment"]
        assert told["CID_IMPORT_CLUSTER"] == f"gateway:{site.gateway_url}"
    options = gateway.options(site, imports=True)
    caller = SimpleNamespace(name=gateway.CATALOG)
    assert options.get_configuration(options.parse_options({}), caller)["worker_cores"] == 1


def test_the_conductor_is_told_whose_clusters_to_open(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> dict[str, str]:
        config = load(site, "jupyterhub_config.py", monkeypatch)
        environment: dict[str, str] = services(config)["cid-conductor"]["environment"]
        return environment

    monkeypatch.delenv("CID_CLUSTERS", raising=False)
    assert "CID_CLUSTERS" not in told()
    monkeypatch.setenv("CID_CLUSTERS", "racks")
    assert told()["CID_CLUSTERS"] == "racks"


@pytest.mark.parametrize("chosen", [{"worker_cores": 1000}, {"worker_memory": 64}, {"image": "x"}])
def test_a_cluster_has_limits(site: Site, chosen: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"worker_|Unknown"):
        cluster_of(site, gateway.CONDUCTOR, **chosen)
