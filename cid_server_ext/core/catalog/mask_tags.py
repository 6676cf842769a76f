"""What an upload says by its mask, written as tags to what came of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Image, Instrument, MaskVersion, Project, Record, Tag, Term
from ...errors import BadInput, Conflict
from . import learned, machine, mask_rules, masks, tags, terms, typed
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

    Where no mask was named it is that of the microscope that the file names. What was said replaces
    what the file says; all else fills what is still empty. Images remember the mask's version. The
    caller refreshes the index.
    """
    chosen_of = _Masks(session, kept)
    if not came or not (kept or any(chosen_of(record).version for record, _ in came)):
        return
    told = Told("", "", kept.get("tags", {}), kept.get("tags_of", {}))
    held, now = _held(session, [record for record, _ in came]), clock.now(session)
    writing: dict[str, list[tuple[Record, dict[str, Sequence[Given]]]]] = {}
    used: dict[str, set[str]] = {}
    seen: dict[str, mask_rules.Seen] = {}
    for record, path in came:
        chosen = chosen_of(record)
        version, mask = chosen.version, chosen.mask
        image = record if isinstance(record, Image) else None
        facts = chosen.facts((image and image.acquired_at) or now)
        name = path.rpartition("/")[2]
        before = seen.setdefault(mask.mask, {})
        for one in mask_rules.judge(mask, name, told.of(path), facts, before).said:
            if one.source != "person" and folded(one.key) in held.get(record.id, ()):
                continue
            used.setdefault(mask.mask, set()).add(folded(one.key))
            of = writing.setdefault(one.source, [])
            if not of or of[-1][0] is not record:
                of.append((record, {}))
            of[-1][1][one.key] = one.values
        if image is not None and version is not None:
            image.mask_version_id = version.id
    for mask in chosen_of.masks():
        _declare(session, came[0][0].project_id, mask, used.get(mask.mask, ()))
    for source, several in writing.items():
        tags.write_all(session, several, kind="sample", by=By(source, person))
        for record, pairs in several:
            if isinstance(record, Image) and record.unknown:
                said = {folded(key) for key in pairs}
                left = {k: why for k, why in record.unknown.items() if folded(k) not in said}
                record.unknown = left


class _Masks:
    """Which mask a record is held to: the one that was named, else that of its microscope."""

    def __init__(self, session: Session, kept: Mapping[str, Any]) -> None:
        uid = kept.get("mask", "")
        version = session.scalar(select(MaskVersion).where(MaskVersion.uid == uid)) if uid else None
        declared = str(kept.get("instrument", ""))
        instrument = machine.match(session, (), declared).instrument if declared else None
        meant = masks.meant(version) if version else OPEN
        self.session, self.named = session, Chosen(version, instrument, meant)
        self.learned: dict[int, Chosen] = {}

    def __call__(self, record: Record) -> Chosen:
        """Return the mask of one record."""
        by = record.instrument_id if isinstance(record, Image) else None
        if self.named.version is not None or by is None:
            return self.named
        if by not in self.learned:
            row = self.session.get_one(Instrument, by)
            self.learned[by] = learned.of(self.session, row) or Chosen(None, row)
        return self.learned[by]

    def masks(self) -> list[Mask]:
        """Return the masks that records were held to."""
        return [one.mask for one in (self.named, *self.learned.values())]


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
