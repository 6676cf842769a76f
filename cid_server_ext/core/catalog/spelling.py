"""How keys and values are meant: near-duplicates snap to the spelling that is known already.

Known is what the vocabulary declares and what occurs in projects that the caller reaches; other
projects' spellings are neither offered nor told. Nothing is written by looking: who only wants to
see what would happen gets terms and values that are not saved.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from ...db.tables import Term, Value
from ...errors import BadInput
from . import typed, values, vocabulary
from .typed import Given, Typed

BATCH = 400
NEAR = 150  # known values on each side of a new one that are compared with it
COMPARED = 20  # new values of one call for which similar ones are looked for
ALIKE = 0.8  # difflib's ratio above which two spellings are similar

Known = tuple[Value, bool, int]  # may the caller know of it, and how often it is used


@dataclass(frozen=True, slots=True)
class Word:
    """One value as a tag will hold it: a number or text of its own, or a row of `value`."""

    text: str
    number: float | None = None
    value: Value | None = None


@dataclass(slots=True)
class Told:
    """What the caller should know of how his spelling was taken: given -> taken, given -> alike."""

    snapped: dict[str, str] = field(default_factory=dict)
    similar: dict[str, list[str]] = field(default_factory=dict)


class Speller:
    """Reads keys and values for one project, as far as readers of the `readers` know spellings.

    `saves`: what is new is added to the vocabulary. Without `strict`, what an instrument or a run
    says is kept even where the vocabulary does not allow it.
    """

    def __init__(
        self,
        session: Session,
        project_id: int,
        readers: Select[int],
        *,
        saves: bool = True,
        strict: bool = True,
    ) -> None:
        self.session, self.project_id, self.readers = session, project_id, readers
        self.saves, self.strict = saves, strict
        self.keys = Told()
        self._terms = self._all_terms()

    def term(self, key: str) -> Term | None:
        """Return the term that `key` means, a project's own before the facility's; None: new."""
        found = self._terms.get(typed.folded(key.replace(":", " "), 200))
        if found is not None and found.key != key.strip():
            self.keys.snapped[key] = found.key
        return found

    def term_or_new(
        self, key: str, given: Iterable[Given], kind: str = "sample", unit: str = ""
    ) -> Term:
        """Return the term of `key`; a new one takes numbers when all that is given are numbers."""
        found = self.term(key)
        if found is not None and found.retired and self.strict:
            raise BadInput(f"key: {found.key!r} is retired: the vocabulary no longer uses it")
        if found is not None:
            return found
        numbers = bool(unit) or _all_numbers(list(given))
        new = vocabulary.new_term(self.project_id, key, kind, "number" if numbers else "text", unit)
        if self.saves:
            vocabulary.alone(self.session)
            self._terms = self._all_terms()
            if new.folded in self._terms:
                return self._terms[new.folded]
            vocabulary.room(self.session, new.project_id)
            self.session.add(new)
            self.session.flush()
        names = {folded: term.key for folded, term in self._terms.items() if not term.retired}
        self.keys.similar |= _similar_to(key, new.folded, names)
        self._terms[new.folded] = new
        return new

    def words(self, term: Term, given: Sequence[Given], told: Told | None = None) -> list[Word]:
        """Return each value as a tag will hold it, or raise BadInput for the first that is wrong.

        `told` learns which were taken for a known spelling, and what new ones resemble.
        """
        read = typed.read if self.strict else typed.as_told
        found = self.tried(term, [(typed.shown(one), read(term, one)) for one in given], told)
        for one in found:
            if isinstance(one, BadInput):
                raise one
        return [one for one in found if isinstance(one, Word)]

    def as_told(self, term: Term, lists: Mapping[str, Sequence[Given]]) -> dict[str, list[Word]]:
        """Return the words of each list, all that is new saved at once; what is no text is left."""
        read: dict[str, list[tuple[str, Typed]]] = {}
        for name, given in lists.items():
            with suppress(BadInput):
                read[name] = [(typed.shown(one), typed.as_told(term, one)) for one in given]
        found = iter(self.tried(term, [one for told in read.values() for one in told]))
        return {
            name: [word for word in islice(found, len(told)) if isinstance(word, Word)]
            for name, told in read.items()
        }

    def tried(
        self, term: Term, given: Sequence[tuple[str, Typed]], told: Told | None = None
    ) -> list[Word | BadInput]:
        """Return for each (as given, as read) its word, or why it cannot be one."""
        if term.type in typed.NUMERIC:
            return [Word(one.text, one.number) for _, one in given]
        known = self._known(term, [one for _, one in given])
        compared = 0 if told is None else COMPARED
        told = told or Told()
        new: dict[str, Value] = {}  # by folded: two new spellings of one call are one
        found: list[Word | BadInput] = []
        for shown, one in given:
            folded = typed.folded(one.text, 800)
            alike = [row for name in {folded, one.iri, one.text} for row in known.get(name, ())]
            value = _best(term, one, alike) or new.get(folded)
            if value is None:
                wrong = self._wrong(term, one)
                if wrong is not None:
                    found.append(wrong)
                    continue
                value = _new(term, one, alike)
                new[value.folded] = value
            if value.text != one.text:
                told.snapped[shown] = value.text
            found.append(Word(value.text, None, value))
        saved = self._saved(term, list(new.values())) if self.saves else {}
        for folded in list(new)[:compared]:
            told.similar |= self._similar(term, new[folded])
        return [
            Word(w.text, None, saved.get(w.text, w.value)) if isinstance(w, Word) else w
            for w in found
        ]

    def _all_terms(self) -> dict[str, Term]:
        found = self.session.scalars(select(Term).where(vocabulary.inherited(self.project_id)))
        # later ones win: what is in use before what is retired, a project's own before all's
        rows = sorted(found, key=lambda term: (not term.retired, term.project_id is not None))
        return {term.folded: term for term in rows}

    def _known(self, term: Term, given: list[Typed]) -> dict[str, list[Known]]:
        """Return the term's values that are spelled alike or name the same concept, by both.

        With each whether the caller may know of it, and how often it is used in his projects.
        """
        if term.id is None:
            return {}
        asked = sorted({typed.folded(one.text, 800) for one in given})
        concepts = sorted({one.iri for one in given if one.iri} | {one.text for one in given})
        n = values.uses(self.readers)
        chosen = select(Value, values.known(term, self.readers), n)
        chosen = chosen.where(Value.term_id == term.id)
        found: list[Any] = []
        for start in range(0, len(asked), BATCH):
            alike = Value.folded.in_(asked[start : start + BATCH])
            found += self.session.execute(chosen.where(alike)).all()
        if term.type == "ontology":
            for start in range(0, len(concepts), BATCH):
                same = Value.iri.in_(concepts[start : start + BATCH])
                found += self.session.execute(chosen.where(same)).all()
        known: dict[str, list[Known]] = {}
        for value, seen, uses in found:
            for name in {value.folded, value.iri or value.folded}:
                known.setdefault(name, []).append((value, bool(seen), int(uses)))
        return known

    def _wrong(self, term: Term, one: Typed) -> BadInput | None:
        if not self.strict:
            return None
        if term.type == "choice":
            listed = ", ".join(repr(text) for text in self._choices(term))
            return BadInput(f"value of {term.key!r}: {one.text[:60]!r} is not one of {listed}")
        if term.type == "ontology" and not one.iri:
            return BadInput(
                f"value of {term.key!r}: {one.text[:60]!r} is not known here;"
                " give {label, iri} or 'label <iri>'"
            )
        return None

    def _choices(self, term: Term) -> list[str]:
        declared = (Value.term_id == term.id) & Value.declared & Value.retired.is_(False)
        return list(
            self.session.scalars(select(Value.text).where(declared).order_by(Value.id).limit(20))
        )

    def _saved(self, term: Term, new: list[Value]) -> dict[str, Value]:
        """Add what is new to the vocabulary; somebody may have added the same just now."""
        fresh = [value for value in new if value.id is None]
        for value in new:
            if value.retired:
                value.retired = False
        if not fresh:
            return {}
        vocabulary.alone(self.session)
        there: dict[str, Value] = {}
        texts = [value.text for value in fresh]
        for start in range(0, len(texts), BATCH):
            same = (Value.term_id == term.id) & Value.text.in_(texts[start : start + BATCH])
            there |= {v.text: v for v in self.session.scalars(select(Value).where(same))}
        mine = [value for value in fresh if value.text not in there]
        for value in mine:
            value.term_id = term.id
        self.session.add_all(mine)
        self.session.flush()
        return there

    def _similar(self, term: Term, new: Value) -> dict[str, list[str]]:
        """Compare a new value with its neighbours among those that the caller knows."""
        if term.id is None:
            return {}
        inside = (Value.term_id == term.id) & Value.retired.is_(False)
        behind = select(Value.id).where(inside, Value.folded > new.folded).limit(NEAR)
        before = select(Value.id).where(inside, Value.folded < new.folded).limit(NEAR)
        near = {
            *self.session.scalars(behind.order_by(Value.folded)),
            *self.session.scalars(before.order_by(Value.folded.desc())),
        }
        known = select(Value).where(values.known(term, self.readers), Value.id.in_(near))
        others = {value.folded: value.text for value in self.session.scalars(known)}
        return _similar_to(new.text, new.folded, others)


def _best(term: Term, one: Typed, known: list[Known]) -> Value | None:
    """Return the known value that is meant: declared, then as spelled, then the most used."""
    folded = typed.folded(one.text, 800)
    meant = []
    for value, seen, uses in known:
        same = value.folded == folded and (not one.iri or value.iri in ("", one.iri))
        concept = value.iri != "" and value.iri in (one.iri, one.text)
        if seen and (same or concept) and (term.type != "choice" or value.declared):
            rank = (value.declared, value.text == one.text, uses, -(value.id or 0))
            meant.append((rank, value))
    return max(meant, key=lambda pair: pair[0])[1] if meant else None


def _new(term: Term, one: Typed, known: list[Known]) -> Value:
    """Return a value for a new spelling: perhaps one that others have and he does not know."""
    for value, _, _ in known:
        if value.text == one.text and value.iri in ("", one.iri):
            return value
    if any(value.text == one.text for value, _, _ in known):  # their concept is another
        return values.new_value(term, Typed(f"{one.text} ({one.iri})", None, one.iri))
    return values.new_value(term, one)


def _all_numbers(given: list[Given]) -> bool:
    return bool(given) and all(
        isinstance(one, int | float) and not isinstance(one, bool) for one in given
    )


def _similar_to(shown: str, folded: str, others: dict[str, str]) -> dict[str, list[str]]:
    alike = difflib.get_close_matches(folded[:80], [o for o in others if o != folded], 3, ALIKE)
    return {shown: [others[one] for one in alike]} if alike else {}
