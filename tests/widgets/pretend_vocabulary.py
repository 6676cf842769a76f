"""A vocabulary in memory that answers what its widget asks: terms, values with counts, steps."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from pretend import HOSTILE, Refused


@dataclass
class Word:
    """A value; `n` records have it."""

    uid: str
    text: str
    n: int = 0
    link: str = ""
    declared: bool = False


class Term:
    """A term that is changed in memory; every change can be undone."""

    def __init__(self, held: Vocabularies, record: dict[str, Any]) -> None:
        self.held, self.record, self.entry = held, record, None

    @property
    def words(self) -> list[Word]:
        return self.held.words.setdefault(self.record["uid"], [])

    def values(self, prefix: str, *, project: str | None, limit: int) -> list[Word]:
        self.held.ask("values", self.record["key"], prefix, project)
        begins = prefix.casefold()
        found = [one for one in self.words if one.text.casefold().startswith(begins)]
        return sorted(found, key=lambda one: -one.n)[:limit]

    def declare(self, values: Iterable[str]) -> Any:
        step = self.held.step("declare", self.record["key"], list(values))
        for text in values:
            self.words.append(Word(f"v-{text}", text, declared=True))
        return step

    def change(self, **what: Any) -> Any:
        step = self.held.step("change", self.record["key"], what)
        self.held.refuse_taken(what.get("key"))
        self.record |= what
        return SimpleNamespace(record=self.record, entry=step.entry, undo=step.undo)

    def merge(self, into: Term) -> Any:
        step = self.held.step("merge", self.record["key"], into.record["key"])
        into.words.extend(self.words)
        self.words.clear()
        self.record["retired"] = True
        return step

    def rename_value(self, value: Word, to: str, *, project: str | None) -> Any:
        step = self.held.step("rename value", self.record["key"], value.text, to, project)
        n, other = value.n, next((one for one in self.words if one.text == to), None)
        if other is None:
            value.text = to
        else:
            other.n += n
            self.words.remove(value)
        return SimpleNamespace(uses=n, merged=other is not None, entry=step.entry, undo=step.undo)


class Records:
    """What a question about use finds: facets of the terms in memory."""

    def __init__(self, held: Vocabularies, query: str) -> None:
        self.held, self.query = held, query

    def facets(self, *keys: str) -> dict[str, Any]:
        self.held.ask("facets", *keys)
        return {key: self._facet(key.strip('"')) for key in keys}

    def count(self) -> int:
        key = self.query.removeprefix("has:").strip('"')
        return max((word.n for word in self.held.called(key).words), default=0)

    def _facet(self, key: str) -> Any:
        words = sorted(self.held.called(key).words, key=lambda one: -one.n)
        used = {word.text: word.n for word in words if word.n}
        return SimpleNamespace(values=used, numbers=self.held.numbers.get(key, []))


@dataclass
class Vocabularies:
    """Answers like `cid_client.Catalog`, and like its one project; `asked` is what it was asked."""

    role: str = "manager"
    staff: bool = False
    state: str = "active"
    told: dict[str, dict[str, Any]] = field(default_factory=dict)  # terms by uid
    words: dict[str, list[Word]] = field(default_factory=dict)
    numbers: dict[str, list[Any]] = field(default_factory=dict)
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    trouble: Exception | None = None
    uncountable: Exception | None = None
    place: str | None = None

    def ask(self, *question: Any) -> None:
        self.asked.append(question)
        if self.trouble is not None:
            raise self.trouble

    def step(self, *question: Any) -> Any:
        """Note a change, and return what takes it back."""
        self.ask(*question)
        before = copy.deepcopy((self.told, self.words))

        def undo() -> None:
            self.ask("undo", question[0])
            self.told, self.words = before

        return SimpleNamespace(entry=len(self.asked), undo=undo)

    def changes(self) -> list[tuple[Any, ...]]:
        """Return what was changed, without what was only looked at."""
        return [one for one in self.asked if one[0] not in ("values", "facets")]

    def called(self, key: str) -> Term:
        return Term(self, next(one for one in self.told.values() if one["key"] == key))

    def refuse_taken(self, key: str | None) -> None:
        if any(one["key"] == key for one in self.told.values()):
            raise Refused(f"key: this project has a term {key!r} already")

    def whoami(self) -> Any:
        return SimpleNamespace(name="mia", staff=self.staff)

    def project(self, name: str) -> Any:
        self.place = name
        members = [{"person": "mia", "role": "manager"}, {"person": "vic", "role": "viewer"}]
        record = {"name": name, "title": "", "role": self.role, "members": members}
        record["state"] = self.state
        return SimpleNamespace(record=record, terms=self.terms, add_term=self.add_term)

    def terms(self) -> list[Term]:
        if self.trouble is not None:
            raise self.trouble
        rows = (one for one in self.told.values() if one["project"] in (None, self.place))
        return [Term(self, record) for record in rows]

    def add_term(self, key: str, **how: Any) -> Any:
        step = self.step("add", key, dict(how))
        self.refuse_taken(key)
        words = how.pop("values", [])
        record = told(key, project=self.place, **how)
        self.told[record["uid"]] = record
        self.words[record["uid"]] = [Word(f"v-{one}", one, declared=True) for one in words]
        alike = ["Cell type"] if key.startswith("Cell") else []
        return SimpleNamespace(record=record | {"similar": alike}, entry=step.entry, undo=step.undo)

    def records(self, query: str = "", *, project: str | None) -> Records:
        if self.uncountable is not None:
            raise self.uncountable
        return Records(self, query)


def told(key: str, type: str = "text", project: str | None = None, **more: Any) -> dict[str, Any]:
    """A Term of the wire."""
    words = dict.fromkeys(("unit", "scheme", "pattern", "link", "help"), "")
    shown = {"uid": f"t-{key}", "key": key, "project": project, "type": type, "kind": "sample"}
    return shown | words | {"many": False, "retired": False} | more


def filled(**how: Any) -> Vocabularies:
    """The facility's terms and those of the project demo, with spellings that were not watched."""
    terms = [
        told("Cell type", help="The line, not the clone."),
        told("Organism", "ontology"),
        told("Staining", many=True, help="Dyes and tags, one each."),
        told("Cell line", project="demo"),
        told("Clone", project="demo", retired=True),
        told("Fixation", "choice", project="demo"),
        told(
            "Request",
            "id",
            "demo",
            scheme="own",
            pattern=r"OI-\d{4,6}",
            link="https://b.example/{id}",
        ),
        told("Section", "number", "demo", unit="µm"),
        told("Treatment", project="demo", help="What was added, and when."),
        told("Denoising", project="demo", kind="processing"),
        told("Objective", kind="machine"),
    ]
    counts: dict[str, dict[str, int]] = {
        "Cell type": {"HeLa": 240, "HEK 293": 180, "hek293": 7, "COS-7": 31, HOSTILE: 2},
        "Cell line": {"U2OS": 12},
        "Organism": {"Homo sapiens": 410, "Mus musculus": 22},
        "Staining": {"DAPI": 480, "GFP": 120, "Phalloidin 488": 61, "gfp protein": 3},
        "Fixation": {"PFA": 300, "methanol": 12, "live": 0},
        "Treatment": {"nocodazole": 88, "Nocodazol": 4, "DMSO": 80},
        "Denoising": {"median": 40},
        "Objective": {"63x/1.4 oil": 400, "40x/1.3 oil": 112},
    }
    words = {
        f"t-{key}": [Word(f"v-{text}", text, n) for text, n in values.items()]
        for key, values in counts.items()
    }
    for word in words["t-Fixation"]:
        word.declared = True
    for word in words["t-Organism"]:
        word.link, word.declared = "http://purl.obolibrary.org/obo/NCBITaxon_9606", True
    span = SimpleNamespace(unit="µm", type="number", count=312, lowest=0.5, highest=12.0)
    by_uid = {one["uid"]: one for one in terms}
    return Vocabularies(told=by_uid, words=words, numbers={"Section": [span]}, **how)
