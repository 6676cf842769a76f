"""What was found, counted; and its facets: the values one can choose among."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import traitlets as t

from ..lib.shapes import Shape
from ..lib.view import View, line
from . import queries
from .catalog import Catalog, Image, Images
from .latest import Latest
from .queries import Key

# facets of what every record has: what to ask for when one is chosen, and its title
BUILT_IN = {"by": (Key("by", core=True), "Brought by"), "year": (Key("date", core=True), "Year")}
MOST = 8  # keys of the vocabulary
TOP = 60  # frequent tags whose keys may be facets too
ORDER = ("sample", "processing", "machine")
NUMBERED = ("unit", "type", "count", "lowest", "highest", "bins")


class Filtering(View):
    """A view that shows the answers to `query`, how many there are, and what to choose among them.

    `chips` are the conditions of the query, `facets` values with counts and numbers with bins.
    Both are counted in a thread, and only while somebody looks.
    """

    catalog: Catalog

    query = t.Unicode().tag(sync=True)
    found = t.Int().tag(sync=True)  # counts searches, so that a late answer is known as late
    total = t.Int(allow_none=True, default_value=None).tag(sync=True)
    chips = t.List(t.Dict()).tag(sync=True)
    facets = t.List(t.Dict()).tag(sync=True)
    facets_error = t.Unicode().tag(sync=True)
    counting = t.Bool().tag(sync=True)

    def __init__(self, catalog: Catalog | None, **traits: Any) -> None:
        self._counted: tuple[int, bool] | None = None
        self._top: list[str] | None = None
        self._wanted: list[str] = []
        super().__init__(catalog, **traits)
        self._latest = Latest(self.turn)

    @property
    def results(self) -> Images:
        """What is found now: lazy, read page by page, and the input of a run as it is."""
        raise NotImplementedError

    def page(self) -> Sequence[Image]:
        """The first of what was found."""
        raise NotImplementedError

    def choose(self, key: str, value: str, on: bool = True) -> None:
        """Take this value of a key too, or no longer: `browser.choose("Cell type", "HeLa")`."""
        self.query = queries.choose(self.query, _asked(key), value, on)

    def between(self, key: str, low: float | str = "", high: float | str = "") -> None:
        """Take numbers or dates of a key from `low` to `high`; "" is open, both "" take all."""
        self.query = queries.between(self.query, _asked(key), _end(low), _end(high))

    def close(self) -> None:
        """Count no more, and close the widget."""
        self._latest.stop()
        super().close()

    def answer_choose(self, asked: Mapping[str, Any]) -> None:
        """Change the query by one value of a facet."""
        self.choose(str(asked["key"]), str(asked["value"]), bool(asked["on"]))

    def answer_between(self, asked: Mapping[str, Any]) -> None:
        """Change the query by the range of a facet."""
        self.between(str(asked["key"]), str(asked["low"]), str(asked["high"]))

    def answer_drop(self, asked: Mapping[str, Any]) -> None:
        """Leave one condition out of the query, or all of them."""
        if "text" in asked:
            self.query = queries.without(self.query, str(asked["text"]))
        else:
            self.query = queries.together(
                [one for one in queries.apart(self.query) or [] if not one.key]
            )

    def answer_counts(self, asked: Mapping[str, Any]) -> None:
        """Count what was found, and its facets if they are in sight; once for all who look."""
        wanted = (self.found, bool(asked["facets"]))
        if asked["found"] != self.found or self._counted in (wanted, (self.found, True)):
            return
        with self.telling("facets_error"):
            results, images, query = self.results, list(self.page()), self.query
            before = [one["key"] for one in self.facets]
            known = self.total

            def work() -> Any:
                total, facets, error = self._count(results, images, query, wanted[1], known)
                return total, facets and _in_place(facets, before), error

            def tell(answer: Any) -> None:
                if self.found == wanted[0]:  # else another search was quicker than the counts
                    self._tell_counts(answer)

            self._counted, self.counting = wanted, True
            self._latest.ask(work, tell)

    @t.observe("query")
    def _chip(self, _: object = None) -> None:
        self.chips = [
            {"text": one.text, "label": one.label, "out": one.out}
            for one in queries.apart(self.query) or []
            if one.key is not None
        ]

    def _forget(self) -> None:
        """What was counted is of another search."""
        self._counted = None
        self._top = None

    def _count(
        self, results: Images, images: list[Image], query: str, facets: bool, known: int | None
    ) -> tuple[int | None, list[Shape] | None, str]:
        """Return the number of results, their facets, and what went wrong."""
        total = known
        try:
            total = results.count() if known is None else known
            if not facets:
                return total, None, ""
            if self._top is None:
                self._top = _keys_of(self.catalog.top(TOP))
            keys = _keys(query, images, self._top)
            found = results.facets(*keys, *BUILT_IN)
        except Exception as error:  # told in a line; whatever it was, the images are there
            self.log.debug("the counts failed", exc_info=True)
            return total, None, line(error)
        shown = [shape(one, query) for one in found.values()]
        return total, [one for one in shown if _is_choice(one, total or 0)], ""

    def _tell_counts(self, answer: tuple[int | None, list[Shape] | None, str]) -> None:
        total, facets, error = answer
        with self.hold_sync():
            self.total, self.facets_error = total, error
            if facets is not None:
                self.facets = facets
            self.counting = False  # last: who waits for it finds the rest told


def shape(facet: Any, query: str) -> Shape:
    """Return a facet as the panel shows it: which values and what range the query takes."""
    key, title = BUILT_IN.get(facet.key, (Key(facet.key), facet.key))
    taken = queries.chosen(query, key)
    values = [
        {"value": value, "count": count, "on": queries.fold(value) in taken}
        for value, count in facet.values.items()
    ]
    listed = {queries.fold(value) for value in facet.values}
    gone = [text for folded, text in taken.items() if text and folded not in listed]
    low, high = queries.span(query, key)
    largest = max(facet.numbers, key=lambda one: one.count, default=None)
    if largest is None:
        values += [{"value": text, "count": 0, "on": True} for text in gone]
    return {
        "key": facet.key,
        "title": title,
        "values": values,
        "numbers": largest and {name: getattr(largest, name) for name in NUMBERED},
        "low": low,
        "high": high,
        "asked": bool(taken or low or high),
    }


def _is_choice(facet: Shape, total: int) -> bool:
    """Is there anything to choose, or chosen?"""
    if facet["asked"] or len(facet["values"]) > 1:
        return True
    if facet["numbers"]:
        return bool(facet["numbers"]["lowest"] < facet["numbers"]["highest"])
    return any(one["count"] < total for one in facet["values"])


def _in_place(facets: list[Shape], before: list[str]) -> list[Shape]:
    """Return the facets where they stood before, new ones of the vocabulary after them."""
    order = {key: at for at, key in enumerate(before) if key not in BUILT_IN}
    last = {key: len(before) + at for at, key in enumerate(BUILT_IN, 1)}
    return sorted(facets, key=lambda one: (order | last).get(one["key"], len(before)))


def _keys(query: str, images: Iterable[Image], top: Iterable[str]) -> list[str]:
    """Return the keys worth a facet: asked for already, frequent on the page, frequent at all."""
    asked = [
        " ".join(one.key.name.replace("_", " ").split())
        for one in queries.apart(query) or []
        if one.key is not None and not one.key.core
    ]
    found: dict[str, str] = {}
    for key in [*asked, *_of_page(images), *top]:
        if "," not in key:  # the catalog takes it for two keys
            found.setdefault(queries.fold(key), key)
    return list(found.values())[:MOST]


def _of_page(images: Iterable[Image]) -> list[str]:
    """Return the keys of these images, what people say first; no keys that name each image."""
    number: Counter[str] = Counter()
    values: dict[str, set[str]] = {}
    kinds: dict[str, int] = {}
    for image in images:
        for tag in image.record.get("tags") or ():
            key = tag["key"]
            number[key] += 1
            kinds[key] = ORDER.index(tag["kind"]) if tag.get("kind") in ORDER else len(ORDER)
            if tag.get("number") is None:
                values.setdefault(key, set()).add(tag["value"])
    names = {key for key in number if number[key] > 5 and len(values.get(key, ())) == number[key]}
    return sorted(number.keys() - names, key=lambda key: (kinds[key], -number[key], key))


def _keys_of(tagged: Iterable[Any]) -> list[str]:
    return list(dict.fromkeys(one.key for one in tagged))


def _asked(key: str) -> Key:
    return BUILT_IN[key][0] if key in BUILT_IN else Key(key)


def _end(value: float | str) -> str:
    return value if isinstance(value, str) else repr(value).removesuffix(".0")
