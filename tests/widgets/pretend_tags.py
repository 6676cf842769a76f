"""A project with a vocabulary and tagged images in memory, as the catalog would answer."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pretend


class Wrong(pretend.Refused):
    """The request can be mended."""

    status = 400


def term(key: str, type: str = "text", **more: Any) -> dict[str, Any]:
    """A Term of the wire."""
    return {
        "uid": f"t-{key}",
        "key": key,
        "project": None,
        "kind": "sample",
        "type": type,
        "unit": "",
        "scheme": "",
        "help": "",
        "many": False,
        "retired": False,
        "similar": [],
    } | more


@dataclass
class Word:
    """A value of a term, as completion tells it."""

    text: str
    n: int = 0
    iri: str = ""


@dataclass
class Tagged(pretend.Catalog):
    """Answers what a card asks. `said` is what the images say: uid -> key -> values."""

    words: dict[str, dict[str, Any]] = field(default_factory=dict)  # terms by key
    declared: dict[str, list[str]] = field(default_factory=dict)
    said: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    role: str = "annotator"
    undone: int = 0

    def tags(self, records: Iterable[Any], *, limit: int | None = None) -> list[Any]:
        uids = [_uid(one) for one in records]
        self._ask("tags", len(uids))
        by_uid = {one["uid"]: one for one in self.records}
        return [self._row(by_uid[uid]) for uid in uids if uid in by_uid][:limit]

    def _row(self, record: dict[str, Any]) -> Any:
        own = [
            {"key": key, "value": value, "unit": "", "kind": "sample", "source": "person"}
            for key, values in self.said.get(record["uid"], {}).items()
            for value in values
        ]
        for tag in own:
            known = self.words.get(tag["key"], {})
            tag["unit"] = known.get("unit", "")
            tag["link"] = f"https://orcid.org/{tag['value']}" if known.get("scheme") else ""
        row = {key: record[key] for key in ("uid", "name", "kind", "project")}
        return SimpleNamespace(**row, tags=[*record["tags"], *own])

    def project(self, name: str) -> Any:
        self._ask("project", name)
        if self.trouble is not None:
            raise self.trouble
        members = [{"person": "mona", "role": "manager"}, {"person": "ana", "role": "annotator"}]
        record = {"name": name, "role": self.role, "members": members, "state": "active"}
        return SimpleNamespace(
            record=record, card=self._card, terms=self._terms, add_term=self._add_term
        )

    def _card(self) -> dict[str, Any]:
        asked = [one for one in self.words.values() if one["kind"] != "machine"]
        properties = {one["key"]: {"x-cid-term": one["uid"]} for one in asked}
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", "properties": properties}

    def _terms(self) -> list[Any]:
        return [self._term(one) for one in self.words.values()]

    def _term(self, record: dict[str, Any]) -> Any:
        key = record["key"]

        def declare(values: list[str]) -> Any:
            self._ask("declare", key, values)
            self.declared.setdefault(key, []).extend(values)
            return SimpleNamespace(undo=lambda: self.declared[key].remove(values[0]))

        def values(q: str, *, project: str) -> list[Word]:
            self._ask("values", key, q)
            counts = self._counts(key)
            listed = [*sorted(counts, key=lambda v: -counts[v]), *self.declared.get(key, [])]
            start = [text for text in dict.fromkeys(listed) if text.lower().startswith(q.lower())]
            return [Word(text, counts.get(text, 0)) for text in start]

        def undo() -> None:
            del self.words[key]

        return SimpleNamespace(
            record=record, values=values, declare=declare, undo=undo, similar=record["similar"]
        )

    def _add_term(self, key: str, **how: Any) -> Any:
        self._ask("add_term", key, how)
        alike = difflib.get_close_matches(key, self.words, 3, 0.8)
        how.pop("values", None)
        self.words[key] = term(key, **how, similar=alike)
        return self._term(self.words[key])

    def _counts(self, key: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for tags in self.said.values():
            for value in tags.get(key, []):
                found[value] = found.get(value, 0) + 1
        return found

    def annotate(
        self,
        records: Iterable[Any],
        *,
        set: Mapping[str, Any] | None = None,
        add: Mapping[str, Any] | None = None,
        remove: Mapping[str, Any] | None = None,
        dry: bool = False,
    ) -> Any:
        uids = [_uid(one) for one in records]
        said = {"set": set or {}, "add": add or {}, "remove": remove or {}}
        self._ask("annotate", len(uids), {way: v for way, v in said.items() if v}, dry)
        before = {uid: {k: list(v) for k, v in tags.items()} for uid, tags in self.said.items()}
        told: dict[str, Any] = {}
        hit: dict[str, None] = {}
        after = {uid: dict(before.get(uid, {})) for uid in uids}
        for given in {key: None for way in said.values() for key in way}:
            key = next((one for one in self.words if one.lower() == given.lower()), given)
            snapped: dict[str, str] = {}
            similar: dict[str, list[str]] = {}
            replace = [self._read(key, v, snapped, similar) for v in _list(said["set"].get(given))]
            more = [self._read(key, v, snapped, similar) for v in _list(said["add"].get(given))]
            less = said["remove"].get(given, ())
            mine = 0
            for uid in uids:
                have = after[uid].get(key, [])
                kept = replace or [v for v in have if less is not None and v not in less]
                new = [*kept, *(v for v in more if v not in kept)]
                after[uid][key] = new
                if new != have:
                    mine += 1
                    hit[uid] = None
            told[given] = {
                "key": key,
                "changed": mine,
                "unchanged": len(uids) - mine,
                "snapped": snapped,
                "similar": similar,
            }
        if not dry:
            self.said |= {uid: {k: v for k, v in t.items() if v} for uid, t in after.items()}

        def undo() -> None:
            self.undone += 1
            self.said = before

        return SimpleNamespace(
            dry=dry, records=len(uids), changed=len(hit), keys=told, entry=7, undo=undo
        )

    def _read(
        self, key: str, given: Any, snapped: dict[str, str], similar: dict[str, list[str]]
    ) -> str:
        text = given["label"] if isinstance(given, dict) else str(given).strip()
        kind = self.words.get(key, {}).get("type", "text")
        known = [*self._counts(key), *self.declared.get(key, [])]
        if kind == "number" and not text.replace(".", "", 1).isdigit():
            raise Wrong(f"value of {key!r}: a number, not {text!r}")
        if kind == "id" and not text.startswith("0000-"):
            raise Wrong(f"value of {key!r}: {text!r} is no ORCID, as in 0000-0002-1825-0097")
        for one in known:
            if one.lower() == text.lower():
                if one != given and isinstance(given, str):
                    snapped[given] = one
                return one
        if kind == "choice":
            raise Wrong(f"value of {key!r}: {text!r} is not one of {', '.join(map(repr, known))}")
        folded = {one.lower(): one for one in known}
        if alike := difflib.get_close_matches(text.lower(), folded, 3, 0.8):
            similar[text] = [folded[one] for one in alike]
        return text


def _uid(one: Any) -> str:
    if isinstance(one, str):
        return one
    return str(one.record["uid"] if hasattr(one, "record") else one.uid)


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [] if given is None else [given]


def tagged(images: int = 500, role: str = "annotator") -> Tagged:
    """A plate of 500 images: mixed cell types, two stains, machine tags."""
    machine = [
        ("Microscope", "Spinning disk 2", "file", ""),
        ("Objective", "63x/1.4 oil", "file", ""),
        ("Exposure", "120", "instrument", "ms"),
    ]
    tags = [
        {"key": key, "value": value, "kind": "machine", "source": source, "unit": unit, "link": ""}
        for key, value, source, unit in machine
    ]
    records = [pretend.image(f"i{n}", f"cells {n:03d}", tags=tags) for n in range(images)]
    words = [
        term("Cell type", help="The line, not the clone."),
        term("Fixation", "choice"),
        term("Harvested", "date"),
        term("Operator", "id", scheme="orcid"),
        term("Organism", "ontology"),
        term("Passage", "number"),
        term("Section", "number", unit="µm"),
        term("Staining", many=True, help="Dyes and tags, one each."),
        term("Treatment"),
        term("Microscope", kind="machine"),
    ]
    declared = {"Fixation": ["PFA", "methanol", "live"], "Organism": ["Homo sapiens"]}
    declared["Staining"] = ["DAPI", "GFP", "Phalloidin"]
    said: dict[str, dict[str, list[str]]] = {}
    for n in range(images):
        cell = ["HeLa"] if n < images * 6 // 10 else ["HEK 293"]
        stains = ["DAPI", "GFP"] if n < 13 else ["DAPI"]
        said[f"i{n}"] = {"Cell type": cell, "Staining": stains, "Operator": ["0000-0002-1825-0097"]}
        if n >= images - images // 25:
            del said[f"i{n}"]["Cell type"]
    found = Tagged(records, words={one["key"]: one for one in words}, declared=declared, said=said)
    found.role = role
    return found
