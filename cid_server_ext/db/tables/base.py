"""What all tables share: the naming of constraints, UTC times, names that no other site gives.

Every table is part of the journal, so that the catalog can be made again from storage, unless it
says `JOURNALED = False`: then its rows are derived from others or end with what is under way.
`PASSING` names single columns of that kind in a table that is otherwise remembered.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Integer,
    MetaData,
    String,
    Table,
    event,
    func,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

CONVENTION = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UTC(TypeDecorator[dt.datetime]):
    """An aware UTC datetime on every database; SQLite forgets the zone, this remembers it."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[dt.datetime]:
        """What a value is read as."""
        return dt.datetime

    def process_bind_param(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        """Store as UTC; a naive time is a programming error."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        return value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        """Read back as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Base(DeclarativeBase):
    """All tables share one naming convention, so that migrations can name what they change."""

    metadata = MetaData(naming_convention=CONVENTION)
    type_annotation_map = {
        dict[str, Any]: JSON,
        list[Any]: JSON,
        dt.datetime: UTC,
    }
    JOURNALED: ClassVar[bool] = True
    PASSING: ClassVar[frozenset[str]] = frozenset()


@event.listens_for(Table, "after_parent_attach")
def _give_no_number_twice(table: Table, parent: Any) -> None:
    """The journal names rows by number: SQLite too must not give one again that was deleted."""
    keys = list(table.primary_key.columns)
    if parent is Base.metadata and len(keys) == 1 and isinstance(keys[0].type, BigInteger):
        single = not keys[0].foreign_keys and keys[0].autoincrement is not False
        table.dialect_options["sqlite"]["autoincrement"] = single


BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite autoincrements INTEGER only


def new_uid() -> str:
    """Return a name that no other site has given."""
    return str(uuid.uuid4())


class Named:
    """What every public row has: `id` for order and joins, `uid` as its name outside."""

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    # the sentinel lets SQLite, too, take many new rows at once and say which is which
    uid: Mapped[str] = mapped_column(String(36), unique=True, default=new_uid, insert_sentinel=True)
    created_at: Mapped[dt.datetime] = mapped_column(UTC, server_default=func.now())
