"""Searches of a pretended catalog: a small part of the query language, counts and facets."""

from __future__ import annotations

import random
from collections import Counter
from types import SimpleNamespace
from typing import Any

from cid_widgets.browse import queries

BINS = 20


class BadQuery(Exception):
    """What the catalog says of a query that it cannot read."""

    status = 400


class Found(list[Any]):
    """What a search has found among `records`; facets leave out what it asks of their own key."""

    def __init__(self, records: list[dict[str, Any]], query: str, image: Any) -> None:
        super().__init__(image(record) for record in records if fits(record, query))
        self.records = records
        self.query = query

    def count(self) -> int:  # type: ignore[override]
        return len(self)

    def facets(self, *keys: str) -> dict[str, Any]:
        return {key: self._facet(key) for key in keys}

    def _facet(self, key: str) -> Any:
        wanted = {"year": "date"}.get(key, queries.fold(key))
        rest = [
            term
            for term in queries.apart(self.query) or []
            if term.key is None or queries.fold(term.key.name.replace("_", " ")) != wanted
        ]
        found = [record for record in self.records if fits(record, queries.together(rest))]
        tags = [tag for one in found for tag in one["tags"] if queries.fold(tag["key"]) == wanted]
        values = Counter(tag["value"] for tag in tags if tag.get("number") is None)
        if key == "by":
            values = Counter(record["created_by"] for record in found)
        if key == "year":
            values = Counter(record["created_at"][:4] for record in found)
        numbers = [tag["number"] for tag in tags if tag.get("number") is not None]
        spread = [_spread(numbers, tags[0]["unit"])] if numbers else []
        return SimpleNamespace(key=key, values=dict(values.most_common()), numbers=spread)


def screen(images: int) -> list[dict[str, Any]]:
    """Return what is found of a screen: tags of every kind, two people, two years."""
    rng = random.Random(7)
    found = []
    for n in range(images):
        cell = rng.choice(["HeLa", "HeLa", "HeLa S3", "A549", "primary neurons"])
        said = [
            ("Cell type", cell, "sample", "person", None, ""),
            (
                "Staining",
                rng.choice(["DAPI", "DAPI", "anti tubulin"]),
                "sample",
                "person",
                None,
                "",
            ),
            ("SNR", "", "processing", "run", round(rng.gauss(14, 4), 1), "dB"),
            (
                "Objective",
                rng.choice(["63x/1.4 oil", "40x/1.2 water"]),
                "machine",
                "file",
                None,
                "",
            ),
            ("Microscope", "Spinning disk 2", "machine", "file", None, ""),
        ]
        names = ("key", "value", "kind", "source", "number", "unit")
        tags = [dict(zip(names, one, strict=True)) for one in said]
        for tag in tags:
            tag["value"] = tag["value"] or str(tag["number"])
        who = rng.choice(["researcher", "postdoc"])
        day = (
            f"{rng.choice([2025, 2026])}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}T10:00:00Z"
        )
        found.append({"tags": tags, "created_by": who, "created_at": day, "nbytes": 10**8 + n})
    return found


def fits(record: dict[str, Any], query: str) -> bool:
    """Say whether the catalog would find this record."""
    found = queries.apart(query)
    if found is None:
        raise BadQuery("q: a quote that is not closed at 5")
    return all(_has(record, term) != term.out for term in found)


def ordered(records: list[dict[str, Any]], sort: str | None) -> list[dict[str, Any]]:
    """Return the records in this order."""
    if sort in (None, "newest"):
        return records
    if sort == "oldest":
        return records[::-1]
    down, sort = sort.startswith("-"), sort.removeprefix("-")
    by = {"name": "name", "size": "nbytes", "acquired": "created_at"}
    if sort not in by:
        raise BadQuery(f"sort: {sort!r} is no key of numbers or dates")
    return sorted(records, key=lambda record: record[by[sort]], reverse=down)


def _has(record: dict[str, Any], term: queries.Term) -> bool:
    if term.key is None:
        return term.text.strip('"').lower() in record["name"].lower()
    name = queries.fold(term.key.name.replace("_", " "))
    if term.key.core:
        told = {"by": record["created_by"], "kind": record["kind"], "date": record["created_at"]}
        return any(told.get(name, "").startswith(value) for value in term.values)
    tags = [tag for tag in record["tags"] if queries.fold(tag["key"]) == name]
    if term.span:
        low, high = (float(end) if end else None for end in term.span)
        numbers = [tag["number"] for tag in tags]
        return any((low is None or n >= low) and (high is None or n <= high) for n in numbers)
    wanted = {queries.fold(value) for value in term.values}
    return any(queries.fold(tag["value"]) in wanted for tag in tags)


def _spread(numbers: list[float], unit: str) -> Any:
    low, high = min(numbers), max(numbers)
    bins = [0] * BINS
    for number in numbers:
        bins[min(int((number - low) / ((high - low) or 1) * BINS), BINS - 1)] += 1
    about = {"unit": unit, "type": "number", "count": len(numbers)}
    return SimpleNamespace(**about, lowest=low, highest=high, bins=bins)
