"""Deposits whose bytes somebody else sends, such as a browser: opened, committed or given up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self, Unpack

from ..errors import from_record
from ..records.files import File
from ..records.images import Image
from ..records.record import Field, Record
from ..wire.session import Session, segment
from . import uploaded
from .told import Told, plain
from .uploaded import Uploaded


class Deposit(Record):
    """Files on their way into a project. Its states: open → importing → done | failed | aborted."""

    collection = "deposits"
    tickets = ("upload",)

    state = Field[str]()
    kind = Field[str]()  # import or files

    @property
    def upload(self) -> str:
        """Where its bytes go, by PUT or tus; refresh() renews it. "" once it takes no more."""
        return str(self.wire("upload") or "")

    @property
    def error(self) -> Exception | None:
        """What went wrong when it failed."""
        told = self.wire("error")
        return from_record(told) if told else None

    @property
    def report(self) -> Mapping[str, Any] | None:
        """What it would become, once it was checked, or its mask asked for more; see the API."""
        told: Mapping[str, Any] | None = self.wire("report")
        return told

    def commit(self, *, check: bool = False, **told: Unpack[Told]) -> Self:
        """Begin the import, with what is `told` of it now. Conflict: files are still coming.

        With `check` it only says in its `report` what it would become. It is open again then, and
        also when the mask of the microscope that the files name asks for more.
        """
        body = {**plain(told), **({"check": True} if check else {})}
        self.record = dict(self.session.send("POST", f"{self.path}/commit", body))
        return self

    def give_up(self) -> Self:
        """Remove what came, and give back the room that was reserved."""
        self.record = dict(self.session.send("DELETE", self.path))
        return self

    def became(self) -> Uploaded[Image]:
        """Return what it became, once it is done."""
        return uploaded.images(self.session, self.record)

    def became_files(self) -> Uploaded[File]:
        """Return the files that it became, once one of kind "files" is done."""
        return uploaded.files(self.session, self.record)

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        told = self.record
        return [*super().facts(), ("project", told.get("project")), ("state", told.get("state"))]


def open_deposit(
    session: Session, project: str, files: Iterable[Mapping[str, Any]], **more: Any
) -> Deposit:
    """Open a deposit of files, each with path, nbytes and perhaps its sha256."""
    body = {"files": [dict(one) for one in files], **more}
    told = session.send("POST", f"projects/{segment(project)}/deposits", body)
    return Deposit(session, told)
