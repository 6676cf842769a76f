"""An invoice follows from lines, prices and a period alone, and every cent of it from its parts."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from accounts import TARIFFS, TB, day
from hypothesis import given, settings
from hypothesis import strategies as st

from cid_server_ext.core.ledger import invoices, periods
from cid_server_ext.core.ledger.invoices import Charge, Invoice
from cid_server_ext.core.ledger.prices import Prices
from cid_server_ext.errors import Conflict

YEAR = periods.named("2025")
TEAM = {"name": "lab", "title": "The lab", "address": "1 street\n75000 Paris", "tariff": "internal"}


def prices_of(version: int, valid_from: str, **tb_year: str) -> Prices:
    tariffs = {name: TARIFFS[name] for name in TARIFFS}
    tariffs |= {name: TARIFFS[name] | {"tb_year": price} for name, price in tb_year.items()}
    decimals = {n: {k: Decimal(v) for k, v in of.items()} for n, of in tariffs.items()}
    return Prices(version, day(valid_from), "EUR", decimals)


LISTS = [prices_of(1, "2020-01-01")]


def stored(
    when: str, nbytes: int, *, project: str = "screen", tariff: str = "internal", uid: str = "d"
) -> Charge:
    detail = about(project, tariff) | {"datasets": [[uid, "plate", nbytes]]}
    return Charge(f"storage/{when}/{project}", "storage", day(when), nbytes, detail)


def ran(when: str, kind: str, seconds: int, uid: str = "r") -> Charge:
    run = {"uid": uid, "person": "ana", "template": "segment 1.0.0", "ended_at": f"{when}T10:30:00"}
    return Charge(f"{kind}/{uid}/1", kind, day(when), seconds, about() | {"run": run})


def about(project: str = "screen", tariff: str = "internal") -> dict[str, Any]:
    named = {"uid": f"uid of {project}", "name": project, "title": f"The {project}"}
    return {"team": TEAM | {"tariff": tariff}, "project": named}


def invoice(*charges: Charge, lists: list[Prices] = LISTS, final: bool = True) -> Invoice:
    return invoices.compute("lab", YEAR, charges, lists, final=final)


def days_of(first: str, last: str) -> list[str]:
    start, end = day(first), day(last)
    return [str(start + dt.timedelta(n)) for n in range((end - start).days + 1)]


def test_a_terabyte_kept_a_year_costs_the_price_of_a_terabyte_year() -> None:
    made = invoice(*(stored(when, TB) for when in days_of("2025-01-01", "2025-12-31")))
    [position] = made.positions
    assert (position.amount, position.cost) == (365 * TB, Decimal("162.00"))
    assert (made.net, made.vat, made.total) == (
        Decimal("162.00"),
        Decimal("0.00"),
        Decimal("162.00"),
    )


def test_a_leap_year_costs_one_day_more() -> None:
    charges = [stored(when, TB) for when in days_of("2028-01-01", "2028-12-31")]
    made = invoices.compute("lab", periods.named("2028"), charges, LISTS, final=True)
    assert made.net == (Decimal(162) * 366 / 365).quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_industry_pays_full_cost_and_vat() -> None:
    made = invoice(
        *(stored(w, TB, tariff="industrial") for w in days_of("2025-01-01", "2025-12-31"))
    )
    [tax] = made.taxes
    assert (made.net, tax.rate, made.vat, made.total) == (400, 20, 80, 480)


def test_seconds_are_charged_by_the_hour_of_their_kind() -> None:
    made = invoice(ran("2025-03-01", "gpu", 7200), ran("2025-03-01", "cpu", 36_000))
    assert [(p.kind, p.cost) for p in made.positions] == [
        ("gpu", Decimal("3.00")),
        ("cpu", Decimal("0.50")),
    ]
    [part] = made.positions[0].parts
    assert part.name == "segment 1.0.0, ana, 2025-03-01 10:30 UTC"


def test_a_period_across_two_versions_has_positions_for_both() -> None:
    lists = [prices_of(1, "2020-01-01"), prices_of(2, "2025-07-01", internal="200")]
    made = invoice(*(stored(w, TB) for w in days_of("2025-06-30", "2025-07-01")), lists=lists)
    assert [(p.version, p.price, p.amount) for p in made.positions] == [(1, 162, TB), (2, 200, TB)]


def test_a_tariff_that_changes_splits_the_position_on_its_day() -> None:
    charges = [stored("2025-01-01", TB), stored("2025-01-02", TB, tariff="industrial")]
    made = invoice(*charges)
    assert [(p.tariff, p.amount) for p in made.positions] == [("industrial", TB), ("internal", TB)]
    assert [tax.rate for tax in made.taxes] == [0, 20]


def test_a_period_without_lines_is_an_invoice_of_nothing() -> None:
    made = invoice()
    assert (made.positions, made.taxes, made.total) == ((), (), Decimal("0.00"))
    assert (made.number, made.currency, made.provisional) == ("lab-2025", "EUR", False)
    assert invoice(lists=[]).currency == ""


def test_what_has_no_prices_is_refused_and_nothing_needs_none() -> None:
    late = [prices_of(1, "2025-06-01")]
    with pytest.raises(Conflict, match="no prices for 2025-05-31"):
        invoice(stored("2025-05-31", 1), lists=late)
    assert invoice(stored("2025-05-31", 0), lists=late).positions == ()


def test_a_credit_is_priced_as_what_it_corrects() -> None:
    lists = [prices_of(1, "2020-01-01"), prices_of(2, "2025-07-01", internal="324")]
    told = {"credit": {"day": "2025-01-01", "reason": "counted twice"}}
    credit = Charge("credit/1", "storage", day("2025-08-01"), -365 * TB, about() | told)
    made = invoice(
        credit, *(stored(w, TB) for w in days_of("2025-07-01", "2025-07-02")), lists=lists
    )
    first, second = made.positions
    assert (first.version, first.cost) == (1, Decimal("-162.00"))
    assert (second.version, second.amount) == (2, 2 * TB)
    assert first.parts[0].what == "credit"


def test_who_is_charged_is_told_as_the_newest_line_knows_it() -> None:
    renamed = stored("2025-02-01", 1)
    renamed.detail["project"]["name"] = "renamed"
    renamed.detail["team"]["title"] = "Another title"
    made = invoice(renamed, stored("2025-01-01", 1))
    assert (made.title, [p.project for p in made.positions]) == ("Another title", ["renamed"])


def test_the_order_of_the_lines_does_not_matter() -> None:
    charges = [stored(w, 7, project=p) for w in days_of("2025-01-01", "2025-01-09") for p in "ba"]
    assert invoice(*charges) == invoice(*reversed(charges))
    assert [p.project for p in invoice(*charges).positions] == ["a", "b"]


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [("0.005", "0.01"), ("0.0049", "0.00"), ("-0.005", "-0.01"), ("2.675", "2.68"), ("1", "1.00")],
)
def test_half_a_cent_is_rounded_up(exact: str, rounded: str) -> None:
    assert invoices.cents(Decimal(exact)) == Decimal(rounded)


# --- properties -------------------------------------------------------------------------------

AMOUNT = st.integers(0, 10**16)
SHARES = st.lists(st.decimals(-(10**6), 10**6, places=8), min_size=1, max_size=40)
PARTS = st.lists(
    st.tuples(
        st.dates(day("2025-01-01"), day("2025-12-31")),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["internal", "academic", "industrial"]),
        st.sampled_from(["d1", "d2", "d3", "d4"]),
        AMOUNT,
    ),
    max_size=60,
)


@given(SHARES)
def test_whole_cents_add_up_and_each_is_less_than_a_cent_off(exact: list[Decimal]) -> None:
    total = invoices.cents(sum(exact, Decimal(0)))
    shares = invoices.apportion(total, exact)
    assert sum(shares) == total
    assert all(
        abs(share - part) < Decimal("0.01") or share == part
        for share, part in zip(shares, exact, strict=True)
    )
    assert all(share == share.quantize(Decimal("0.01")) for share in shares)


@settings(max_examples=60, deadline=None)
@given(PARTS)
def test_every_cent_drills_down_and_every_byte_is_charged_once(
    parts: list[tuple[dt.date, str, str, str, int]],
) -> None:
    charges = [
        stored(str(when), nbytes, project=project, tariff=tariff, uid=uid)
        for when, project, tariff, uid, nbytes in parts
    ]
    lists = [prices_of(1, "2020-01-01"), prices_of(2, "2025-05-05", internal="0.000001")]
    made = invoice(*charges, lists=lists)
    assert sum(p.amount for p in made.positions) == sum(charge.amount for charge in charges)
    for position in made.positions:
        assert sum(part.cost for part in position.parts) == position.cost
        assert sum(part.amount for part in position.parts) == position.amount
        exact = Decimal(position.amount) * position.price / (365 * TB)
        assert abs(position.cost - exact) <= Decimal("0.005")
    assert made.net == sum((p.cost for p in made.positions), Decimal(0))
    assert made.total == made.net + sum((tax.vat for tax in made.taxes), Decimal(0))
    for tax in made.taxes:
        of_rate = [p.cost for p in made.positions if p.vat == tax.rate]
        assert tax.net == sum(of_rate)
        assert abs(tax.vat - tax.net * tax.rate / 100) <= Decimal("0.005")
