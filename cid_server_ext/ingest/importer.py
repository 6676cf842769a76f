"""The import queue of the service: prepare, move, commit; each step can be done again after a kill.

A prepared commit is written to the deposit before the first move in storage, so a restart finishes
it; a deposit that was not prepared is prepared anew. What fails leaves nothing: no staged byte, no
reservation, no row.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from ..core.catalog import commits, deposits
from ..core.runs import runs
from ..db.session import Sessions
from ..db.tables import Deposit, Run
from ..errors import CidError
from ..storage.roots import Root, staging_prefix
from .prepare import Prepared, Staged, Watch, prepare

log = logging.getLogger(__name__)

EVERY = 1.0  # seconds between two progress rows


@dataclass(frozen=True, slots=True)
class _Job:
    """A deposit as it was when its import began."""

    id: int
    uid: str
    staged: Staged
    manifest: dict[str, Any]
    prepared: Prepared | None
    run_id: int | None


class Importer:
    """Imports deposits in background threads; the database is its queue."""

    def __init__(self, sessions: Sessions, root: Root, threads: int = 2) -> None:
        self.sessions = sessions
        self.root = root
        self._stopping = False
        self._busy: set[str] = set()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="import")

    def submit(self, uid: str) -> None:
        """Import this deposit, whose state is importing, as soon as a thread is free."""
        self._busy.add(uid)
        self._pool.submit(self._work, uid).add_done_callback(_log_defect)

    def resume(self) -> None:
        """Take up what an earlier process left: imports half done, staging nobody owns."""
        with self.sessions.begin() as session:
            waiting = [deposit.uid for deposit in deposits.in_states(session, "importing")]
        for uid in waiting:
            self.submit(uid)

    def sweep_soon(self) -> None:
        """Sweep in a thread of ours, so that whoever asks does not wait."""
        self._pool.submit(self.sweep).add_done_callback(_log_defect)

    def sweep(self) -> None:
        """End deposits whose time has passed; remove what belongs to no deposit under way."""
        staging = self.root.path("staging")
        # listed before the deposits are: one that is opened in between is not taken for left over
        found = {path.name for path in staging.iterdir()} if staging.exists() else set()
        with self.sessions.begin() as session:
            for deposit in deposits.expired(session):
                deposits.end(session, deposit, "aborted")
            under_way = {d.uid for d in deposits.in_states(session, "open", "importing")}
        for name in found - under_way - self._busy:
            self.root.remove(f"staging/{name}")

    def close(self) -> None:
        """Stop; imports under way are taken up at the next start."""
        self._stopping = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _work(self, uid: str) -> None:
        try:
            self._import(uid)
        finally:
            self._busy.discard(uid)

    def _import(self, uid: str) -> None:
        job = self._load(uid)
        prepared = job.prepared
        try:
            prepared = prepared or self._prepare(job)
            self._publish(prepared)
            self._commit(job, prepared)
        except Exception as error:
            if self._stopping:
                return  # staging stays: the next start takes it up
            self._give_up(job, prepared, _told(uid, error))
        self.root.remove(staging_prefix(uid))

    def _load(self, uid: str) -> _Job:
        with self.sessions.begin() as session:
            deposit = session.query(Deposit).filter_by(uid=uid).one()
            run = deposit.run
            outputs = tuple(deposit.manifest.get("outputs") or ())
            staged = Staged(
                uid=uid,
                kind=deposit.kind,
                declared=tuple((f["path"], int(f["nbytes"])) for f in deposit.declared),
                outputs=outputs,
                input_name=run.inputs[0].image.name if run else "",
                label=f"{run.template.name} {run.uid[:8]}" if run else "",
            )
            kept = deposit.results.get("prepared")
            prepared = Prepared.from_json(kept) if kept else None
            return _Job(deposit.id, uid, staged, deposit.manifest, prepared, deposit.run_id)

    def _prepare(self, job: _Job) -> Prepared:
        self.root.remove(f"{staging_prefix(job.uid)}/out")
        prepared = prepare(self.root, job.staged, self._watch(job))
        with self.sessions.begin() as session:
            deposits.widen(session, job.id, prepared.commit.nbytes)
            session.execute(
                update(Deposit)
                .where(Deposit.id == job.id)
                .values(results={"prepared": prepared.as_json()})
            )
        return prepared

    def _publish(self, prepared: Prepared) -> None:
        for source, target in prepared.moves:
            if self.root.path(source).exists():
                self.root.publish(source, target)
            elif not self.root.path(target).exists():
                raise CidError(f"{source} is neither staged nor published")

    def _commit(self, job: _Job, prepared: Prepared) -> None:
        with self.sessions.begin() as session:
            deposit = commits.commit(session, job.id, prepared.commit)
            if job.run_id is not None:
                state = str(job.manifest.get("state", "done"))
                run = session.get_one(Run, job.run_id)
                runs.finish(session, run, state, manifest=job.manifest, deposit=deposit)

    def _give_up(self, job: _Job, prepared: Prepared | None, error: dict[str, Any]) -> None:
        """End the deposit without a result; of a failed run at least its notebook is kept."""
        if prepared is None and self._keep_notebook(job, error):
            return
        with self.sessions.begin() as session:
            deposit = session.get_one(Deposit, job.id)
            if deposit.state == "done":
                return  # somebody else committed it: what is published belongs to the catalog
            if deposit.state == "importing":
                deposits.end(session, deposit, "failed", error=error)
                if job.run_id is not None:
                    run = session.get_one(Run, job.run_id)
                    manifest = {**job.manifest, "error": error}
                    runs.finish(session, run, "failed", manifest=manifest, deposit=deposit)
        for _, target in prepared.moves if prepared else ():
            self.root.remove(target)

    def _keep_notebook(self, job: _Job, error: dict[str, Any]) -> bool:
        """Commit the executed notebook of a run whose other outputs were refused."""
        only = tuple(o for o in job.staged.outputs if o.get("kind") == "notebook")
        if job.run_id is None or not only or only == job.staged.outputs:
            return False
        staged = Staged(job.uid, "run", (), only, job.staged.input_name, job.staged.label)
        manifest = {**job.manifest, "state": "failed", "error": error}
        try:
            rest = _Job(job.id, job.uid, staged, manifest, None, job.run_id)
            prepared = self._prepare(rest)
            self._publish(prepared)
            self._commit(rest, prepared)
        except Exception:
            log.exception("executed notebook of %s", job.uid)
            return False
        return True

    def _watch(self, job: _Job) -> Watch:
        staged_bytes = sum(nbytes for _, nbytes in job.staged.declared)
        planned = 0
        last = 0.0
        given_up = False

        def plan(nbytes: int) -> None:
            nonlocal planned
            planned += nbytes
            with self.sessions.begin() as session:
                deposits.widen(session, job.id, staged_bytes + planned)

        def progress(fraction: float, text: str) -> None:
            nonlocal last, given_up
            if time.monotonic() - last < EVERY:
                return
            last = time.monotonic()
            told = {"fraction": round(fraction, 3), "text": text[:200]}
            importing = (Deposit.id == job.id) & (Deposit.state == "importing")
            with self.sessions.begin() as session:
                done = session.execute(update(Deposit).where(importing).values(progress=told))
            given_up = done.rowcount == 0

        def should_stop() -> bool:
            return self._stopping or given_up

        return Watch(plan, progress, should_stop)


def _log_defect(done: Future[None]) -> None:
    """Say what a thread did not survive; nobody else looks at its result."""
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("import thread", exc_info=error)


def _told(uid: str, error: Exception) -> dict[str, Any]:
    """Return what the depositor is told; a defect's text stays in the log."""
    if isinstance(error, CidError):
        return {"error": error.name, "message": str(error)}
    log.error("import of %s", uid, exc_info=error)
    return {"error": "CidError", "message": "the import broke; the service's log has the reason"}
