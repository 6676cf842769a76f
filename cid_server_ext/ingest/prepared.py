"""What an import has ready: rows to commit and moves in storage. It survives a restart as JSON."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from ..core.catalog.commits import Commit, NewFile, NewImage, Problem, There
from ..errors import BadInput
from ..storage import digests, manifests
from ..storage.digests import Digests
from ..storage.roots import Root, file_prefix, staging_prefix
from .converted import Converted
from .progress import Progress


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes that were here before: a record's uid, and where it lies in storage."""

    uid: str
    key: str


@dataclass(frozen=True, slots=True)
class Staged:
    """What is known of a deposit when its import begins. Keys lie below `prefix`."""

    uid: str
    kind: str
    declared: tuple[tuple[str, int], ...]
    outputs: tuple[dict[str, Any], ...] = ()
    input_name: str = ""  # of a run: its input image's name, which results are called after
    label: str = ""  # of a run: what its executed notebook is called
    out: str = "out"  # where it is converted to; two processes never write to the same
    held: dict[str, Held] = field(default_factory=dict)  # by path: not sent, it is there already
    check: bool = (
        False  # only to say what it would become: nothing is refused for being all there is
    )

    @property
    def prefix(self) -> str:
        """The key of its folder in staging."""
        return staging_prefix(self.uid)

    def name(self, part: str) -> str:
        """Return the same uid each time this is prepared, so that a retry makes no twin."""
        return str(uuid.uuid5(uuid.UUID(self.uid), part))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A commit that is ready, and the moves in storage that it needs."""

    commit: Commit = field(default_factory=Commit)
    moves: list[tuple[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return what the database keeps, so that a restart finishes the same commit."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Prepared:
        """Return the prepared commit that `as_json` wrote."""
        told = raw["commit"]
        images = [
            NewImage(
                **{
                    **image,
                    "shape": tuple(image["shape"]),
                    "tags": [tuple(tag) for tag in image["tags"]],
                }
            )
            for image in told["images"]
        ]
        commit = Commit(
            images,
            [NewFile(**file) for file in told["files"]],
            [Problem(**problem) for problem in told.get("problems", ())],
            [There(**there) for there in told.get("there", ())],
        )
        return cls(commit, [(source, to) for source, to in raw["moves"]])

    def add(self, other: Prepared) -> None:
        """Take in what another item of the same deposit brings."""
        self.commit.images.extend(other.commit.images)
        self.commit.files.extend(other.commit.files)
        self.commit.problems.extend(other.commit.problems)
        self.commit.there.extend(other.commit.there)
        self.moves.extend(other.moves)


@dataclass(frozen=True, slots=True)
class Watch:
    """How the one who prepares is told, and stopped."""

    plan: Callable[[int], None]
    progress: Callable[[Progress], None]
    should_stop: Callable[[], bool]


def new_image(
    root: Root, staged: Staged, image: Converted, key: str, name: str, kind: str, **more: Any
) -> NewImage:
    """Return the row of an image that was written at `key`, and write its manifest there."""
    uid = staged.name("image/" + key.partition(f"/{staged.out}/")[2])
    return image.row(uid, manifests.write(root.path(key)), name=name[:200], kind=kind, **more)


def new_file(
    root: Root,
    staged: Staged,
    key: str,
    name: str,
    kind: str,
    known: Digests | None = None,
    folder: str = "",
) -> NewFile:
    """Return the row of a staged file, or of a folder, which is digested unless that is known."""
    path = root.path(key)
    if not path.exists():
        raise BadInput(f"output {name!r} was not uploaded")
    if known is None and path.is_dir():
        known, _ = digests.of_folder(digests.below(path))
    made = known or digests.of_file(path)
    uid = staged.name(f"file/{key}")
    return NewFile(
        uid=uid,
        name=name,
        kind=kind,
        prefix=file_prefix(uid),
        nbytes=root.nbytes(key),
        sha256=made.sha256,
        blake3=made.blake3,
        folder=folder,
        is_folder=path.is_dir(),
    )
