"""What a query may go on with, and the tags that are used most."""

from __future__ import annotations

from dataclasses import dataclass

from ..wire.session import Session


@dataclass(frozen=True, slots=True)
class Completion:
    """`text` takes the place of what was typed from `start` on; `count` records have it."""

    text: str
    label: str
    start: int
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Tagged:
    """A key and value, and how many records have it."""

    key: str
    value: str
    count: int


def complete(session: Session, text: str) -> list[Completion]:
    """Return what the last word of a query may become: keys, or the values of a key."""
    answer = session.get("search/complete", q=text)
    return [Completion(**one) for one in answer["completions"]]


def top(session: Session, limit: int) -> list[Tagged]:
    """Return the tags that most records have."""
    return [Tagged(**one) for one in session.get("search/top", limit=limit)["tags"]]
