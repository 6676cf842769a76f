"""The vocabulary: terms of the facility and of projects, their values, a project's card."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt

from ..core import policy
from ..core.catalog import card, renames, terms, typed, values, vocabulary
from ..db import tables as t
from .base import Ask, CidHandler, endpoint

Kind = Literal["machine", "sample", "processing"]
Type = Literal["text", "number", "date", "choice", "ontology", "id"]
Text = Annotated[str, Field(max_length=1000)]


class Concept(BaseModel):
    """A concept of an ontology: how it is called, and its IRI or CURIE."""

    model_config = ConfigDict(extra="forbid")
    label: Text
    iri: Text


Given = Text | StrictInt | StrictFloat | Concept


class NewTerm(BaseModel):
    """A term to declare; `values` are declared with it (choice, ontology; text as examples)."""

    model_config = ConfigDict(extra="forbid")
    key: Text
    kind: Kind = "sample"
    type: Type = "text"
    unit: Text = ""
    scheme: Text = ""
    pattern: Text = ""
    link: Text = ""
    help: Text = ""
    many: bool = False
    values: list[Given] = Field([], max_length=values.MOST)


class ChangeTerm(BaseModel):
    """What shall be otherwise. A used number term's unit changes with `convert` only."""

    model_config = ConfigDict(extra="forbid")
    key: Text | None = None
    help: Text | None = None
    unit: Text | None = None
    convert: bool | None = None
    many: bool | None = None
    pattern: Text | None = None
    link: Text | None = None
    retired: bool | None = None


class Merge(BaseModel):
    """The uid of the term that takes all uses."""

    model_config = ConfigDict(extra="forbid")
    into: Text


class NewValues(BaseModel):
    """Values to declare."""

    model_config = ConfigDict(extra="forbid")
    values: list[Given] = Field(min_length=1, max_length=values.MOST)


class Rename(BaseModel):
    """The other name; of a facility's term in one project only, where `project` says so."""

    model_config = ConfigDict(extra="forbid")
    to: Text
    project: Text | None = None


class Begun(BaseModel):
    """Which values: those with a word that begins like `q`, counted in one project or all mine."""

    model_config = ConfigDict(extra="forbid")
    q: str = Field("", max_length=400)
    project: Text | None = None
    limit: int = Field(20, ge=1, le=values.PAGE)


class Shown(BaseModel):
    """Which terms a card shows: with `machine`, also those that imports fill."""

    model_config = ConfigDict(extra="forbid")
    machine: bool = False


class Term(BaseModel):
    """A key; `project` is null for the facility's. `similar`: other keys much like it."""

    uid: str
    key: str
    project: str | None
    kind: str
    type: str
    unit: str
    scheme: str
    pattern: str
    link: str
    help: str
    many: bool
    retired: bool
    similar: list[str] = []


class Terms(BaseModel):
    """Terms: sample, processing, machine, each by key."""

    terms: list[Term]


class Value(BaseModel):
    """A value and on how many records of the caller's projects it is."""

    uid: str
    text: str
    iri: str
    link: str
    declared: bool
    n: int


class Values(BaseModel):
    """Values, the most used first."""

    values: list[Value]


class Renamed(BaseModel):
    """What is used now in place of the value, and how many uses were rewritten."""

    value: Value
    uses: int
    merged: bool


class Card(BaseModel):
    """A project's vocabulary as JSON Schema (draft 2020-12), for a form."""

    project: str
    card: dict[str, Any]


class FacilityTerms(CidHandler):
    """terms."""

    @endpoint("The facility's vocabulary", who="anyone", answer=Terms)
    def get(self, ask: Ask) -> Terms:
        """All projects inherit it."""
        return Terms(terms=[_term(term) for term in vocabulary.terms(ask.session, None)])

    @endpoint("Declare a facility term", who="staff", body=NewTerm, answer=Term, status=201)
    def post(self, ask: Ask) -> Term:
        """All projects have it at once."""
        return _declared(ask, None)


class ProjectTerms(CidHandler):
    """projects/{project}/terms."""

    @endpoint("A project's vocabulary", who="viewer", answer=Terms)
    def get(self, ask: Ask, project: str) -> Terms:
        """The facility's terms and its own."""
        row = policy.find(ask.session, ask.actor, t.Project, project)
        return Terms(terms=[_term(term) for term in vocabulary.terms(ask.session, row.id)])

    @endpoint("Declare a project term", who="manager", body=NewTerm, answer=Term, status=201)
    def post(self, ask: Ask, project: str) -> Term:
        """People who tag make plain terms by using them; this makes typed ones."""
        return _declared(ask, project)


class ProjectCard(CidHandler):
    """projects/{project}/card."""

    @endpoint("A project's vocabulary as a form", who="viewer", query=Shown, answer=Card)
    def get(self, ask: Ask, project: str) -> Card:
        """What it gives is what an annotation's `set` takes."""
        drawn = card.schema(ask.session, ask.actor, project, machine=ask.query.machine)
        return Card(project=project, card=drawn)


class OneTerm(CidHandler):
    """terms/{term}."""

    @endpoint("One term", who="viewer", answer=Term)
    def get(self, ask: Ask, term: str) -> Term:
        """The facility's are everybody's to read."""
        return _term(vocabulary.find(ask.session, ask.actor, term))

    @endpoint("Change a term", who="manager", body=ChangeTerm, answer=Term)
    def patch(self, ask: Ask, term: str) -> Term:
        """The facility's by staff."""
        changes = ask.body.model_dump(exclude_none=True)
        return _term(terms.change(ask.session, ask.actor, term, changes))


class MergeTerm(CidHandler):
    """terms/{term}/merge."""

    @endpoint("Merge a term into another", who="manager", body=Merge, answer=Term)
    def post(self, ask: Ask, term: str) -> Term:
        """Every use is rewritten in one step that can be undone; the term is retired."""
        return _term(renames.merge_terms(ask.session, ask.actor, term, ask.body.into))


class TermValues(CidHandler):
    """terms/{term}/values."""

    @endpoint("Values of a term", who="viewer", query=Begun, answer=Values)
    def get(self, ask: Ask, term: str) -> Values:
        """Declared ones, and those that occur in projects of mine."""
        row = vocabulary.find(ask.session, ask.actor, term)
        q = ask.query
        found = values.complete(ask.session, ask.actor, row, q.q, q.project, q.limit)
        return Values(values=[_value(row, one.value, one.n) for one in found])

    @endpoint("Declare values", who="manager", body=NewValues, answer=Values, status=201)
    def post(self, ask: Ask, term: str) -> Values:
        """They are offered, and near-duplicates snap to them."""
        wanted = [given(one) for one in ask.body.values]
        found = values.declare(ask.session, ask.actor, term, wanted)
        row = vocabulary.find(ask.session, ask.actor, term)
        return Values(values=[_value(row, value, 0) for value in found])


class RenameValue(CidHandler):
    """terms/{term}/values/{value}/rename."""

    @endpoint("Rename or merge a value", who="manager", body=Rename, answer=Renamed)
    def post(self, ask: Ask, term: str, value: str) -> Renamed:
        """Into one that is called so already: then they are one. Every use is rewritten."""
        new = ask.body
        done = renames.rename_value(ask.session, ask.actor, term, value, new.to, new.project)
        row = vocabulary.find(ask.session, ask.actor, term)
        return Renamed(value=_value(row, done.value, done.uses), uses=done.uses, merged=done.merged)


def given(value: Any) -> typed.Given:
    """Return a value of a body as the core takes it."""
    if isinstance(value, Concept):
        return value.model_dump()
    found: typed.Given = value
    return found


def _declared(ask: Ask, project: str | None) -> Term:
    fields = ask.body.model_dump(exclude={"values"})
    wanted = [given(one) for one in ask.body.values]
    new = terms.NewTerm(**fields, values=wanted)
    term = terms.declare(ask.session, ask.actor, project, new)
    return _term(term, terms.similar(ask.session, term))


def _term(term: t.Term, similar: list[str] | None = None) -> Term:
    return Term(
        uid=term.uid,
        key=term.key,
        project=term.project and term.project.name,
        kind=term.kind,
        type=term.type,
        unit=term.unit,
        scheme=term.scheme,
        pattern=term.pattern,
        link=term.link,
        help=term.help,
        many=term.many,
        retired=term.retired,
        similar=similar or [],
    )


def _value(term: t.Term, value: t.Value, n: int) -> Value:
    return Value(
        uid=value.uid,
        text=value.text,
        iri=value.iri,
        link=values.address(term, value),
        declared=value.declared,
        n=n,
    )
