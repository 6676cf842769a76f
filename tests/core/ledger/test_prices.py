"""Price lists: versions that are added and never changed, and never for days already charged."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from pathlib import Path

import accounts
import pytest
import world
from accounts import TARIFFS, day

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.ledger import prices
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, Conflict, NotAllowed

TODAY = dt.datetime.now(dt.UTC).date()
LATER = TODAY + dt.timedelta(days=40)


def test_the_first_list_may_begin_in_the_past_and_later_ones_not(sessions: Sessions) -> None:
    with sessions.begin() as session:
        first = prices.publish(session, world.STAFF, day("2025-01-01"), "EUR", TARIFFS)
        with pytest.raises(BadInput, match="valid_from"):
            prices.publish(session, world.STAFF, day("2025-06-01"), "EUR", TARIFFS)
        second = prices.publish(session, world.STAFF, LATER, "EUR", TARIFFS)
        assert (first.version, second.version) == (1, 2)
    with sessions() as session:
        assert [p.version for p in prices.listing(session, Actor("stranger"))] == [2, 1]


def test_days_without_prices_may_be_given_some_afterwards(sessions: Sessions) -> None:
    with sessions.begin() as session:
        prices.publish(session, world.STAFF, LATER, "EUR", TARIFFS)
        prices.publish(session, world.STAFF, day("2025-01-01"), "EUR", TARIFFS)
        known = prices.known(session)
    assert prices.on(day("2025-02-01"), known).version == 2


def test_prices_for_days_before_the_first_list_change_no_day_that_has_some(
    sessions: Sessions,
) -> None:
    ago = [TODAY - dt.timedelta(days=n) for n in range(101)]
    with sessions.begin() as session:
        prices.publish(session, world.STAFF, ago[10], "EUR", TARIFFS)
        prices.publish(session, world.STAFF, ago[100], "EUR", TARIFFS)
        with pytest.raises(BadInput, match="valid_from"):
            prices.publish(session, world.STAFF, ago[50], "EUR", TARIFFS)
        prices.publish(session, world.STAFF, TODAY, "EUR", TARIFFS)
        known = prices.known(session)
    days = (ago[100], ago[11], ago[10], ago[1], TODAY, LATER)
    assert [prices.on(one, known).version for one in days] == [2, 2, 1, 1, 3, 3]


def test_a_day_has_the_prices_of_the_newest_version_that_is_valid(sessions: Sessions) -> None:
    with sessions.begin() as session:
        for version, valid in enumerate(["2025-01-01", "2025-06-01", "2025-06-01"], 1):
            accounts.price_list(session, version, valid, internal=f"{version}.5")
        session.flush()
        known = prices.known(session)
    assert prices.on(day("2025-05-31"), known).version == 1
    assert prices.on(day("2025-06-01"), known).tariffs["internal"]["tb_year"] == Decimal("3.5")
    with pytest.raises(Conflict, match="no prices for 2024-12-31"):
        prices.on(day("2024-12-31"), known)


def test_only_staff_publishes(sessions: Sessions) -> None:
    with sessions.begin() as session, pytest.raises(NotAllowed):
        prices.publish(session, Actor("leader"), LATER, "EUR", TARIFFS)


@pytest.mark.parametrize(
    "text", ["", "-1", "1e3", "NaN", "Infinity", "1,5", " 1", "1.1234567", "9" * 10, "١", "0x1"]
)
def test_a_price_is_a_plain_decimal_number(sessions: Sessions, text: str) -> None:
    wrong = TARIFFS | {"academic": TARIFFS["academic"] | {"gpu_hour": text}}
    with sessions.begin() as session, pytest.raises(BadInput, match=r"tariffs\.academic\.gpu_hour"):
        prices.publish(session, world.STAFF, LATER, "EUR", wrong)


@pytest.mark.parametrize(
    ("currency", "tariffs", "field"),
    [
        ("euro", TARIFFS, "currency"),
        ("EUR", {}, "tariffs"),
        ("EUR", TARIFFS | {"friends": TARIFFS["internal"]}, "tariffs"),
        ("EUR", TARIFFS | {"internal": {"tb_year": "1"}}, "tariffs.internal"),
        ("EUR", TARIFFS | {"internal": TARIFFS["internal"] | {"vat": "101"}}, "vat"),
    ],
)
def test_a_list_is_whole(
    sessions: Sessions, currency: str, tariffs: dict[str, dict[str, str]], field: str
) -> None:
    with sessions.begin() as session, pytest.raises(BadInput, match=field):
        prices.publish(session, world.STAFF, LATER, currency, tariffs)


def test_the_currency_stays(sessions: Sessions) -> None:
    with sessions.begin() as session:
        prices.publish(session, world.STAFF, LATER, "EUR", TARIFFS)
        with pytest.raises(BadInput, match="it stays EUR"):
            prices.publish(session, world.STAFF, LATER, "USD", TARIFFS)


def test_the_prices_shown_to_staff_can_be_published(sessions: Sessions) -> None:
    page = Path(__file__).parents[3] / "docs" / "staff" / "usage-and-invoices.md"
    [shown] = re.findall(r"```json\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    new = json.loads(shown)
    with sessions.begin() as session:
        made = prices.publish(
            session, world.STAFF, day(new["valid_from"]), new["currency"], new["tariffs"]
        )
        assert made.tariffs["industrial"]["vat"] == "20"
