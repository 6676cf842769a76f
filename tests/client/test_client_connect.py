"""Where the client connects and as whom: what is given, else what the environment says."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tiny_catalog import RUN_TOKEN, TOKEN, Tiny

import cid_client as cid

HOME = "http://127.0.0.1:8000/services/cid/"


def shown(catalog: cid.Catalog) -> str:
    return catalog.session.access.authorization


def test_without_an_address_it_says_what_to_set() -> None:
    with pytest.raises(cid.NotConfigured, match=r"set CID_URL"):
        cid.connect()


def test_without_a_token_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CID_URL", HOME)
    with pytest.raises(cid.NotConfigured, match=r"set CID_TOKEN"):
        cid.connect()


def test_an_address_without_scheme_is_refused() -> None:
    with pytest.raises(cid.NotConfigured, match="http://"):
        cid.connect("hub.example.org/services/cid", "x")


def test_the_hub_token_is_shown_on_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CID_URL", HOME.rstrip("/"))
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "hub")
    catalog = cid.connect()
    assert shown(catalog) == "token hub"
    assert catalog.session.url == HOME


def test_inside_a_run_the_run_token_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CID_URL", HOME)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "hub")
    monkeypatch.setenv("CID_RUN_TOKEN", "run")
    assert shown(cid.connect()) == "CID-Run run"


def test_a_hub_token_never_goes_to_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CID_URL", HOME)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "hub")
    with pytest.raises(cid.NotConfigured):
        cid.connect("http://elsewhere.example.org/services/cid/")
    monkeypatch.setenv("CID_TOKEN", "chosen")
    assert shown(cid.connect("http://elsewhere.example.org/")) == "token chosen"


def test_what_is_given_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CID_URL", HOME)
    monkeypatch.setenv("CID_TOKEN", "chosen")
    assert shown(cid.connect("http://127.0.0.1:9/cid/", "given")) == "token given"


def test_no_repr_shows_a_token(catalog: cid.Catalog) -> None:
    texts = [repr(catalog), repr(catalog.session), repr(catalog.session.access)]
    assert not any(TOKEN in text for text in texts)


def test_whoami_keeps_what_it_knows_of_the_answer(catalog: cid.Catalog) -> None:
    assert catalog.whoami() == cid.Person("researcher", home="service")


def test_a_run_token_is_shown_as_one(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CID_URL", tiny.url)
    monkeypatch.setenv("CID_RUN_TOKEN", RUN_TOKEN)
    catalog = cid.connect()
    catalog.whoami()
    catalog.close()
    assert tiny.seen[-1].headers["authorization"] == f"CID-Run {RUN_TOKEN}"


def test_importing_the_client_imports_nothing_heavy() -> None:
    heavy = {"numpy", "zarr", "dask", "xarray", "pandas", "distributed", "IPython", "matplotlib"}
    code = f"import sys, cid_client; print(*({heavy!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
