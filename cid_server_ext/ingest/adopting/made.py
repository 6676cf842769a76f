"""What one thing in place becomes: its rows, and what is written for it here. Foreign bytes are
read by a limited child only; here they are hashed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...core import names
from ...core.catalog.adoptions import Adopted
from ...core.catalog.commits import NewFile, NewImage
from ...core.catalog.goals import Goal
from ...core.catalog.references import Where
from ...errors import BadFile, BadInput
from ...storage import listings, manifests
from ...storage.inplace import Roots, checked
from ...storage.listings import Listed
from ...storage.names import parts
from ...storage.roots import Folder, file_prefix
from ..converted import Converted, astray, taken
from ..sandbox import Room
from ..workers import Worker
from .found import Found


@dataclass(slots=True)
class Made:
    """A commit that is ready, the moves in storage that it needs, and what could not be read."""

    adopted: Adopted
    moves: list[tuple[str, str]] = field(default_factory=list)
    problem: str = ""


@dataclass
class Maker:
    """Makes the things of one adoption. `tell` hears how far one conversion has come."""

    storage: Folder
    roots: Roots
    root: str
    unit: str
    worker: Worker
    tell: Callable[[float, str], None] = lambda fraction, text: None

    def make(self, one: Found) -> Made:
        """Return what it becomes; raises what keeps it out."""
        assert one.goal is not None
        self.storage.remove(self._out(one))
        self.storage.path(self._out(one)).mkdir(parents=True)
        return self._tree(one, one.goal) if one.form == "tree" else self._files(one, one.goal)

    def _out(self, one: Found) -> str:
        return f"{self._beside(one)}/{self._uid(one.path)}"

    def _beside(self, one: Found) -> str:
        """Return where all of its folder is written: one child may do several of these."""
        return f"{room(self.unit)}/{self._uid(one.path.rpartition('/')[0] or '.')}"

    # --- what is shown where it is ------------------------------------------------------------

    def _tree(self, one: Found, goal: Goal) -> Made:
        told: list[dict[str, Any]] = []
        folder = self.roots.path(self.root, one.path)
        self.worker.ask({"describe": str(folder)}, told.append)
        now = time.time_ns()
        shared, images = _heard(told, self.storage.path(self._out(one)))
        named = dict.fromkeys([*shared, *(name for image in images for name in image[2])])
        seen = {name: listings.look(self.roots, self.root, one.path, name) for name in named}
        newest = max((listed.mtime_ns for listed, _ in seen.values()), default=0)
        if newest > now:
            raise BadInput("its files are newer than this computer's clock: set it, then try again")
        rows = [
            self._image(
                image,
                one,
                inside,
                image_sha256=listings.digest(seen[name][0] for name in documents),
                source=images[image.of][1] if image.of is not None else None,
            )
            for image, inside, documents in images
        ]
        file = self._file(one, listings.digests(seen.values()), "original")
        nbytes = sum(listed.nbytes for listed, _ in seen.values())
        where = Where(self.root, one.path, "tree", nbytes, now)
        made = Made(Adopted(goal, where, file, rows, hashed=False))
        self._list(one, made, [listed for listed, _ in seen.values()])
        return made

    def _image(
        self, image: Converted, one: Found, inside: str, image_sha256: str, source: str | None
    ) -> NewImage:
        uid = self._uid(f"{one.path}#{inside}")
        of = None if source is None else self._uid(f"{one.path}#{source}")
        return image.row(uid, image_sha256, inside=inside, original=self._uid(one.path), source=of)

    # --- what gets a view ---------------------------------------------------------------------

    def _files(self, one: Found, goal: Goal) -> Made:
        path = self.roots.path(self.root, one.path)
        whole = one.form == "set" and path.is_dir()
        base = one.path if whole else one.path.rpartition("/")[0]
        inside = one.members or (one.path.rpartition("/")[2],)
        images, problem = [], ""
        if one.reader and goal.view != "none":
            try:
                images = self._converted(one, path)
            except BadFile as error:
                problem = str(error)
        seen = [listings.look(self.roots, self.root, base, name) for name in inside]
        if one.form == "file":
            [(listed, blake3)] = seen
            digests = replace(listings.digests(seen), sha256=listed.sha256, blake3=blake3)
            time_ns = listed.mtime_ns
        else:
            digests = listings.digests(seen)
            time_ns = max(listed.mtime_ns for listed, _ in seen)
        rows, moves = [], []
        for image in images:
            uid = self._uid(f"{one.path}#{image.folder.name}")
            of = images[image.of].folder.name if image.of is not None else None
            source = None if of is None else self._uid(f"{one.path}#{of}")
            sha256 = manifests.write(image.folder)
            rows.append(image.row(uid, sha256, original=self._uid(one.path), source=source))
            moves.append((f"{self._out(one)}/views/{image.folder.name}", rows[-1].prefix))
        file = self._file(one, digests, "original" if rows else "file")
        nbytes = sum(listed.nbytes for listed, _ in seen)
        where = Where(self.root, one.path, one.form, nbytes, time_ns)
        rows.sort(key=lambda row: row.source is not None)
        made = Made(Adopted(goal, where, file, rows), moves, problem)
        if one.form == "set":
            self._list(one, made, [listed for listed, _ in seen])
        return made

    def _converted(self, one: Found, path: Path) -> list[Converted]:
        reads = path if path.is_dir() else path.parent  # a child may do all files of a folder
        writes = self.storage.path(self._beside(one))
        images = self.worker.convert(
            path,
            self.storage.path(f"{self._out(one)}/views"),
            nbytes=one.nbytes,
            room=Room(str(reads.absolute()), str(writes.absolute())),
            on_plan=lambda nbytes: None,
            on_progress=self.tell,
        )
        if any(image.of is not None and image.of >= len(images) for image in images):
            raise astray()
        return images

    # --- both ---------------------------------------------------------------------------------

    def _list(self, one: Found, made: Made, listed: list[Listed]) -> None:
        key = f"{self._out(one)}/listing"
        self.storage.path(key).mkdir()
        listings.write(self.storage.path(key), listed)
        made.moves.append((key, made.adopted.file.prefix))

    def _file(self, one: Found, digests: Any, kind: str) -> NewFile:
        uid = self._uid(one.path)
        return NewFile(
            uid=uid,
            name=label(one.path.rpartition("/")[2]),
            kind=kind,
            prefix=file_prefix(uid),
            nbytes=0,
            sha256=digests.sha256,
            blake3=digests.blake3,
            is_folder=one.form != "file",
        )

    def _uid(self, part: str) -> str:
        """Return the same uid each time, so that what was stopped makes no twin."""
        return str(uuid.uuid5(uuid.UUID(self.unit), part))


def room(unit: str) -> str:
    """Return the key below which an adoption writes what is not in the catalog yet."""
    return f"adopting/{unit}"


def label(name: str) -> str:
    """Return a name for people that is as near to a file's as names may be."""
    shown = "".join(sign if sign.isprintable() else "_" for sign in name)[:120]
    try:
        return names.label(shown, "file")
    except BadInput:
        return "file"


def _heard(
    told: list[dict[str, Any]], nowhere: Path
) -> tuple[list[str], list[tuple[Converted, str, list[str]]]]:
    """Take what a child says of a store, as the words of a stranger; all paths must be plain.

    nowhere: an empty folder, for nothing was written.
    """
    shared: list[str] = []
    images: list[tuple[Converted, str, list[str]]] = []
    try:
        for message in told:
            shared += map(str, message.get("shared", ()))
            if "image" in message:
                image = replace(taken({**message["image"], "quality": None}, nowhere), nbytes=0)
                inside = str(message["inside"])
                images.append((image, inside, [str(name) for name in message["documents"]]))
                for name in (*images[-1][2], *([inside] if inside else ())):
                    parts(name)
        for name in shared:
            checked(name)
    except (KeyError, TypeError, ValueError):
        raise astray() from None
    if not images or any(i.of is not None and i.of >= len(images) for i, _, _ in images):
        raise astray()
    return shared, images
