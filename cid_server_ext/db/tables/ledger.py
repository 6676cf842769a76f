"""What is charged for: append-only lines, and the versions of the price list."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, String, event
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, BigId, Named
from .people import Project, Team


class Line(Base):
    """One line of the ledger; never changed. `amount` is byte-days, or seconds of gpu or cpu.

    `key` makes a line once: "storage/2026-11-20/<project uid>", "gpu/<run uid>/<attempt>".
    `detail` drills down: bytes by dataset uid, or the run and its template.
    """

    __tablename__ = "line"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(12))
    day: Mapped[dt.date] = mapped_column(Date)
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"))
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    person: Mapped[str] = mapped_column(String(120))
    amount: Mapped[int] = mapped_column(BigInteger)
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    team: Mapped[Team] = relationship()
    project: Mapped[Project] = relationship()
    __table_args__ = (
        CheckConstraint("kind IN ('storage', 'archive', 'gpu', 'cpu')", name="kind"),
        Index("ix_line_team", "team_id", "day"),
        Index("ix_line_project", "project_id", "day"),
    )


class PriceList(Named, Base):
    """One version of the prices, good from a day on; never changed.

    `tariffs`: {internal | academic | industrial: {tb_year, archive_tb_year, gpu_hour, cpu_hour,
    vat}}, decimal numbers as text.
    """

    __tablename__ = "price_list"
    version: Mapped[int] = mapped_column(unique=True)
    valid_from: Mapped[dt.date] = mapped_column(Date)
    currency: Mapped[str] = mapped_column(String(3))
    tariffs: Mapped[dict[str, Any]]
    published_by: Mapped[str] = mapped_column(String(120))


@event.listens_for(Line, "before_update")
@event.listens_for(Line, "before_delete")
@event.listens_for(PriceList, "before_update")
@event.listens_for(PriceList, "before_delete")
def _refuse(_mapper: Any, _connection: Any, row: Line | PriceList) -> None:
    raise RuntimeError(f"rows of {row.__tablename__} are never changed")
