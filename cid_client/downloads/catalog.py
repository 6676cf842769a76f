"""What a catalog gives out at once: a selection of records as files."""

from __future__ import annotations

import os

from ..records.record import Chosen
from ..search.found import named
from ..wire.session import Session
from .batch import Archive, As, Downloaded, archive, download
from .fetching import Progress


class Downloads:
    """The part of a catalog that gives files out."""

    session: Session

    def download(
        self,
        records: Chosen,
        to: str | os.PathLike[str] = ".",
        as_: As = "originals",
        on_progress: Progress | None = None,
    ) -> Downloaded:
        """Bring records here: one, several, or a search with all that it finds.

        `to` is a folder, or a file when it ends in ".zip". `as_` is "originals" for the files as
        they came, "ome-zarr" for images as they are stored, "ome-tiff" or "imagej" for a TIFF of
        each image; other files come as they are. Every file is verified. The same call goes on
        with what was broken off. `left_out` of what comes back says which records did not come and
        why. Raises NotFound when you reach none of them.
        """
        return download(self.session, named(records, "records"), to, as_, on_progress)

    def archive(self, records: Chosen, as_: As = "originals") -> Archive:
        """Return what `download` would bring: its size, and the address of one ZIP.

        For a browser or `curl -C -`, which goes on with what was broken off. Nothing is made
        before it is asked for. Raises NotFound when you reach none of the records.
        """
        return archive(self.session, named(records, "records"), as_)
