"""What one run makes may begin the next, but never the same template again, nor without end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Record, Run, RunInput, Subscription, SubscriptionMatch, Template
from ..catalog.homes import batches

LONGEST = 3  # runs of subscriptions that one image's making may have in a row
FAR = 32  # runs in a row that are looked back at


@dataclass(frozen=True, slots=True)
class _Made:
    """A run as far as it tells where an image came from."""

    template: str
    by_itself: bool  # a subscription submitted it
    before: frozenset[int]  # the runs that made its inputs


def left_out(session: Session, row: Subscription, ids: Sequence[int]) -> dict[int, str]:
    """Return which of the records this subscription never runs on, and why, for people."""
    made_by = _makers(session, ids)
    known = _history(session, set(made_by.values()))
    why: dict[int, str] = {}
    for record, run in made_by.items():
        names, chain = _trace(known, run)
        if row.template.name in names:
            why[record] = f"it was made by {row.template.name} itself"
        elif chain >= LONGEST:
            why[record] = f"{LONGEST} subscriptions in a row made it: no more follow one another"
    return why


def _makers(session: Session, ids: Iterable[int]) -> dict[int, int]:
    """Return the run that made each record, of those that a run made."""
    found: dict[int, int] = {}
    for batch in batches(list(ids)):
        chosen = select(Record.id, Record.run_id)
        made = session.execute(chosen.where(Record.id.in_(batch), Record.run_id.is_not(None)))
        found |= {record: run for record, run in made if run is not None}
    return found


def _history(session: Session, runs: set[int]) -> dict[int, _Made]:
    """Return these runs and all before them."""
    known: dict[int, _Made] = {}
    for _ in range(FAR):
        if not (runs := runs - known.keys()):
            break
        inputs: dict[int, set[int]] = {run: set() for run in runs}
        names: dict[int, str] = {}
        alone: set[int] = set()
        for batch in batches(sorted(runs)):
            chosen = select(Run.id, Template.name).join(Run.template).where(Run.id.in_(batch))
            names.update((run, name) for run, name in session.execute(chosen))
            matched = select(SubscriptionMatch.run_id)
            matched = matched.where(SubscriptionMatch.run_id.in_(batch))
            alone |= {run for run in session.scalars(matched) if run is not None}
            given = select(RunInput.run_id, Record.run_id)
            given = given.join(Record, Record.id == RunInput.image_id)
            given = given.where(RunInput.run_id.in_(batch), Record.run_id.is_not(None))
            for run, before in session.execute(given):
                inputs[run].add(before or 0)
        known |= {
            run: _Made(names[run], run in alone, frozenset(inputs[run])) for run in sorted(runs)
        }
        runs = {before for run in runs for before in inputs[run]}
    return known


def _trace(known: dict[int, _Made], run: int) -> tuple[set[str], int]:
    """Return the templates on the way to a run, and the most runs of subscriptions on one way."""
    names: set[str] = set()
    longest = 0
    ways = {run: 0}  # the runs at one distance, with the longest chain so far
    while ways:
        further: dict[int, int] = {}
        for one, chain in ways.items():
            if (made := known.get(one)) is None:
                continue
            names.add(made.template)
            chain += made.by_itself
            longest = max(longest, chain)
            for before in made.before:
                further[before] = max(chain, further.get(before, 0))
        ways = further
    return names, longest
