"""Crates of runs pass the validator of the three Workflow Run profiles, without the network."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import rocrate
import world
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationSettings
from rocrate_validator.utils.http import HttpRequester
from sqlalchemy import select

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.provenance.crate import entities, whole
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import NotFound

PROFILES = ("process-run-crate", "workflow-run-crate", "provenance-run-crate")
# the library's own copy, of 1.3; four terms were called otherwise in 1.1
CONTEXT = json.loads((Path(rocrate.__file__).parent / "data/ro-crate.jsonld").read_text())
CONTEXT["@context"] |= {
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "FormalParameter": "https://bioschemas.org/FormalParameter",
    "input": "https://bioschemas.org/ComputationalWorkflow#input",
    "output": "https://bioschemas.org/ComputationalWorkflow#output",
}
IMAGE = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"


def record(number: int, state: str = "done") -> dict[str, Any]:
    """The record of one run as `record.of` makes it, with all that a crate tells."""
    uid = f"00000000-0000-4000-8000-00000000000{number}"
    thing = {"nbytes": 10, "sha256": "a" * 64}
    done = state == "done"
    return {
        "format": "cid-provenance/1",
        "run": {"uid": uid, "state": state, "person": "researcher"},
        "project": {"name": "demo", "team": "lab"},
        "template": {
            "name": "segment-cells",
            "version": "1.0.0",
            "sha256": "b" * 64,
            "title": "Segment cells",
        },
        "parameters": {
            "sigma": {"type": "number", "unit": "µm", "value": 1.5},
            "mode": {"type": "choice", "unit": "", "value": "fast"},
            "clear": {"type": "boolean", "unit": "", "value": True},
        },
        "inputs": [{**thing, "uid": IMAGE, "name": "cells", "kind": "image", "role": "image"}],
        "outputs": [
            {**thing, "uid": f"{number}{IMAGE[1:]}", "name": "cells labels", "kind": "labels"},
            {**thing, "uid": f"{number}a{IMAGE[2:]}", "name": "objects.parquet", "kind": "table"},
        ]
        if done
        else [],
        "notebook": {**thing, "uid": f"{number}b{IMAGE[2:]}", "name": "n.ipynb"} if done else None,
        "environment": {"packages": {"papermill": "2.6.0"}},
        "error": None if done else {"error": "WorkerDied", "message": "the worker died"},
        "usage": {"wall_seconds": 12.5, "peak_memory": 10**9} if done else {},
        "timing": {
            "submitted_at": "2026-11-20T10:00:00+00:00",
            "started_at": "2026-11-20T10:00:05+00:00" if done else None,
            "ended_at": "2026-11-20T10:00:20+00:00",
        },
    }


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No address is asked; the context is the library's."""

    def get(url: str, **_: Any) -> Any:
        assert url == "https://w3id.org/ro/crate/1.1/context", url
        told = {"Content-Type": "application/ld+json"}
        return SimpleNamespace(
            status_code=200,
            headers=told,
            url=url,
            history=[],
            text=json.dumps(CONTEXT),
            content=json.dumps(CONTEXT).encode(),
            json=lambda: CONTEXT,
            raise_for_status=lambda: None,
        )

    monkeypatch.setattr(
        HttpRequester, "get", lambda self, url, **how: get(url, **how), raising=False
    )


def written(folder: Path, records: list[dict[str, Any]]) -> Path:
    told = whole.metadata(records)
    (folder / entities.METADATA).write_text(json.dumps(told))
    for entity in told["@graph"]:
        if "File" in entity["@type"] and not entity["@id"].startswith("urn:"):
            path = folder / entity["@id"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("{}")
    return folder


@pytest.mark.usefixtures("offline")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the validator's own libraries
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("runs", [("done",), ("done", "failed", "done")])
def test_a_crate_passes_the_validator(tmp_path: Path, profile: str, runs: tuple[str, ...]) -> None:
    records = [record(number, state) for number, state in enumerate(runs)]
    settings = ValidationSettings(
        rocrate_uri=str(written(tmp_path, records)),
        profile_identifier=profile,
        requirement_severity=Severity.REQUIRED,
        no_cache=True,
    )
    result = services.validate(settings)
    wrong = [f"{one.check.identifier}: {one.message}" for one in result.get_issues()]
    assert wrong == []
    assert result.passed()


def test_the_crate_of_a_run_holds_template_notebook_and_sealed_record(sessions: Sessions) -> None:
    with sessions.begin() as session:
        made = world.make(session, "crated")
        batch = session.scalars(select(t.Run.batch).where(t.Run.uid == made.run)).one()
    with sessions() as session:
        crate = whole.of_run(session, Actor("viewer"), made.run)
        assert crate.texts[entities.WORKFLOW] == world.NOTEBOOK
        assert json.loads(crate.texts[f"runs/{made.run}/provenance.json"])["signature"] is None
        graph = json.loads(crate.texts[entities.METADATA])["@graph"]
        assert f"urn:uuid:{made.image}" in [entity["@id"] for entity in graph]
        assert whole.of_batch(session, Actor("viewer"), batch).texts.keys() == crate.texts.keys()
        for ask in (lambda who: whole.of_run(session, who, made.run),
                    lambda who: whole.of_batch(session, who, batch)):  # fmt: skip
            with pytest.raises(NotFound):
                ask(Actor("stranger"))
