"""The vocabulary of a project or of the facility: looked at, added to, renamed, merged, retired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import traitlets as t

from ..lib.catalog import Step
from ..lib.changing import Changing
from ..lib.shapes import Shape
from ..lib.view import built
from . import shapes
from .catalog import Catalog, Term

TOGETHER = 12  # keys in one question about how they are used


class Unknown(LookupError):
    """There is no such term or value here; told as it is."""

    status = 404


class Vocabulary(Changing):
    """Terms and their values: `Vocabulary(catalog, "demo")`; without a project, the facility's.

    `add`, `rename`, `rename_value`, `merge`, `declare`, `change`, `retire` and `bring_back` do what
    the view does, `undo()` takes the last of it back; `would_change` says before how many records
    will. Terms are named by key or uid. Values of the facility's terms are renamed in the project,
    or, without one, in all. Without a `catalog` it connects to the one this environment names.
    """

    _esm, _css = built("vocabulary")

    catalog: Catalog

    project = t.Unicode().tag(sync=True)
    title = t.Unicode().tag(sync=True)
    manages = t.Bool().tag(sync=True)
    why = t.Unicode().tag(sync=True)  # it can only be read
    terms = t.List(t.Dict()).tag(sync=True)
    opened = t.Unicode().tag(sync=True)  # the uid of a term; its key will do
    shown: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)  # of the opened term
    filter = t.Unicode().tag(sync=True)
    with_retired = t.Bool().tag(sync=True)
    count_error = t.Unicode().tag(sync=True)

    def __init__(self, catalog: Catalog | None = None, project: Any = None) -> None:
        self._terms: dict[str, Term] = {}
        self._place: Any = None
        super().__init__(catalog)
        if project is not None:
            name = project if isinstance(project, str) else project.record["name"]
            self.set_trait("project", name)
        if not self.project:
            self.refresh()

    @t.observe("project")
    def refresh(self, _: object = None) -> None:
        """Read the terms again, and how they are used."""
        with self.turn, self.telling("error"):
            self._read()

    def would_change(self, term: str, value: str | None = None) -> int:
        """Return in how many records a term, or one value of it, is."""
        one = self._find(term)
        if value is None:
            counts = {told["uid"]: told["records"] for told in self.terms}
            known = counts[one.record["uid"]]
            return self._having(one.record["key"]) if known is None else int(known)
        return int(self._value(one, value).n)

    def add(self, key: str, **how: Any) -> None:
        """Declare a term: `type`, `unit`, `values`, `many`, `help`, … as `add_term` takes them."""
        with self.turn, self.telling("error"):
            step = self._place.add_term(key, **how)
            told = step.record
            alike = ", ".join(f"“{one}”" for one in told.get("similar") or ())
            note = f" It is spelled much like {alike}: merge them if they mean the same."
            self._did(f"“{told['key']}” was added.{note if alike else ''}", step)

    def rename(self, term: str, to: str) -> None:
        """Call a term otherwise; all its records show the new name at once."""
        with self.turn, self.telling("error"):
            one, n = self._find(term), self.would_change(term)
            was = one.record["key"]
            step = one.change(key=to)
            self._did(f"{shapes.records(n)}: “{was}” is “{step.record['key']}” now.", step)

    def rename_value(self, term: str, value: str, to: str) -> None:
        """Call a value otherwise; if one is called so, the two become one. All uses change."""
        with self.turn, self.telling("error"):
            one = self._find(term)
            old = self._value(one, value)
            was = old.text
            inherited = one.record["project"] is None and self.project
            done = one.rename_value(old, to, project=self.project if inherited else None)
            self._did(f"{shapes.records(done.uses)}: “{was}” is “{to.strip()}” now.", done)

    def merge(self, term: str, into: str) -> None:
        """Give all uses of a term to another of the same type, and retire it."""
        with self.turn, self.telling("error"):
            old, new = self._find(term), self._find(into)
            n, was, key = self.would_change(term), old.record["key"], new.record["key"]
            step = old.merge(new)
            if self.opened == old.record["uid"]:
                self.set_trait("opened", new.record["uid"])
            self._did(f"{shapes.records(n)}: “{was}” went into “{key}” and is retired.", step)

    def declare(self, term: str, values: Iterable[Any]) -> None:
        """Make values part of a term: they are offered, and near-duplicates snap to them."""
        with self.turn, self.telling("error"):
            given = [values] if isinstance(values, str) else list(values)
            one = self._find(term)
            step = one.declare(given)
            some = f"“{given[0]}” is" if len(given) == 1 else f"{len(given)} values are"
            self._did(f"{some} declared in “{one.record['key']}”.", step)

    def change(self, term: str, **what: Any) -> None:
        """Change help, unit (`convert=True` converts all numbers), many, pattern or link."""
        with self.turn, self.telling("error"):
            step = self._find(term).change(**what)
            self._did(f"“{step.record['key']}” was changed.", step)

    def retire(self, term: str) -> None:
        """Offer a term no more; tags that are there stay."""
        self._retire(term, True, "is retired: its tags stay, there are no new ones.")

    def bring_back(self, term: str) -> None:
        """Offer a retired term again."""
        self._retire(term, False, "is offered again.")

    def answer_add(self, asked: Mapping[str, Any]) -> None:
        """Declare a term."""
        self.add(asked["key"], **asked["how"])
        self.tell("added", good=not self.error)

    def answer_rename(self, asked: Mapping[str, Any]) -> None:
        """Call a term otherwise."""
        self.rename(asked["term"], asked["to"])

    def answer_rename_value(self, asked: Mapping[str, Any]) -> None:
        """Call a value otherwise, or merge it."""
        self.rename_value(asked["term"], asked["value"], asked["to"])

    def answer_merge(self, asked: Mapping[str, Any]) -> None:
        """Merge two terms."""
        self.merge(asked["term"], asked["into"])

    def answer_declare(self, asked: Mapping[str, Any]) -> None:
        """Declare values."""
        self.declare(asked["term"], asked["values"])

    def answer_help(self, asked: Mapping[str, Any]) -> None:
        """Change what is said about a term."""
        self.change(asked["term"], help=asked["help"])

    def answer_retire(self, asked: Mapping[str, Any]) -> None:
        """Retire a term, or bring it back."""
        (self.retire if asked["retired"] else self.bring_back)(asked["term"])

    def answer_values(self, asked: Mapping[str, Any]) -> None:
        """Show the values of the opened term that begin so."""
        with self.telling("error"):
            self._show(asked["q"])

    def answer_offers(self, asked: Mapping[str, Any]) -> None:
        """Tell values that one could be merged into."""
        with self.telling("error"):
            found = self._values(self._find(asked["term"]), asked["q"])[:8]
            self.tell("offers", q=asked["q"], offers=[{"text": v.text, "n": v.n} for v in found])

    def _read(self) -> None:
        staff = bool(self.catalog.whoami().staff)
        told: Mapping[str, Any] = {}
        self._place = self.catalog
        if self.project:
            self._place = self.catalog.project(self.project)
            told = self._place.record
        self._terms = {one.record["uid"]: one for one in self._place.terms()}
        closed = told.get("state") == "closed"
        manages = (staff or told.get("role") == "manager") and not closed
        used = self._used()
        with self.hold_sync():
            self.title, self.manages = str(told.get("title") or ""), manages
            self.why = "" if manages else self._why(told, closed)
            self.terms = [
                shapes.term(one.record, self.project, manages, used.get(uid))
                for uid, one in self._terms.items()
            ]
            if self.opened not in self._terms:
                self.opened = ""
            self._show(self.shown["q"] if self.shown else "")

    def _why(self, told: Mapping[str, Any], closed: bool) -> str:
        if closed:
            return f"{self.project} is closed: its vocabulary does not change."
        if not told:
            return "Facility staff changes these terms."
        people = [one["person"] for one in told.get("members") or () if one["role"] == "manager"]
        who = " or ".join(sorted(people)[:3]) or "the facility's staff"
        return f"Managers of {self.project} change its terms: ask {who}."

    def _used(self) -> dict[str, Shape]:
        """Return how each term is used, as far as it could be counted in time."""
        found: dict[str, Shape] = {}
        with self.telling("count_error"):
            told = [one.record for one in self._terms.values()]
            everything = self.catalog.records(project=self.project or None)
            for start in range(0, len(told), TOGETHER):
                asked = {f'"{one["key"]}"': one for one in told[start : start + TOGETHER]}
                for key, facet in everything.facets(*asked).items():
                    one = asked[key]
                    exact = shapes.adds_up(facet, one["many"])
                    records = None if exact else self._having(one["key"])
                    found[one["uid"]] = shapes.use(facet, records)
        return found

    def _having(self, key: str) -> int:
        """Return how many records have any value of a key."""
        quoted = key.replace("\\", "\\\\").replace('"', '\\"')
        return self.catalog.records(f'has:"{quoted}"', project=self.project or None).count()

    @t.validate("opened")
    def _uid(self, proposal: Any) -> str:
        """Return the uid of what may be named by its key; "" where there is no such term."""
        try:
            return str(self._find(proposal["value"]).record["uid"])
        except Unknown:
            return ""

    @t.observe("opened")
    def _other(self, _: object) -> None:
        with self.turn, self.telling("error"):
            self._show("")

    def _show(self, q: str) -> None:
        """Read the values of the opened term that begin like `q`."""
        of = next((one for one in self.terms if one["uid"] == self.opened), None)
        if of is None:
            self.shown = None
            return
        valued = of["type"] not in ("number", "date")
        values = self._values(self._terms[of["uid"]], q) if valued else []
        self.shown = shapes.opened(of, q, values, self.terms)

    def _values(self, term: Term, q: str) -> list[Any]:
        return list(term.values(q, project=self.project or None, limit=shapes.MANY))

    def _find(self, term: str) -> Term:
        """Return the term that is named, the project's own before the facility's."""
        if term in self._terms:
            return self._terms[term]
        wanted = term.strip().casefold()
        called = [o for o in self._terms.values() if o.record["key"].casefold() == wanted]
        for one in sorted(
            called, key=lambda one: (one.record["retired"], not one.record["project"])
        ):
            return one
        raise Unknown(f"no term {term!r} here: look at its spelling, or refresh")

    def _value(self, term: Term, value: str) -> Any:
        """Return the value that is named by uid or by its text."""
        listed = self.shown["values"] if self.shown else ()
        text = next((one["text"] for one in listed if one["uid"] == value), value)
        for one in self._values(term, text):
            if value in (one.uid, one.text):
                return one
        key = term.record["key"]
        raise Unknown(f"no value {text!r} of {key!r} here: look at its spelling, or refresh")

    def _retire(self, term: str, retired: bool, what: str) -> None:
        with self.turn, self.telling("error"):
            step = self._find(term).change(retired=retired)
            self._did(f"“{step.record['key']}” {what}", step)

    def _did(self, text: str, step: Step) -> None:
        self.did(text, step)
        self._read()
