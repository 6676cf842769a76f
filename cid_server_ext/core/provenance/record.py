"""The record of one run, made from the catalog: what went in, what ran, where, what came out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Deposit, File, Image, Journal, Line, Project, Record, Run, RunInput, Team
from ...errors import Conflict
from ..ledger import prices
from ..runs import states

FORMAT = "cid-provenance/1"
CLAIMED, VERIFIED = "claimed", "verified"
HOUR = Decimal(3600)


def of(session: Session, run: Run) -> dict[str, Any]:
    """Return the record as plain data. What a worker says of its outputs is `claimed`.

    `verified` is what the service read and hashed itself, as it does before anything is committed.
    """
    template, manifest = run.template, run.template.manifest
    project = session.get_one(Project, run.project_id)
    return {
        "format": FORMAT,
        "run": {
            "uid": run.uid,
            "batch": run.batch,
            "state": run.state,
            "person": run.person,
            "attempts": run.attempt,
            "replay_of": getattr(run, "replay_of", None),
        },
        "project": {
            "uid": project.uid,
            "name": project.name,
            "team": session.get_one(Team, project.team_id).name,
        },
        "template": {
            "name": template.name,
            "version": template.version,
            "sha256": template.digest,
            "title": str((manifest.get("template") or {}).get("title") or ""),
            "environment": manifest.get("environment") or {},
        },
        "parameters": _typed(run),
        "inputs": [_input(given) for given in run.inputs],
        "outputs": _outputs(session, run),
        "notebook": _notebook(session, run),
        "metrics": run.metrics,
        "environment": run.environment,
        "error": run.error,
        "log": _log(session, run),
        "timing": {
            "submitted_at": _when(run.created_at),
            "started_at": _when(run.started_at),
            "ended_at": _when(run.ended_at),
        },
        "usage": getattr(run, "usage", None) or {},
        "charged": _charged(session, run),
    }


def begun_with(session: Session, runs: Iterable[Run], agent: str) -> None:
    """Keep what the runs were submitted with: the client, its version and its Python."""
    told = "".join(letter for letter in agent if letter.isprintable())
    for run in runs:
        run.environment = {**(run.environment or {}), "submitted_with": told}
    session.flush()


def _typed(run: Run) -> dict[str, Any]:
    """Return each parameter with the type and unit that its template declares."""
    declared = run.template.manifest.get("parameters") or {}
    told = {}
    for name, value in run.parameters.items():
        about = declared.get(name) or {}
        told[name] = {"type": about.get("type", "text"), "unit": about.get("unit") or ""}
        told[name]["value"] = value
    return told


def _input(given: RunInput) -> dict[str, Any]:
    image = given.image
    original = image.original
    return {
        **_thing(image),
        "sha256": given.sha256 or image.sha256,  # as it was at the submit
        "role": given.role,
        "original": original and {"name": original.name, "sha256": original.sha256},
    }


def _outputs(session: Session, run: Run) -> list[dict[str, Any]]:
    """Return what it wrote; of one that is committing, what its worker says it wrote."""
    wrote = select(Record).where(Record.run_id == run.id, Record.kind != "notebook")
    found = session.scalars(wrote.order_by(Record.id)).all()
    if found or run.state in states.ENDED:
        return [{**_thing(row), "source": _source(row), "state": VERIFIED} for row in found]
    coming = select(Deposit).where(Deposit.run_id == run.id, Deposit.state == "importing")
    told = session.scalars(coming.order_by(Deposit.id.desc())).first()
    listed = (told.manifest.get("outputs") or []) if told else []
    return [
        {
            "name": one["name"],
            "kind": one["kind"],
            "sha256": one.get("sha256"),
            "source": one.get("source"),
            "state": CLAIMED,
        }
        for one in listed
        if one.get("kind") != "notebook"
    ]


def _source(row: Record) -> str | None:
    return row.source.uid if isinstance(row, Image) and row.source else None


def _notebook(session: Session, run: Run) -> dict[str, Any] | None:
    mine = select(File).where(File.run_id == run.id, File.kind == "notebook")
    row = session.scalars(mine.order_by(File.id.desc())).first()
    return {**_thing(row), "state": VERIFIED} if row else None


def _thing(row: Record) -> dict[str, Any]:
    return {
        "uid": row.uid,
        "name": row.name,
        "kind": row.kind,
        "nbytes": row.nbytes,
        "sha256": row.sha256,
    }


def _log(session: Session, run: Run) -> list[dict[str, Any]]:
    """Return what the journal says of it, from its submit to before its end."""
    said = select(Journal.at, Journal.person, Journal.action, Journal.detail)
    rows = session.execute(said.where(Journal.subject == f"run:{run.uid}").order_by(Journal.id))
    kept = ("attempt", "error", "conductor")
    return [
        {
            "at": _when(row.at),
            "person": row.person,
            "action": row.action,
            **{name: row.detail[name] for name in kept if name in row.detail},
        }
        for row in rows
    ]


def _charged(session: Session, run: Run) -> list[dict[str, Any]]:
    """Return the ledger's lines of it, with their price where their day has one."""
    mine = select(Line).where(Line.key.in_([f"{kind}/{run.uid}/{run.attempt}" for kind in _RATE]))
    lists = prices.known(session)
    return [_line(line, lists) for line in session.scalars(mine.order_by(Line.key))]


def _line(line: Line, lists: list[prices.Prices]) -> dict[str, Any]:
    tariff = str(line.detail["team"]["tariff"])
    told: dict[str, Any] = {"kind": line.kind, "seconds": line.amount, "tariff": tariff}
    try:
        valid = prices.on(line.day, lists)
    except Conflict:
        return told | {"price": None}
    cost = valid.tariffs[tariff][_RATE[line.kind]] * line.amount / HOUR
    return told | {"price": f"{cost:.4f}", "currency": valid.currency, "prices": valid.version}


def _when(moment: dt.datetime | None) -> str | None:
    return moment.isoformat() if moment else None


_RATE = {"cpu": "cpu_hour", "gpu": "gpu_hour"}
