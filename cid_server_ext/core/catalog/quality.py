"""An image's quality as machine tags, so that searches find it.

A record has one number of a key, so the tag is the highest of the channels: `SNR>10` finds what
has a channel above 10, `Saturation>1` what has a channel of which more than 1 % is clipped.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Image, Term
from . import tagging, typed, vocabulary
from .spelling import Word
from .tagging import By, Change


class _Measure(NamedTuple):
    name: str  # of the measure in a channel
    unit: str
    help: str


TAGS = {
    "SNR": _Measure("snr", "", "root of the photons in the bright region; the best channel's"),
    "Saturation": _Measure("saturated", "%", "pixels at the detector's ceiling; highest channel's"),
    "Focus": _Measure("focus", "", "mean spatial frequency, 1 is one pixel; highest channel's"),
    "Dynamic range": _Measure("range", "%", "of the detector's that is used; highest channel's"),
    "Background": _Measure("background", "", "grey level of the background; highest channel's"),
}


def tags_of(quality: Mapping[str, Any] | None) -> dict[str, float]:
    """Return the numbers that a quality is tagged with; a measure that nobody knows has none."""
    found: dict[str, float] = {}
    for key, measure in TAGS.items():
        channels = (quality or {}).get("channels") or []
        known = [channel[measure.name] for channel in channels if _known(channel, measure.name)]
        if known:
            times = 100 if measure.unit == "%" else 1
            found[key] = float(f"{max(known) * times:.4g}")
    return found


def tag(session: Session, image: Image, person: str) -> set[int]:
    """Let the image's tags say what its quality does; the caller refreshes the index.

    Returns the records that changed. What a person or an instrument has set stays as it is.
    """
    return tag_all(session, [image], person)


def tag_all(session: Session, images: Sequence[Image], person: str) -> set[int]:
    """Do what `tag` does for images of one project, in as many statements as for one."""
    if not images:
        return set()
    numbers = {image.id: tags_of(image.quality) for image in images}
    terms = _terms(session, images[0].project_id, any(numbers.values()))
    have = tagging.held(session, numbers, terms.values())
    changes = []
    for (record_id, known), (key, term) in itertools.product(numbers.items(), terms.items()):
        tags = have.get((record_id, term.id), [])
        if any(tag.source != "file" for tag in tags):
            continue
        number = known.get(key)
        words = () if number is None else (Word(typed.number_text(number), number),)
        changes.append(Change(record_id, term, words))
    return tagging.apply(session, have, changes, By("file", person))


def _terms(session: Session, project_id: int, wanted: bool) -> dict[str, Term]:
    """Return the numbers' terms: a project's own, else the facility's, made with the first image.

    A project that means something else by a key (a text "Background") is left alone.
    """
    folded = {typed.folded(key, 200): key for key in TAGS}
    chosen = select(Term).where(Term.folded.in_(folded), vocabulary.inherited(project_id))
    rows = sorted(session.scalars(chosen), key=lambda term: term.project_id is not None)
    found = {folded[term.folded]: term for term in rows}
    if wanted and (missing := [key for key in TAGS if key not in found]):
        vocabulary.alone(session)
        again = session.scalars(chosen.execution_options(populate_existing=True))
        found |= {folded[term.folded]: term for term in again if folded[term.folded] in missing}
        new = {key: _new(key) for key in missing if key not in found}
        session.add_all(new.values())
        session.flush()
        found |= new
    return {key: term for key, term in found.items() if term.type == "number"}


def _new(key: str) -> Term:
    measure = TAGS[key]
    return Term(
        key=key,
        folded=typed.folded(key, 200),
        kind="machine",
        type="number",
        unit=measure.unit,
        scheme="",
        pattern="",
        link="",
        help=measure.help,
        many=False,
        retired=False,
    )


def _known(channel: Mapping[str, Any], name: str) -> bool:
    value = channel.get(name)
    return isinstance(value, int | float) and math.isfinite(value)
