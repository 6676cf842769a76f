"""Somebody leaves: what only they reach, and who gets it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets as t

from ..lib.changing import Changing
from ..lib.view import built
from ..lib.words import counted
from . import shapes
from .catalog import Catalog, Handover


class Leaving(Changing):
    """What a person has in the catalog, for facility staff: `Leaving(catalog, "bob")`.

    `person` may be set again; `found` is what they have. `hand_over(to, end=True)` gives another
    person what only this one reads, manages or leads and ends their memberships; `undo()` takes
    that back. Data stays where it is, and keeps who made it.
    """

    _esm, _css = built("leaving")

    catalog: Catalog

    person = t.Unicode().tag(sync=True)
    found: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)

    def __init__(self, catalog: Catalog | None = None, person: str = "") -> None:
        super().__init__(catalog)
        self.person = person

    @t.observe("person")
    def _choose(self, _: object = None) -> None:
        with self.turn:
            self.found, self.done, self._step = None, None, None
            self.refresh()

    def refresh(self) -> None:
        """Read again what the person has."""
        with self.turn, self.telling("error"):
            told = self.catalog.belongings(self.person) if self.person else None
            self.found = None if told is None else shapes.belongings(told)

    def hand_over(self, to: str, *, end: bool = True) -> None:
        """Give what only the person reaches to another; with `end` all their rights end."""
        with self.turn, self.telling("error"):
            done = self.catalog.hand_over(self.person, to=to, end=end)
            told = shapes.belongings(self.catalog.belongings(self.person))
            self.found = told
            self.did(_said(self.person, to, done), done)

    def answer_hand_over(self, asked: Mapping[str, Any]) -> None:
        """Hand over."""
        self.hand_over(asked["to"], end=bool(asked["end"]))


def _said(person: str, to: str, done: Handover) -> str:
    """Return what was handed over, in words."""
    if done.entry is None:
        return f"Nothing of {person} had to be handed over."
    given = [*done.projects, *(f"team {name}" for name in done.teams)]
    words = f"{to} was given {', '.join(given)}." if given else "Nothing had to be handed over."
    if done.ended:
        count = "one membership" if done.ended == 1 else f"{done.ended} memberships"
        words += f" {count.capitalize()} of {person} ended."
    if done.withdrawn:
        count = "one request" if done.withdrawn == 1 else f"{done.withdrawn} requests"
        words += f" {count.capitalize()} of {person} withdrawn."
    if done.subscriptions:
        words += f" {counted(done.subscriptions, 'subscription')} run in the name of {to} now."
    if done.paused:
        words += f" {counted(done.paused, 'subscription')} paused: {to} may not run them."
    return words
