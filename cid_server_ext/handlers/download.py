"""An answer that is no JSON: a spreadsheet, an invoice, a table. It is saved, never shown."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

CSV = "text/csv; charset=utf-8"
PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Download:
    """Bytes with the name that the file has when it is saved.

    An endpoint that returns one says which types it may have: `@endpoint(..., media=(CSV, XLSX))`.
    """

    content: bytes
    media: str
    name: str

    @property
    def disposition(self) -> str:
        """The header that makes a browser save it (RFC 6266)."""
        return f"attachment; filename*=UTF-8''{quote(self.name, safe='')}"
