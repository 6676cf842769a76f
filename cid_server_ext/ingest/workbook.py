"""What runs in the limited child that reads a spreadsheet: XLSX on standard input, JSON out.

A workbook is foreign: it is measured before it is opened, XML with entities is refused, formulas
are not computed and not believed. Says {"rows": [...]} or {"error": "..."}.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import sys
import zipfile
from typing import Any

from ..errors import BadInput
from .limits import Limits, bind

LIMITS = Limits(memory=2 << 30, cpu_seconds=30, wall_seconds=45, file_bytes=1 << 20, open_files=64)
MOST_PARTS = 500  # files inside the workbook
MOST_BYTES = 200 << 20  # of them, unpacked
LONGEST = 32_767  # characters of a cell
MOST_TEXT = 40_000_000  # characters of all cells


def rows(content: bytes, most_rows: int, most_columns: int) -> list[list[Any]]:
    """Return the cells of the first sheet: text, numbers or None. Raises BadInput."""
    _measure(content)
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
    if not book.worksheets:
        raise BadInput("the workbook has no sheet")
    sheet = book.worksheets[0]
    sheet.reset_dimensions()  # what it says of its size is not believed
    found: list[list[Any]] = []
    total = 0
    bounds = {"max_row": most_rows + 2, "max_col": most_columns + 1}
    for number, row in enumerate(sheet.iter_rows(**bounds), 1):
        cells = [_value(cell, number) for cell in row]
        while cells and cells[-1] is None:
            cells.pop()
        if len(cells) > most_columns:
            raise BadInput(f"at most {most_columns} columns; row {number} has more")
        total += sum(len(cell) for cell in cells if isinstance(cell, str))
        if total > MOST_TEXT:
            raise BadInput("the sheet holds too much text")
        found.append(cells)
    while found and not found[-1]:
        found.pop()
    if len(found) > most_rows + 1:
        raise BadInput(f"at most {most_rows} rows")
    return found


def _measure(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError):
        raise BadInput("this is no XLSX workbook") from None
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_BYTES:
        raise BadInput("the workbook is far larger unpacked than a sheet of tags can be")
    if any(part.flag_bits & 1 for part in parts):
        raise BadInput("the workbook has a password: save it without one")


def _value(cell: Any, row: int) -> str | float | None:
    value = cell.value
    if value is None or value == "":
        return None
    if cell.data_type in ("f", "e"):
        what = "a formula" if cell.data_type == "f" else "an error"
        raise BadInput(f"row {row}, column {cell.column}: {what}; paste its value instead")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if not isinstance(value, str):
        raise BadInput(f"row {row}, column {cell.column}: this kind of cell is not read")
    if len(value) > LONGEST:
        raise BadInput(f"row {row}, column {cell.column}: too long")
    return value


def main() -> None:
    """Read one workbook and say what is in it, in one line."""
    bind(LIMITS)
    bounds = [int(argument) for argument in sys.argv[1:3]]
    try:
        answer: dict[str, Any] = {"rows": rows(sys.stdin.buffer.read(), *bounds)}
        told = json.dumps(answer, allow_nan=False)
    except BadInput as error:
        told = json.dumps({"error": str(error)})
    except MemoryError:
        told = json.dumps({"error": "the workbook needs more memory than a sheet of tags can"})
    except Exception:  # a damaged workbook makes its reader fail in many ways
        told = json.dumps({"error": "this workbook is damaged or holds what is not read"})
    sys.stdout.write(told)


if __name__ == "__main__":
    main()
