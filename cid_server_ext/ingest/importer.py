"""The import queue of the service: prepare, move, commit; each step can be done again after a kill.

The database is the queue: each service process takes what nobody works on and holds it by a lease.
A prepared commit is written to the deposit before the first move in storage, so whoever takes it
next finishes it; a deposit that was not prepared is prepared anew. What fails leaves nothing: no
staged byte, no reservation, no row.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from ..core import duties
from ..core.catalog import checked, commits, deposits, held, imports, learned, twins
from ..core.provenance import seals
from ..core.queue import leases
from ..core.runs import runs
from ..db.session import Sessions, reading
from ..db.tables import Deposit, Run
from ..errors import CidError, Conflict, PromiseBroken
from ..storage import intake, uploads
from ..storage.roots import Root, staging_prefix
from . import faults
from .arrived import told_apart
from .jobs import Job, job_of
from .lease import Lease
from .limits import Limits
from .prepare import prepare
from .prepared import Prepared, Watch
from .workshops import HERE, Workshop

log = logging.getLogger(__name__)

BEAT = 3.0  # seconds between two looks at the queue; a lease lasts five of them
SWEEP = 120.0  # seconds of the duty
# the database does not answer: the import waits for it, it has not failed
AWAY = (OperationalError, InterfaceError, PoolTimeout)


class Importer:
    """Imports deposits in background threads; the database is its queue."""

    def __init__(
        self,
        sessions: Sessions,
        root: Root,
        limits: Limits | None = None,
        threads: int = 2,
        workshop: Workshop = HERE,
        signer: seals.Signer | None = None,
    ) -> None:
        self.sessions = sessions
        self.root = root
        self.limits = limits or Limits()
        self.workshop = workshop
        self.signer = signer
        self.process = duties.myself()
        self._stopping = False
        self._stop = threading.Event()
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._heart = threading.Thread(target=self._beat, name="import lease", daemon=True)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="import")

    def submit(self, uid: str) -> None:
        """Import this deposit as soon as a thread is free, unless another process was first."""
        with self._lock:
            if uid not in self._busy and not self._stopping:
                self._busy.add(uid)
                self._pool.submit(self._work, uid).add_done_callback(_log_defect)

    def resume(self) -> None:
        """From now on look for what waits: new imports, and those of a process that died."""
        self._heart.start()

    def _beat(self) -> None:
        """Keep the leases of what is imported here, and take up what nobody works on."""
        while True:
            try:
                if busy := list(self._busy):
                    with self.sessions.begin() as session:
                        imports.renew(session, self.process, busy)
                with reading(self.sessions) as session:
                    waiting = imports.waiting(session)
                for uid in waiting:
                    self.submit(uid)
            except AWAY as error:
                log.warning("import queue: %s", type(error).__name__)
            except Exception:
                log.exception("import queue")
            if self._stop.wait(BEAT):
                return

    def sweep_soon(self) -> None:
        """Sweep in a thread of ours, so that whoever asks does not wait."""
        self._pool.submit(self.sweep).add_done_callback(_log_defect)

    def sweep(self) -> None:
        """End deposits whose time has passed; remove what belongs to no deposit under way."""
        staging = self.root.path("staging")
        # listed before the deposits are: one that is opened in between is not taken for left over
        found = {path.name for path in staging.iterdir()} if staging.exists() else set()
        with self.sessions.begin() as session:
            if not duties.take(session, "sweep", self.process, SWEEP):
                return
            leases.fail_uncommitted(session)
            stale = [(d.id, d.uid, d.run_id) for d in deposits.expired(session)]
            left = [job_of(deposit) for deposit in imports.left_behind(session)]
        for deposit_id, uid, run_id in stale:
            place = self.root.path(staging_prefix(uid))
            coming = intake.is_coming(place) or uploads.is_open(place / "in")
            coming = coming and run_id is None
            self._expire(deposit_id, coming=coming)
        for job in left:
            self._tidy(job, job.prepared)
        with reading(self.sessions) as session:
            under_way = {d.uid for d in deposits.in_states(session, "open", "importing")}
        for name in found - under_way - self._busy:
            self.root.remove(f"staging/{name}")

    def _expire(self, deposit_id: int, *, coming: bool) -> None:
        try:
            with self.sessions.begin() as session:
                if coming:
                    return deposits.prolong(session, deposit_id)
                deposits.end(session, session.get_one(Deposit, deposit_id), "aborted")
        except Conflict:
            pass  # its person was faster

    def close(self) -> None:
        """Stop; imports under way are taken up by the next process, or by another one."""
        with self._lock:
            self._stopping = True
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.workshop.close()
        if self._heart.is_alive():
            self._heart.join()
        try:
            with self.sessions.begin() as session:
                imports.leave(session, self.process)
        except AWAY as error:
            log.warning("import queue: %s; its leases end by themselves", type(error).__name__)

    def _work(self, uid: str) -> None:
        try:
            self._import(uid)
        except AWAY as error:
            log.warning("import of %s waits: %s", uid, type(error).__name__)
        finally:
            self._busy.discard(uid)

    def _import(self, uid: str) -> None:
        job = self._claim(uid)
        if job is None:
            with reading(self.sessions) as session:
                over = imports.over(session, uid)
            if over:
                self.root.remove(staging_prefix(uid))
            return
        prepared = job.prepared
        try:
            if job.broken:
                raise PromiseBroken(job.broken)
            prepared = prepared or self._prepare(job)
            if job.staged.check or self._asks_for_more(job, prepared):
                return self._say_what_would_be(job, prepared)
            self._publish(prepared)
            self._commit(job, prepared)
        except Exception as error:
            if self._stopping:
                return  # staging stays: whoever takes it next goes on
            if isinstance(error, AWAY):
                raise
            self._give_up(job, prepared, faults.told(uid, error))
        else:
            self.root.remove(staging_prefix(uid))

    def _claim(self, uid: str) -> Job | None:
        """Take the deposit; None when another process has it, or it is given up or done."""
        with self.sessions.begin() as session:
            deposit = imports.claim(session, self.process, uid)
            return deposit and job_of(deposit, held.kept(session, deposit.declared))

    def _prepare(self, job: Job) -> Prepared:
        intake.shut(self.root.path(f"{job.staged.prefix}/in"))  # no byte changes while it is read
        job = told_apart(self.sessions, self.root, self.process, job)
        prepared = prepare(self.root, job.staged, self._watch(job), self.limits, self.workshop)
        with self.sessions.begin() as session:
            kept = {"prepared": prepared.as_json()}
            imports.hold(session, self.process, job.id, results=kept, manifest=job.manifest)
            deposits.widen(session, job.id, prepared.commit.nbytes)
        return prepared

    def _asks_for_more(self, job: Job, prepared: Prepared) -> bool:
        """Say whether a mask that is known only now wants more; not once anything is moved."""
        with reading(self.sessions) as session:
            deposit = session.get_one(Deposit, job.id)
            if not learned.asked(session, deposit, prepared.commit).wrong:
                return False
        return all(self.root.path(source).exists() for source, _ in prepared.moves)

    def _say_what_would_be(self, job: Job, prepared: Prepared) -> None:
        """Try the commit and undo it; what is staged and prepared waits for the real one."""
        with self.sessions() as session:
            report = checked.report(session, job.id, prepared.commit)
            session.rollback()
        results: dict[str, Any] = {"report": report}
        if not checked.hopeless(report):  # else it is prepared anew, to be refused
            results["prepared"] = prepared.as_json()
        with self.sessions.begin() as session:
            imports.hold(session, self.process, job.id)
            deposits.checked(session, job.id, results)
            imports.forget(session, job.id)

    def _publish(self, prepared: Prepared) -> None:
        left = []
        for source, target in prepared.moves:
            if self.root.path(source).exists():
                left.append((source, target))
            elif not self.root.path(target).exists():
                raise CidError(f"{source} is neither staged nor published")
        self.root.publish_all(left)

    def _commit(self, job: Job, prepared: Prepared) -> None:
        with self.sessions.begin() as session:
            imports.hold(session, self.process, job.id)
            deposit = session.get_one(Deposit, job.id)
            commits.commit(session, job.id, twins.without(session, deposit, prepared.commit))
            deposit.lease_by = deposit.lease_until = None
            if job.run_id is not None:
                state = str(job.manifest.get("state", "done"))
                run = session.get_one(Run, job.run_id)
                runs.finish(session, run, state, manifest=job.manifest, deposit=deposit)
                self._seal(session, run)

    def _seal(self, session: Session, run: Run) -> None:
        """Sign what the run was, in the transaction that ends it; if that fails, a duty does."""
        if self.signer is not None:
            try:
                with session.begin_nested():
                    seals.seal(session, run, self.signer)
            except Exception:
                log.exception("the record of run %s waits to be sealed", run.uid)

    def _give_up(self, job: Job, prepared: Prepared | None, error: dict[str, Any]) -> None:
        """End the deposit without a result; of a failed run at least its notebook is kept."""
        if prepared is None and self._keep_notebook(job, error):
            self.root.remove(staging_prefix(job.uid))
            return
        with self.sessions.begin() as session:
            deposit = imports.owned(session, self.process, job.id)
            if deposit is None:
                return  # another process has it: what is published is for it to use
            if deposit.state == "importing":
                deposits.end(session, deposit, "failed", error=error)
                if job.run_id is not None:
                    run = session.get_one(Run, job.run_id)
                    manifest = {**job.manifest, "error": error}
                    runs.finish(session, run, "failed", manifest=manifest, deposit=deposit)
                    self._seal(session, run)
        self._tidy(job, prepared)

    def _tidy(self, job: Job, prepared: Prepared | None) -> None:
        """Remove all bytes of a deposit that ended without a result, then let go of it.

        Where the storage does not let us, a later sweep does it.
        """
        try:
            for _, target in prepared.moves if prepared else ():
                self.root.remove(target)
            self.root.remove(staging_prefix(job.uid))
        except OSError as error:
            log.warning("what %s brought stays until it can be removed: %s", job.uid, error)
            return
        with self.sessions.begin() as session:
            imports.forget(session, job.id)

    def _keep_notebook(self, job: Job, error: dict[str, Any]) -> bool:
        """Commit the executed notebook and the log of a run whose other outputs were refused."""
        only = tuple(o for o in job.staged.outputs if o.get("kind") in ("notebook", "log"))
        refused = only != job.staged.outputs or bool(job.broken)
        if job.run_id is None or not only or not refused:
            return False
        staged = replace(job.staged, declared=(), outputs=only)
        manifest = {**job.manifest, "state": "failed", "error": error}
        try:
            rest = Job(job.id, job.uid, staged, manifest, None, job.run_id)
            prepared = self._prepare(rest)
            self._publish(prepared)
            self._commit(rest, prepared)
        except Exception:
            log.exception("executed notebook of %s", job.uid)
            return False
        return True

    def _watch(self, job: Job) -> Watch:
        sent = [nbytes for path, nbytes in job.staged.declared if path not in job.staged.held]
        lease = Lease(self.sessions, self.process, job.id, lambda: self._stopping)
        return lease.watch(sum(sent))


def _log_defect(done: Future[None]) -> None:
    """Say what a thread did not survive; nobody else looks at its result."""
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("import thread", exc_info=error)
