"""What a catalog is told of records by people: tags, sheets of them, terms to say it in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Unpack

from ..records.datasets import called
from ..records.projects import Project
from ..records.record import Chosen, Listing
from ..records.stored import Values
from ..wire import given
from ..wire.session import Session
from . import sheets, vocabulary
from .annotate import Annotated, annotate
from .tagged import Tags, tagged
from .vocabulary import NewTerm, Term


class Tagging:
    """The part of a catalog that is about tags and terms."""

    session: Session

    def annotate(
        self,
        records: Chosen,
        *,
        set: Mapping[str, Values] | None = None,
        add: Mapping[str, Values] | None = None,
        remove: Mapping[str, Values | None] | Iterable[str] = (),
        dry: bool = False,
    ) -> Annotated:
        """Say the same of many records of one project, all or nothing, one step to undo.

        `set` replaces what a tag says, `add` adds values, `remove` takes off keys, or the values of
        a key. `dry` only says what would happen.
        """
        return annotate(self.session, records, set or {}, add or {}, remove, dry)

    def tags(self, records: Chosen, *, limit: int | None = None) -> list[Tags]:
        """Return what is said of records now, of the first `limit`: in few questions."""
        return tagged(self.session, records, limit)

    def preview(self, path: str | os.PathLike[str], project: str | Project) -> sheets.Preview:
        """Return all that an edited sheet would change; its `apply()` does it."""
        name = given.text(called(project), "project: its name")
        return sheets.preview(self.session, given.path(path), name)

    def apply(self, path: str | os.PathLike[str], project: str | Project) -> sheets.Preview:
        """Apply an edited sheet without looking at its changes first; return them."""
        return self.preview(path, project).apply()

    def terms(self) -> Listing[Term]:
        """Return the facility's vocabulary; `project.terms()` has a project's own too."""
        return vocabulary.terms(self.session, "terms")

    def add_term(self, key: str, **how: Unpack[NewTerm]) -> Term:
        """Declare a term that all projects have: `add_term("Pinhole", type="number", unit="µm")`.

        Staff may. `similar` of what is returned names keys that are spelled much like it.
        """
        return vocabulary.add(self.session, "terms", key, how)
