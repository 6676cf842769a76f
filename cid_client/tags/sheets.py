"""Tags as a spreadsheet: out, edited, previewed, and back in one step."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import display
from ..errors import BadInput
from ..wire.session import Session

FORMATS = ("csv", "xlsx")


@dataclass(frozen=True, slots=True)
class Preview:
    """What a sheet would change; nothing is written before `apply()`.

    A change has `row`, `record`, `name`, `key`, `before`, `after`, and `problem` where it cannot
    be. `new_keys` become terms of the project.
    """

    rows: int
    changes: list[dict[str, Any]]
    problems: int
    digest: str
    new_keys: list[str]
    snapped: dict[str, dict[str, str]]
    similar: dict[str, dict[str, list[str]]]
    session: Session = field(repr=False)
    sheet: dict[str, str] = field(repr=False)

    def apply(self) -> Preview:
        """Do exactly this, or raise Conflict when it would be something else by now."""
        body = {**self.sheet, "digest": self.digest}
        return _told(self.session, "sheets/apply", body, self.sheet)

    def _repr_html_(self) -> str:
        head = ["row", "name", "key", "before", "after", "problem"]
        return display.table(head, [[one[word] for word in head] for one in self.changes])


def save(session: Session, path: Path, project: str, query: str, dataset: str | None) -> Path:
    """Write the tags of the records found to `path`, CSV or XLSX by its name."""
    asked = {"project": project, "q": query, "dataset": dataset, "format": _format(path)}
    path.write_bytes(session.content("sheets", **asked))
    return path


def preview(session: Session, path: Path, project: str) -> Preview:
    """Return what a sheet would change."""
    content = base64.b64encode(path.read_bytes()).decode()
    sheet = {"project": project, "format": _format(path), "content": content}
    return _told(session, "sheets/preview", sheet, sheet)


def _told(session: Session, where: str, body: dict[str, str], sheet: dict[str, str]) -> Preview:
    return Preview(**session.send("POST", where, body), session=session, sheet=sheet)


def _format(path: Path) -> str:
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise BadInput(f"{path.name}: a sheet is called .csv or .xlsx")
    return kind
