"""A query taken apart into what it asks side by side, changed, and put together again.

The catalog reads queries; this knows of the language only what chips and facets need. Where a query
cannot be taken apart, it stays in one piece and what is added stands beside it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

# keys that every record has; a key of the vocabulary called like one is written in quotes
CORE = frozenset(
    re.findall(
        r"\w+",
        "in project team kind name by size pixel_size created acquired date axes dtype channel run"
        " id sha256 completeness unknown fixity instrument has",
    )
)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_WORD = re.compile(r'[^\s"():=<>]+')
_VALUE = re.compile(r'[^\s"(),]+')
_SIGN = re.compile(r"<=|>=|[:=<>]")
_JOIN = re.compile(r"(OR|AND|NOT)(?=[\s()]|$)")
_PLAIN = re.compile(r"\w[\w-]*")
_BARE = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Key:
    """What is asked about; `core` when every record has it."""

    name: str
    core: bool = False

    def __str__(self) -> str:
        bare = self.name.replace(" ", "_")
        safe = _BARE.fullmatch(bare) and fold(bare) not in CORE and bare not in ("AND", "OR", "NOT")
        return self.name if self.core else bare if safe else quoted(self.name)

    def same(self, other: Key | None) -> bool:
        """Say whether both are the same key, however they are written."""
        return other is not None and self.core == other.core and _key(self.name) == _key(other.name)


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that is asked for; without a `key` it is words, or a piece in parentheses."""

    text: str
    out: bool = False  # what has it is taken out
    key: Key | None = None
    sign: str = ""
    values: tuple[str, ...] = ()
    written: tuple[str, ...] = ()  # the values as they stand in the query

    @property
    def span(self) -> tuple[str, str] | None:
        """The ends of a range, "" where it is open; None when it is no range."""
        if self.out or len(self.values) != 1:
            return None
        [value] = self.values
        if self.sign in ("<", "<="):
            return "", value
        if self.sign in (">", ">="):
            return value, ""
        low, dots, high = self.written[0].partition("..")
        return (low, high) if dots and '"' not in self.written[0] else None

    @property
    def label(self) -> str:
        """It, as a person reads it."""
        if self.key is None:
            return self.text
        if fold(self.key.name) == "has" and self.key.core:
            return f"{'without' if self.out else 'with'} {_plain(self.values[0])}"
        low, high = self.span or ("", "")
        if low and high:
            said = f": {low} to {high}"
        elif self.sign in ":=":
            said = f": {' or '.join(self.values)}"
        else:
            said = f" {self.sign.replace('>=', '≥').replace('<=', '≤')} {self.values[0]}"
        return ("not " if self.out else "") + _plain(self.key.name) + said


def apart(query: str) -> list[Term] | None:
    """Return what must all be true; None when it is joined by OR, or cannot be read."""
    try:
        return list(_terms(query))
    except ValueError:
        return None


def together(terms: Sequence[Term]) -> str:
    """Return the query that asks for all of these."""
    return " ".join(term.text for term in terms)


def chosen(query: str, key: Key) -> dict[str, str]:
    """Return the values of this key that the query takes by their folded form; "" for a part."""
    return {
        fold(value): "" if written == value and term.sign == ":" and not key.core else value
        for term in _of(query, key)
        if not term.span
        for value, written in zip(term.values, term.written, strict=True)
    }


def span(query: str, key: Key) -> tuple[str, str]:
    """Return the ends of the range that the query asks of this key, "" where open."""
    ends = [term.span for term in _of(query, key) if term.span]
    return next((e[0] for e in ends if e[0]), ""), next((e[1] for e in ends if e[1]), "")


def choose(query: str, key: Key, value: str, on: bool = True) -> str:
    """Return the query that also takes, or no longer takes, this value of a key."""
    terms = _parts(query)
    mine = [at for at, term in enumerate(terms) if _takes(term, key) and not term.span]
    if on and not mine:
        return together([*terms, _one_of(key, [value])])
    for at in mine[:1] if on else reversed(mine):
        rest = [v for v in terms[at].values if fold(v) != fold(value)]
        if on:
            terms[at] = _one_of(key, [*rest, value], terms[at])
        elif not rest:
            del terms[at]
        elif len(rest) < len(terms[at].values):
            terms[at] = _one_of(key, rest, terms[at])
    return together(terms)


def between(query: str, key: Key, low: str = "", high: str = "") -> str:
    """Return the query that asks for this range of a key, "" is open; for none if both are."""
    terms = [term for term in _parts(query) if not (_takes(term, key) and term.span)]
    if low and high:
        terms.append(Term(f"{key}:{low}..{high}"))
    elif low or high:
        terms.append(Term(f"{key}>={low}" if low else f"{key}<={high}"))
    return together(terms)


def without(query: str, text: str) -> str:
    """Return the query without the first term that is written like this."""
    terms = _parts(query)
    at = next((at for at, term in enumerate(terms) if term.text == text), None)
    return query if at is None else together([*terms[:at], *terms[at + 1 :]])


def joined(query: str, *more: str) -> str:
    """Return the query for what is found by it and by each of the others."""
    return " ".join([term.text for term in _parts(query)] + [one for one in more if one])


def quoted(text: str) -> str:
    """Return a text in quotes as the query language reads it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def fold(text: str) -> str:
    """Return `text` as the catalog compares it: without case, accents and doubled blanks."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return " ".join("".join(c for c in plain if unicodedata.category(c)[0] != "M").split())


def _key(name: str) -> str:
    return fold(name.replace("_", " "))


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").split())


def _parts(query: str) -> list[Term]:
    """Return what stands side by side; what cannot be taken apart is one piece."""
    found = apart(query)
    return [Term(f"({query.strip()})")] if found is None else found


def _takes(term: Term, key: Key) -> bool:
    return not term.out and key.same(term.key)


def _of(query: str, key: Key) -> list[Term]:
    return [term for term in apart(query) or [] if _takes(term, key)]


def _one_of(key: Key, values: Sequence[str], old: Term | None = None) -> Term:
    """Return the term for one of these values; those that stood in it stay as they are written."""
    stood = dict(zip(old.values, old.written, strict=True)) if old else {}
    says = tuple(stood.get(value) or _whole(key, value) for value in values)
    key, sign = (old.key or key, old.sign) if old else (key, ":")
    return Term(f"{key}{sign}{','.join(says)}", False, key, sign, tuple(values), says)


def _whole(key: Key, value: str) -> str:
    """Return a value as it is written to be all there is."""
    return value if key.core and _PLAIN.fullmatch(value) else quoted(value)


def _values(text: str, at: int) -> Iterator[tuple[str, str, int]]:
    """Yield each value of a list that begins at `at`: what it means, as written, where it ends."""
    while True:
        start, string = at, _STRING.match(text, at)
        found = string or _VALUE.match(text, at)
        if found is None:
            raise ValueError(text)
        at = found.end() + (string is not None and text[found.end() : found.end() + 1] == "*")
        yield _meant(string[1]) if string else found[0], text[start:at], at
        if text[at : at + 1] != ",":
            return
        at += 1


def _terms(query: str) -> Iterator[Term]:
    at = _blank(query, 0)
    while at < len(query):
        start, out = at, False
        join = _JOIN.match(query, at)
        if query[at] == ")" or (join and join[1] == "OR"):
            raise ValueError(query)
        if join and join[1] == "AND":
            at = _blank(query, join.end())
            continue
        while (join and join[1] == "NOT") or query[at : at + 1] == "-":
            at, out = _blank(query, at + (3 if join else 1)), not out
            join = _JOIN.match(query, at)
        term, at = _term(query, at)
        yield replace(term, text=query[start:at], out=out)
        at = _blank(query, at)


def _term(query: str, at: int) -> tuple[Term, int]:
    if query[at : at + 1] == "(":
        return Term(""), _closed(query, at)
    string = _STRING.match(query, at)
    found = string or _WORD.match(query, at)
    if found is None:
        raise ValueError(query)
    at = found.end()
    sign = _SIGN.match(query, at)
    if sign:
        name = _meant(string[1]) if string else found[0]
        values = list(_values(query, sign.end()))
        core = string is None and name.casefold() in CORE
        means, written, ends = zip(*values, strict=True)
        return Term("", False, Key(name, core), sign[0], means, written), ends[-1]
    if string:
        return Term(""), at + (query[at : at + 1] == "*")
    starred = _STRING.match(query, at) if not found[0].strip("*") else None
    if starred:
        at = starred.end() + (query[starred.end() : starred.end() + 1] == "*")
    return Term(""), at


def _closed(query: str, at: int) -> int:
    """Return where the parenthesis that opens at `at` has ended."""
    depth = 0
    while at < len(query):
        string = _STRING.match(query, at)
        depth += {"(": 1, ")": -1}.get(query[at], 0)
        at = string.end() if string else at + 1
        if depth == 0:
            return at
    raise ValueError(query)


def _blank(query: str, at: int) -> int:
    while at < len(query) and query[at].isspace():
        at += 1
    return at


def _meant(escaped: str) -> str:
    return re.sub(r"\\(.)", r"\1", escaped, flags=re.DOTALL)
