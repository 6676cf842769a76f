"""What is said of many records, read in few questions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..records.record import Chosen
from ..search.found import named
from ..wire.session import Session

PAGE = 200
TOGETHER = 50  # uids that one query names


@dataclass(frozen=True, slots=True)
class Tags:
    """A record and its tags; each has key, value, number, unit, kind, source and link."""

    uid: str
    name: str
    kind: str
    project: str
    tags: list[dict[str, Any]]


def tagged(session: Session, chosen: Chosen, limit: int | None = None) -> list[Tags]:
    """Return what is said of them now, in their order; those I see no more are left out."""
    asked = named(chosen, "records")
    if "query" in asked:
        return list(islice(_found(session, asked["query"]), limit))
    uids = list(dict.fromkeys(asked["records"]))[:limit]
    batches = [uids[at : at + TOGETHER] for at in range(0, len(uids), TOGETHER)]
    found = {one.uid: one for b in batches for one in _found(session, f"id:{','.join(b)}")}
    return [found[uid] for uid in uids if uid in found]


def _found(session: Session, query: str) -> Iterator[Tags]:
    after = None
    while True:
        answer = session.get("records", q=query, limit=PAGE, after=after)
        for row in answer["records"]:
            yield Tags(**{name: row[name] for name in Tags.__dataclass_fields__})
        after = answer["next"]
        if after is None:
            return
