"""What projects and teams hold, invoices and prices, of the real service."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import accounts
import pytest
from processes import Service, wait_until
from sqlalchemy import func, select

import cid_client as cid
from cid_server_ext.core.ledger import lines
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.storage import reconciled

Connect = Callable[[str], cid.Catalog]
NAME = "client-books"


@pytest.fixture(scope="module")
def books(service: Service, service_database: Sessions) -> str:
    """A project of 2025 with 1000 bytes in two datasets, a charged day and prices of then."""
    root = service.folder / "storage"
    wait_until(lambda: reconciled.kept(root), 60, "the first comparison with storage")
    with service_database.begin() as session:
        accounts.project(session, NAME, limit=10_000)
        accounts.file(session, NAME, 700, dataset="a")
        accounts.file(session, NAME, 300, dataset="b")
        then = accounts.day("2025-01-01")
        if session.scalar(select(t.PriceList).where(t.PriceList.valid_from == then)) is None:
            version = (session.scalar(select(func.max(t.PriceList.version))) or 0) + 1
            accounts.price_list(session, version, str(then), internal="365000000000")
    with service_database.begin() as session:
        lines.accrue(session, accounts.day("2025-01-01"), accounts.at("2025-01-02 02:00"))
    return NAME


def test_usage_is_the_same_from_facility_team_and_project(speak: Connect, books: str) -> None:
    leader = speak("leader")
    team = next(one for one in leader.usage().teams if one.team == f"lab-{books}")
    project = leader.project(books).usage(accounts.day("2025-01-01"), accounts.day("2025-01-31"))
    assert team == leader.team(f"lab-{books}").usage()
    assert team.used == project.used == leader.project(books).allocation.used == 1000
    assert team.projects == [{key: project.record[key] for key in team.projects[0]}]
    assert [day["storage"] for day in project.series] == [1000]
    assert (project.leads, project.saves["nbytes"]) == (True, 1000)
    [a, _] = project.datasets
    assert leader.project(books).usage(dataset=a["uid"]).people[0]["used"] == a["used"] == 700
    room = leader.project(books).allocation
    assert (room.soft, room.state, room.free) == (project.soft, "ok", project.free)
    assert books in leader.usage()._repr_html_()
    viewer = speak("viewer")
    assert books in [one["project"] for one in viewer.usage().projects]
    assert f"lab-{books}" not in [one.team for one in viewer.usage().teams]


def test_an_invoice_is_read_and_saved_by_its_suffix(
    speak: Connect, books: str, tmp_path: Path
) -> None:
    team = speak("leader").team(f"lab-{books}")
    invoice = team.invoice("2025-01")
    [position] = invoice.positions
    assert (invoice.total, position["amount"], position["cost"]) == ("1.00", 1000, "1.00")
    assert [part["name"] for part in position["parts"]] == ["a", "b"]
    assert "1.00" in invoice._repr_html_()
    saved = invoice.save(tmp_path / "bill.csv").read_bytes()
    *_, total = csv.DictReader(io.StringIO(saved.decode("utf-8-sig")))
    assert total["total"] == invoice.total
    assert invoice.save(tmp_path / "bill.PDF").read_bytes().startswith(b"%PDF")
    with pytest.raises(cid.BadInput, match="csv or pdf"):
        invoice.save(tmp_path / "bill.xlsx")
    with pytest.raises(cid.BadInput, match="period"):
        team.invoice("October")


def test_prices_are_read_by_everybody(speak: Connect, books: str) -> None:
    newest, *_ = speak("viewer").prices()
    assert newest.currency == "EUR"
    assert set(newest.tariffs["industrial"]) >= {"tb_year", "archive_tb_year", "vat"}
