"""Runs as people and workers see them: listed, watched, cancelled, told how far they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session, selectinload

from ...db.tables import Deposit, File, Image, Project, Run, RunInput
from ...errors import Conflict, NotAllowed
from .. import journal, policy
from ..actor import Actor
from ..catalog import tags
from ..catalog.tagging import By
from ..search import index
from ..templates import contract, seals
from ..templates import manifest as manifests
from . import states

Written = TypeVar("Written", Image, File)


@dataclass(frozen=True, slots=True)
class Told:
    """What a worker says of its progress: cell `cell` of `cells`, and a line of text.

    Tile `tile` of `tiles` in the cell that runs, and the bytes of memory it takes now.
    """

    cell: int = 0
    cells: int = 0
    text: str = ""
    tile: int = 0
    tiles: int = 0
    memory: int = 0

    @property
    def fraction(self) -> float:
        """How much is done: its cells, and of the one that runs its tiles."""
        if not self.cells:
            return 0.0
        part = min(self.tile, self.tiles) / self.tiles if self.tiles else 0.0
        return round(min(1.0, (self.cell + part) / self.cells), 3)


def get(session: Session, actor: Actor, uid: str) -> Run:
    """Return the run, or raise NotFound."""
    return policy.find(session, actor, Run, uid)


def listing(
    session: Session,
    actor: Actor,
    *,
    batch: str | None = None,
    project: str | None = None,
    state: str | None = None,
    limit: int = 50,
    after: int | None = None,
) -> list[Run]:
    """Return visible runs, newest first; of one batch in the order of its submit."""
    query = policy.visible(actor, Run).options(
        selectinload(Run.inputs).selectinload(RunInput.image),
        selectinload(Run.template),
        selectinload(Run.project),
        selectinload(Run.dataset),
        selectinload(Run.notebook),
        selectinload(Run.replay_of),
        selectinload(Run.after),
    )
    if project is not None:
        row = policy.find(session, actor, Project, project)
        query = query.where(Run.project_id == row.id)
    if state is not None:
        query = query.where(Run.state == state)
    if batch is not None:
        query = query.where(Run.batch == batch)
        if after is not None:
            query = query.where(Run.id > after)
        return list(session.scalars(query.order_by(Run.id).limit(min(limit, 200))))
    if after is not None:
        query = query.where(Run.id < after)
    return list(session.scalars(query.order_by(Run.id.desc()).limit(min(limit, 200))))


def outputs(
    session: Session, actor: Actor, runs: list[Run]
) -> dict[int, tuple[list[Image], list[File]]]:
    """Return what each run wrote and the caller reaches, in two queries for all of them."""
    ids = [run.id for run in runs]
    found: dict[int, tuple[list[Image], list[File]]] = {run.id: ([], []) for run in runs}
    for image in session.scalars(_written(actor, Image, ids)):
        found[image.run_id or 0][0].append(image)
    for file in session.scalars(_written(actor, File, ids)):
        found[file.run_id or 0][1].append(file)
    return found


def seen_inputs(session: Session, actor: Actor, runs: list[Run]) -> set[int]:
    """Return the inputs of the runs that the caller may know of: one may be of another project."""
    ids = {given.image_id for run in runs for given in run.inputs}
    may = policy.granted(actor, "viewer", Image)
    return set(session.scalars(select(Image.id).where(Image.id.in_(ids), may)))


def cancel(session: Session, actor: Actor, uid: str) -> Run:
    """Ask a run to stop: queued ones end now, others at the next word from their worker."""
    run = get(session, actor, uid)
    if actor.run_id is not None or not actor.writes:
        raise NotAllowed("this token may not cancel a run")
    if run.person != actor.name:
        policy.require(session, actor, "manager", Project, run.project.name)
    if run.state in states.ENDED:
        raise Conflict(f"run {run.uid} is {run.state} already")
    if run.state == "queued":
        states.move(session, run.id, "cancelled", by=actor.name)
    else:
        session.execute(update(Run).where(Run.id == run.id).values(cancel_asked=True))
        about = f"run:{run.uid}"
        journal.record(session, actor.name, "ask to cancel", about, project_id=run.project_id)
    session.refresh(run)
    return run


def work(session: Session, actor: Actor, uid: str) -> Run:
    """Return the run to its own worker, which will execute it."""
    run = _own(session, actor, uid)
    if run.state not in ("starting", "running"):
        raise Conflict(f"run {run.uid} is {run.state}")
    seals.require_whole(run.template)
    return run


def resolved(run: Run) -> dict[str, Any]:
    """Return its parameters as the notebook gets them: a channel's name is its number there."""
    values, image = dict(run.parameters), run.inputs[0].image
    for name, parameter in manifests.read(run.template.manifest).parameters.items():
        if parameter.type == "channel" and name in values:
            values[name] = contract.channel(values[name], image)
    return values


def progress(session: Session, actor: Actor, uid: str, told: Told) -> bool:
    """Keep how far the run is; its first word makes it running. Return whether it shall stop."""
    run = _own(session, actor, uid)
    if run.state == "starting":
        states.move(session, run.id, "running")
        session.refresh(run)
    run.progress = {
        "cell": min(told.cell, told.cells),
        "cells": told.cells,
        "fraction": told.fraction,
        "text": told.text[:200],
        "tile": min(told.tile, told.tiles),
        "tiles": told.tiles,
        "memory": told.memory,
    }
    return run.cancel_asked or run.state != "running"


def finish(
    session: Session, run: Run, state: str, *, manifest: dict[str, Any], deposit: Deposit
) -> None:
    """End the run with what its deposit brought: the last step of a commit.

    `deposit` was committed in this same transaction.
    """
    states.move(
        session,
        run.id,
        state,
        by=run.person,
        error=manifest.get("error"),
        metrics=manifest.get("metrics") or {},
        environment={**run.environment, **(manifest.get("environment") or {})},
        usage=manifest.get("usage") or {},
        dataset_id=deposit.dataset_id,
        token_hash=None,
    )
    session.refresh(run)
    _tag_results(session, run, deposit)


def _tag_results(session: Session, run: Run, deposit: Deposit) -> None:
    """Make what a run measured searchable on what it made."""
    uids = deposit.results.get("images", [])
    made = session.scalars(select(Image).where(Image.uid.in_(uids))).all()
    told = {"Template": f"{run.template.name} {run.template.version}", **run.metrics}
    told = {k: str(v).lower() if isinstance(v, bool) else v for k, v in told.items()}
    for image in made:
        tags.write(session, image, told, kind="processing", by=By("run", run.person))
    index.refresh(session, [image.id for image in made])


def _written(actor: Actor, record: type[Written], run_ids: list[int]) -> Select[Written]:
    mine = policy.visible(actor, record).where(record.run_id.in_(run_ids))
    return mine.order_by(record.id)


def _own(session: Session, actor: Actor, uid: str) -> Run:
    run = policy.find(session, actor, Run, uid)
    if actor.run_id != run.id:
        raise NotAllowed("only the run itself may do this, with its run token")
    return run
