from __future__ import annotations

import datetime as dt

import pytest
from accounts import day

from cid_server_ext.core.ledger import periods
from cid_server_ext.errors import BadInput


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("2026-10", "2026-10-01", "2026-10-31"),
        ("2026-12", "2026-12-01", "2026-12-31"),
        ("2028-02", "2028-02-01", "2028-02-29"),
        ("2027-02", "2027-02-01", "2027-02-28"),
        ("2026-Q1", "2026-01-01", "2026-03-31"),
        ("2026-Q4", "2026-10-01", "2026-12-31"),
        ("2026", "2026-01-01", "2026-12-31"),
    ],
)
def test_a_period_is_named_as_people_name_it(name: str, first: str, last: str) -> None:
    assert periods.named(name) == periods.Period(name, day(first), day(last))


@pytest.mark.parametrize(
    "name",
    ["", "26", "2026-13", "2026-00", "2026-Q5", "2026-q1", "1999", "2026-1", "2026-10\n", "٢٠٢٦"],
)
def test_other_names_are_refused_by_field(name: str) -> None:
    with pytest.raises(BadInput, match="period:"):
        periods.named(name)


def test_a_series_ends_today_and_begins_a_year_before() -> None:
    today = day("2026-11-21")
    assert periods.between(None, None, today) == (day("2025-11-21"), today)


@pytest.mark.parametrize(
    ("first", "last"),
    [(day("2026-01-02"), day("2026-01-01")), (dt.date.min, None), (None, dt.date.min)],
)
def test_a_series_has_bounds(first: dt.date | None, last: dt.date | None) -> None:
    with pytest.raises(BadInput, match="from:"):
        periods.between(first, last, day("2026-11-21"))
