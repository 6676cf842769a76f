"""What was thrown away, and bringing it back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import display
from ..records.record import Field, Listing, Record, listing
from ..wire.session import Session


class Trash(Record):
    """What one step threw away; it can be brought back until `purge_at`."""

    collection = "trash"

    project = Field[str]()
    what = Field[str]()
    person = Field[str]()
    state = Field[str]()  # kept, restored or purged
    nbytes = Field[int]()
    records = Field[int]()
    first = Field[list[dict[str, Any]]]()  # some of its records: uid, name, kind, thumbnail
    datasets = Field[list[str]]()
    created_at = Field[str]()
    purge_at = Field[str]()

    def restore(self) -> Trash:
        """Bring it back as it was, with tags, links and notes."""
        self.record = dict(self.session.send("POST", f"{self.path}/restore"))
        return self

    def purge(self) -> Trash:
        """Remove its bytes now and give the room back: nothing brings it back. Managers may."""
        self.record = dict(self.session.send("DELETE", self.path))
        return self

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        return [
            ("what", self.what),
            ("records", self.records),
            ("size", display.size(self.nbytes)),
            ("by", self.person),
            ("state", self.state),
            ("until", self.purge_at[:10]),
            ("uid", self.uid),
        ]


def throw(
    session: Session,
    records: Iterable[str] = (),
    datasets: Iterable[str] = (),
    *,
    force: bool = False,
) -> Trash:
    """Throw records and datasets of one project away, by uid.

    Conflict: runs wait for them; it says how many. With `force` these fail.
    """
    body: dict[str, Any] = {"records": list(records), "datasets": list(datasets)}
    body |= {"force": True} if force else {}
    return Trash(session, session.send("POST", "trash", body))


def trash(session: Session, project: str) -> Listing[Trash]:
    """Return what lies in a project's trash now, newest first."""
    found: Listing[Trash] = Listing()
    after = None
    while True:
        answer = session.get("trash", project=project, after=after)
        found += listing(Trash, session, answer)
        after = answer["next"]
        if after is None:
            return found
