"""A catalog with something of everything that the journal remembers, made and then changed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import world
from sqlalchemy import func, select, update

from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.memory.export import canonical
from cid_server_ext.core.search import index
from cid_server_ext.db import capture
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.memory.writer import Writer

NOW = dt.datetime(2026, 11, 21, 12, 30, 15, 123456, tzinfo=dt.UTC)


def fill(sessions: Sessions) -> world.World:
    """Make at least one row of every journaled table, through the API where it is at hand."""
    with sessions.begin() as session:
        made = world.make(session, "screen")
    with sessions.begin() as session:
        world.make_project(session, "other")
    with sessions.begin() as session:
        _add(session, made)
        journal.record(session, "manager", "set up", "project:screen")
    with sessions.begin() as session:
        _change(session, made)
        journal.record(session, "manager", "change", "project:screen", {"half": "\ud800", "x": 0.1})
    return made


def _add(session: Any, made: world.World) -> None:
    project = session.scalar(select(t.Project).where(t.Project.name == made.project))
    image = session.scalar(select(t.Image).where(t.Image.uid == made.image))
    other = session.scalar(select(t.Project).where(t.Project.name == "other"))
    parent = t.Dataset(project_id=project.id, path="Ünïcode")
    child = t.Dataset(project_id=project.id, path="Ünïcode/live", parent=parent, query="x>1")
    away = t.Dataset(project_id=other.id, path="away")
    number = _term("Exposure", project_id=None, type="number", unit="ms")
    choice = _term("Tissue", project_id=project.id, type="choice")
    value = t.Value(term=choice, text="Kidney", folded="kidney", declared=True)
    trash = t.Trash(project_id=project.id, person="manager", what="1 image", nbytes=5, purge_at=NOW)
    prices = t.PriceList(
        version=1,
        valid_from=dt.date(2026, 1, 1),
        currency="EUR",
        tariffs={"internal": {"tb_year": "100.10"}},
        published_by="staff",
    )
    scope = t.Instrument(name="Confocal 1", folded="confocal 1", names=["LSM 880"], room="B12")
    hardware = t.InstrumentVersion(
        instrument=scope,
        valid_from=NOW,
        hardware={"objectives": [{"model": "Plan-Apo", "magnification": 63.0}]},
        document={"Tier": 1},
        why="a new objective",
        person="staff",
    )
    control = t.Control(
        series="lateral fwhm @ 63x",
        metric="Lateral FWHM",
        place="63x",
        measured_at=NOW,
        value=231.5,
        unit="nm",
        high=260.0,
        person="staff",
    )
    mask = t.Mask(name="Confocal", folded="confocal", instrument=scope)
    asked = t.MaskVersion(
        mask=mask, number=1, text="fields: []", body={"fields": []}, person="staff"
    )
    session.add_all([parent, child, away, number, choice, value, trash, prices, hardware, asked])
    session.flush()
    own = world.templates.publish(
        session, Actor("contributor"), world.MANIFEST, world.NOTEBOOK, project=project.name
    )
    own.changelog, own.withdrawn_at, own.withdrawn_by = "one\ntwo ✓", NOW, "manager"
    own.withdrawn_for = "it counts twice"
    subscription = t.Subscription(
        project_id=project.id,
        template_id=session.scalars(select(t.Template.id).limit(1)).one(),
        dataset_id=child.id,
        person="manager",
        parameters={"sigma": 0.5},
        inputs={"beads": [image.uid]},
        priority=-2,
        state="paused",
        cause="day",
        reason="its 2 runs of this day are begun",
        most_runs=5,
        runs=1,
        nbytes=2**40,
        day=dt.date(2026, 11, 21),
        today=1,
    )
    session.add(subscription)
    session.add(t.RunLimits(team_id=project.team_id, share=1.5, batches=4, gpu_minutes=600))
    session.flush()
    run = session.scalars(select(t.Run.id).limit(1)).one()
    again = t.Run(
        batch=t.new_uid(),
        project_id=project.id,
        template_id=subscription.template_id,
        person="manager",
        parameters={"sigma": 0.5},
        state="cancelled",
        replay_of_id=run,
        then=[{"template": "count-things@1.0.0", "parameters": {}, "take": {"image": "input"}}],
        after_id=run,
        followed={"error": "OverQuota", "message": "there is no room"},
        inputs=[t.RunInput(position=0, image_id=image.id, role="image", sha256="a" * 64)],
    )
    session.add(again)
    matched = {"subscription_id": subscription.id, "record_id": image.id}
    session.add(t.SubscriptionMatch(**matched, state="run", run_id=run))
    image.instrument_id, image.mask_version_id = scope.id, asked.id
    control.instrument_id = scope.id
    session.add(control)
    image.unknown = {"Lasers": "the file does not say"}
    image.quality = {"version": 1, "channels": [{"snr": None}]}
    line = t.Line(
        key="storage/2026-11-20/x",
        kind="storage",
        day=dt.date(2026, 11, 20),
        team_id=project.team_id,
        project_id=project.id,
        person="",
        amount=2**53 + 1,
        detail={"datasets": {"a": 1.5}},
    )
    session.add_all(
        [
            line,
            t.Tag(
                record_id=image.id, term=number, number=0.1, text="0.1", source="file", set_by=""
            ),
            t.Tag(record_id=image.id, term=choice, value=value, source="person", set_by="manager"),
            t.Link(
                dataset_id=away.id, record_id=image.id, project_id=other.id, linked_by="manager"
            ),
            t.Note(project_id=project.id, record_id=image.id, person="a", text="one\ntwo ✓"),
        ]
    )
    session.flush()
    there = _in_place(project.id, parent.id, session)
    session.add(there)
    sealed = {"record": "{}", "sha256": "0" * 64, "key": "k", "signature": "h..s"}
    session.add(t.Provenance(run_id=run, number=1, ended_at=NOW, sealed_at=NOW, **sealed))
    session.add(t.MailWish(person="manager", mail="daily", address="m@lab.example"))
    session.flush()
    index.refresh(session, [image.id, there.record_id])


def _in_place(project_id: int, dataset_id: int, session: Any) -> t.Reference:
    """A file that stays where it was."""
    file = t.File(
        project_id=project_id,
        dataset_id=dataset_id,
        name="old.tif",
        kind="file",
        media_type="image/tiff",
        prefix="files/00/00000000-old",
        nbytes=0,
        sha256="0" * 64,
        tier="archive",  # so that nobody looks for a tree that is not there
        created_by="cid",
    )
    session.add(file)
    session.flush()
    return t.Reference(
        record_id=file.id,
        adoption="00000000-0000-0000-0000-000000000000",
        root="old",
        path="ana/old.tif",
        form="file",
        nbytes=7,
        mtime_ns=1_700_000_000_123_456_789,
        hashed_at=NOW,
    )


def _change(session: Any, made: world.World) -> None:
    """Delete, change, trash, purge: what comes after must be the last word."""
    image = session.scalar(select(t.Image).where(t.Image.uid == made.image))
    result = session.scalar(select(t.Image).where(t.Image.uid == made.result))
    trash = session.scalar(select(t.Trash))
    session.delete(session.scalar(select(t.ProjectMember).where(t.ProjectMember.person == "guest")))
    image.name, image.acquired_at = "renamed", NOW
    result.trash_id = trash.id
    result.purged_at = NOW
    used = update(t.Allocation).where(t.Allocation.project_id == result.project_id)
    session.execute(used.values(used=t.Allocation.used - result.nbytes))
    tags = session.scalars(select(t.Tag.id).where(t.Tag.record_id == image.id)).all()
    capture.rewrite(session, t.Tag, tags, {"set_by": "manager"}, {"set_by": "curator"})
    changed = update(t.Tag).where(t.Tag.id.in_(tags)).values(set_by="curator")
    session.execute(changed, execution_options={"captured": True})
    index.refresh(session, [image.id, result.id])


def _term(key: str, **more: Any) -> t.Term:
    return t.Term(key=key, folded=key.lower(), kind="sample", **more)


def written(sessions: Sessions, storage: Path) -> Path:
    """Write the journal to storage, all of it, and return the storage."""
    writer = Writer(sessions, storage)
    writer.step()
    writer.lay_down()
    return storage


def export(sessions: Sessions) -> bytes:
    """Return the canonical export."""
    with sessions() as session:
        return b"".join(canonical(session))


def last(sessions: Sessions) -> int:
    """Return the number of the newest entry."""
    with sessions() as session:
        return session.scalar(select(func.max(t.Journal.id)))


def derived(sessions: Sessions) -> dict[str, list[Any]]:
    """Return what searches read, and what finds a record's history."""
    with sessions() as session:
        connection = session.connection()
        found = {}
        for model in (t.Posting, t.Tally, t.Document, t.Mention):
            table = model.__table__
            chosen = select(*(c for c in table.columns)).order_by(*table.primary_key.columns)
            found[table.name] = [tuple(row) for row in connection.execute(chosen)]
        # a record that nothing finds may have an empty document or none
        found["document"] = [row for row in found["document"] if [] not in row]
        found["tally"] = [row for row in found["tally"] if row[-1]]
        return found
