"""What a deposit becomes: rows, tags, use instead of reservation. One transaction."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Deposit, File, Image, RunInput
from ...errors import Conflict
from .. import journal
from ..actor import Actor
from ..ledger import allocations
from ..search import index
from . import datasets, deposits, tags
from .tagging import By


@dataclass(frozen=True, slots=True)
class NewFile:
    """A staged file that was hashed and moved to `prefix`."""

    uid: str
    name: str
    kind: str
    prefix: str
    nbytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class NewImage:
    """A converted image that was hashed and moved to `prefix`; see `db.tables.Image`."""

    uid: str
    name: str
    kind: str
    axes: str
    shape: tuple[int, ...]
    dtype: str
    levels: int
    scale: dict[str, float]
    units: dict[str, str]
    channels: list[dict[str, Any]]
    tags: list[tuple[str, str, float | None]]
    prefix: str
    nbytes: int
    sha256: str
    source: str | None = None
    original: str | None = None  # uid of the NewFile it was read from


@dataclass(frozen=True, slots=True)
class Commit:
    """Everything one deposit brings."""

    images: list[NewImage] = field(default_factory=list)
    files: list[NewFile] = field(default_factory=list)

    @property
    def nbytes(self) -> int:
        """Return what the project will be charged."""
        return sum(image.nbytes for image in self.images) + sum(f.nbytes for f in self.files)


def commit(session: Session, deposit_id: int, new: Commit) -> Deposit:
    """Make everything visible at once, or raise Conflict or OverQuota and change nothing."""
    deposit = session.get_one(Deposit, deposit_id, populate_existing=True)
    results = {"images": [i.uid for i in new.images], "files": [f.uid for f in new.files]}
    deposits.move(session, deposit, "done", results=results, progress={"fraction": 1.0})
    allocations.settle(session, deposit.project_id, reserved=deposit.reserved, used=new.nbytes)
    deposit.reserved = 0
    if deposit.dataset.trash_id is not None:  # thrown away while this came in
        actor = Actor(deposit.person)
        home = datasets.holding(session, actor, deposit.project, deposit.dataset.path)
        deposit.dataset_id = home.id
    files = {file.uid: _add_file(session, deposit, file) for file in new.files}
    session.flush()
    images = [_add_image(session, deposit, image, files) for image in new.images]
    index.refresh(session, [record.id for record in (*files.values(), *images)])
    detail = {**results, "bytes": new.nbytes}
    subject = f"deposit:{deposit.uid}"
    journal.record(
        session, deposit.person, "commit deposit", subject, detail, project_id=deposit.project_id
    )
    return deposit


def _add_file(session: Session, deposit: Deposit, new: NewFile) -> File:
    media, _ = mimetypes.guess_type(new.name)
    file = File(
        uid=new.uid,
        project_id=deposit.project_id,
        dataset_id=deposit.dataset_id,
        name=new.name,
        kind=new.kind,
        media_type=_MEDIA.get(new.kind) or media or "application/octet-stream",
        prefix=new.prefix,
        nbytes=new.nbytes,
        sha256=new.sha256,
        created_by=deposit.person,
        run_id=deposit.run_id,
    )
    session.add(file)
    _note(session, deposit, "create file", f"file:{new.uid}", new.sha256)
    return file


def _add_image(session: Session, deposit: Deposit, new: NewImage, files: dict[str, File]) -> Image:
    image = Image(
        uid=new.uid,
        project_id=deposit.project_id,
        dataset_id=deposit.dataset_id,
        name=new.name,
        kind=new.kind,
        axes=new.axes,
        shape=list(new.shape),
        dtype=new.dtype,
        levels=new.levels,
        scale=new.scale,
        units=new.units,
        channels=new.channels,
        prefix=new.prefix,
        nbytes=new.nbytes,
        sha256=new.sha256,
        created_by=deposit.person,
        original_id=files[new.original].id if new.original else None,
        source_id=_source(session, deposit, new),
        run_id=deposit.run_id,
    )
    session.add(image)
    session.flush()
    told = [(key, text if number is None else number) for key, text, number in new.tags]
    tags.write(session, image, told, kind="machine", by=By("file", deposit.person))
    _note(session, deposit, "create image", f"image:{new.uid}", new.sha256)
    return image


def _note(session: Session, deposit: Deposit, action: str, subject: str, sha256: str) -> None:
    detail = {"sha256": sha256}
    journal.record(session, deposit.person, action, subject, detail, project_id=deposit.project_id)


def _source(session: Session, deposit: Deposit, new: NewImage) -> int | None:
    """Return the id of the input that a result says it was made from; only inputs count."""
    if new.source is None:
        return None
    inputs = select(RunInput.image_id).where(RunInput.run_id == deposit.run_id)
    found = session.scalar(select(Image.id).where(Image.uid == new.source, Image.id.in_(inputs)))
    if found is None:
        raise Conflict(f"result {new.name!r} names a source that is no input of its run")
    return found


_MEDIA = {
    "notebook": "application/x-ipynb+json",
    "table": "application/vnd.apache.parquet",
}
