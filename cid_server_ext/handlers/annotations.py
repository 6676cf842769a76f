"""Annotating many records in one call."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ..core.catalog import annotate, chosen
from ..core.search import find
from ..errors import BadInput
from .base import Ask, CidHandler, endpoint
from .vocabulary import Given, given

Values = Annotated[list[Given], Field(max_length=100)]


class Annotation(BaseModel):
    """Which records (or a `query` that finds them) and what they shall say.

    `set` replaces, `add` adds values, `remove` takes off: null all, or the values of a list. A key
    stands once, or its values in both `add` and `remove`: these take the place of those.
    `dry`: only say what would happen.
    """

    model_config = ConfigDict(extra="forbid")
    records: list[str] | None = Field(None, max_length=annotate.MOST_RECORDS)
    query: str | None = Field(None, max_length=2000)
    project: str | None = None
    dataset: str | None = None
    set: dict[str, Given | Values] = Field({}, max_length=annotate.MOST_KEYS)
    add: dict[str, Values] = Field({}, max_length=annotate.MOST_KEYS)
    remove: dict[str, Values | None] = Field({}, max_length=annotate.MOST_KEYS)
    dry: bool = False


class Key(BaseModel):
    """What came of one key; `changed` and `unchanged` count records."""

    key: str
    changed: int
    unchanged: int
    snapped: dict[str, str]
    similar: dict[str, list[str]]


class Outcome(BaseModel):
    """What came of it, by the key as it was given; `snapped` and `similar` here are of keys."""

    dry: bool
    records: int
    changed: int
    keys: dict[str, Key]
    snapped: dict[str, str]
    similar: dict[str, list[str]]


class Annotations(CidHandler):
    """annotations."""

    @endpoint("Annotate many records", who="annotator", body=Annotation, answer=Outcome)
    def post(self, ask: Ask) -> Outcome:
        """All of one project, all or nothing, one step to undo."""
        new = ask.body
        wanted = annotate.Wanted(
            {key: _several(one) for key, one in new.set.items()},
            {key: [given(one) for one in many] for key, many in new.add.items()},
            {key: many and [given(v) for v in many] for key, many in new.remove.items()},
        )
        done = annotate.annotate(ask.session, ask.actor, _uids(ask), wanted, dry=new.dry)
        keys = {
            given_key: Key(
                key=one.key,
                changed=one.changed,
                unchanged=one.unchanged,
                snapped=one.snapped,
                similar=one.similar,
            )
            for given_key, one in done.keys.items()
        }
        return Outcome(
            dry=new.dry,
            records=done.records,
            changed=done.changed,
            keys=keys,
            snapped=done.snapped,
            similar=done.similar,
        )


def _uids(ask: Ask) -> list[str]:
    new = ask.body
    if (new.records is None) == (new.query is None):
        raise BadInput("records, query: give one of the two")
    if new.records is not None:
        return list(new.records)
    asked = find.Asked(new.query, new.project, new.dataset)
    return chosen.uids(ask.session, ask.actor, asked, annotate.MOST_RECORDS)


def _several(value: Any) -> Any:
    return [given(one) for one in value] if isinstance(value, list) else given(value)
