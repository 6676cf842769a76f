"""The naive answer to a query: every record is looked at, in plain Python. No SQL, no index."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass, field
from typing import Any

from odd_facility import BEGUN, MEMBERS, PROJECTS, Facility

from cid_server_ext.core import names, units
from cid_server_ext.core.catalog import vocabulary
from cid_server_ext.core.search import language as q
from cid_server_ext.core.search import parser, words
from cid_server_ext.db import tables as t
from cid_server_ext.errors import BadInput

fold = functools.lru_cache(None)(words.fold)
tokens = functools.lru_cache(None)(words.tokens)
Row = dict[str, Any]
EVERYWHERE = frozenset(range(1, len(PROJECTS) + 1))
FACTOR = {"micrometer": 1.0, "nanometer": 1e-3, "millimeter": 1e3}
HOURS = {"h": 1, "d": 24, "w": 168, "y": 8760}


@dataclass
class Oracle:
    """What a facility's rows say."""

    made: Facility
    records: list[Row] = field(init=False)

    def __post_init__(self) -> None:
        rows = self.made.rows
        self.terms = {row["id"]: row for row in rows[t.Term]}
        self.values = {row["id"]: row for row in rows[t.Value]}
        self.datasets = {row["id"]: row for row in rows[t.Dataset]}
        self.tags: dict[int, list[Row]] = {}
        self.links: dict[int, list[Row]] = {}
        self.notes: dict[int, list[str]] = {}
        for tag in rows[t.Tag]:
            self.tags.setdefault(tag["record_id"], []).append(tag)
        for link in rows[t.Link]:
            self.links.setdefault(link["record_id"], []).append(link)
        for note in rows[t.Note]:
            self.notes.setdefault(note["record_id"], []).append(note["text"])
        self.all = {row["id"]: row for row in rows[t.Record]}
        self.records = [
            row
            for row in reversed(rows[t.Record])
            if row["trash_id"] is None and row["purged_at"] is None and row["kind"] != "original"
        ]
        self.shown = {row["id"]: self._shown(row) for row in self.records}
        self.inside = {row["id"]: self._inside(row) for row in self.records}
        self.words = {row["id"]: self._words(row) for row in self.records}

    def _live_links(self, row: Row) -> list[Row]:
        links = self.links.get(row["id"], [])
        return [link for link in links if self.datasets[link["dataset_id"]]["trash_id"] is None]

    def _shown(self, row: Row) -> set[int]:
        return {row["project_id"]} | {link["project_id"] for link in self._live_links(row)}

    def _inside(self, row: Row) -> set[int]:
        return {row["dataset_id"]} | {link["dataset_id"] for link in self._live_links(row)}

    def _words(self, row: Row) -> tuple[str, str]:
        """Return what everybody finds it by, and what the members of its home do."""
        shown = [
            self.values[tag["value_id"]]["text"] if tag["value_id"] else tag["text"]
            for tag in self.tags.get(row["id"], [])
        ]
        own = [row["name"], row["created_by"], *shown]
        home = [self.datasets[row["dataset_id"]]["path"], *self.notes.get(row["id"], [])]
        if all(link["project_id"] == row["project_id"] for link in self.links.get(row["id"], [])):
            own, home = [*own, *home], []
        said = [[token for text in texts for token in tokens(text)] for texts in (own, home)]
        return f" {' '.join(said[0])} ", f" {' '.join(said[1])} "

    # --- who ------------------------------------------------------------------------------------

    def mine(self, person: str) -> frozenset[int]:
        if person == "staff":
            return EVERYWHERE
        if person == "leader":
            return frozenset({3, 4})
        return frozenset(PROJECTS.index(name) + 1 for name in MEMBERS.get(person, []))

    def ids(self, node: q.Node, person: str, kinds: frozenset[str]) -> list[int]:
        """Return what `person` finds, newest first; "run" is the first run."""
        mine = self.mine(person)
        inputs = {row["image_id"] for row in self.made.rows[t.RunInput]}
        return [
            row["id"]
            for row in self.records
            if (row["id"] in inputs if person == "run" else self.shown[row["id"]] & mine)
            and row["kind"] in kinds
            and self.fits(node, row, mine)
        ]

    # --- what -----------------------------------------------------------------------------------

    def fits(self, node: q.Node, row: Row, mine: frozenset[int], depth: int = 0) -> bool:
        match node:
            case q.Not():
                return not self.fits(node.node, row, mine, depth)
            case q.All():
                return all(self.fits(inner, row, mine, depth) for inner in node.nodes)
            case q.Any():
                return any(self.fits(inner, row, mine, depth) for inner in node.nodes)
            case q.Words():
                own, home = self.words[row["id"]]
                asked = phrase(node.text)
                return asked in own or (row["project_id"] in mine and asked in home)
            case q.Has():
                return any(self._named(tag, node.key) for tag in self.tags.get(row["id"], []))
            case q.Is() if not node.key.core:
                return any(
                    self._valued(tag, value)
                    for tag in self.tags.get(row["id"], [])
                    if self._named(tag, node.key)
                    for value in node.values
                )
            case q.Between() if not node.key.core:
                return any(
                    self._numbered(tag, node)
                    for tag in self.tags.get(row["id"], [])
                    if self._named(tag, node.key)
                )
            case q.Between():
                return self._measured(node, row)
            case q.Is():
                return any(self._is(node.key.name, v, row, mine, depth) for v in node.values)
        raise TypeError(node)

    def _named(self, tag: Row, key: q.Key) -> bool:
        return fold(self.terms[tag["term_id"]]["key"]).replace("_", " ") == key.name

    def _valued(self, tag: Row, value: q.Text) -> bool:
        term = self.terms[tag["term_id"]]
        if tag["value_id"] is not None:
            return has(value, self.values[tag["value_id"]]["text"])
        literal = literal_of(value.text)
        if literal is None:
            return False
        since = term["type"] == "date" and isinstance(literal, q.Amount) and literal.unit in HOURS
        node = q.Between(q.Key(""), literal, None if since else literal)
        return self._numbered(tag, node)

    def _numbered(self, tag: Row, node: q.Between) -> bool:
        term = self.terms[tag["term_id"]]
        if tag["value_id"] is not None:
            return False
        if term["type"] == "date":
            return in_time(dt.datetime.fromtimestamp(tag["number"], dt.UTC), node)
        return in_unit(tag["number"], term["unit"], node)

    def _measured(self, node: q.Between, row: Row) -> bool:
        match node.key.name:
            case "size":
                return in_unit(row["nbytes"], "B", node)
            case "pixel_size":
                x = (row["scale"] or {}).get("x")
                factor = FACTOR.get((row["units"] or {}).get("x"))
                return x is not None and factor is not None and in_unit(x * factor, "µm", node)
            case "completeness":
                score = self._missing(row)[1]
                return score is not None and in_unit(score, "", node)
            case "created":
                return in_time(row["created_at"], node)
            case "acquired":
                return row["acquired_at"] is not None and in_time(row["acquired_at"], node)
        return in_time(row["acquired_at"] or row["created_at"], node)

    def _missing(self, row: Row) -> tuple[list[str], float | None]:
        """What the facility asks of an acquired image and does not find, and how much is there."""
        if row["kind"] != "image" or row["run_id"] is not None or row["purged_at"] is not None:
            return [], None
        tagged = {fold(self.terms[tag["term_id"]]["key"]) for tag in self.tags.get(row["id"], [])}
        missing = [fold(key) for key in vocabulary.MACHINE if fold(key) not in tagged]
        axes = [axis for axis in "zyx" if axis in row["axes"]]
        missing += [f"calibration {axis}" for axis in axes if axis not in row["scale"]]
        named = [channel["name"] for channel in row["channels"] or []]
        missing += [] if named and all(named) else ["channel names"]
        return missing, 1 - len(missing) / (9 + len(axes))

    def _is(self, key: str, value: q.Text, row: Row, mine: frozenset[int], depth: int) -> bool:
        text = value.text
        match key:
            case "name" if value.whole:
                return fold(row["name"]) == fold(text)
            case "name":
                return fold(text) in fold(row["name"])
            case "channel":
                return any(has(value, channel["name"]) for channel in row["channels"] or [])
            case "unknown":
                return q.tag_key(text) in self._missing(row)[0]
            case "kind":
                return row["kind"] == text
            case "by":
                return row["created_by"] in (text, text.lower())
            case "dtype":
                return row["dtype"] == text.lower()
            case "axes":
                axes = row["axes"]
                wanted = text.lower()
                return axes is not None and (
                    axes == wanted or (not value.whole and set(wanted) <= set(axes))
                )
            case "id":
                return row["uid"] == text.lower()
            case "run":
                runs = [run for run in self.made.rows[t.Run] if run["project_id"] in mine]
                return row["run_id"] in [run["id"] for run in runs if run["uid"] == text.lower()]
            case "sha256":
                original = self.all.get(row["original_id"]) or {}
                return text.lower() in (row["sha256"], original.get("sha256"))
            case "project":
                return any(PROJECTS[p - 1] == text for p in self.shown[row["id"]] & mine)
            case "team":
                named = {"lab-a": {1, 2}, "lab-b": {3, 4}}.get(text, set())
                return bool(named & self.shown[row["id"]] & mine)
            case "in":
                return self._in(value, row, mine, depth)
        raise TypeError(key)

    def _in(self, value: q.Text, row: Row, mine: frozenset[int], depth: int) -> bool:
        path = names.dataset_path(value.text)
        for dataset in self.datasets.values():
            project, here = dataset["project_id"], dataset["path"]
            if project not in mine or dataset["trash_id"] is not None:
                continue
            if path not in (here, f"{PROJECTS[project - 1]}/{here}".rstrip("/")):
                continue
            if dataset["query"]:
                inner = parser.parse(dataset["query"])
                within = frozenset({project})
                if project in self.shown[row["id"]] and self.fits(inner, row, within, depth + 1):
                    return True
                continue
            below = {
                d["id"]
                for d in self.datasets.values()
                if d["project_id"] == project and (not here or d["path"].startswith(here + "/"))
            }
            if self.inside[row["id"]] & ({dataset["id"]} | (set() if value.whole else below)):
                return True
        return False


@functools.lru_cache(None)
def phrase(text: q.Text) -> str:
    return f" {' '.join(tokens(text.text))}" + (" " if text.whole else "")


@functools.lru_cache(None)
def has(value: q.Text, text: str) -> bool:
    if value.whole:
        return fold(value.text) == fold(text)
    if not tokens(value.text):
        return fold(value.text) in fold(text)
    return phrase(value) in f" {' '.join(tokens(text))}"


@functools.lru_cache(None)
def literal_of(text: str) -> q.Literal | None:
    try:
        node = parser.parse(f"x>{q.quoted(text)}")
    except BadInput:
        return None
    assert isinstance(node, q.Between)
    return node.low


def in_unit(number: float, unit: str, node: q.Between) -> bool:
    for end, above, closed in ((node.low, True, node.low_in), (node.high, False, node.high_in)):
        if end is None:
            continue
        if isinstance(end, q.Day):
            return False
        bound = end.number
        if end.unit not in ("", unit):
            try:
                bound = units.convert(end.number, end.unit, unit)
            except BadInput:
                return False
        if not ((number > bound if above else number < bound) or (closed and number == bound)):
            return False
    return True


def in_time(at: dt.datetime, node: q.Between) -> bool:
    low, high = (end and span(end) for end in (node.low, node.high))
    if (node.low and not low) or (node.high and not high):
        return False
    if low and at < low[0 if node.low_in else 1]:
        return False
    return not (high and at >= high[1 if node.high_in else 0])


@functools.lru_cache(None)
def span(end: q.Literal) -> tuple[dt.datetime, dt.datetime] | None:
    if isinstance(end, q.Amount):
        if end.unit in HOURS:
            moment = BEGUN - dt.timedelta(hours=end.number * HOURS[end.unit])
            return moment, moment
        if end.unit or not 1000 <= end.number < 3000:
            return None
        return day(int(end.number)), day(int(end.number) + 1)
    numbers = [int(part) for part in end.text.split("-")]
    if len(numbers) == 2:
        year, month = numbers
        return day(year, month), day(year + month // 12, month % 12 + 1)
    return day(*numbers), day(*numbers) + dt.timedelta(days=1)


def day(year: int, month: int = 1, number: int = 1) -> dt.datetime:
    return dt.datetime(year, month, number, tzinfo=dt.UTC)
