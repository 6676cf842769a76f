"""A workbook is written without a time in it and read as a foreign file: measured, limited."""

from __future__ import annotations

import datetime as dt
import io
import time
import zipfile

import openpyxl
import pytest

from cid_server_ext.errors import BadInput
from cid_server_ext.ingest import workbooks

TABLE = [
    ["uid", "Size [um]", "Mood"],
    ["a", 0.1, "'=cmd|x"],
    ["b", None, "=1+1"],
    ["c", 63.0, "2026-11-21"],
]
HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = b"</sheetData></worksheet>"
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    + HEAD
    + b'<row r="1"><c t="inlineStr"><is><t>&b;</t></is></c></row>'
    + TAIL
)
FILE = LAUGHS.replace(b'"ha"', b'SYSTEM "file:///etc/passwd"')
FORMULA = HEAD + b'<row r="1"><c r="A1"><f>1+1</f><v>2</v></c></row>' + TAIL
FAULT = HEAD + b'<row r="1"><c r="A1" t="e"><v>#N/A</v></c></row>' + TAIL
DEEP = HEAD + b"<x>" * 200_000 + TAIL


def read(content: bytes) -> list:
    return workbooks.read(content, 1000, 20)


def with_sheet(sheet: bytes) -> bytes:
    """Return a workbook whose sheet is this XML."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbooks.write(TABLE))) as good,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bad,
    ):
        for part in good.infolist():
            here = part.filename == "xl/worksheets/sheet1.xml"
            bad.writestr(part.filename, sheet if here else good.read(part))
    return out.getvalue()


def test_a_table_comes_back_and_the_same_table_is_the_same_bytes() -> None:
    content = workbooks.write(TABLE)
    assert read(content) == TABLE
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert not any(b"dcterms" in parts.read(part) for part in parts.infolist())
    assert workbooks.write(TABLE) == content


def test_what_looks_like_a_formula_is_text_in_the_workbook() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbooks.write(TABLE)))
    cell = book.worksheets[0]["C3"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_what_people_type_into_a_spreadsheet_is_understood() -> None:
    book = openpyxl.Workbook()
    rows = [["uid"], [dt.date(2026, 11, 21)], [dt.datetime(2026, 11, 21, 9, 30)], [True], [5], []]
    for row in rows:
        book.active.append(row)
    book.active["H40"] = " "
    out = io.BytesIO()
    book.save(out)
    found = read(out.getvalue())
    texts = [["uid"], ["2026-11-21"], ["2026-11-21T09:30:00"], ["true"], [5.0], []]
    assert found[:6] == texts


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no XLSX workbook"),
        (b"PK\x03\x04" + b"\x00" * 40, "no XLSX workbook"),
        (with_sheet(b" " * (210 << 20)), "larger unpacked"),
        (with_sheet(LAUGHS), "damaged or holds what is not read"),
        (with_sheet(FILE), "damaged or holds what is not read"),
        (with_sheet(DEEP), "damaged|more time or memory"),
        (with_sheet(FORMULA), "row 1, column 1: a formula"),
        (with_sheet(FAULT), "row 1, column 1: an error"),
        (workbooks.write([["uid", *map(str, range(30))]]), "at most 20 columns"),
        (workbooks.write([["uid"], *([["x"]] * 1001)]), "at most 1000 rows"),
    ],
    ids=["empty", "torn", "bomb", "laughs", "file", "deep", "formula", "fault", "wide", "long"],
)
def test_a_hostile_workbook_is_refused_soon(content: bytes, why: str) -> None:
    began = time.monotonic()
    with pytest.raises(BadInput, match=why):
        read(content)
    assert time.monotonic() - began < 30
