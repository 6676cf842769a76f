"""What an upload says by its mask, written as tags to what came of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Image, MaskVersion, Project, Record, Tag, Term
from ...errors import BadInput, Conflict
from . import machine, mask_rules, masks, tags, terms, typed
from .completeness import folded
from .mask_document import Mask
from .masked import OPEN, Chosen, Told
from .spelling import Speller
from .tagging import By, batches
from .typed import Given


def write(
    session: Session, kept: Mapping[str, Any], came: Sequence[tuple[Record, str]], person: str
) -> None:
    """Write what was said, or follows from the mask, to records that came from these paths.

    What was said replaces what the file says; all else fills what is still empty. Images remember
    the mask's version. The caller refreshes the index.
    """
    if not kept or not came:
        return
    version = session.scalar(select(MaskVersion).where(MaskVersion.uid == kept.get("mask", "")))
    told = Told("", "", kept.get("tags", {}), kept.get("tags_of", {}))
    instrument = machine.match(session, (), str(kept.get("instrument", ""))).instrument
    chosen = Chosen(version, instrument, masks.meant(version) if version else OPEN)
    held, now = _held(session, [record for record, _ in came]), clock.now(session)
    writing: dict[str, list[tuple[Record, dict[str, Sequence[Given]]]]] = {}
    used: set[str] = set()
    seen: mask_rules.Seen = {}
    for record, path in came:
        image = record if isinstance(record, Image) else None
        facts = chosen.facts((image and image.acquired_at) or now)
        name = path.rpartition("/")[2]
        for one in mask_rules.judge(chosen.mask, name, told.of(path), facts, seen).said:
            if one.source != "person" and folded(one.key) in held.get(record.id, ()):
                continue
            used.add(folded(one.key))
            of = writing.setdefault(one.source, [])
            if not of or of[-1][0] is not record:
                of.append((record, {}))
            of[-1][1][one.key] = one.values
        if image is not None and version is not None:
            image.mask_version_id = version.id
    _declare(session, came[0][0].project_id, chosen.mask, used)
    for source, several in writing.items():
        tags.write_all(session, several, kind="sample", by=By(source, person))
        for record, pairs in several:
            if isinstance(record, Image) and record.unknown:
                said = {folded(key) for key in pairs}
                left = {k: why for k, why in record.unknown.items() if folded(k) not in said}
                record.unknown = left


def _declare(session: Session, project_id: int, mask: Mask, used: Collection[str]) -> None:
    """Make terms of the fields that the project has no word for yet, typed as the mask says."""
    speller = Speller(session, project_id, select(Project.id).where(Project.id == project_id))
    for one in mask.fields:
        if folded(one.key) not in used or speller.term(one.key) is not None:
            continue
        values: list[Given] = [] if one.type in typed.NUMERIC else [*one.choices]
        new = terms.NewTerm(
            key=one.key,
            type=one.type,
            unit=one.unit,
            scheme=one.scheme,
            pattern=one.pattern,
            help=one.help,
            many=one.many,
            values=values,
        )
        try:
            terms.add(session, project_id, new)
        except (BadInput, Conflict):
            continue  # the vocabulary is full, or somebody else was faster


def _held(session: Session, records: Sequence[Record]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for some in batches([record.id for record in records]):
        chosen = select(Tag.record_id, Term.folded).join(Term).where(Tag.record_id.in_(some))
        for record_id, key in session.execute(chosen):
            found.setdefault(record_id, set()).add(key)
    return found
