"""Further inputs of a batch: given once for all of its runs, by the roles of the template."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Image, Tag, Term
from ...errors import BadInput, CidError, Conflict, NotFound
from .. import policy
from ..actor import Actor
from ..templates import contract
from ..templates.contract import Note
from ..templates.manifest import Also, Manifest

MOST = 100  # images in one role

Given = Mapping[str, Sequence[str]]  # uids by role
NONE: Given = MappingProxyType({})
Chosen = list[tuple[str, Image]]
Said = tuple[type[CidError], Note]  # a note, and what a submit raises where it is red


def required(session: Session, actor: Actor, manifest: Manifest, given: Given) -> Chosen:
    """Return each further input with its role, in the template's order.

    Raises NotFound for an image that the caller does not see; whoever may view one may give it.
    Raises BadInput or Conflict with the first of all other reasons.
    """
    chosen, said = _looked_at(session, actor, manifest, given)
    for kind, note in said:
        if note.light == "red":
            raise kind(f"{note.about}: {note.message}; {note.fix}")
    return chosen


def notes(session: Session, actor: Actor, manifest: Manifest, given: Given) -> list[Note]:
    """Return all that is to say of the further inputs of a submit."""
    return [note for _, note in _looked_at(session, actor, manifest, given)[1]]


def _looked_at(
    session: Session, actor: Actor, manifest: Manifest, given: Given
) -> tuple[Chosen, list[Said]]:
    asked = {one.role: one for one in manifest.inputs.also}
    said: list[Said] = list(unknown(manifest, given))
    chosen: Chosen = []
    for role, one in asked.items():
        uids = list(dict.fromkeys(given.get(role, ())))
        said += count(one, len(uids))
        seen = policy.visible(actor, Image).where(Image.uid.in_(uids[:MOST]))
        rows = {row.uid: row for row in session.scalars(seen)}
        for uid in uids[:MOST]:
            if uid not in rows:
                said.append(absent(role, uid))
                continue
            said += fit(one, rows[uid], _keys(session, manifest, rows[uid]))
            chosen.append((role, rows[uid]))
    return chosen, said


def unknown(manifest: Manifest, given: Given) -> Iterator[Said]:
    """Say which roles the template does not have."""
    asked = [one.role for one in manifest.inputs.also]
    for role in given.keys() - set(asked):
        takes = ", ".join(asked) or "none"
        note = Note("red", role[:40], f"it has no role {role[:40]!r}", f"it takes {takes}")
        yield BadInput, note


def absent(role: str, uid: str) -> Said:
    """Say that nobody is told whether there is such an image."""
    message = f"there is no image {uid[:40]!r}, or you may not see it"
    return NotFound, Note("red", role, message, "leave it out")


def count(asked: Also, number: int) -> Iterator[Said]:
    """Say whether so many images are too few or too many for a role."""
    if number == 0 and not asked.optional:
        message = f"it needs {asked.help or 'an image'} in the role {asked.role!r}"
        yield BadInput, Note("red", asked.role, message, f"give inputs={{{asked.role!r}: […]}}")
    if number > (MOST if asked.many else 1):
        most = f"at most {MOST} images" if asked.many else "one image"
        yield BadInput, Note("red", asked.role, f"it takes {most}, not {number}", "give fewer")


def fit(asked: Also, image: Image, keys: Collection[str]) -> Iterator[Said]:
    """Say what does not fit of one image in its role; `keys` are those of its tags."""
    for note in contract.of(asked, image, keys):
        message = f"{image.name!r}: {note.message}"
        yield BadInput, Note(note.light, asked.role, message, note.fix)
    if image.tier != "online":
        message = f"{image.name!r} is archived"
        yield Conflict, Note("red", asked.role, message, "ask for it back first")


def _keys(session: Session, manifest: Manifest, image: Image) -> set[str]:
    if not (wanted := contract.keys(manifest)):
        return set()
    has = select(Term.key).join(Tag, Tag.term_id == Term.id).where(Tag.record_id == image.id)
    return set(session.scalars(has.where(Term.key.in_(wanted))))
