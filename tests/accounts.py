"""A facility with a past: records that came long ago, days in the ledger, prices of then."""

from __future__ import annotations

import datetime as dt
from typing import Any

import world
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core import journal
from cid_server_ext.core.catalog import commits, deposits
from cid_server_ext.core.ledger import lines, prices
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions

TARIFF = {
    "tb_year": "162.00",
    "archive_tb_year": "20.00",
    "gpu_hour": "1.50",
    "cpu_hour": "0.05",
    "vat": "0",
}
TARIFFS = {
    "internal": TARIFF,
    "academic": TARIFF | {"tb_year": "250.00"},
    "industrial": TARIFF | {"tb_year": "400.00", "vat": "20"},
}
TB = 10**12


def at(text: str) -> dt.datetime:
    """Return a moment of UTC from "2025-01-31" or "2025-01-31 12:00"."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def past(session: Session, row: Any, moment: str) -> None:
    """Say that a row came at that moment."""
    row.created_at = at(moment)
    journal.record(session, "test", "set up", "test")
    session.flush()


def project(session: Session, name: str, moment: str = "2025-01-01", limit: int = 100 * TB) -> Any:
    """Add a project that was made at that moment."""
    made = world.make_project(session, name, limit)
    past(session, made, moment)
    return made


def file(
    session: Session, project: str, nbytes: int, moment: str = "2025-01-01", dataset: str = ""
) -> t.File:
    """Add a file of so many bytes through a deposit; only its row is there."""
    uid = t.new_uid()
    new = commits.NewFile(uid, "a.bin", "file", f"files/{uid}", nbytes, "0" * 64)
    declared = [{"path": "a.bin", "nbytes": nbytes}]
    deposit = deposits.open_import(
        session,
        world.STAFF,
        project,
        dataset=dataset,
        kind="files",
        declared=declared,
    )
    deposits.begin(session, world.STAFF, deposit.uid, {})
    commits.commit(session, deposit.id, commits.Commit([], [new]))
    row = session.scalars(select(t.File).where(t.File.uid == uid)).one()
    past(session, row, moment)
    return row


def change(session: Session, row: Any, **columns: Any) -> None:
    """Set columns of a row as some later release, or a person, does."""
    for name, value in columns.items():
        setattr(row, name, value)
    journal.record(session, "test", "set up", "test")
    session.flush()


def price_list(session: Session, version: int, valid_from: str, **tb_year: str) -> None:
    """Add prices that were published in time, with other prices of a terabyte where given."""
    tariffs = {name: TARIFF | TARIFFS[name] for name in prices.TARIFFS}
    tariffs |= {name: TARIFFS[name] | {"tb_year": price} for name, price in tb_year.items()}
    row = t.PriceList(
        version=version,
        valid_from=day(valid_from),
        currency="EUR",
        tariffs=tariffs,
        published_by="staff",
    )
    session.add(row)
    journal.record(session, "staff", "publish prices", f"prices:{version}")


def accrue(sessions: Sessions, last: str, *, on_time: bool = True) -> int:
    """Charge every day that is due up to `last`, each the day after or all of them now."""
    made = 0
    end = at(last) + dt.timedelta(days=1, hours=2)
    while True:
        with sessions.begin() as session:
            days = lines.due(session, end)
            if not days:
                return made
            next_day = dt.datetime.combine(days[0], dt.time(2), dt.UTC) + dt.timedelta(days=1)
            made += lines.accrue(session, days[0], next_day if on_time else end)
