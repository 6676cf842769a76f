"""Notes: what people write about a project, a dataset or a record."""

from __future__ import annotations

from typing import Any

from ..wire.session import Session
from .record import Field, Listing, Record, listing


class Note(Record):
    """One note: plain text or Markdown. Who wrote it may change it, and managers."""

    collection = "notes"

    about = Field[str]()  # such as "record:<uid>"
    person = Field[str]()
    text = Field[str]()
    created_at = Field[str]()
    edited_at = Field["str | None"]()

    def change(self, text: str) -> Note:
        """Say it otherwise."""
        self.record = dict(self.session.send("PATCH", self.path, {"text": text}))
        return self

    def delete(self) -> None:
        """Take it away; `history()` can bring it back."""
        self.session.send("DELETE", self.path)

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        changed = "changed" if self.edited_at else ""
        return [("text", self.text), ("by", self.person), ("at", self.created_at), ("", changed)]


class Noted(Record):
    """A record that people write notes about."""

    @property
    def about(self) -> str:
        """What its notes are about, as the catalog names it."""
        return f"record:{self.record['uid']}"

    def notes(self) -> Listing[Note]:
        """Return the notes about it, oldest first."""
        return notes(self.session, self.about)

    def note(self, text: str) -> Note:
        """Write a note about it: plain text or Markdown, whose words the search finds."""
        body = {"about": self.about, "text": text}
        return Note(self.session, self.session.send("POST", "notes", body))


def notes(session: Session, about: str) -> Listing[Note]:
    """Return all notes about something, oldest first."""
    found: Listing[Note] = Listing()
    after = None
    while True:
        answer = session.get("notes", about=about, after=after)
        found += listing(Note, session, answer)
        after = answer["next"]
        if after is None:
            return found
