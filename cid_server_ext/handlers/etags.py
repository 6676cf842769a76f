"""Which state of a record a caller has seen: ETag on what is read, If-Match on what is changed.

An ETag is `"<16 hex of sha256 over the answer>-<journal entry>"`. The digest says whether anything
moved; the entry, the newest of the record or of its project when the answer was made, says since
when to list what did. Addresses with tickets are left out: they are new in every answer. A change
takes the ETag of the nearest record that its address names and GET answers: that of
`images/{image}` for `images/{image}/tags/{key}`. A change that answers with the record answers with
its new ETag.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, and_, false, func, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..core import policy
from ..db import tables as t
from ..errors import BadInput, CidError, Conflict, NotAllowed

if TYPE_CHECKING:
    from .base import Ask

TOLD = 20  # entries of a Conflict, the newest
NAMED = 3  # of them in its message
LONGEST = 2000  # characters of an entry's detail that are told
TAG = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*')
OURS = re.compile(r"([0-9a-f]{16})-([0-9]{1,19})")

Column = InstrumentedAttribute[Any]

# how a path parameter names a row, and the project whose journal tells of it
PLACES: dict[str, tuple[Column, Column | None]] = {
    "image": (t.Record.uid, t.Record.project_id),
    "file": (t.Record.uid, t.Record.project_id),
    "record": (t.Record.uid, t.Record.project_id),
    "project": (t.Project.name, t.Project.id),
    "dataset": (t.Dataset.uid, t.Dataset.project_id),
    "note": (t.Note.uid, t.Note.project_id),
    "term": (t.Term.uid, t.Term.project_id),
    "trash": (t.Trash.uid, t.Trash.project_id),
    "request": (t.Request.uid, t.Request.project_id),
    "deposit": (t.Deposit.uid, t.Deposit.project_id),
    "run": (t.Run.uid, t.Run.project_id),
    "subscription": (t.Subscription.uid, t.Subscription.project_id),
    "team": (t.Team.name, None),
    "template": (t.Template.name, None),
    "number": (t.Template.version, None),  # only a template's version ever changes: all alike wait
    "instrument": (t.Instrument.uid, None),
    "mask": (t.Mask.uid, None),
    "version": (t.InstrumentVersion.uid, None),
}
ALONE = ("image", "file", "run", "deposit", "note", "request")  # entries about one such thing


@dataclass(frozen=True, slots=True)
class Tagged:
    """The GET whose answer has the ETag: how it is made, and what of it changes by itself."""

    path: str
    get: Callable[..., Any]
    answer: type[BaseModel]
    names: tuple[str, ...]  # the path's parameters; the last one is the record's
    passing: tuple[str, ...] = ()

    def subject(self, path: dict[str, str]) -> tuple[str, str]:
        """Return which record it is: ("image", "<uid>")."""
        return (self.names[-1], path[self.names[-1]]) if self.names else ("", "")

    def told_by(self, answer: type[BaseModel] | None) -> bool:
        """Return whether an answer of this model says all that GET would say."""
        return answer is not None and issubclass(answer, self.answer)


def made(ask: Ask, tagged: Tagged, path: dict[str, str], answer: Any) -> str:
    """Return the ETag of an answer that was just made."""
    return f'"{_digest(ask, tagged, answer)}-{_position(ask, *tagged.subject(path))}"'


def later(etag: str, entry: int | None) -> str:
    """Return the ETag of a state that is the work of this journal entry, known after its commit."""
    digest, _, position = etag.strip('"').partition("-")
    return f'"{digest}-{max(int(position), entry or 0)}"'


def seen(header: str | None, etag: str) -> bool:
    """Return whether If-None-Match names the state that `etag` is of."""
    if header is None:
        return False
    try:
        named = _read(header, "If-None-Match")
    except BadInput:
        return False  # a cache that speaks badly gets the whole answer
    return named is None or _hash(etag.strip('"')) in {_hash(tag) for tag in named}


@contextmanager
def unchanged(
    ask: Ask, handler: Any, tagged: Tagged | None, path: dict[str, str], header: str | None
) -> Iterator[None]:
    """Let a change through only if the record is as its If-Match says; Conflict says what moved.

    The record's row is held from before the comparison to the end of the transaction, so of
    changes that name the same state one passes. Whoever may not change it hears that instead.
    """
    stale = None
    if header is not None:
        if tagged is None:
            raise BadInput("If-Match: nothing at this address has an ETag")
        stale = _stale(ask, handler, tagged, path, _read(header, "If-Match", weak=False))
    try:
        yield
    except NotAllowed:
        raise
    except CidError as error:
        raise stale or error from None
    if stale is not None:
        raise stale


def _stale(
    ask: Ask, handler: Any, tagged: Tagged, path: dict[str, str], named: list[str] | None
) -> Conflict | None:
    """Hold the record, and return the Conflict if it is in none of the named states."""
    subject = tagged.subject(path)
    _hold(ask.session, *subject)
    answer = tagged.get(handler, ask, **{name: path[name] for name in tagged.names})
    ask.session.flush()
    if named is None:
        return None
    now = _digest(ask, tagged, answer.model_dump(mode="json"))
    if now in {_hash(tag) for tag in named}:
        return None
    since = [int(found[2]) for tag in named if (found := OURS.fullmatch(tag))]
    changed = _changed(ask, *subject, max(since)) if since else []
    return Conflict(f"this was changed{_who(changed)} since you read it: read it again", changed)


def _who(changed: list[dict[str, Any]]) -> str:
    """Return the newest few of them, such as " by ana (rename), ben (tag)"."""
    told = list(dict.fromkeys(f"{one['person']} ({one['action']})" for one in changed))
    more = f" and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return f" by {', '.join(told[:NAMED])}{more}" if told else ""


def _hold(session: Session, kind: str, name: str) -> None:
    """Let nobody else change the row until this transaction ends; SQLite has one writer anyway."""
    if kind in PLACES:
        column, _ = PLACES[kind]
        held = select(column.class_.id).where(column == name)
        session.execute(held.with_for_update(key_share=True))


def _position(ask: Ask, kind: str, name: str) -> int:
    if not kind:  # a list that all share: nothing is told of who changed it
        return 0
    newest = select(func.max(t.Journal.id)).where(_readable(ask))
    about = _about(kind, name)
    places = [ask.session.scalar(newest.where(about))]
    project = _project(kind, name)
    if project is not None:
        places.append(ask.session.scalar(newest.where(t.Journal.project_id == project)))
    return max(place or 0 for place in places)


def _readable(ask: Ask) -> ColumnElement[bool]:
    """Keep what the caller may hear of: a project renames the facility's values for itself."""
    return t.Journal.project_id.is_(None) | policy.reachable(ask.actor, "viewer", t.Journal)


def _changed(ask: Ask, kind: str, name: str, since: int) -> list[dict[str, Any]]:
    """Return what was done since, newest first: to it alone, or to many in its project."""
    about = _about(kind, name)
    project = _project(kind, name)
    many: ColumnElement[bool] = false()
    if project is not None:
        other = or_(*(t.Journal.subject.startswith(f"{kind}:") for kind in ALONE))
        many = and_(t.Journal.project_id == project, not_(other))
    chosen = select(t.Journal).where(t.Journal.id > since, or_(about, many))
    chosen = chosen.where(t.Journal.action != "staff read", _readable(ask))
    found = ask.session.scalars(chosen.order_by(t.Journal.id.desc()).limit(TOLD))
    return [
        {
            "at": entry.at.isoformat(),
            "person": entry.person,
            "action": entry.action,
            "subject": entry.subject,
            "detail": _short(entry.detail),
        }
        for entry in found
    ]


def _project(kind: str, name: str) -> Any:
    column, project = PLACES.get(kind, (None, None))
    if column is None or project is None:
        return None
    return select(project).where(column == name).scalar_subquery()


def _about(kind: str, name: str) -> ColumnElement[bool]:
    """Keep entries about one thing; a record has them as what it is, an image or a file."""
    kinds = ("image", "file") if kind == "record" else (kind,)
    return t.Journal.subject.in_([f"{one}:{name}"[:160] for one in kinds])


def _short(detail: dict[str, Any]) -> dict[str, Any]:
    return detail if len(json.dumps(detail, default=str)) <= LONGEST else {}


def _digest(ask: Ask, tagged: Tagged, answer: Any) -> str:
    """Return 16 hex of sha256 over what of an answer does not change by itself."""
    ticket = f"{ask.services.prefix}data/"

    def lasting(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: lasting(item) for key, item in value.items()}
        if isinstance(value, list):
            return [lasting(item) for item in value]
        return "" if isinstance(value, str) and value.startswith(ticket) else value

    fields = tagged.answer.model_fields.keys() - set(tagged.passing)
    kept = {key: lasting(value) for key, value in answer.items() if key in fields}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _read(header: str, name: str, *, weak: bool = True) -> list[str] | None:
    """Return the tags of a header, None for `*` (RFC 9110, 8.8.3); BadInput if it is neither.

    A weak tag never matches a strong comparison, so it is left out unless `weak`.
    """
    if header.strip() == "*":
        return None
    found = [TAG.fullmatch(part) for part in header.split(",")]
    if not all(found):
        raise BadInput(f'{name}: one or more ETags in double quotes, or "*"')
    return [part[2] for part in found if part and (weak or not part[1])]


def _hash(tag: str) -> str:
    return tag.partition("-")[0]
