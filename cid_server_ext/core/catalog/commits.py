"""What a deposit becomes: rows, tags, use instead of reservation. One transaction."""

from __future__ import annotations

import mimetypes
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Deposit, File, Image, Note, Record, RunInput
from ...errors import Conflict
from .. import journal
from ..ledger import allocations
from ..search import index
from . import deposits, machine, mask_tags, quality, settings, tags, vocabulary
from .folders import Bringing, Folders
from .tagging import By

DIRECTORY = "inode/directory"  # media type of an original that is a folder of files
SHOWN = 200  # problems that are told; the files of the others are there too
FOLDED = 20  # of them in the journal


@dataclass(frozen=True, slots=True)
class NewFile:
    """A staged file, or a folder, that was hashed and moved to `prefix`.

    folder: where it lay in the deposit, which becomes a dataset below the deposit's. note: what is
    said of it, for whoever looks at it.
    """

    uid: str
    name: str
    kind: str
    prefix: str
    nbytes: int
    sha256: str
    blake3: str | None = None
    folder: str = ""
    is_folder: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class NewImage:
    """A converted image that was hashed and moved to `prefix`; see `db.tables.Image`.

    inside: it stays where it is, at this path in its original. settings: the Settings.JSON that
    came with it.
    """

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
    source: str | None = None  # uid of a run's input, or of another image of this commit
    original: str | None = None  # uid of the NewFile it was read from
    folder: str = ""
    unknown: dict[str, str] = field(default_factory=dict)
    quality: dict[str, Any] | None = None
    inside: str | None = None
    settings: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A file of the deposit that could not be read as an image: it is kept as `file`."""

    path: str
    file: str
    message: str
    error: str = "BadFile"


@dataclass(frozen=True, slots=True)
class There:
    """A file of the deposit whose bytes `record` holds already: nothing new came of it."""

    path: str
    record: str


@dataclass(frozen=True, slots=True)
class Commit:
    """Everything one deposit brings."""

    images: list[NewImage] = field(default_factory=list)
    files: list[NewFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    there: list[There] = field(default_factory=list)

    @property
    def nbytes(self) -> int:
        """Return what the project will be charged."""
        return sum(image.nbytes for image in self.images) + sum(f.nbytes for f in self.files)

    @property
    def folders(self) -> set[str]:
        """Return the folders in which something lies."""
        return {image.folder for image in self.images} | {file.folder for file in self.files}


def commit(session: Session, deposit_id: int, new: Commit) -> Deposit:
    """Make everything visible at once, or raise Conflict or OverQuota and change nothing."""
    deposit = session.get_one(Deposit, deposit_id, populate_existing=True)
    made = {"images": [i.uid for i in new.images], "files": [f.uid for f in new.files]}
    problems = [asdict(problem) for problem in new.problems[:SHOWN]]
    results = {
        **made,
        "kept": [file.uid for file in new.files if file.kind != "original"],
        "problems": problems,
        "there": [asdict(there) for there in new.there],
    }
    detail = {**made, "bytes": new.nbytes} | ({"problems": problems[:FOLDED]} if problems else {})
    subject, project_id = f"deposit:{deposit.uid}", deposit.project_id
    journal.record(
        session, deposit.person, "commit deposit", subject, detail, project_id=project_id
    )
    deposits.move(session, deposit, "done", results=results, progress={"fraction": 1.0})
    allocations.settle(session, deposit.project_id, reserved=deposit.reserved, used=new.nbytes)
    deposit.reserved = 0
    into = Folders(session, deposit)
    into.make(new.folders)
    files = {file.uid: add_file(session, deposit, file, into) for file in new.files}
    session.flush()
    images = add_images(session, deposit, new.images, into, files)
    for problem in new.problems:
        why = f"Kept as a file, for it could not be read as an image: {problem.message}"
        _say(session, deposit, files[problem.file], why)
    for file in new.files:
        if file.note:
            _say(session, deposit, files[file.uid], file.note)
    _tell(session, deposit, new, files, images)
    index.refresh(session, [record.id for record in (*files.values(), *images.values())])
    return deposit


def add_file(session: Session, deposit: Bringing, new: NewFile, into: Folders) -> File:
    """Add the row of a file."""
    media = DIRECTORY if new.is_folder else mimetypes.guess_type(new.name)[0]
    file = File(
        uid=new.uid,
        project_id=deposit.project_id,
        dataset_id=into.dataset(new.folder),
        name=new.name,
        kind=new.kind,
        media_type=_MEDIA.get(new.kind) or media or "application/octet-stream",
        prefix=new.prefix,
        nbytes=new.nbytes,
        sha256=new.sha256,
        blake3=new.blake3,
        created_by=deposit.person,
        run_id=deposit.run_id,
    )
    session.add(file)
    _note(session, deposit, "create file", f"file:{new.uid}", new.sha256)
    return file


def add_images(
    session: Session,
    deposit: Bringing,
    several: list[NewImage],
    into: Folders,
    files: dict[str, File],
) -> dict[str, Image]:
    """Add all images with what their files say of them, in few statements, then what we know."""
    images: dict[str, Image] = {}
    for new in several:
        images[new.uid] = _new_image(deposit, new, into.dataset(new.folder), files)
        if new.source is not None and new.source in images:
            images[new.uid].source = images[new.source]
        else:
            images[new.uid].source_id = _source(session, deposit, new)
    session.add_all(images.values())
    session.flush()
    told = [
        (images[new.uid], [(key, _given(key, text, number)) for key, text, number in new.tags])
        for new in several
    ]
    tags.write_all(session, told, kind="machine", by=By("file", deposit.person))
    for new in several:
        if new.settings is not None and new.kind == "image":
            settings.fill(session, images[new.uid], new.settings, person=deposit.person)
    declared = str(deposit.manifest.get("instrument") or deposit.told.get("instrument") or "")
    taken = [
        (image, str(dict(pairs).get(vocabulary.ACQUIRED, "")))
        for image, pairs in told
        if image.kind == "image" and deposit.run_id is None
    ]
    machine.complete_all(session, taken, declared=declared)
    for image in images.values():
        _note(session, deposit, "create image", f"image:{image.uid}", image.sha256)
    quality.tag_all(session, list(images.values()), deposit.person)
    return images


def _new_image(deposit: Bringing, new: NewImage, dataset: int, files: dict[str, File]) -> Image:
    return Image(
        uid=new.uid,
        project_id=deposit.project_id,
        dataset_id=dataset,
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
        unknown=new.unknown,
        quality=new.quality,
        inside=new.inside,
        run_id=deposit.run_id,
    )


def _given(key: str, text: str, number: float | None) -> str | float:
    """Return what a file's tag is kept as: an objective is its name, an exposure its number."""
    return text if number is None or key in vocabulary.MACHINE else number


def _note(session: Session, deposit: Bringing, action: str, subject: str, sha256: str) -> None:
    detail = {"sha256": sha256}
    journal.record(session, deposit.person, action, subject, detail, project_id=deposit.project_id)


def _tell(
    session: Session,
    deposit: Deposit,
    new: Commit,
    files: dict[str, File],
    images: dict[str, Image],
) -> None:
    """Tag what came with what was said of it when the deposit was opened."""
    paths = {file.uid: "/".join(p for p in (file.folder, file.name) if p) for file in new.files}
    came: list[tuple[Record, str]] = [
        (images[image.uid], paths.get(image.original or "", image.name)) for image in new.images
    ]
    if deposit.kind == "files":
        came += [(files[file.uid], paths[file.uid]) for file in new.files]
    mask_tags.write(session, deposit.told, came, deposit.person)


def _say(session: Session, deposit: Deposit, file: File, text: str) -> None:
    """Note at a file what is to be said of it."""
    about = {"project_id": deposit.project_id, "record_id": file.id}
    session.add(Note(**about, person=deposit.person, text=text))


def _source(session: Session, deposit: Bringing, new: NewImage) -> int | None:
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
    "log": "text/plain",
    "table": "application/vnd.apache.parquet",
}
