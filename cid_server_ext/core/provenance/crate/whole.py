"""The whole crate of runs of one template: its metadata, and the files that lie in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ....db.tables import Run, Template
from ....errors import NotFound
from ... import policy
from ...actor import Actor
from .. import seals
from . import entities, process, steps, workflow
from .entities import Entity, Record

MOST = 200  # runs of a batch in one crate


@dataclass(frozen=True, slots=True)
class Crate:
    """A crate: texts by their path, and where the bytes of executed notebooks lie, by theirs."""

    texts: dict[str, str]
    notebooks: dict[str, str]  # path in the crate -> key in the storage


def of_run(session: Session, actor: Actor, uid: str) -> Crate:
    """Return the crate of one run, or raise NotFound."""
    return _whole(session, actor, [policy.find(session, actor, Run, uid)])


def of_batch(session: Session, actor: Actor, uid: str) -> Crate:
    """Return the crate of a batch's runs that the caller may see, 200 at most; or NotFound."""
    asked = policy.visible(actor, Run).where(Run.batch == uid).order_by(Run.id).limit(MOST)
    runs = session.scalars(asked).all()
    if not runs:
        raise NotFound(f"no batch {uid!r} that you can see")
    return _whole(session, actor, list(runs))


def metadata(records: list[Record]) -> dict[str, Any]:
    """Return the JSON-LD of records of one template."""
    found: dict[str, Entity] = {}
    actions, parts = [], [entities.WORKFLOW]
    for record in records:
        name = process.action_id(record)
        run = process.action(record, name, entities.WORKFLOW, f"Run {record['run']['uid']}")
        made = [process.person(record), run, *process.data(record), *steps.of_run(record)]
        sealed = {"@id": entities.record_path(record), "@type": "File"}
        sealed |= {"name": "Sealed record of the run", "encodingFormat": "application/json"}
        found |= {one["@id"]: one for one in (*made, sealed)}
        actions += [one["@id"] for one in made if str(one["@type"]).endswith("Action")]
        parts += [one["@id"] for one in (*made, sealed) if one["@type"] == "File"]
    described = [*workflow.described(records, steps.TOOL, steps.STEP), *steps.described(records)]
    graph = [*entities.root(records, parts, actions), *described, *found.values()]
    return {"@context": entities.CONTEXT, "@graph": graph}


def _whole(session: Session, actor: Actor, runs: list[Run]) -> Crate:
    told = [seals.told(session, actor, run.uid) for run in runs]
    first = session.scalars(select(Template).where(Template.id == runs[0].template_id)).one()
    records: list[Record] = [one.record for one in told]
    texts = {
        entities.METADATA: json.dumps(metadata(records), indent=1, ensure_ascii=False),
        entities.WORKFLOW: first.notebook,
    }
    notebooks = {}
    for run, one in zip(runs, told, strict=True):
        texts[entities.record_path(one.record)] = seals.as_file(one)
        if one.record["notebook"] and run.notebook is not None:
            path = entities.notebook_path(one.record)
            notebooks[path] = f"{run.notebook.prefix}/{run.notebook.stored}"
    return Crate(texts, notebooks)
