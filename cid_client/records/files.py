"""Files: tables, figures, notebooks and anything else that the catalog keeps as it came."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import display
from ..errors import NotFound
from ..wire.downloads import download
from ..wire.tickets import Ticket
from .record import Field
from .stored import FOLDER, Stored

if TYPE_CHECKING:
    import pandas as pd


class File(Stored):
    """One stored file."""

    collection = "files"
    kind_of = "file"
    tickets = ("url",)

    media_type = Field[str]()

    def read(self) -> bytes:
        """Return its bytes."""
        return self._ticket().read()

    def json(self) -> Any:
        """Return its content read as JSON; a notebook is a dict of nbformat 4."""
        return json.loads(self.read())

    def to_pandas(self) -> pd.DataFrame:
        """Return a Parquet table as a DataFrame."""
        import pandas as pd

        return pd.read_parquet(io.BytesIO(self.read()))

    def download(self, folder: str | os.PathLike[str] = ".") -> Path:
        """Write it below `folder`, verified, and return its path; see `downloads.download`."""
        return download(self._ticket(), self.name, self.sha256, folder)

    def _ticket(self) -> Ticket:
        if self.record.get("media_type") == FOLDER:
            raise NotFound(f"{self.name} is a folder of files: take catalog.download(file)")
        return Ticket(self.session, self.path, "url", self.record)

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        size = display.size(self.record.get("nbytes"))
        where = (self.record.get("project"), self.record.get("dataset"))  # a run's row lacks them
        place = "/".join(part for part in where if part)
        return [
            ("name", self.name),
            ("kind", self.kind),
            ("size", size),
            ("in", place),
            ("uid", self.uid),
        ]
