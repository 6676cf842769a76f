"""What a person has in the catalog, and handing it over when they leave."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from .. import display
from ..history.undoing import undo
from ..wire.session import Session, segment


@dataclass(frozen=True, slots=True)
class Belongings:
    """What a person has and made. `only_*` name projects and teams that nobody else reaches so.

    `projects` and `teams` are memberships; `live_datasets`, `notes`, `deposits`, `runs` and
    `subscriptions` say `total` and the `newest`; `records` and `nbytes` count what the person
    brought.
    """

    person: str
    projects: list[dict[str, Any]]
    teams: list[dict[str, Any]]
    only_reader: list[str]
    only_manager: list[str]
    only_leader: list[str]
    live_datasets: dict[str, Any]
    notes: dict[str, Any]
    deposits: dict[str, Any]
    runs: dict[str, Any]
    subscriptions: dict[str, Any]
    records: int
    nbytes: int

    def _repr_html_(self) -> str:
        return display.facts(
            [
                ("person", self.person),
                ("only reader of", ", ".join(self.only_reader)),
                ("only manager of", ", ".join(self.only_manager)),
                ("only leader of", ", ".join(self.only_leader)),
                ("projects", ", ".join(f"{one['name']} ({one['role']})" for one in self.projects)),
                ("teams", ", ".join(f"{one['name']} ({one['role']})" for one in self.teams)),
                ("live datasets", self.live_datasets["total"]),
                ("notes", self.notes["total"]),
                ("deposits under way", self.deposits["total"]),
                ("runs under way", self.runs["total"]),
                ("runs by itself", self.subscriptions["total"]),
                ("brought", f"{self.records} records, {display.size(self.nbytes)}"),
            ]
        )


@dataclass(frozen=True, slots=True)
class Handover:
    """What `to` was given of what only `person` reached, and how many memberships ended.

    `withdrawn`: how many requests of `person` waited for an answer. `subscriptions` go on in the
    name of `to`, `paused` wait for somebody who may run them.
    """

    person: str
    to: str
    projects: list[str]
    teams: list[str]
    ended: int
    withdrawn: int
    subscriptions: int
    paused: int
    entry: int | None  # of the journal; None when nothing had to be handed over
    session: Session = field(repr=False)

    def undo(self) -> None:
        """Take it back: memberships, requests and subscriptions are then as they were."""
        undo(self.session, self.entry)


def belongings(session: Session, person: str) -> Belongings:
    """Return what a person has; staff sees anybody's, everybody their own."""
    told = session.get(f"people/{segment(person)}/belongings")
    return Belongings(**{one.name: told[one.name] for one in fields(Belongings)})


def hand_over(session: Session, person: str, to: str, end: bool) -> Handover:
    """Give `to` what only `person` reads, manages or leads; with `end`, end all they have."""
    path = f"people/{segment(person)}/handover"
    told, entry = session.change("POST", path, {"to": to, "end": end})
    return Handover(**told, entry=entry, session=session)
