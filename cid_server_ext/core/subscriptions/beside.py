"""The further inputs of a subscription: one choice for all its runs, looked at before each."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from ...db.tables import Image, RunInput, Subscription, Template
from .. import policy
from ..actor import Actor
from ..runs import further
from ..templates import manifest as manifests
from .budget import Stopped

Uids = dict[str, list[str]]


def uids(chosen: further.Chosen) -> Uids:
    """Return them as a subscription keeps them: by role, in the order they were given."""
    kept: Uids = {}
    for role, image in chosen:
        kept.setdefault(role, []).append(image.uid)
    return kept


def chosen(session: Session, row: Subscription) -> further.Chosen:
    """Return them with their roles, or raise as a submit of its person would."""
    manifest = manifests.read(row.template.manifest)
    return further.required(session, Actor(row.person), manifest, row.inputs)


def lost(session: Session, row: Subscription) -> Stopped | None:
    """Return what is wrong with one now. It names the role: not all who read it see the image."""
    if not row.inputs:
        return None
    manifest = manifests.read(row.template.manifest)
    for note in further.notes(session, Actor(row.person), manifest, row.inputs):
        if note.light == "red":
            said = f"its input {note.about!r} is archived or gone, or does not fit any more: mend"
            return Stopped("inputs", f"{said} that, or end this and subscribe with another")
    return None


def seen(session: Session, actor: Actor, rows: Collection[Subscription]) -> dict[int, Uids]:
    """Return the inputs of subscriptions as far as the caller may know of them."""
    every = {uid for row in rows for some in row.inputs.values() for uid in some}
    if not every:
        return {row.id: {} for row in rows}
    may = policy.visible(actor, Image).where(Image.uid.in_(every)).with_only_columns(Image.uid)
    known = set(session.scalars(may))
    return {
        row.id: {role: [uid for uid in some if uid in known] for role, some in row.inputs.items()}
        for row in rows
    }


def of_runs(session: Session, template: Template, runs: ColumnElement[bool]) -> dict[int, Uids]:
    """Return the further inputs of a template's runs; a run without any is not there."""
    if not template.manifest.get("inputs", {}).get("also"):
        return {}
    asked = select(RunInput.run_id, RunInput.role, Image.uid).join(RunInput.run)
    asked = asked.join(Image, Image.id == RunInput.image_id)
    found: dict[int, Uids] = {}
    besides = asked.where(runs, RunInput.position > 0).order_by(RunInput.run_id, RunInput.position)
    for run, role, uid in session.execute(besides):
        found.setdefault(run, {}).setdefault(role, []).append(uid)
    return found
