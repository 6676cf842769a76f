"""The tables: what the catalog remembers.

Every public record has an integer `id` (order, joins) and a `uid` (its name outside). Bytes live in
storage, below the `prefix` that a row names. Times are UTC.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

CONVENTION = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UTC(TypeDecorator[dt.datetime]):
    """An aware UTC datetime on every database; SQLite forgets the zone, this remembers it."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        """Store as UTC; a naive time is a programming error."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        return value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        """Read back as UTC."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=dt.UTC)


class Base(DeclarativeBase):
    """All tables share one naming convention, so that migrations can name what they change."""

    metadata = MetaData(naming_convention=CONVENTION)
    type_annotation_map = {
        dict[str, Any]: JSON,
        list[Any]: JSON,
        dt.datetime: UTC,
    }


BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite autoincrements INTEGER only


def new_uid() -> str:
    """Return a name that no other site has given."""
    return str(uuid.uuid4())


class Record:
    """What every public row has."""

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True, default=new_uid)
    created_at: Mapped[dt.datetime] = mapped_column(UTC, server_default=func.now())


# --- people ---------------------------------------------------------------------------------


class Team(Record, Base):
    """A lab; it is invoiced."""

    __tablename__ = "team"
    name: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(200), default="")


class TeamMember(Base):
    """A person's place in a team until `ends_at`: leader or member."""

    __tablename__ = "team_member"
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"), primary_key=True)
    person: Mapped[str] = mapped_column(String(120), primary_key=True)
    role: Mapped[str] = mapped_column(String(12))
    ends_at: Mapped[dt.datetime | None]
    __table_args__ = (
        CheckConstraint("role IN ('leader', 'member')", name="role"),
        Index("ix_team_member_person", "person"),
    )


class Project(Record, Base):
    """Holds datasets; has members, a vocabulary and an allocation."""

    __tablename__ = "project"
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"), index=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(12), default="active")
    team: Mapped[Team] = relationship()
    allocation: Mapped[Allocation] = relationship(back_populates="project")
    __table_args__ = (
        CheckConstraint(
            "state IN ('requested', 'active', 'archiving', 'archived', 'recalling', 'closed')",
            name="state",
        ),
    )


class ProjectMember(Base):
    """A person's role in a project until `ends_at`."""

    __tablename__ = "project_member"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    person: Mapped[str] = mapped_column(String(120), primary_key=True)
    role: Mapped[str] = mapped_column(String(12))
    ends_at: Mapped[dt.datetime | None]
    __table_args__ = (
        CheckConstraint("role IN ('viewer', 'annotator', 'contributor', 'manager')", name="role"),
        Index("ix_project_member_person", "person"),
    )


class Allocation(Base):
    """Bytes a project may hold. `used` and `reserved` move only by conditional UPDATE."""

    __tablename__ = "allocation"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    limit: Mapped[int] = mapped_column(BigInteger, default=0)
    used: Mapped[int] = mapped_column(BigInteger, default=0)
    reserved: Mapped[int] = mapped_column(BigInteger, default=0)
    project: Mapped[Project] = relationship(back_populates="allocation")
    __table_args__ = (
        CheckConstraint("used >= 0", name="used"),
        CheckConstraint("reserved >= 0", name="reserved"),
    )


# --- catalog --------------------------------------------------------------------------------


class Dataset(Record, Base):
    """A folder of images in a project; datasets nest."""

    __tablename__ = "dataset"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("dataset.id"), index=True)
    path: Mapped[str] = mapped_column(String(700))  # "screen/plate 1", unique in the project
    project: Mapped[Project] = relationship()
    parent: Mapped[Dataset | None] = relationship(remote_side="Dataset.id")
    __table_args__ = (UniqueConstraint("project_id", "path"),)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


class File(Record, Base):
    """A deposited file that is kept as it came: an original, or any other file.

    `kind`: original (the bytes an image was made from), table, figure, notebook, file.
    """

    __tablename__ = "file"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(12), default="file")
    media_type: Mapped[str] = mapped_column(String(100), default="application/octet-stream")
    prefix: Mapped[str] = mapped_column(String(200))
    nbytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    created_by: Mapped[str] = mapped_column(String(120))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"), index=True)
    project: Mapped[Project] = relationship()
    dataset: Mapped[Dataset] = relationship()


class Image(Record, Base):
    """One multidimensional image (kind image) or label image (kind labels), never changed.

    `axes` is a string of t c z y x in order, `shape` its lengths at level 0. `scale` holds the
    physical size of a pixel for the axes where it is known, `units` their UCUM-like OME names;
    an axis that is absent there is not calibrated.
    """

    __tablename__ = "image"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"))
    name: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(12), default="image")
    axes: Mapped[str] = mapped_column(String(8))
    shape: Mapped[list[Any]]
    dtype: Mapped[str] = mapped_column(String(12))
    levels: Mapped[int]
    scale: Mapped[dict[str, Any]]
    units: Mapped[dict[str, Any]]
    channels: Mapped[list[Any]]
    prefix: Mapped[str] = mapped_column(String(200))
    nbytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))  # of the store's sorted list of file digests
    created_by: Mapped[str] = mapped_column(String(120))
    original_id: Mapped[int | None] = mapped_column(ForeignKey("file.id"), index=True)
    source_id: Mapped[int | None] = mapped_column(ForeignKey("image.id"), index=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"), index=True)
    project: Mapped[Project] = relationship()
    dataset: Mapped[Dataset] = relationship()
    original: Mapped[File | None] = relationship(foreign_keys=[original_id])
    source: Mapped[Image | None] = relationship(remote_side="Image.id")
    tags: Mapped[list[Tag]] = relationship(back_populates="image", order_by="Tag.id")
    __table_args__ = (
        CheckConstraint("kind IN ('image', 'labels')", name="kind"),
        Index("ix_image_project_newest", "project_id", "id"),
        Index("ix_image_dataset_newest", "dataset_id", "id"),
    )


class Term(Base):
    """One key of the vocabulary: the facility's (no project) or a project's own."""

    __tablename__ = "term"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)
    key: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(12))
    type: Mapped[str] = mapped_column(String(12), default="text")
    unit: Mapped[str] = mapped_column(String(24), default="")
    __table_args__ = (
        UniqueConstraint("project_id", "key"),
        CheckConstraint("kind IN ('machine', 'sample', 'processing')", name="kind"),
        CheckConstraint("type IN ('text', 'number', 'date')", name="type"),
    )


class Tag(Base):
    """One typed value of a term on an image, and where it came from.

    It repeats the image's project so that "this tag, in my projects, newest first" reads one index.
    """

    __tablename__ = "tag"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("image.id"))
    term_id: Mapped[int] = mapped_column(ForeignKey("term.id"))
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    text: Mapped[str] = mapped_column(String(400))
    number: Mapped[float | None] = mapped_column(Float(53))
    source: Mapped[str] = mapped_column(String(12))  # file, instrument, person, run
    set_by: Mapped[str] = mapped_column(String(120))
    image: Mapped[Image] = relationship(back_populates="tags")
    term: Mapped[Term] = relationship()
    __table_args__ = (
        UniqueConstraint("image_id", "term_id"),
        CheckConstraint("source IN ('file', 'instrument', 'person', 'run')", name="source"),
        Index("ix_tag_find", "term_id", "text", "project_id", "image_id"),
    )


# --- deposits: the only way in --------------------------------------------------------------


class Deposit(Record, Base):
    """Bytes on their way in: staged, counted against a reservation, then committed or gone.

    States and the moves between them: `core.catalog.deposits.NEXT`.
    """

    __tablename__ = "deposit"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"))
    kind: Mapped[str] = mapped_column(String(12))  # import, files, run
    state: Mapped[str] = mapped_column(String(12), default="open", index=True)
    person: Mapped[str] = mapped_column(String(120))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"), index=True)
    declared: Mapped[list[Any]]  # [{path, nbytes}]
    reserved: Mapped[int] = mapped_column(BigInteger)
    manifest: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what the caller says it is
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    results: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {images: [uid], files: [uid]}
    expires_at: Mapped[dt.datetime]
    project: Mapped[Project] = relationship()
    dataset: Mapped[Dataset] = relationship()
    run: Mapped[Run | None] = relationship()


# --- templates and runs ---------------------------------------------------------------------


class Template(Record, Base):
    """One published, immutable version of a parameterised notebook with its manifest."""

    __tablename__ = "template"
    name: Mapped[str] = mapped_column(String(80), index=True)
    version: Mapped[str] = mapped_column(String(24))
    digest: Mapped[str] = mapped_column(String(64))  # sha256 over manifest and notebook
    manifest: Mapped[dict[str, Any]]
    notebook: Mapped[str] = mapped_column(Text)  # nbformat JSON, a few tens of kB
    published_by: Mapped[str] = mapped_column(String(120))
    __table_args__ = (UniqueConstraint("name", "version"),)


class Run(Record, Base):
    """One execution of a template on one input set. `batch` names the runs of one submit.

    States and the moves between them: `core.runs.states.NEXT`. `lease_*` say which conductor
    drives it; `token_hash` is the sha256 of the only run token that is good now.
    """

    __tablename__ = "run"
    batch: Mapped[str] = mapped_column(String(36), index=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    template_id: Mapped[int] = mapped_column(ForeignKey("template.id"))
    person: Mapped[str] = mapped_column(String(120))
    parameters: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(12), default="queued", index=True)
    attempt: Mapped[int] = mapped_column(default=0)
    reserved: Mapped[int] = mapped_column(BigInteger, default=0)
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    metrics: Mapped[dict[str, Any]] = mapped_column(default=dict)
    environment: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    cancel_asked: Mapped[bool] = mapped_column(default=False)
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    lease_by: Mapped[str | None] = mapped_column(String(120))
    lease_until: Mapped[dt.datetime | None]
    cluster: Mapped[str | None] = mapped_column(String(120))
    started_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("dataset.id"))
    project: Mapped[Project] = relationship()
    template: Mapped[Template] = relationship()
    dataset: Mapped[Dataset | None] = relationship()
    notebook: Mapped[File | None] = relationship(
        primaryjoin="and_(foreign(File.run_id) == Run.id, File.kind == 'notebook')",
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
        Index("ix_run_queue", "state", "id"),
    )


class RunInput(Base):
    """One image that a run reads, and the role it plays."""

    __tablename__ = "run_input"
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("image.id"), index=True)
    role: Mapped[str] = mapped_column(String(40), default="image")
    run: Mapped[Run] = relationship(back_populates="inputs")
    image: Mapped[Image] = relationship()


# --- memory ---------------------------------------------------------------------------------


class Journal(Base):
    """Every committed change: who, when, what. Written in the change's own transaction."""

    __tablename__ = "journal"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(UTC, server_default=func.now())
    person: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(160))  # "image:<uid>", "project:<name>"
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
