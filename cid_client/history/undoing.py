"""Taking back one change by the entry of the journal that the catalog named for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import BadInput
from ..wire.session import Session


@dataclass(frozen=True, slots=True)
class Done:
    """A change that was made; `undo()` takes it back while nobody changed the same since."""

    entry: int | None  # of the journal; None when nothing was changed
    session: Session = field(repr=False)

    def undo(self) -> None:
        """Take it back; Conflict when it was changed since."""
        undo(self.session, self.entry)


def undo(session: Session, entry: int | None) -> None:
    """Take the change back; Conflict when it was changed since, BadInput when nothing was."""
    if entry is None:
        raise BadInput("nothing was changed, so there is nothing to undo")
    session.send("POST", f"journal/{entry}/undo")
