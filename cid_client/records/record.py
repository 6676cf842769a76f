"""A record of the catalog: its attributes are the wire's fields, read when they are looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, overload

from .. import display
from ..errors import BadInput
from ..wire import given
from ..wire.session import Session, segment

T = TypeVar("T")
R = TypeVar("R", bound="Record")


class Field(Generic[T]):
    """An attribute that is the wire's field of the same name.

    A row of a list may lack it: the first look then reads the whole record.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, record: None, owner: type) -> Self: ...
    @overload
    def __get__(self, record: Record, owner: type) -> T: ...
    def __get__(self, record: Record | None, owner: type) -> Self | T:
        if record is None:
            return self
        value: T = record.wire(self.name)
        return value


class Record:
    """What the catalog says of one thing. `record` is its answer as it came.

    Equal records have the same uid. Pickles carry no ticket and no token.
    """

    collection: ClassVar[str]
    tickets: ClassVar[tuple[str, ...]] = ()  # fields that hold a ticket's address

    uid = Field[str]()

    def __init__(self, session: Session, record: Mapping[str, Any]) -> None:
        self.session = session
        self.record = dict(record)

    @property
    def path(self) -> str:
        """Where the API has this record."""
        return f"{self.collection}/{segment(self.record['uid'])}"

    @property
    def address(self) -> str:
        """The same, also of a record whose `path` is another one."""
        return self.path

    def wire(self, name: str) -> Any:
        """Return one field of the record, reading the whole record if this one lacks it."""
        if name not in self.record:
            self.refresh()
        if name not in self.record:
            raise AttributeError(f"{self.address} has no {name!r}")
        return self.record[name]

    def refresh(self) -> Self:
        """Read the record again and return it."""
        self.record = dict(self.session.get(self.address))
        return self

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.address == self.address

    def __hash__(self) -> int:
        return hash(self.address)

    def __getstate__(self) -> dict[str, Any]:
        kept = {key: value for key, value in self.record.items() if key not in self.tickets}
        return {"session": self.session, "record": kept}

    def __repr__(self) -> str:
        facts = ", ".join(str(value) for _, value in self.facts() if value not in ("", None))
        return f"<{type(self).__name__} {facts}>"

    def _repr_html_(self) -> str:
        return display.facts(self.facts())

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it, as (word, value)."""
        return [("uid", self.record["uid"])]


class HasUid(Protocol):
    """Anything that knows the uid of a record."""

    @property
    def uid(self) -> str:
        """It."""


# one record or several, as they are or by their uids; a search is several
Chosen = Record | str | Iterable[HasUid | str]
WANTED = "records as catalog.search(...) finds them, or their uids"


class Listing(list[R]):
    """A list of records that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        if not self:
            return "<em>nothing here</em>"
        rows = [record.facts() for record in self]
        return display.table([word for word, _ in rows[0]], [[v for _, v in row] for row in rows])


def listing(make: type[R], session: Session, answer: Mapping[str, Any]) -> Listing[R]:
    """Return the records of a list's answer, which holds them under their collection's name."""
    return Listing(make(session, row) for row in answer[make.collection])


def uids(chosen: Chosen) -> list[str]:
    """Return the uids of what is chosen; BadInput where it is nothing that has some."""
    listed = [chosen] if isinstance(chosen, Record | str) else given.several(chosen, WANTED)
    found = [one if isinstance(one, str) else getattr(one, "uid", None) for one in listed]
    for one, uid in zip(listed, found, strict=True):
        if not isinstance(uid, str) or not uid:
            raise BadInput(f"give {WANTED}, not {given.shown(one)}")
    return [str(uid) for uid in found]
