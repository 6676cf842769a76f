"""What a catalog remembers: who did what, and what was thrown away."""

from __future__ import annotations

from ..records.datasets import called
from ..records.projects import Project
from ..records.record import Chosen, Listing, uids
from ..wire import given
from ..wire.session import Session
from .entries import Entry, history
from .trash import Trash, throw

PAGE = 50


class History:
    """The part of a catalog that is about what was done."""

    session: Session

    def history(
        self,
        project: str | Project | None = None,
        *,
        about: str | None = None,
        limit: int = PAGE,
        after: int | None = None,
    ) -> Listing[Entry]:
        """Return what was done, newest first: in a project, or about one thing ("image:<uid>").

        `after`: older than this entry, to go on where a list ended.
        """
        given.text(about or "", 'about: a thing, as "image:<uid>",', empty=True)
        return history(self.session, limit, after, project=called(project), about=about)

    def trash(self, records: Chosen, *, force: bool = False) -> Trash:
        """Throw records of one project away; `restore()` of what is returned brings them back.

        Conflict: runs wait for them. With `force` these fail, each with its image's name.
        """
        return throw(self.session, uids(records), force=force)
