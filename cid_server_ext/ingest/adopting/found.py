"""One thing that may be adopted, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.catalog.goals import Goal
from ...storage.inplace import Form

TREE = "OME-Zarr"  # the reader of what is shown where it is
NEW, THERE, QUARANTINE = "new", "there", "quarantine"


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that may be adopted. Paths are below the root; `fate` says what becomes of it.

    members: the further files of it, below the folder of `path`. nbytes: 0 for an OME-Zarr, which
    nobody counts. unfit: a line for each field that does not fit. stored: bytes that the project
    would be charged, as far as one can tell.
    """

    path: str
    reader: str
    form: Form
    members: tuple[str, ...] = ()
    nbytes: int = 0
    mtime_ns: int = 0
    goal: Goal | None = None
    fate: str = QUARANTINE
    why: str = ""
    unfit: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """How its pixels will be seen: "in place", by "a view" of ours, or "no picture"."""
        if self.form == "tree":
            return "in place"
        viewed = self.reader and self.goal is not None and self.goal.view != "none"
        return "a view" if viewed else "no picture"

    @property
    def stored(self) -> int:
        """About as many bytes as its view will take; none for what is shown where it is."""
        return self.nbytes if self.shown == "a view" and self.fate == NEW else 0
