"""Work under way and done: deposits, templates, runs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    and_,
    exists,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, aliased, foreign, mapped_column, relationship

from .base import Base, Named
from .people import Project
from .records import Dataset, File, Image

QUEUED = "state = 'queued'"
DRIVEN = "state IN ('starting', 'running')"
LEADS_ON = '"then" IS NOT NULL AND followed IS NULL'
UNDER_WAY = "client_key IS NOT NULL AND state IN ('open', 'importing')"


class Deposit(Named, Base):
    """Bytes on their way in: staged, counted against a reservation, then committed or gone.

    States and the moves between them: `core.catalog.deposits.NEXT`. `lease_*` say which service
    process imports it.
    """

    __tablename__ = "deposit"
    JOURNALED = False  # ends with what is under way
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"))
    kind: Mapped[str] = mapped_column(String(12))  # import, files, run
    state: Mapped[str] = mapped_column(String(12), default="open", index=True)
    person: Mapped[str] = mapped_column(String(120))
    client_key: Mapped[str | None] = mapped_column(String(64))  # its person's own word for it
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"), index=True)
    again: Mapped[bool] = mapped_column(  # what is there already comes in a second time
        default=False, server_default=sql("false")
    )
    declared: Mapped[list[Any]]  # [{path, nbytes}]
    reserved: Mapped[int] = mapped_column(BigInteger)
    told: Mapped[dict[str, Any]] = mapped_column(  # mask, instrument and tags it was opened with
        default=dict, server_default=sql("'{}'")
    )
    manifest: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what the caller says it is
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    results: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {images: [uid], files: [uid]}
    expires_at: Mapped[dt.datetime]
    lease_by: Mapped[str | None] = mapped_column(String(120))
    lease_until: Mapped[dt.datetime | None]
    project: Mapped[Project] = relationship()
    dataset: Mapped[Dataset] = relationship()
    run: Mapped[Run | None] = relationship()
    __table_args__ = (
        Index(  # the few that some process works on
            "ix_deposit_leased",
            "lease_until",
            sqlite_where=sql("lease_by IS NOT NULL"),
            postgresql_where=sql("lease_by IS NOT NULL"),
        ),
        Index(  # asked for twice with one key, it is opened once
            "ix_deposit_client_key",
            "project_id",
            "person",
            "client_key",
            unique=True,
            sqlite_where=sql(UNDER_WAY),
            postgresql_where=sql(UNDER_WAY),
        ),
    )


class Template(Named, Base):
    """One published, immutable version of a parameterised notebook with its manifest.

    One without a project is the facility's. Only whether it is withdrawn ever changes.
    """

    __tablename__ = "template"
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)
    name: Mapped[str] = mapped_column(String(80), index=True)
    version: Mapped[str] = mapped_column(String(24))
    digest: Mapped[str] = mapped_column(String(64))  # sha256 over manifest and notebook, as given
    seal: Mapped[str | None] = mapped_column(String(64))  # the same as stored; older ones have none
    manifest: Mapped[dict[str, Any]]
    notebook: Mapped[str] = mapped_column(Text)  # nbformat JSON, a few tens of kB
    changelog: Mapped[str] = mapped_column(Text, default="", server_default=sql("''"))
    published_by: Mapped[str] = mapped_column(String(120))
    withdrawn_at: Mapped[dt.datetime | None]
    withdrawn_by: Mapped[str | None] = mapped_column(String(120))
    withdrawn_for: Mapped[str | None] = mapped_column(Text)
    project: Mapped[Project | None] = relationship()
    __table_args__ = (
        UniqueConstraint("project_id", "name", "version"),
        Index(  # NULLs are never alike
            "ix_template_facility",
            "name",
            "version",
            unique=True,
            sqlite_where=sql("project_id IS NULL"),
            postgresql_where=sql("project_id IS NULL"),
        ),
    )

    @property
    def reference(self) -> str:
        """What people write to mean it, without its version: `name` or `project:name`."""
        return self.name if self.project is None else f"{self.project.name}:{self.name}"


def _lane(context: Any) -> str:
    given = context.get_current_parameters()
    kind = {None: "", True: "gpu", False: "cpu"}[given.get("gpu")]
    return f"{given['batch']}:{given['project_id']}{kind}"


class Run(Named, Base):
    """One execution of a template on one input set. `batch` names the runs of one submit.

    States and the moves between them: `core.runs.states.NEXT`. `lease_*` say which conductor
    drives it; `token_hash` is the sha256 of the only run token that is good now. `lane` is what
    one cluster executes: a batch's runs in one project and, where its template distinguishes, on
    one kind of machine. `strikes` say what lost it a worker: [{attempt, at, own, error, message}].
    """

    __tablename__ = "run"
    PASSING = frozenset(
        {"progress", "cancel_asked", "token_hash", "lease_by", "lease_until", "cluster"}
    )
    batch: Mapped[str] = mapped_column(String(36))
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    template_id: Mapped[int] = mapped_column(ForeignKey("template.id"))
    person: Mapped[str] = mapped_column(String(120))
    parameters: Mapped[dict[str, Any]]
    gpu: Mapped[bool | None]  # NULL: as its template says
    lane: Mapped[str] = mapped_column(String(60), default=_lane)
    priority: Mapped[int] = mapped_column(default=0, server_default="0")
    paused: Mapped[bool] = mapped_column(default=False, server_default=sql("false"))
    not_before: Mapped[dt.datetime | None]
    strikes: Mapped[list[Any]] = mapped_column(default=list, server_default=sql("'[]'"))
    state: Mapped[str] = mapped_column(String(12), default="queued", index=True)
    attempt: Mapped[int] = mapped_column(default=0)
    reserved: Mapped[int] = mapped_column(BigInteger, default=0)
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    metrics: Mapped[dict[str, Any]] = mapped_column(default=dict)
    environment: Mapped[dict[str, Any]] = mapped_column(default=dict)
    usage: Mapped[dict[str, Any]] = mapped_column(  # what it took, as its worker measured it
        default=dict, server_default=sql("'{}'")
    )
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    cancel_asked: Mapped[bool] = mapped_column(default=False)
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    lease_by: Mapped[str | None] = mapped_column(String(120))
    lease_until: Mapped[dt.datetime | None]
    cluster: Mapped[str | None] = mapped_column(String(120))
    started_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("dataset.id"))
    replay_of_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"), index=True)
    then: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))  # see `core.steps`
    after_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"), index=True)
    followed: Mapped[dict[str, Any] | None] = mapped_column(  # {run} or {error, message}
        JSON(none_as_null=True)
    )
    project: Mapped[Project] = relationship()
    template: Mapped[Template] = relationship()
    dataset: Mapped[Dataset | None] = relationship()
    replay_of: Mapped[Run | None] = relationship(
        remote_side="Run.id", foreign_keys="Run.replay_of_id"
    )
    after: Mapped[Run | None] = relationship(remote_side="Run.id", foreign_keys="Run.after_id")
    notebook: Mapped[File | None] = relationship(
        primaryjoin=lambda: _last_notebook(),
        viewonly=True,
        uselist=False,
    )
    inputs: Mapped[list[RunInput]] = relationship(
        back_populates="run", order_by="RunInput.position"
    )
    __table_args__ = (
        CheckConstraint(
            "state IN ('queued', 'starting', 'running', 'committing', 'done', 'failed',"
            " 'cancelled')",
            name="state",
        ),
        Index(  # what may be claimed, lane by lane
            "ix_run_waiting",
            "paused",
            "lane",
            "attempt",
            "id",
            sqlite_where=sql(QUEUED),
            postgresql_where=sql(QUEUED),
        ),
        Index(  # the few that some conductor drives
            "ix_run_driven",
            "lease_until",
            sqlite_where=sql(DRIVEN),
            postgresql_where=sql(DRIVEN),
        ),
        Index(  # the few whose next step has not begun
            "ix_run_next",
            "state",
            "id",
            sqlite_where=sql(LEADS_ON),
            postgresql_where=sql(LEADS_ON),
        ),
        Index("ix_run_batch", "batch", "state"),
        Index("ix_run_history", "template_id", "state", "id"),
        Index("ix_run_ended", "ended_at"),
    )


def _last_notebook() -> ColumnElement[bool]:
    """That of the last attempt: a run that was retried has one of each."""
    later = aliased(File)
    newer = exists().where(
        later.run_id == File.run_id, later.kind == "notebook", later.id > File.id
    )
    return and_(foreign(File.run_id) == Run.id, File.kind == "notebook", ~newer)


class RunInput(Base):
    """One image that a run reads, the role it plays, and the digest that it had then."""

    __tablename__ = "run_input"
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("record.id"), index=True)
    role: Mapped[str] = mapped_column(String(40), default="image")
    sha256: Mapped[str | None] = mapped_column(String(64))  # the image's, at the submit
    run: Mapped[Run] = relationship(back_populates="inputs")
    image: Mapped[Image] = relationship()
