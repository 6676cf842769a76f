"""Who belongs to a project or a team: a person, a role, and when it ends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import display
from ..errors import BadInput
from ..history.undoing import Done
from ..records.record import Record
from ..wire.session import segment

Until = dt.datetime | dt.date | str


@dataclass(frozen=True, slots=True)
class Member:
    """A person's role; without `ends_at` it has no end."""

    person: str
    role: str
    ends_at: dt.datetime | None = None

    @property
    def ended(self) -> bool:
        """Is its time up?"""
        return self.ends_at is not None and self.ends_at <= dt.datetime.now(dt.UTC)


class Members(list[Member]):
    """Members by name, those whose time is up too; `members.roles` are those of today."""

    @property
    def roles(self) -> dict[str, str]:
        """Person -> role, of those that have not ended."""
        return {one.person: one.role for one in self if not one.ended}

    def _repr_html_(self) -> str:
        lines = [(one.person, one.role, "" if one.ends_at is None else one.ends_at) for one in self]
        return display.table(["person", "role", "until"], lines)


def read(rows: Iterable[Mapping[str, Any]]) -> Members:
    """Return the members that an answer tells of."""
    return Members(Member(row["person"], row["role"], _moment(row.get("ends_at"))) for row in rows)


def put(of: Record, person: str, role: str, until: Until | None) -> Done:
    """Give a person this role in a project or team; its record is then as the catalog told."""
    body = {"role": role, "ends_at": ending(until)}
    return _change(of, "PUT", person, body)


def remove(of: Record, person: str) -> Done:
    """End a person's membership; its record is then as the catalog told."""
    return _change(of, "DELETE", person, None)


def ending(until: Until | None) -> str | None:
    """Return when a role ends as the API takes it: a day means its end, where this runs.

    A time without zone is that of this place too. Raises BadInput for text that is neither.
    """
    if until is None:
        return None
    if isinstance(until, str):
        try:
            day = len(until.strip()) == len("2027-06-30")
            read_as = dt.date.fromisoformat if day else dt.datetime.fromisoformat
            until = read_as(until.strip())
        except ValueError:
            raise BadInput(f"until {until!r}: write a day, such as '2027-06-30'") from None
    if not isinstance(until, dt.datetime):
        until = dt.datetime.combine(until, dt.time(23, 59, 59))
    return until.astimezone(dt.UTC).isoformat()


def _change(of: Record, verb: str, person: str, body: dict[str, Any] | None) -> Done:
    told, entry = of.session.change(verb, f"{of.path}/members/{segment(person)}", body)
    of.record = dict(told)
    return Done(entry, of.session)


def _moment(told: str | None) -> dt.datetime | None:
    return None if told is None else dt.datetime.fromisoformat(told)
