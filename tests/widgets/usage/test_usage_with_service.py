"""The same number in widget, client, REST, ledger, invoice, CSV and PDF of the real service."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import accounts
import pypdf
import pytest
from playwright.sync_api import expect
from processes import STAFF, Service
from speaking import connected
from sqlalchemy import func, select
from stage import Show, Wire, heard

import cid_client as cid
from cid_server_ext.core.ledger import lines
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_widgets import Usage

pytestmark = pytest.mark.usefixtures("bundle")
HELD = 1_234_567_890_123  # bytes, of which a float of kB would lose some
TEAM, PROJECT = "lab-usage-widget", "usage-widget"


@pytest.fixture(scope="module")
def connect(
    service: Service, service_database: Sessions
) -> Iterator[Callable[[dict[str, Any]], cid.Catalog]]:
    """Connect as somebody, to a project of 2025 with a charged day."""
    with service_database.begin() as session:
        made = accounts.project(session, PROJECT)
        accounts.file(session, PROJECT, HELD - 1000, dataset="screen")
        accounts.change(session, accounts.file(session, PROJECT, 1000), created_by="ana")
        team = session.get_one(t.Team, made.team_id)
        accounts.change(session, team, tariff="industrial")
        day = accounts.day("2025-01-01")  # prices of other tests may begin later
        if session.scalar(select(t.PriceList.id).where(t.PriceList.valid_from <= day)) is None:
            newest = session.scalar(select(func.max(t.PriceList.version))) or 0
            accounts.price_list(session, newest + 1, "2025-01-01")
    with service_database.begin() as session:
        lines.accrue(session, accounts.day("2025-01-01"), accounts.at("2025-01-02 02:00"))
    opened: list[cid.Catalog] = []

    def connect(who: dict[str, Any]) -> cid.Catalog:
        opened.append(connected(service, who))
        return opened[-1]

    yield connect
    for catalog in opened:
        catalog.close()


def test_widget_client_rest_ledger_and_invoice_say_the_same_number(
    connect: Callable[[dict[str, Any]], cid.Catalog], service: Service, service_database: Sessions
) -> None:
    def rest(path: str, who: Any = "leader") -> Any:
        answer = service.ask("GET", path, who)
        assert answer.status_code == 200, answer.text
        return answer.json()

    with service_database() as session:
        project_id = session.scalars(select(t.Project.id).where(t.Project.name == PROJECT)).one()
        line = session.scalars(select(t.Line).where(t.Line.project_id == project_id)).one()
    leader = connect({"name": "leader"})
    widget = Usage(leader, project=PROJECT)
    shown = dict(widget.shown)
    widget.project = ""  # up, to its team
    of_team = dict(widget.shown)
    widget.period = "2025-01"
    assert widget.invoice_error == ""
    charged = dict(widget.invoice)
    staff = Usage(connect(STAFF))
    staff.team = ""  # it begins with the only team, if there is no other
    everything = dict(staff.shown)
    usage = leader.project(PROJECT).usage()
    invoice = leader.team(TEAM).invoice("2025-01")
    answer = rest(f"teams/{TEAM}/invoices/2025-01")
    assert {
        shown["used"],
        sum(row["used"] for row in shown["datasets"]),
        sum(row["used"] for row in shown["people"]),
        of_team["used"],
        of_team["projects"][0]["used"],
        next(row["used"] for row in everything["teams"] if row["name"] == TEAM),
        usage.used,
        leader.team(TEAM).usage().used,
        leader.project(PROJECT).allocation.used,
        rest(f"projects/{PROJECT}/usage", "viewer")["used"],
        rest(f"teams/{TEAM}/usage")["used"],
        line.amount,
        answer["positions"][0]["amount"],
        invoice.positions[0]["amount"],
    } == {HELD}
    for word in ("free", "state", "growth", "days_to_full", "saves"):
        assert shown[word] == usage.record[word] == rest(f"projects/{PROJECT}/usage")[word]

    widget.comm = wire = Wire()
    for form in ("csv", "pdf"):
        heard(widget, method="custom", content={"ask": "save", "form": form})
        [said] = [one["content"] for one in wire.taken() if one["method"] == "custom"]
        there = service.ask("GET", f"teams/{TEAM}/invoices/2025-01/{form}", "leader").content
        assert base64.b64decode(said["content"]) == there == invoice.content(form)
    *_, total = csv.DictReader(io.StringIO(invoice.content("csv").decode("utf-8-sig")))
    text = pypdf.PdfReader(io.BytesIO(invoice.content("pdf"))).pages[0].extract_text()
    assert {charged["total"], invoice.total, answer["total"]} == {total["total"]}
    assert f"{total['total']} EUR" in text
    tax, position = charged["taxes"][0], charged["positions"][0]
    assert (tax["rate"], charged["net"]) == ("20", position["cost"])
    assert Decimal(charged["net"]) + Decimal(tax["vat"]) == Decimal(charged["total"])


def test_a_leader_and_a_viewer_see_their_own_in_a_page(
    connect: Callable[[dict[str, Any]], cid.Catalog], show: Show
) -> None:
    page, _ = show(Usage(connect({"name": "leader"}), team=TEAM), "usage")
    page.get_by_role("button", name=PROJECT).click()
    page.get_by_role("button", name="screen", exact=True).click()
    expect(page.get_by_role("table", name="People")).to_contain_text("staff1.2 TB")
    viewer = Usage(connect({"name": "viewer"}), project=PROJECT)
    page, _ = show(viewer, "usage")
    expect(page.get_by_text("1.2 TB of 100 TB used")).to_be_visible()
    team = page.get_by_role("navigation").get_by_text(TEAM)
    expect(team).to_be_visible()
    expect(page.get_by_role("navigation").get_by_role("button", name=TEAM)).to_have_count(0)
    viewer.project = ""
    expect(page.get_by_role("alert").first).to_contain_text("no team")
