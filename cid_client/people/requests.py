"""Requests for a project: asked by people, answered by facility staff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from .. import display
from ..records.record import Field, Listing, Record
from ..sizes import nbytes
from ..wire.session import Session

PAGE = 200


class WantedTerm(TypedDict, total=False):
    """A term for the project's vocabulary; `choices` are what may be chosen."""

    key: str
    type: str  # text, number, date, choice or ontology
    unit: str
    choices: Sequence[str]


Terms = Iterable[str | WantedTerm]


class Request(Record):
    """What was asked by whom, and what came of it: `state` is asked, then approved or refused.

    `project` is the name of the project that an approval made, `reason` why it was refused. Who
    asked may withdraw it while it waits.
    """

    collection = "requests"

    person = Field[str]()
    state = Field[str]()
    name = Field[str]()
    team = Field[str]()
    title = Field[str]()
    limit = Field[int]()
    members = Field[dict[str, str]]()
    terms = Field[list[dict[str, Any]]]()
    purpose = Field[str]()
    reason = Field[str]()
    decided_by = Field[str | None]()
    decided_at = Field[str | None]()
    project = Field[str | None]()
    created_at = Field[str]()

    def approve(
        self,
        *,
        name: str | None = None,
        team: str | None = None,
        limit: str | int | None = None,
        leaders: Sequence[str] = (),
        terms: Terms | None = None,
    ) -> Request:
        """Make the project with team, room, vocabulary and members, all or nothing. Staff may.

        What is given here replaces what was asked for; `leaders` will lead the team.
        """
        body: dict[str, Any] = {"leaders": list(leaders)}
        body |= {key: value for key, value in (("name", name), ("team", team)) if value is not None}
        if limit is not None:
            body["limit"] = nbytes(limit)
        if terms is not None:
            body["terms"] = _terms(terms)
        return self._step("approve", body)

    def refuse(self, reason: str) -> Request:
        """Say no; who asked reads the reason. Staff may."""
        return self._step("refuse", {"reason": reason})

    def withdraw(self) -> Request:
        """Take my request back."""
        return self._step("withdraw", None)

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        return [
            ("name", self.name),
            ("team", self.team),
            ("room", display.size(self.limit)),
            ("by", self.person),
            ("state", self.state),
            ("reason", self.reason),
            ("project", self.project),
        ]

    def _step(self, verb: str, body: Mapping[str, Any] | None) -> Request:
        self.record = dict(self.session.send("POST", f"{self.path}/{verb}", body))
        return self


def ask(
    session: Session,
    name: str,
    team: str,
    title: str,
    limit: str | int,
    members: Mapping[str, str],
    terms: Terms,
    purpose: str,
) -> Request:
    """Send a request."""
    body = {"name": name, "team": team, "title": title, "limit": nbytes(limit)}
    body |= {"members": dict(members), "terms": _terms(terms), "purpose": purpose}
    return Request(session, session.send("POST", "requests", body))


def listing(session: Session, state: str | None, limit: int) -> Listing[Request]:
    """Return the newest requests that I see, at most `limit`."""
    found: Listing[Request] = Listing()
    after = None
    while len(found) < limit:
        room = min(PAGE, limit - len(found))
        answer = session.get("requests", state=state, limit=room, after=after)
        found += [Request(session, row) for row in answer["requests"]]
        after = answer["next"]
        if after is None:
            break
    return found


def _terms(terms: Terms) -> list[dict[str, Any]]:
    """Return terms as the API takes them; a word alone is a term of text."""
    return [{"key": term} if isinstance(term, str) else dict(term) for term in terms]
