"""The further inputs of a table: those of all rows, and columns that are called like a role.

A cell names its image as the first column does, or by its uid; several are parted by semicolons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy.orm import Session

from ...db.tables import Image, Project
from ...errors import BadInput
from ..actor import Actor
from ..templates import manifest as manifests
from . import further, lookup, submit
from .further import Chosen, Said

Told = tuple[str, str]  # a column, and what is wrong with it


class Beside:
    """Looks all cells of such columns up at once, then judges row by row."""

    def __init__(
        self, manifest: manifests.Manifest, header: Sequence[str], given: further.Given
    ) -> None:
        self.manifest, self.header, self.given = manifest, header, given
        roles = {one.role for one in manifest.inputs.also} - manifest.parameters.keys()
        self.columns = {name: at for at, name in enumerate(header) if at and name in roles}
        self._named: dict[str, list[Image]] = {}
        self._by_uid: dict[str, list[Image]] = {}
        self._keys: dict[int, set[str]] = {}
        self._said: dict[tuple[str, int], list[str]] = {}

    def missing(self) -> Iterator[Told]:
        """Say which further inputs neither a column nor the batch gives."""
        for asked in self.manifest.inputs.also:
            named = asked.role in self.columns or self.given.get(asked.role)
            if not named and not asked.optional:
                said = f"it needs {asked.help or 'an image'}: add a column {asked.role!r}"
                yield asked.role, said

    def look(
        self, session: Session, actor: Actor, rows: Sequence[Sequence[Any]], project: Project | None
    ) -> None:
        """Find what all cells mean, for whoever asks; raise for an input of all rows."""
        for said in further.unknown(self.manifest, self.given):
            raise _error(said)
        fixed = {uid for uids in self.given.values() for uid in uids}
        cells = {text for row in rows for role in self.columns for text in self._texts(row, role)}
        if len(cells | fixed) > submit.MOST_IMAGES:
            raise BadInput(f"csv: at most {submit.MOST_IMAGES} further images")
        by = self.header[0]
        if by != "uid" and cells:
            self._named = lookup.images(session, actor, by, sorted(cells), project)
        rest = {one for one in cells if lookup.key(by, one) not in self._named}
        self._by_uid = lookup.images(session, actor, "uid", sorted(rest | fixed), None)
        for role, uids in self.given.items():
            for uid in uids:
                if uid not in self._by_uid:
                    raise _error(further.absent(role, uid))
        found = [*self._named.values(), *self._by_uid.values()]
        ids = {image.id for several in found for image in several}
        self._keys = submit.tagged(session, self.manifest, sorted(ids))

    def of(self, row: Sequence[Any]) -> tuple[Chosen, list[Told]]:
        """Return the further inputs of a row in the template's order, and what is wrong."""
        chosen: Chosen = []
        wrong: list[Told] = []
        for asked in self.manifest.inputs.also:
            images, absent = self._images(row, asked.role)
            wrong += [(asked.role, said) for said in absent]
            if not absent:
                counted = [_text(said) for said in further.count(asked, len(images))]
                wrong += [(asked.role, said) for said in counted]
            for image in images:
                wrong += [(asked.role, said) for said in self._judged(asked, image)]
                chosen.append((asked.role, image))
        return chosen, wrong

    def _images(self, row: Sequence[Any], role: str) -> tuple[list[Image], list[str]]:
        found: dict[int, Image] = {}
        absent = []
        texts = self._texts(row, role)
        named = self._named if texts else {}
        for text in texts or self.given.get(role, ()):
            key = lookup.key(self.header[0], text)
            meant = named.get(key) or self._by_uid.get(text, [])
            if len(meant) == 1:
                found[meant[0].id] = meant[0]
            elif meant:
                absent.append(f"{len(meant)} images are called {text!r}: say which by its uid")
            else:
                absent.append(f"no image {text[:120]!r} that you can see")
        return list(found.values()), absent

    def _texts(self, row: Sequence[Any], role: str) -> list[str]:
        """Return the names in a cell; what is after too many of them only counts."""
        at = self.columns.get(role, len(row))
        cell = row[at] if at < len(row) else None
        text = str(cell if cell is not None else "").strip()
        many = next(one.many for one in self.manifest.inputs.also if one.role == role)
        parts = text.split(";", further.MOST + 1) if many else [text]
        return [part.strip() for part in parts[: further.MOST + 1] if part.strip()]

    def _judged(self, asked: manifests.Also, image: Image) -> list[str]:
        known = self._said.get((asked.role, image.id))
        if known is None:
            notes = further.fit(asked, image, self._keys.get(image.id, ()))
            known = [_text(said) for said in notes if said[1].light == "red"]
            self._said[asked.role, image.id] = known
        return known


def _text(said: Said) -> str:
    return f"{said[1].message}; {said[1].fix}"


def _error(said: Said) -> Exception:
    kind, note = said
    return kind(f"{note.about}: {note.message}; {note.fix}")
