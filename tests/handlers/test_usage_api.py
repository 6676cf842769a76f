"""Room, usage, prices and invoices over HTTP: the same number wherever it is asked for."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
from decimal import Decimal
from typing import Any

import accounts
import pypdf
import pytest
from processes import STAFF, Service, wait_until
from sqlalchemy import func, select

from cid_server_ext.core.ledger import lines
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.storage import reconciled

unique = itertools.count()


@pytest.fixture
def project(service: Service, service_database: Sessions) -> str:
    """A project of 2025 with 1000 bytes in two datasets, and its first day in the ledger."""
    root = service.folder / "storage"
    wait_until(lambda: reconciled.kept(root), 60, "the first comparison with storage")
    name = f"books-{next(unique)}"
    with service_database.begin() as session:
        accounts.project(session, name, limit=10_000)
        accounts.file(session, name, 700, dataset="a")
        accounts.file(session, name, 300, dataset="b")
    with service_database.begin() as session:
        lines.accrue(session, accounts.day("2025-01-01"), accounts.at("2025-01-02 02:00"))
        then = accounts.day("2025-01-01")
        if session.scalar(select(t.PriceList).where(t.PriceList.valid_from == then)) is None:
            version = (session.scalar(select(func.max(t.PriceList.version))) or 0) + 1
            accounts.price_list(session, version, str(then), internal="365000000000")
    return name


def ask(service: Service, path: str, who: Any = "viewer") -> Any:
    answer = service.ask("GET", path, who)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_usage_allocation_ledger_and_invoice_say_the_same_number(
    service: Service, service_database: Sessions, project: str
) -> None:
    usage = ask(service, f"projects/{project}/usage?from=2025-01-01&to=2025-01-31")
    room = ask(service, f"projects/{project}")["allocation"]
    team = ask(service, f"teams/lab-{project}/usage", "leader")
    table = ask(service, "usage", STAFF)["teams"]
    invoice = ask(service, f"teams/lab-{project}/invoices/2025-01", "leader")
    [position] = invoice["positions"]
    with service_database() as session:
        made = session.scalars(select(t.Project.id).where(t.Project.name == project)).one()
        line = session.scalars(select(t.Line).where(t.Line.project_id == made)).one()
    assert {
        usage["used"],
        room["used"],
        team["used"],
        team["projects"][0]["used"],
        next(row["used"] for row in table if row["team"] == f"lab-{project}"),
        sum(dataset["used"] for dataset in usage["datasets"]),
        sum(person["used"] for person in usage["people"]),
        usage["series"][0]["storage"],
        line.amount,
        position["amount"],
        sum(part["amount"] for part in position["parts"]),
    } == {1000}
    assert (usage["free"], usage["state"], usage["drift"]) == (9000, "ok", 0)
    assert room == {
        key: usage[key] for key in ("limit", "soft", "used", "reserved", "free", "state")
    }
    [row] = team["projects"]
    assert row == {key: usage[key] for key in row}
    assert row["saves"]["nbytes"] == 1000
    mine = [one["project"] for one in ask(service, "usage")["projects"]]
    assert (project in mine, usage["leads"]) == (True, False)
    assert usage["series"][0]["day"] == "2025-01-01"


def test_a_dataset_tells_its_people_and_no_other_project_does(
    service: Service, project: str
) -> None:
    usage = ask(service, f"projects/{project}/usage", "leader")
    assert usage["leads"] is True
    a, _ = usage["datasets"]
    told = ask(service, f"projects/{project}/usage?dataset={a['uid']}")
    assert [(one["person"], one["used"]) for one in told["people"]] == [("staff", 700)]
    assert told["datasets"] == usage["datasets"]
    other = service.ask("GET", f"projects/{project}/usage?dataset={project}", "viewer")
    assert (other.status_code, other.json()["error"]) == (404, "NotFound")


def test_what_differs_on_storage_is_told_in_the_usage(service: Service, project: str) -> None:
    root = service.folder / "storage"
    uid = ask(service, f"projects/{project}")["uid"]
    now = dt.datetime.now(dt.UTC)
    found = reconciled.Reconciled(now, now, 3, 11, {uid: -5}, {uid: ["images/x"]}, {uid: project})
    before = reconciled.kept(root)
    reconciled.keep(root, found)
    try:
        assert ask(service, f"projects/{project}/usage")["disk_drift"] == -5
        assert ask(service, f"teams/lab-{project}/usage", "leader")["disk_drift"] == -5
        assert ask(service, "usage", "leader")["storage"] is None
        seen = ask(service, "usage", STAFF)["storage"]
        assert (seen["records"], seen["drift"], seen["strangers"]) == (3, -5, 11)
    finally:
        reconciled.keep(root, before)


def test_an_invoice_comes_as_json_csv_and_pdf_with_the_same_total(
    service: Service, project: str
) -> None:
    path = f"teams/lab-{project}/invoices/2025-01"
    told = ask(service, path, "leader")
    table = service.ask("GET", f"{path}/csv", "leader")
    paper = service.ask("GET", f"{path}/pdf", "leader")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert paper.headers["content-type"] == "application/pdf"
    assert f"lab-{project}-2025-01.csv" in table.headers["content-disposition"]
    *_, total = csv.DictReader(io.StringIO(table.content.decode("utf-8-sig")))
    text = pypdf.PdfReader(io.BytesIO(paper.content)).pages[0].extract_text()
    assert told["total"] == total["total"] == "1.00"
    assert "1.00 EUR" in text
    [position] = told["positions"]
    assert [(part["name"], part["cost"]) for part in position["parts"]] == [
        ("a", "0.70"),
        ("b", "0.30"),
    ]
    assert sum(Decimal(part["cost"]) for part in position["parts"]) == Decimal(position["cost"])
    again = service.ask("GET", f"{path}/pdf", STAFF)
    assert again.content == paper.content


def test_past_the_soft_limit_the_answer_of_a_deposit_warns(service: Service, project: str) -> None:
    limits = {"limit": 10_000, "soft": 1000}
    room = service.ask("PUT", f"projects/{project}/allocation", STAFF, json=limits).json()
    assert (room["soft"], room["free"], room["state"]) == (1000, 9000, "ok")
    files = {"files": [{"path": "a.tif", "nbytes": 1}]}
    opened = service.ask("POST", f"projects/{project}/deposits", "contributor", json=files)
    assert opened.status_code == 201
    assert "ask staff in time" in opened.json()["warning"]
    usage = ask(service, f"projects/{project}/usage")
    assert usage["warning"] == opened.json()["warning"]
    service.ask("DELETE", f"deposits/{opened.json()['uid']}", "contributor")
    assert ask(service, f"projects/{project}/usage")["warning"] is None


def test_prices_are_published_by_staff_and_read_by_all(service: Service, project: str) -> None:
    new = {"valid_from": "2101-01-01", "currency": "EUR", "tariffs": accounts.TARIFFS}
    made = service.ask("POST", "prices", STAFF, json=new)
    assert made.status_code == 201
    newest, *_ = ask(service, "prices")["prices"]
    assert newest == made.json()
    assert newest["tariffs"]["industrial"]["vat"] == "20"


def test_a_credit_is_a_line_of_today(service: Service, project: str) -> None:
    wanted = {
        "kind": "storage",
        "amount": 400,
        "day": "2025-01-01",
        "reason": "an instrument's error",
    }
    given = service.ask("POST", f"projects/{project}/credits", STAFF, json=wanted)
    assert given.status_code == 201
    year = given.json()["day"][:4]
    [position] = ask(service, f"teams/lab-{project}/invoices/{year}", "leader")["positions"]
    assert (position["amount"], position["parts"][0]["name"]) == (-400, "an instrument's error")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("projects/{}/usage?from=yesterday", "from"),
        ("projects/{}/usage?from=2025-02-01&to=2025-01-01", "from"),
        ("projects/{}/usage?from=0001-01-01", "from"),
        ("projects/{}/usage?until=2025-01-01", "until"),
        ("teams/lab-{}/invoices/2025-13", "period"),
        ("teams/lab-{}/invoices/%00/csv", "period"),
    ],
)
def test_bad_questions_are_answered_by_field(
    service: Service, project: str, path: str, field: str
) -> None:
    answer = service.ask("GET", path.format(project), "leader")
    assert (answer.status_code, answer.json()["error"]) == (400, "BadInput")
    assert field in answer.json()["message"]


def test_an_invoice_without_prices_says_who_must_do_what(
    service: Service, service_database: Sessions, project: str
) -> None:
    with service_database.begin() as session:
        made = session.scalars(select(t.Project).where(t.Project.name == project)).one()
        accounts.past(session, made, "2024-12-31")
        stored = session.scalars(select(t.Record).where(t.Record.project_id == made.id)).first()
        accounts.past(session, stored, "2024-12-31")
    with service_database.begin() as session:
        lines.accrue(session, accounts.day("2024-12-31"), accounts.at("2025-01-01 02:00"))
    answer = service.ask("GET", f"teams/lab-{project}/invoices/2024-12", "leader")
    assert (answer.status_code, answer.json()["error"]) == (409, "Conflict")
    assert "staff publishes a price list" in answer.json()["message"]
