"""Tables as CSV (RFC 4180, UTF-8 with a byte order mark, so that spreadsheet programs know it)."""

from __future__ import annotations

import csv
import io

from ...errors import BadInput
from . import typed
from .cells import Cell
from .sheets import MOST_COLUMNS, Rows

LONGEST = 32_767  # characters of a cell, as in spreadsheet programs
DELIMITERS = ",;\t"


def write(table: Rows) -> bytes:
    """Return the table as bytes; the same table gives the same bytes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([_text(cell) for cell in row] for row in table)
    return out.getvalue().encode("utf-8-sig")


def read(
    content: bytes, most_rows: int, most_columns: int = MOST_COLUMNS, field: str = "content"
) -> Rows:
    """Return the rows of a CSV file, separated by commas, semicolons or tabs.

    Raises BadInput, which names the `field` that it came in.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(f"{field}: save it as CSV UTF-8; this is another encoding") from None
    if "\x00" in text:
        raise BadInput(f"{field}: this is no text")
    first = text[:4096].splitlines()[0] if text.strip() else ""
    delimiter = max(DELIMITERS, key=first.count)
    rows: Rows = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            if len(row) > most_columns:
                raise BadInput(f"{field}: at most {most_columns} columns in a row")
            rows.append(list(row))
            if len(rows) > most_rows + 1:
                raise BadInput(f"{field}: at most {most_rows} rows")
            if any(len(cell) > LONGEST for cell in row):
                raise BadInput(f"{field}: row {len(rows)} has a cell that is too long")
    except csv.Error as error:
        raise BadInput(f"{field}: row {len(rows) + 1} is no CSV: {error}") from None
    return rows


def _text(cell: Cell) -> str:
    return typed.number_text(cell) if isinstance(cell, float) else cell or ""
