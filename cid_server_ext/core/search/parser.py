"""Reads a query. What is wrong is said with its place: "q: nothing after 'snr>' at 5".

query  = terms { "OR" terms }
terms  = { ["AND"] ( "-" | "NOT" ) term | term }
term   = "(" query ")" | key sign value { "," value } | word | '"' words '"' [ "*" ]
       | "*" part "*"
sign   = ":" | "=" | "<" | "<=" | ">" | ">="
value  = text | '"' text '"' [ "*" ] | literal ".." literal
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import NoReturn

from ...errors import BadInput
from . import language as q
from . import literals
from .words import fold, tokens

LONGEST = 2000  # characters
MOST = 64  # terms
DEEPEST = 8  # parentheses and negations
UNITS = {"size": "B", "pixel_size": "µm", "completeness": ""}

_BLANK = re.compile(r"\s*")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_WORD = re.compile(r'[^\s"():=<>]+')
_VALUE = re.compile(r'[^\s"(),]+')
_SIGN = re.compile(r"<=|>=|[:=<>]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def parse(text: str) -> q.Node:
    """Return what `text` asks for, or raise BadInput that says what is wrong and where."""
    if len(text) > LONGEST:
        raise BadInput(f"q: a query has at most {LONGEST} characters")
    for at, c in enumerate(text, 1):
        if not c.isspace() and unicodedata.category(c) in ("Cc", "Cs"):
            raise BadInput(f"q: the character U+{ord(c):04X} at {at} cannot be looked for")
    reader = _Reader(text)
    found = reader.query(0) if reader.more() else q.EVERYTHING
    if reader.more():
        reader.fail("')' without '('", reader.at)
    return found


@dataclass
class _Reader:
    text: str
    at: int = 0
    terms: int = 0

    def more(self) -> bool:
        """Go to the next character that is not blank; say whether there is one."""
        self.at = _BLANK.match(self.text, self.at).end()  # type: ignore[union-attr]
        return self.at < len(self.text)

    def fail(self, what: str, at: int) -> NoReturn:
        raise BadInput(f"q: {what} at {at + 1}")

    def query(self, depth: int) -> q.Node:
        found = [self.all(depth)]
        while self.word("OR"):
            found.append(self.all(depth))
        return q.any_of(*found)

    def all(self, depth: int) -> q.Node:
        found: list[q.Node] = []
        while self.more() and self.text[self.at] != ")" and not self.is_word("OR"):
            if found and self.word("AND") and not self.more():
                self.fail("nothing after AND", self.at)
            found.append(self.negated(depth))
        if not found:
            after = f"before {self.text[self.at :][:2].strip()!r}" if self.more() else "to look for"
            self.fail(f"nothing {after}", self.at)
        return q.all_of(*found)

    def negated(self, depth: int) -> q.Node:
        start = self.at
        if depth > DEEPEST:
            self.fail(f"more than {DEEPEST} parentheses or negations inside each other", start)
        sign = self.text[self.at] == "-"
        if not sign and not self.word("NOT"):
            return self.term(depth)
        self.at += sign
        if not self.more() or self.text[self.at] == ")":
            self.fail(f"nothing after {'-' if sign else 'NOT'!r}", start)
        return q.no(self.negated(depth + 1))

    def term(self, depth: int) -> q.Node:
        start = self.at
        if self.text[start] == "(":
            self.at += 1
            if depth >= DEEPEST:
                self.fail(f"more than {DEEPEST} parentheses inside each other", start)
            inner = self.query(depth + 1)
            if not self.more() or self.text[self.at] != ")":
                self.fail("'(' without ')'", start)
            self.at += 1
            return inner
        self.terms += 1
        if self.terms > MOST:
            raise BadInput(f"q: more than {MOST} terms; a list of values is one: key:a,b,c")
        found = self.string() or self.take(_WORD)
        if found is None:
            self.fail(f"{self.text[start]!r} where a word or a key is expected", start)
        sign = _SIGN.match(self.text, self.at)
        if sign:
            self.at = sign.end()
            return self.keyed(found, sign[0], start)
        return self.words(found, start)

    def words(self, found: q.Text, start: int) -> q.Node:
        """Return words, or letters of the name where stars say so or there is no word."""
        if found.whole and self.text[self.at : self.at + 1] == "*":
            self.at += 1
            found = replace(found, whole=False)
        elif not found.whole and found.text.startswith("*"):
            part = found.text.strip("*")
            if not part and self.text[self.at : self.at + 1] == '"':
                quoted = self.string()
                part = quoted.text if quoted else ""
                self.at += self.text[self.at : self.at + 1] == "*"
            return q.Is(q.Key("name", True), (self.findable(q.Text(part), start),))
        elif not found.whole:
            found = q.Text(found.text.rstrip("*"))
        if tokens(found.text):
            return q.Words(found)
        return q.Is(q.Key("name", True), (self.findable(q.Text(found.text), start),))

    def keyed(self, key: q.Text, sign: str, start: int) -> q.Node:
        name = key.text.casefold()
        asked = f"{key.text}{sign}"
        if not key.whole and name == q.HAS:
            if sign not in ":=":
                self.fail(f"{asked!r}: write has:key", start)
            (named,) = self.values(asked, sign, start, 1)
            return q.Has(self.tag(named.text, start))
        core = name in q.CORE and not key.whole
        found = q.Key(name, True) if core else self.tag(key.text, start)
        kind = q.CORE[name][0] if core else ""
        if sign not in ":=":
            if kind not in ("", "number", "date"):
                self.fail(f"{asked!r}: {name} cannot be compared", start)
            (end,) = self.values(asked, sign, start, 1)
            return self.compared(found, sign, end.text, start)
        bare = self.text[self.at : self.at + 1] != '"'
        values = self.values(asked, sign, start, MOST)
        ends = values[0].text.split("..") if bare and len(values) == 1 else []
        if len(ends) == 2 and kind in ("", "number", "date") and any(ends):
            low, high = (self.literal(end, start) if end else None for end in ends)
            if (low or not ends[0]) and (high or not ends[1]):
                return self.checked(q.Between(found, low, high), start)
        if kind in ("number", "date"):
            return q.any_of(*(self.compared(found, ":", v.text, start) for v in values))
        return q.Is(found, tuple(self.value(found, kind, sign, v, start) for v in values))

    def values(self, asked: str, sign: str, start: int, most: int) -> list[q.Text]:
        found: list[q.Text] = []
        while True:
            value = self.string() or self.take(_VALUE)
            if value is None:
                self.fail(f"nothing after {asked!r}", start)
            if value.whole and sign == ":" and self.text[self.at : self.at + 1] == "*":
                self.at += 1
                value = replace(value, whole=False)
            elif not value.whole:
                value = q.Text(value.text.strip("*") or value.text)
            found.append(value)
            if len(found) > most:
                self.fail(f"more than {most} values after {asked!r}", start)
            if self.text[self.at : self.at + 1] != ",":
                return found
            self.at += 1

    def value(self, key: q.Key, kind: str, sign: str, value: q.Text, start: int) -> q.Text:
        if kind in q.BY_SIGN or sign == "=":
            value = replace(value, whole=sign == "=")
        elif kind and kind not in q.IN_QUOTES:
            value = replace(value, whole=True)
        if kind == "kind" and value.text not in q.KINDS:
            self.fail(f"kind {value.text!r}: one of {', '.join(q.KINDS)}", start)
        if kind == "path":
            return value
        if kind == "words" and not tokens(value.text):
            self.fail(f"{value.text!r} has no letter or digit to look for", start)
        return self.findable(value, start)

    def compared(self, key: q.Key, sign: str, text: str, start: int) -> q.Node:
        end = self.literal(text, start)
        if end is None:
            self.fail(f"{text!r} after {str(key) + sign!r}: no number, date or age", start)
        if sign == ":":
            since = key.core and q.CORE[key.name][0] == "date" and literals.is_age(end)
            high = None if since else end
            return self.checked(q.Between(key, end, high), start)
        closed = sign.endswith("=")
        if sign.startswith(">"):
            return self.checked(q.Between(key, end, None, low_in=closed), start)
        return self.checked(q.Between(key, None, end, high_in=closed), start)

    def checked(self, node: q.Between, start: int) -> q.Node:
        """Refuse what a key of CORE cannot be compared with."""
        unit = UNITS.get(node.key.name)
        for end in (node.low, node.high) if node.key.core else ():
            if end is None:
                continue
            if unit is None and literals.period(end, dt.datetime.now(dt.UTC)) is None:
                self.fail(f"{node.key} is compared with a date or an age, not {end}", start)
            if unit is not None and literals.amount(end, unit) is None:
                self.fail(f"{node.key} is a number{unit and f' in {unit}'}, not {end}", start)
        return node

    def literal(self, text: str, start: int) -> q.Literal | None:
        try:
            return literals.read(text)
        except BadInput as error:
            raise BadInput(f"q: {error} at {start + 1}") from None

    def findable(self, value: q.Text, start: int) -> q.Text:
        if not fold(value.text):
            self.fail(f"{value.text!r} has nothing to look for", start)
        return value

    def tag(self, name: str, start: int) -> q.Key:
        key = q.tag_key(name)
        if not key:
            self.fail("a key without a name", start)
        return q.Key(key)

    def string(self) -> q.Text | None:
        """Read a text in quotes, if one is here."""
        if self.text[self.at : self.at + 1] != '"':
            return None
        found = _STRING.match(self.text, self.at)
        if found is None:
            self.fail("a quote that is not closed", self.at)
        self.at = found.end()
        return q.Text(_ESCAPED.sub(r"\1", found[1]), whole=True)

    def take(self, pattern: re.Pattern[str]) -> q.Text | None:
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return q.Text(found[0])

    def is_word(self, word: str) -> bool:
        after = self.text[self.at + len(word) : self.at + len(word) + 1]
        return self.text.startswith(word, self.at) and (after in ("", "(", ")") or after.isspace())

    def word(self, word: str) -> bool:
        """Read the word, if it stands here alone."""
        if not self.more() or not self.is_word(word):
            return False
        self.at += len(word)
        return True
