"""What a run was, said once and signed."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base
from .work import Run


class Provenance(Base):
    """The sealed record of one run: canonical JSON, its sha256, and a detached signature (JWS).

    A run that failed and was tried again has one for each of its ends, `number` 1, 2, ...; `key` is
    the name of the public key (RFC 7638) that the signature is checked with.
    """

    __tablename__ = "provenance"
    run_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("run.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    ended_at: Mapped[dt.datetime]  # the run's, at this end
    record: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(Text)
    sealed_at: Mapped[dt.datetime]
    run: Mapped[Run] = relationship()
