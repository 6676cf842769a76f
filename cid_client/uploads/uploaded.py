"""What an upload became: images first, and all that is to be said of the other files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, TypeVar

from ..records.files import File
from ..records.images import Image
from ..records.record import Listing
from ..wire.session import Session

R = TypeVar("R", Image, File)
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that could not be read as an image, why, and where it is kept all the same."""

    path: str
    message: str
    file: File


@dataclass(frozen=True, slots=True)
class There:
    """A file that was there already: as this record, in this project and dataset."""

    path: str
    file: File
    project: str
    dataset: str


class Uploaded(Listing[R]):
    """The images of an upload, or its files, those that were there already included.

    `files` are those that are kept as they came because they are no images, `problems` those that
    should be some and could not be read, `there` what was there already and was not sent.
    """

    files: Listing[File]
    problems: list[Problem]
    there: list[There]

    def facts(self) -> list[str]:
        """Return what a person should know beside the images, a line each."""
        lines: list[str] = []
        if self.files:
            lines.append(f"{len(self.files)} kept as files")
        for there in self.there[:SHOWN]:
            place = "/".join(part for part in (there.project, there.dataset) if part)
            lines.append(f"{there.path}: there already, in {place}; again=True brings it in again")
        for problem in self.problems[:SHOWN]:
            lines.append(f"{problem.path}: not readable, kept as a file: {problem.message}")
        left = len(self.there[SHOWN:]) + len(self.problems[SHOWN:])
        return [*lines, f"and {left} more"] if left else lines

    def _repr_html_(self) -> str:
        lines = "".join(f"<div>{escape(line)}</div>" for line in self.facts())
        return f"{super()._repr_html_()}{lines}"


def images(session: Session, done: Mapping[str, Any]) -> Uploaded[Image]:
    """Return the images of a deposit that is done; nothing is asked before they are looked at."""
    before = [uid for one in done.get("there", ()) for uid in one["images"]]
    uids = dict.fromkeys([*done["images"], *before])
    found = Uploaded(Image(session, {"uid": uid}) for uid in uids)
    return _told(session, found, done)


def files(session: Session, done: Mapping[str, Any]) -> Uploaded[File]:
    """Return the files of a deposit that is done."""
    before = [one["record"] for one in done.get("there", ())]
    uids = dict.fromkeys([*done["files"], *before])
    return _told(session, Uploaded(File(session, {"uid": uid}) for uid in uids), done)


def _told(session: Session, found: Uploaded[R], done: Mapping[str, Any]) -> Uploaded[R]:
    def file(uid: str) -> File:
        return File(session, {"uid": uid})

    found.files = Listing(map(file, done.get("kept", ())))
    found.problems = [
        Problem(one["path"], one["message"], file(one["file"])) for one in done.get("problems", ())
    ]
    found.there = [
        There(one["path"], file(one["record"]), one["project"], one["dataset"])
        for one in done.get("there", ())
    ]
    return found
