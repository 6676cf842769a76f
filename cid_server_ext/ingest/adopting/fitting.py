"""Whether what is adopted fits its mask and its project's words, told before anything moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sqlalchemy.orm import Session

from ...core.catalog import adoptions, masked
from ...core.catalog.completeness import folded
from ...core.catalog.goals import Goal
from ...core.catalog.mask_rules import Found as Said
from ...core.catalog.masked import Chosen, Told
from ...errors import BadInput
from .found import NEW, QUARANTINE, Found


def fitted(session: Session, found: Iterable[Found]) -> list[Found]:
    """Return all; what does not fit says so by field, and is kept out if its rule wants that."""
    several = list(found)
    alike: dict[tuple[object, ...], list[Found]] = {}
    for one in several:
        goal = one.goal
        if goal is not None and one.fate == NEW and (goal.mask or goal.tags):
            key = (goal.project, goal.mask, goal.instrument, *sorted(goal.tags.items()))
            alike.setdefault(key, []).append(one)
    judged = {one.path: one for some in alike.values() for one in _judged(session, some)}
    return [judged.get(one.path, one) for one in several]


def _judged(session: Session, several: list[Found]) -> list[Found]:
    """Return things of which the same is said, judged together."""
    goal = several[0].goal
    assert goal is not None
    project, told = adoptions.project_of(session, goal), _told(goal)
    try:
        chosen = masked.choose(session, told) if goal.mask else Chosen()
    except BadInput as error:
        return [replace(one, fate=QUARANTINE, why=str(error)) for one in several]
    shown = [one.path for one in several if one.reader]
    files = masked.judge(session, project, chosen, told, shown).files if shown else {}
    plain = masked.judge(session, project, Chosen(), replace(told, mask=""), ()).files
    return [_fate(one, files if one.reader else plain) for one in several]


def _fate(one: Found, files: Mapping[str, Said]) -> Found:
    goal, said = one.goal, files.get(one.path, files.get(""))
    if goal is None or said is None or not said.wrong:
        return one
    unfit = tuple(": ".join(filter(None, pair)) for pair in said.wrong)
    if goal.unfit == "skip":
        what = f"mask {goal.mask!r}" if goal.mask else "the words of its project"
        why = f"does not fit {what}: {'; '.join(unfit)}"
        return replace(one, fate=QUARANTINE, why=why, unfit=unfit)
    wrong = {folded(field) for field, _ in said.wrong}
    tags = {key: value for key, value in goal.tags.items() if folded(key) not in wrong}
    return replace(one, goal=replace(goal, tags=tags), unfit=unfit)


def _told(goal: Goal) -> Told:
    return Told(goal.mask, goal.instrument, dict(goal.tags))
