"""Runs that lie or reach for what is not theirs: refused by name, and it is in the log."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import world
from chromium import launch
from deliveries import deliver, notebook, worker, working
from playwright.sync_api import Page, expect, sync_playwright
from processes import STAFF, Service, identity
from sqlalchemy import select

import cid_client as cid
from cid_client.runs import provenance as records
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions

unique = itertools.count()
HOSTILE = "<script>document.title='acted'</script><img src=x onerror=\"document.title='acted'\">"


@pytest.fixture
def made(service_database: Sessions) -> world.World:
    """A run under way, in a project of its own."""
    with service_database.begin() as session:
        return working(session, f"malice-{next(unique)}")


def logged(service: Service) -> str:
    return "".join(path.read_text(errors="replace") for path in service.folder.glob("*.log"))


def test_a_token_of_another_run_opens_nothing(
    service: Service, made: world.World, service_database: Sessions
) -> None:
    with service_database.begin() as session:
        other = world.make(session, f"malice-{next(unique)}")
    for verb, path, body in (
        ("GET", f"runs/{other.run}/work", None),
        ("GET", f"runs/{other.run}/provenance", None),
        ("GET", f"runs/{other.run}/crate", None),
        ("POST", f"runs/{other.run}/progress", {"cell": 1, "cells": 2}),
        ("POST", f"runs/{other.run}/deposits", {"files": [{"path": "a", "nbytes": 1}]}),
    ):
        answer = worker(service, made, verb, path, json=body)
        assert (answer.status_code, answer.json()["error"]) == (404, "NotFound"), path
    stale = service.ask("GET", f"runs/{made.run}/work", "run:of nobody")
    assert (stale.status_code, stale.json()["error"]) == (401, "NotLoggedIn")


def test_a_worker_gets_its_inputs_and_no_other_image(
    service: Service, made: world.World, service_database: Sessions
) -> None:
    with service_database.begin() as session:
        beside = world.add_image(session, made.project, "beside").uid
    assert worker(service, made, "GET", f"images/{made.image}").status_code == 200
    for path in (f"images/{beside}", f"images/{beside}/lineage", f"records/{beside}"):
        answer = worker(service, made, "GET", path)
        assert (answer.status_code, answer.json()["error"]) == (404, "NotFound"), path
    kin = worker(service, made, "GET", f"images/{made.image}/lineage?depth=9").json()
    assert (kin["images"], kin["children"]) == ([], [])


def test_a_result_that_lies_about_its_hash_fails_the_run_and_is_logged(
    service: Service, made: world.World
) -> None:
    files = {"table.csv": b"label,area\n1,2\n", "executed.ipynb": notebook()}
    run = deliver(service, made, files, {"table.csv": hashlib.sha256(b"other").hexdigest()})
    assert (run["state"], run["error"]["error"]) == ("failed", "WrongDigest")
    assert "table.csv: its worker says sha256" in run["error"]["message"]
    assert run["outputs"]["files"] == [] or "table.csv" not in json.dumps(run["outputs"])
    assert run["notebook"] is not None
    assert "its worker says sha256" in logged(service)


def test_a_run_is_sealed_as_it_ends_and_its_record_is_checked_offline(
    service: Service, made: world.World, tmp_path: Any
) -> None:
    content = b"label,area\n1,2\n"
    digest = hashlib.sha256(content).hexdigest()
    files = {"table.csv": content, "executed.ipynb": notebook()}
    assert deliver(service, made, files, {"table.csv": digest})["state"] == "done"
    told = service.ask("GET", f"runs/{made.run}/provenance", "viewer").json()
    keys = service.ask("GET", "keys", "viewer").json()["keys"]
    assert told["sealed"]
    outputs = {one["name"]: (one["sha256"], one["state"]) for one in told["record"]["outputs"]}
    assert outputs["table.csv"] == (digest, "verified")
    record = records.Provenance(told)
    saved = record.save(tmp_path / "run.json")
    assert records.read(saved).verify(keys).run == made.run
    record.record["run"]["person"] = "somebody else"
    with pytest.raises(cid.BadInput, match="was changed after it was sealed"):
        record.verify(keys)
    record = records.read(saved)
    other = [{**keys[0], "x": "A" * 43}]
    with pytest.raises(cid.BadInput, match="is not the catalog's"):
        record.verify(other)
    with pytest.raises(cid.BadInput, match="not among these keys"):
        record.verify([])


def test_a_template_changed_after_publication_is_another_one(
    service: Service, made: world.World, service_database: Sessions
) -> None:
    with service_database() as session:
        row = session.scalars(select(t.Run).where(t.Run.uid == made.run)).one()
        version, digest = row.template.version, row.template.digest
        changed = row.template.notebook.replace("sigma = 1.0", "sigma = 2.0")
        manifest = row.template.manifest
    again = service.ask(
        "POST",
        "templates",
        STAFF,
        json={"manifest": manifest, "notebook": changed},
    )
    assert (again.status_code, again.json()["error"]) == (409, "Conflict")
    told = service.ask("GET", f"runs/{made.run}/provenance", "viewer").json()["record"]
    assert (told["template"]["version"], told["template"]["sha256"]) == (version, digest)


@pytest.fixture
def page(service: Service) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser.new_context(extra_http_headers=identity("viewer")).new_page()
        browser.close()


def test_html_and_scripts_in_outputs_are_harmless_on_the_notebooks_page(
    service: Service, made: world.World, page: Page
) -> None:
    html = {"text/html": f"<b>seen</b>{HOSTILE}<style>body{{display:none}}</style>"}
    code = {"application/javascript": "document.title='acted'"}
    outputs = [
        {"output_type": "display_data", "metadata": {}, "data": data} for data in (html, code)
    ]
    run = deliver(service, made, {"executed.ipynb": notebook(*outputs)}, {})
    assert run["state"] == "done"
    address = f"{service.url}runs/{made.run}/notebook"
    assert address.endswith(run["notebook"]["page"])
    headers = httpx.get(address, headers=identity("viewer"), timeout=60).headers
    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'; img-src")
    assert httpx.get(address, headers=identity("stranger"), timeout=60).status_code == 404
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    expect(page.locator("main b")).to_have_text("seen", timeout=60_000)
    expect(page.locator("main")).to_contain_text("application/javascript is not shown here")
    expect(page.locator("main script, main img[src], main style, main [onerror]")).to_have_count(0)
    assert "acted" not in page.title()
    assert asked == [address]
