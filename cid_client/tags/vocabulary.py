"""The vocabulary: terms of the facility and of a project, their values, and how they change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from .. import display
from ..errors import NotFound
from ..history.undoing import undo
from ..records.record import Field, Listing, Record, listing
from ..wire.session import Session, segment

Type = Literal["text", "number", "date", "choice", "ontology", "id"]
Concept = Mapping[str, str]  # {"label": ..., "iri": ...}
Given = str | int | float | Concept
MOST = 100  # values in one answer


class NewTerm(TypedDict, total=False):
    """What a term is declared with beside its key; `values` are declared at once.

    `scheme` is of an `id`: orcid, rrid, doi, url, or own with a `pattern` and the template of a
    `link`. `many`: a record may have several values.
    """

    type: Type
    unit: str
    values: Iterable[Given]
    many: bool
    help: str
    kind: Literal["sample", "processing", "machine"]
    scheme: str
    pattern: str
    link: str


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a term; `n` records of mine have it. `link` leads to its concept or record."""

    uid: str
    text: str
    iri: str = ""
    link: str = ""
    declared: bool = False
    n: int = 0


class Values(list[Value]):
    """Values that a notebook shows as a table; `undo()` where they were just declared."""

    def __init__(
        self, session: Session, told: Iterable[Mapping[str, Any]], entry: int | None = None
    ) -> None:
        super().__init__(_value(one) for one in told)
        self.session = session
        self.entry = entry

    def undo(self) -> None:
        """Take back that they were declared."""
        undo(self.session, self.entry)

    def _repr_html_(self) -> str:
        return display.table(["value", "records"], [(one.text, one.n) for one in self])


@dataclass(frozen=True, slots=True)
class Renamed:
    """What is used now in place of a value, and how many uses were rewritten."""

    value: Value
    uses: int
    merged: bool
    entry: int | None
    session: Session = field(repr=False)

    def undo(self) -> None:
        """Give every use its earlier value back."""
        undo(self.session, self.entry)


class Term(Record):
    """A key of the vocabulary; `project` is None for the facility's.

    What changes it returns it; `undo()` then takes that change back.
    """

    collection = "terms"
    entry: int | None = None  # of the last change made here

    key = Field[str]()
    project = Field[str | None]()
    kind = Field[str]()  # machine, sample or processing
    type = Field[str]()
    unit = Field[str]()
    scheme = Field[str]()  # of a term of type id: orcid, rrid, doi, url or own
    pattern = Field[str]()
    link = Field[str]()
    help = Field[str]()
    many = Field[bool]()
    retired = Field[bool]()

    @property
    def similar(self) -> list[str]:
        """Other keys spelled much like it, as the catalog said when it was declared."""
        return list(self.record.get("similar") or ())

    def values(self, prefix: str = "", *, project: str | None = None, limit: int = 20) -> Values:
        """Return values with a word that begins like `prefix`, the most used first.

        Counted in one project, or in all of mine; at most 100.
        """
        asked = {"q": prefix, "project": project, "limit": min(limit, MOST)}
        told = self.session.get(f"{self.path}/values", **asked)
        return Values(self.session, told["values"])

    def value(self, text: str) -> Value:
        """Return the value that is spelled so, or raise NotFound."""
        for one in self.values(text, limit=MOST):
            if one.text == text:
                return one
        raise NotFound(f"no value {text!r} of {self.key!r} that you can see")

    def declare(self, values: Iterable[Given]) -> Values:
        """Make values part of the vocabulary: they are offered, and near-duplicates snap to them.

        A concept is {"label": "Mus musculus", "iri": "NCBITaxon:10090"}.
        """
        where = f"{self.path}/values"
        told, entry = self.session.change("POST", where, {"values": _plain(values)})
        return Values(self.session, told["values"], entry)

    def rename(self, key: str) -> Term:
        """Call it otherwise; every record shows the new name at once."""
        return self.change(key=key)

    def change(self, **what: str | bool) -> Term:
        """Change key, help, unit, many, pattern, link or retired.

        The unit of a term that is used changes only with `convert=True`, which converts all.
        """
        return self._changed("PATCH", self.path, what)

    def merge(self, into: Term) -> Term:
        """Give every use to another term of the same type and retire this one; return the other."""
        told, entry = self.session.change("POST", f"{self.path}/merge", {"into": into.uid})
        return _term(self.session, told, entry)

    def rename_value(self, value: Value | str, to: str, *, project: str | None = None) -> Renamed:
        """Call a value otherwise, or merge it into the one that is called so: all uses change.

        With `project` only there, which its managers may also with the facility's terms.
        """
        one = self.value(value) if isinstance(value, str) else value
        body = {"to": to} if project is None else {"to": to, "project": project}
        where = f"{self.path}/values/{segment(one.uid)}/rename"
        told, entry = self.session.change("POST", where, body)
        return Renamed(_value(told["value"]), told["uses"], told["merged"], entry, self.session)

    def undo(self) -> Term:
        """Take back the last change that was made with this object."""
        undo(self.session, self.entry)
        self.entry = None
        return self

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        return [
            ("key", self.key),
            ("type", f"{self.type}, several" if self.many else self.type),
            ("unit", self.unit),
            ("of", self.project or "the facility"),
            ("help", self.help),
            ("retired", "retired" if self.retired else ""),
        ]

    def _changed(self, verb: str, where: str, body: Mapping[str, Any]) -> Term:
        told, self.entry = self.session.change(verb, where, body)
        self.record = dict(told)
        return self


def terms(session: Session, where: str) -> Listing[Term]:
    """Return the terms at `where`: sample, processing, machine, each by key."""
    return listing(Term, session, session.get(where))


def add(session: Session, where: str, key: str, new: NewTerm) -> Term:
    """Declare a term at `where`, the facility's vocabulary or a project's."""
    body = {**new, "key": key, "values": _plain(new.get("values", ()))}
    told, entry = session.change("POST", where, body)
    return _term(session, told, entry)


def _term(session: Session, told: Mapping[str, Any], entry: int | None) -> Term:
    term = Term(session, told)
    term.entry = entry
    return term


def _plain(values: Iterable[Given]) -> list[Any]:
    return [dict(value) if isinstance(value, Mapping) else value for value in values]


def _value(told: Mapping[str, Any]) -> Value:
    return Value(**{name: told[name] for name in Value.__dataclass_fields__ if name in told})
