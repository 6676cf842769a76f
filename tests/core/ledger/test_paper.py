"""CSV and PDF: all of an invoice, harmless whatever people are called, the same every time."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pypdf
import pytest
from accounts import TARIFFS, TB, day
from hypothesis import given, settings
from hypothesis import strategies as st

from cid_server_ext.core.ledger import invoices, paper, periods, prices, sheet
from cid_server_ext.core.ledger.invoices import Charge, Invoice

HOSTILE = [
    "Ångström Straße Łódź",
    "Ελληνικά",
    "Привет",
    "細胞の画像",
    "细胞图像",
    "세포",
    "שלום 😀 \u202e\u0000\ufffd",
    "<b>bold</b> &amp; <font",
    '=HYPERLINK("http://x")',
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "x" * 300,
    "長" * 300,
    'a,"b"\n;c',
]


def invoice(*titles: str, final: bool = True) -> Invoice:
    decimals = {n: {k: Decimal(v) for k, v in of.items()} for n, of in TARIFFS.items()}
    lists = [prices.Prices(1, day("2020-01-01"), "EUR", decimals)]
    charges = []
    for n, title in enumerate(titles):
        team = {"name": "lab", "title": title, "address": f"{title}\nParis", "tariff": "industrial"}
        project = {"uid": str(n), "name": f"project-{n}", "title": title}
        detail = {"team": team, "project": project, "datasets": [[f"d{n}", title, 365 * TB]]}
        charges.append(Charge(f"storage/{n}", "storage", day("2026-10-01"), 365 * TB, detail))
    return invoices.compute("lab", periods.named("2026-10"), charges, lists, final=final)


def read_csv(made: Invoice) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(sheet.as_csv(made).decode("utf-8-sig"), newline="")))


def read_pdf(made: Invoice) -> str:
    reader = pypdf.PdfReader(io.BytesIO(paper.as_pdf(made)))
    return "\n".join(page.extract_text() for page in reader.pages)


def test_the_csv_has_positions_parts_vat_and_the_total() -> None:
    rows = read_csv(invoice("A", "B"))
    assert [row["row"] for row in rows] == ["position", "part", "position", "part", "vat", "total"]
    position, part, *_, vat, total = rows
    assert (position["net"], position["quantity"], position["quantity in"]) == (
        "400.00",
        "1.000000",
        "TB-years",
    )
    assert (part["what"], part["uid"], part["net"]) == ("dataset", "d0", "400.00")
    assert (vat["net"], vat["vat percent"], vat["vat"]) == ("800.00", "20", "160.00")
    assert (total["total"], total["currency"], total["status"]) == ("960.00", "EUR", "final")
    assert sheet.as_csv(invoice("A")).startswith(b"\xef\xbb\xbfrow,")


@pytest.mark.parametrize("title", HOSTILE)
def test_a_spreadsheet_takes_no_name_for_a_formula_and_gets_all_of_it(title: str) -> None:
    for row in read_csv(invoice(title)):
        for cell in (row["title"], row["name"]):
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
            assert cell in ("", title, f"'{title}")


@pytest.mark.parametrize(
    "title",
    ["Ångström Straße", "Łódka", "Привет", "細胞の画像", "细胞", "세포", "<b>bold</b> &amp;"],
)
def test_the_pdf_shows_names_of_many_scripts_and_no_markup(title: str) -> None:
    assert title in read_pdf(invoice(title))


def test_letters_that_no_font_has_lose_their_accents_at_most() -> None:
    assert "Ελληνικα μ Łódz" in read_pdf(invoice("Ελληνικά μ Łódź"))


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=300))
def test_no_name_breaks_the_paper(title: str) -> None:
    assert "Total" in read_pdf(invoice(title))


def test_the_pdf_shows_what_is_to_be_paid_and_by_which_rules() -> None:
    text = read_pdf(invoice("A", "B"))
    assert "Invoice lab-2026-10" in text
    assert "VAT 20 % of 800.00" in text
    assert "960.00 EUR" in text
    assert "10^12 bytes" in text
    assert "Provisional" not in text
    assert "Provisional invoice lab-2026-10" in read_pdf(invoice("A", final=False))


def test_an_invoice_of_nothing_is_printed_too() -> None:
    assert "0.00 EUR" in read_pdf(invoice())
    assert [row["row"] for row in read_csv(invoice())] == ["total"]


def test_of_very_many_parts_the_largest_are_shown_and_the_rest_is_summed() -> None:
    made = invoice("A")
    [position] = made.positions
    many = tuple(
        invoices.Part("dataset", str(n), f"plate {n}", 1000 - n, Decimal("0.10"))
        for n in range(100)
    )
    replaced = invoices.replace(made, positions=(invoices.replace(position, parts=many),))
    text = read_pdf(replaced)
    assert "plate 39" in text
    assert "plate 40" not in text
    assert "60 more, listed in the CSV" in text
    assert "6.00" in text
    assert len([row for row in read_csv(replaced) if row["row"] == "part"]) == 100


def test_another_process_prints_the_same_bytes() -> None:
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "import hashlib, test_paper as t\n"
        "made = t.invoice(*t.HOSTILE)\n"
        "print(hashlib.sha256(t.paper.as_pdf(made) + t.sheet.as_csv(made)).hexdigest())"
    )
    here = Path(__file__).parent
    folders = [str(here), str(here.parent.parent)]
    printed = {
        subprocess.run(
            [sys.executable, "-c", code, *folders],
            env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    made = invoice(*HOSTILE)
    mine = hashlib.sha256(paper.as_pdf(made) + sheet.as_csv(made)).hexdigest()
    assert printed == {mine}
