"""What a run made: label images, images, tables, figures, metrics and its executed notebook."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from .. import display
from ..errors import NotFound
from ..records.files import File
from ..records.images import Image
from ..records.record import Listing
from ..wire.session import Session

if TYPE_CHECKING:
    import pandas as pd


class Result:
    """The committed output of one run that has ended."""

    def __init__(self, session: Session, run: Mapping[str, Any]) -> None:
        outputs = run.get("outputs") or {}
        notebook = run.get("notebook")
        self.images = Listing(Image(session, row) for row in outputs.get("images") or ())
        self.files = Listing(File(session, row) for row in outputs.get("files") or ())
        self.metrics: dict[str, Any] = dict(run.get("metrics") or {})
        self.notebook = File(session, notebook) if notebook else None
        self.run = str(run["uid"])

    @property
    def labels(self) -> Image | None:
        """Its first label image, or None."""
        return next((image for image in self.images if image.kind == "labels"), None)

    @property
    def tables(self) -> dict[str, File]:
        """Its tables by name."""
        return self._files("table")

    @property
    def figures(self) -> dict[str, File]:
        """Its figures by name."""
        return self._files("figure")

    @property
    def log(self) -> File | None:
        """What its worker and its kernel said besides the notebook, or None."""
        return next((file for file in self.files if file.kind == "log"), None)

    def table(self, name: str) -> pd.DataFrame:
        """Return one table as a DataFrame; raises NotFound naming those there are."""
        tables = self.tables
        if name not in tables:
            known = ", ".join(sorted(tables)) or "none"
            raise NotFound(f"run {self.run} made no table {name!r}; it made: {known}")
        return tables[name].to_pandas()

    def __repr__(self) -> str:
        made = [repr(image.name) for image in self.images] + [repr(f.name) for f in self.files]
        return f"<Result {', '.join(made) or 'empty'}>"

    def _repr_html_(self) -> str:
        labels = self.labels
        shown = "" if labels is None else labels._repr_html_()
        files = self.files._repr_html_() if self.files else ""
        return shown + display.facts(self.metrics.items()) + files

    def _files(self, kind: str) -> dict[str, File]:
        return {PurePosixPath(f.name).stem: f for f in self.files if f.kind == kind}
