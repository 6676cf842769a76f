"""What was done, by whom, and taking it back."""

from __future__ import annotations

from typing import Any

from ..records.record import Field, Listing, Record
from ..wire.session import Session

PAGE = 200


class Entry(Record):
    """One step in a project's history; `undoable` by me, unless it moved on since."""

    collection = "entries"

    entry = Field[int]()
    at = Field[str]()
    person = Field[str]()
    action = Field[str]()
    subject = Field[str]()  # such as "image:<uid>"
    detail = Field[dict[str, Any]]()
    project = Field[str | None]()
    undoes = Field[int | None]()  # the entry that this one took back
    undone_by = Field[int | None]()
    undoable = Field[bool]()

    @property
    def path(self) -> str:
        """Where the API has it."""
        return f"journal/{self.record['entry']}"

    def undo(self) -> Entry:
        """Take it back; Conflict when it was changed since. The taking back is an entry too."""
        self.session.send("POST", f"{self.path}/undo")
        self.record["undoable"] = False
        return self

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        return [
            ("entry", self.entry),
            ("at", self.at),
            ("person", self.person),
            ("action", self.action),
            ("subject", self.subject),
            ("undo", "yes" if self.undoable else ""),
        ]


def history(
    session: Session, limit: int, after: int | None = None, **asked: str | None
) -> Listing[Entry]:
    """Return the newest entries, at most `limit`; older than the entry `after`, if one is said."""
    found: Listing[Entry] = Listing()
    place = None if after is None else str(after)
    while len(found) < limit:
        room = min(PAGE, limit - len(found))
        answer = session.get("journal", **asked, limit=room, after=place)
        found += [Entry(session, row) for row in answer["entries"]]
        place = answer["next"]
        if place is None:
            break
    return found
