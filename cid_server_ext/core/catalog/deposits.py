"""Deposits: the only way bytes come in. Reserved, staged, converted, then committed or gone.

open -> importing -> done | failed;  open | importing -> aborted;  importing -> open, when it was
only checked what it would become
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Dataset, Deposit, Project, Run
from ...errors import BadInput, Conflict, NotAllowed, NotFound
from .. import journal, names, policy
from ..actor import Actor
from ..ledger import allocations
from ..runs import states
from . import datasets, held, masked

NEXT = {
    "open": {"importing", "aborted"},
    "importing": {"done", "failed", "aborted", "open"},
}
KINDS = ("import", "files")
LIFETIME = dt.timedelta(hours=24)  # and longer while bytes come
MOST_FILES = 100_000
MOST_OPEN = 200  # deposits of one person that wait for their bytes


def open_import(
    session: Session,
    actor: Actor,
    project: str,
    *,
    dataset: str,
    kind: str,
    declared: list[dict[str, Any]],
    again: bool = False,
    key: str | None = None,
    told: masked.Told = masked.NOTHING,
) -> Deposit:
    """Reserve room for the declared files and return the open deposit. Contributors may.

    BadInput: what is `told` of them is not what their mask and the project's vocabulary take.

    A file whose sha256 is declared, and which the caller can read here already, need not be sent
    and takes no room; what came though it is held is not taken a second time (`twins`, `held`).
    `again`: all are to be sent, and taken. Conflict: too many wait already. A `key` that opened a
    deposit of the same files which is under way answers with that one, and reserves nothing more.
    """
    row = policy.require(session, actor, "contributor", Project, project)
    if kind not in KINDS:
        raise BadInput(f"a deposit's kind is one of {', '.join(KINDS)}")
    if row.state != "active":
        raise Conflict(f"project {row.name!r} is {row.state}: it takes no deposits")
    _declared_bytes(declared)
    if key is not None and (known := _known(session, actor, row.id, key)) is not None:
        if (known.kind, _plain(known.declared)) != (kind, _plain(declared)):
            raise Conflict(f"key {key!r} is of another deposit of yours: choose another key")
        return known
    _refuse_hoarding(session, actor)
    chosen = masked.choose(session, told) if kind == "import" else masked.Chosen()
    masked.judge(session, row, chosen, told, [file["path"] for file in declared]).refuse()
    marked = _plain(declared) if again else held.mark(session, actor, row.id, declared)
    nbytes = sum(int(file["nbytes"]) for file in marked if "held" not in file)
    allocations.reserve(session, row.id, nbytes)
    target = datasets.at(session, actor, row, names.dataset_path(dataset, "dataset"))
    datasets.refuse_live(target)
    deposit = _open(session, actor, row.id, target, kind, marked, nbytes)
    deposit.told, deposit.client_key = masked.kept(chosen, told), key
    deposit.again = again
    session.flush()  # Conflict here: the same key at the same moment
    return deposit


def open_for_run(
    session: Session, actor: Actor, run: Run, declared: list[dict[str, Any]]
) -> Deposit:
    """Open the deposit of a run's output; the run's reservation moves into it.

    An earlier attempt's open deposit is aborted and its reservation taken over.
    """
    session.refresh(run, with_for_update=True)  # whoever ends it gives its room back only once
    if run.state != "running":
        raise Conflict(f"run {run.uid} is {run.state}: it takes no output")
    earlier = select(Deposit).where(Deposit.run_id == run.id, Deposit.state == "open")
    room = run.reserved
    for old in session.scalars(earlier):
        move(session, old, "aborted")
        room, old.reserved = room + old.reserved, 0
    nbytes = _declared_bytes(declared)
    if nbytes > room:
        allocations.reserve(session, run.project_id, nbytes - room)
        room = nbytes
    run.reserved = 0
    project = session.get_one(Project, run.project_id)
    image = run.inputs[0].image  # of another project by now, its dataset is not named in this one
    source = image.dataset.path if image.project_id == project.id else ""
    own = run.template.manifest.get("outputs", {}).get("dataset") or run.template.name
    path = "/".join(part for part in (source, own) if part)
    path += "/replay" if run.replay_of_id is not None else ""  # beside what it repeats
    target = datasets.holding(session, actor, project, path)
    return _open(session, actor, project.id, target, "run", _plain(declared), room, run)


def get(session: Session, actor: Actor, uid: str) -> Deposit:
    """Return a deposit to the one who makes it; to everybody else it is absent."""
    deposit = session.scalar(policy.visible(actor, Deposit).where(Deposit.uid == uid))
    if deposit is None or (actor.run_id is None and deposit.person != actor.name):
        raise NotFound(f"no deposit {uid!r} of yours")
    return deposit


def begin(
    session: Session,
    actor: Actor,
    uid: str,
    manifest: dict[str, Any],
    told: masked.Told = masked.NOTHING,
) -> Deposit:
    """Take the staged files as complete: the import may begin.

    What is `told` now adds to what was said when it was opened, and is judged as that was.
    """
    deposit = get(session, actor, uid)
    if not actor.writes:
        raise NotAllowed("your token may only read")
    if deposit.run_id is None and deposit.project.state != "active":
        raise Conflict(f"project {deposit.project.name!r} is {deposit.project.state}: give this up")
    held.require(session, actor, deposit.declared)
    if told != masked.NOTHING:
        _say(session, deposit, told)
    move(session, deposit, "importing", manifest=manifest)
    if deposit.run_id is not None:
        states.move(session, deposit.run_id, "committing")
    return deposit


def abort(session: Session, actor: Actor, uid: str) -> Deposit:
    """Give the room back; the caller removes what was staged. Its person and managers may."""
    deposit = to_give_up(session, actor, uid)
    if not actor.writes:
        raise NotAllowed("your token may only read")
    detail = {"of": deposit.person, "bytes": deposit.reserved}
    end(session, deposit, "aborted")
    about = f"deposit:{uid}"
    project_id = deposit.project_id
    journal.record(session, actor.name, "give up deposit", about, detail, project_id=project_id)
    return deposit


def to_give_up(session: Session, actor: Actor, uid: str) -> Deposit:
    """Return a deposit to its person and to managers of its project; NotFound to others."""
    managed = policy.reachable(actor, "manager", Deposit)
    asked = policy.visible(actor, Deposit).where(Deposit.uid == uid, managed)
    return session.scalar(asked) or get(session, actor, uid)


def widen(session: Session, deposit_id: int, nbytes: int) -> None:
    """Reserve `nbytes` in all for the deposit, or raise OverQuota; never narrows."""
    deposit = session.get_one(Deposit, deposit_id, populate_existing=True, with_for_update=True)
    if deposit.state != "importing":
        raise Conflict(f"deposit {deposit.uid} is {deposit.state}")
    if nbytes > deposit.reserved:
        allocations.reserve(session, deposit.project_id, nbytes - deposit.reserved)
        deposit.reserved = nbytes


def end(
    session: Session, deposit: Deposit, state: str, error: dict[str, Any] | None = None
) -> None:
    """Close the deposit without a result and give its reservation back."""
    move(session, deposit, state, error=error)
    if deposit.reserved:
        allocations.release(session, deposit.project_id, deposit.reserved)
        deposit.reserved = 0


def move(session: Session, deposit: Deposit, to: str, **changes: Any) -> None:
    """Change the state by one conditional UPDATE, or raise Conflict."""
    sources = [state for state, nexts in NEXT.items() if to in nexts]
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Deposit)
        .where(Deposit.id == deposit.id, Deposit.state.in_(sources))
        .values(state=to, **changes)
    )
    if done.rowcount == 0:
        session.refresh(deposit)
        raise Conflict(f"deposit {deposit.uid} is {deposit.state}, it cannot become {to}")
    session.refresh(deposit)


def expired(session: Session) -> list[Deposit]:
    """Return the open deposits whose time has passed; nobody will finish them."""
    if not clock.trusted(session):
        return []
    stale = select(Deposit).where(Deposit.state == "open", Deposit.expires_at < clock.now(session))
    return list(session.scalars(stale))


def checked(session: Session, deposit_id: int, results: dict[str, Any]) -> None:
    """Open a deposit again whose import said what it would become; it waits for its person."""
    deposit = session.get_one(Deposit, deposit_id)
    until = clock.now(session) + LIFETIME
    move(session, deposit, "open", results=results, expires_at=until, progress={}, manifest={})


def prolong(session: Session, deposit_id: int) -> None:
    """Give an open deposit whose bytes still come another hour."""
    still_open = (Deposit.id == deposit_id) & (Deposit.state == "open")
    more = update(Deposit).where(still_open).values(expires_at=clock.after(session, 3600))
    session.execute(more)


def in_states(session: Session, *states: str) -> list[Deposit]:
    """Return the deposits in any of these states, oldest first."""
    found = select(Deposit).where(Deposit.state.in_(states)).order_by(Deposit.id)
    return list(session.scalars(found))


def _refuse_hoarding(session: Session, actor: Actor) -> None:
    """Raise Conflict when somebody opens deposits and sends nothing: each holds room of others."""
    mine = (Deposit.person == actor.name, Deposit.state == "open", Deposit.run_id.is_(None))
    if (session.scalar(select(func.count()).where(*mine)) or 0) >= MOST_OPEN:
        raise Conflict(
            f"{MOST_OPEN} deposits of yours wait for their bytes: finish some or give them up;"
            " what is forgotten ends by itself after a day"
        )


def _known(session: Session, actor: Actor, project_id: int, key: str) -> Deposit | None:
    mine = policy.visible(actor, Deposit).where(
        Deposit.project_id == project_id,
        Deposit.person == actor.name,
        Deposit.client_key == key,
        Deposit.state.in_(tuple(NEXT)),
    )
    return session.scalar(mine)


def _say(session: Session, deposit: Deposit, told: masked.Told) -> None:
    """Add to what is said of a deposit, or raise BadInput: what does not fit is said anew."""
    if deposit.kind != "import" or deposit.run_id is not None:
        raise BadInput("mask, tags: only of what is read as images, and is no result of a run")
    before = masked.Told(**deposit.told)
    whole = masked.Told(
        told.mask or before.mask,
        before.instrument,
        {**before.tags, **told.tags},
        {**before.tags_of, **told.tags_of},
    )
    chosen = masked.choose(session, whole)
    paths = [file["path"] for file in deposit.declared]
    masked.judge(session, deposit.project, chosen, whole, paths).refuse()
    deposit.told = masked.kept(chosen, whole)


def _open(
    session: Session,
    actor: Actor,
    project_id: int,
    target: Dataset,
    kind: str,
    declared: list[dict[str, Any]],
    nbytes: int,
    run: Run | None = None,
) -> Deposit:
    deposit = Deposit(
        project_id=project_id,
        dataset_id=target.id,
        kind=kind,
        person=actor.name,
        run_id=run and run.id,
        declared=declared,
        reserved=nbytes,
        expires_at=clock.now(session) + LIFETIME,
    )
    session.add(deposit)
    session.flush()
    detail = {"kind": kind, "bytes": nbytes, "files": len(declared)}
    about = f"deposit:{deposit.uid}"
    journal.record(session, actor.name, "open deposit", about, detail, project_id=project_id)
    return deposit


def _plain(declared: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"path": file["path"], "nbytes": file["nbytes"]} for file in declared]


def _declared_bytes(declared: list[dict[str, Any]]) -> int:
    if not 1 <= len(declared) <= MOST_FILES:
        raise BadInput(f"a deposit declares 1 to {MOST_FILES} files")
    for file in declared:
        parts = str(file["path"]).split("/")
        if "\\" in file["path"] or any(part in ("", ".", "..") for part in parts):
            raise BadInput(f"file path {file['path']!r}: relative, with '/' between names")
        for part in parts:
            names.label(part, "file")
    paths = [file["path"] for file in declared]
    if len(set(paths)) != len(paths):
        raise BadInput("a file is declared twice")
    return sum(int(file["nbytes"]) for file in declared)
