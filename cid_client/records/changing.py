"""Records that are changed through their object, if they are still as they were read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from ..errors import Conflict
from ..history.undoing import undo
from ..wire.session import Told
from .record import Record


class Changing(Record):
    """A record that changes with what is called on it; each change returns it.

    What somebody else changed since it was read is not overwritten: that raises Conflict, whose
    `changed` says who did what. `refresh()` it and try again. My own changes are no conflict.
    A row of a list was not read whole: its first change is made as it is.
    """

    etag: str | None = None  # of the state that was read
    entry: int | None = None  # the journal's, of the last change made here

    def refresh(self) -> Self:
        """Read the record again and return it."""
        self._take(self.session.look(self.address))
        return self

    def undo(self) -> Self:
        """Take back the last change made with this object; Conflict when it was changed since."""
        undo(self.session, self.entry)
        self.entry = None
        return self.refresh()

    def _changed(self, verb: str, below: str = "", body: Mapping[str, Any] | None = None) -> Self:
        """Change it, or a part of it `below` its address."""
        address = self.address + below
        try:
            told = self.session.tell(verb, address, body, etag=self.etag)
        except Conflict as conflict:
            others = {one.person for one in conflict.changed} - {self.session.me}
            if self.etag is None or not conflict.changed or others:
                raise
            now = self.session.look(self.address).etag
            told = self.session.tell(verb, address, body, etag=now)
        self._take(told)
        self.entry = told.entry
        return self

    def _take(self, told: Told) -> None:
        self.record, self.etag = dict(told.body), told.etag
