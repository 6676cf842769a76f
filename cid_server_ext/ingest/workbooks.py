"""Tables as XLSX: written here, read in a limited child, for a workbook is a foreign file."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from ..errors import BadInput, Unavailable
from .children import CLEAN
from .workbook import LIMITS

Cell = str | float | None

AT_ONCE = threading.BoundedSemaphore(2)  # children; the others' senders come again
PATIENCE = 5.0  # seconds that a request waits for its turn
_EPOCH = (1980, 1, 1, 0, 0, 0)  # a workbook says nothing of when it was written
_CORE = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<cp:coreProperties xmlns:cp='
    '"http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>'
)


def write(table: Sequence[Sequence[Cell]]) -> bytes:
    """Return the table as a workbook of one sheet; the same table gives the same bytes.

    Numbers are numbers, all else is text: nothing in it is a formula.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet("records")
    sheet.freeze_panes = "B2"
    for row in table:
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value=value)
            if isinstance(value, str):
                cell.data_type = "s"  # openpyxl would take "=…" for a formula
                cell.number_format = "@"  # and a spreadsheet program "1-2" for a date
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return _timeless(out.getvalue())


def read(content: bytes, most_rows: int, most_columns: int) -> list[list[Cell]]:
    """Return the rows of a workbook's first sheet, or raise BadInput. Takes a second or more."""
    if not AT_ONCE.acquire(timeout=PATIENCE):
        raise Unavailable("others' workbooks are being read: try again in a moment")
    try:
        told = _told(content, most_rows, most_columns)
    finally:
        AT_ONCE.release()
    if told is None:
        raise BadInput("content: this workbook takes more time or memory than a sheet of tags can")
    if "error" in told:
        raise BadInput(f"content: {told['error']}")
    found: list[list[Cell]] = told["rows"]
    return found


def _told(content: bytes, most_rows: int, most_columns: int) -> dict[str, object] | None:
    """Return what the child says, None when it said nothing in its time."""
    command = [sys.executable, "-P", "-m", "cid_server_ext.ingest.workbook"]
    try:
        child = subprocess.run(
            [*command, str(most_rows), str(most_columns)],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**CLEAN, "OPENPYXL_LXML": "False"},
            cwd="/",
            start_new_session=True,
            timeout=LIMITS.wall_seconds,
            check=False,
        )
        told = json.loads(child.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return told if isinstance(told, dict) else None


def _timeless(content: bytes) -> bytes:
    """Return the workbook without the time at which it was written."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as written,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as kept,
    ):
        for part in written.infolist():
            body = written.read(part)
            if part.filename == "docProps/core.xml":
                body = _CORE.encode()
            kept.writestr(zipfile.ZipInfo(part.filename, _EPOCH), body, zipfile.ZIP_DEFLATED)
    return out.getvalue()
