"""Files: tables, figures, notebooks and anything else that the catalog keeps as it came."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import display
from .downloads import download
from .records import Field, Record
from .tickets import Ticket
from .trash import Trash, throw

if TYPE_CHECKING:
    import pandas as pd


class File(Record):
    """One stored file."""

    collection = "files"
    tickets = ("url",)

    name = Field[str]()
    kind = Field[str]()
    project = Field[str]()
    dataset = Field[str]()
    nbytes = Field[int]()
    sha256 = Field[str]()
    run = Field["str | None"]()
    created_by = Field[str]()
    created_at = Field[str]()

    def read(self) -> bytes:
        """Return its bytes."""
        return Ticket(self.session, self.path, "url", self.record).read()

    def json(self) -> Any:
        """Return its content read as JSON; a notebook is a dict of nbformat 4."""
        return json.loads(self.read())

    def to_pandas(self) -> pd.DataFrame:
        """Return a Parquet table as a DataFrame."""
        import pandas as pd

        return pd.read_parquet(io.BytesIO(self.read()))

    def download(self, folder: str | os.PathLike[str] = ".") -> Path:
        """Write it below `folder`, verified, and return its path; see `downloads.download`."""
        ticket = Ticket(self.session, self.path, "url", self.record)
        return download(ticket, self.name, self.sha256, folder)

    def trash(self) -> Trash:
        """Throw it away; `restore()` of what is returned brings it back as it was."""
        return throw(self.session, [self.uid])

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        size = display.size(self.record.get("nbytes"))
        return [("name", self.name), ("kind", self.kind), ("size", size), ("uid", self.uid)]
