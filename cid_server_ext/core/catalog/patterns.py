"""Regular expressions that people declare: a small language that cannot run away.

Letters, escapes, classes, groups with "|", "?" on anything, and *, +, {m,n} on single characters.
No group repeats, so the ways in which a text can be tried are a product that is known beforehand
and bounded (`WAYS`); Python's own engine then tries them.
"""

from __future__ import annotations

import functools
import re

from ...errors import BadInput

LONGEST = 200  # characters of a pattern
TEXT = 200  # characters of a text that is matched
WAYS = 50_000  # two unbounded repeats, or what is as much work

_ATOM = re.compile(
    r"\\[dws.\-+*?()\[\]{}|/^$:#@&%=~,; ]"  # an escape that stands for one character
    r"|\[\^?(?:\\[dws\]\[\\.\-^]|[^\]\[\\])+\]"  # a class
    r"|[^\\\[\](){}|*+?^$]"  # a plain character, or the dot
)
_REPEAT = re.compile(r"\*|\+|\?|\{(\d{1,3})(?:(,)(\d{1,3})?)?\}")


def read(pattern: str, what: str = "pattern") -> str:
    """Return the pattern if it is of the language above, or raise BadInput naming `what`."""
    reader = _Reader(pattern, what)
    if len(pattern) > LONGEST:
        raise reader.wrong(f"has at most {LONGEST} characters")
    if reader.choices(0) > WAYS:
        raise reader.wrong("could be tried in too many ways: use fewer *, + and ?")
    if reader.at != len(pattern):
        raise reader.wrong("has a ')' too many")
    try:
        re.compile(pattern, re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise reader.wrong(f"is no regular expression: {error}") from None
    return pattern


def matches(pattern: str, text: str) -> bool:
    """Say whether the whole of `text` is what a pattern that was read allows."""
    return len(text) <= TEXT and _compiled(pattern).fullmatch(text) is not None


@functools.lru_cache(256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


class _Reader:
    """Reads from left to right; each method returns in how many ways its part can be tried."""

    def __init__(self, pattern: str, what: str) -> None:
        self.pattern, self.what, self.at = pattern, what, 0

    def wrong(self, why: str) -> BadInput:
        return BadInput(f"{self.what} {self.pattern[:60]!r} {why}")

    def choices(self, depth: int) -> int:
        if depth > 5:
            raise self.wrong("has groups in groups in groups")
        ways = self._sequence(depth)
        while self._take("|"):
            ways += self._sequence(depth)
        return ways

    def _sequence(self, depth: int) -> int:
        ways = 1
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            ways = min(ways * self._piece(depth), WAYS + 1)
        return ways

    def _piece(self, depth: int) -> int:
        group = self._take("(?:") or self._take("(")
        if group:
            inner = self.choices(depth + 1)
            if not self._take(")"):
                raise self.wrong("has a '(' too many")
        elif found := _ATOM.match(self.pattern, self.at):
            self.at, inner = found.end(), 1
        else:
            raise self.wrong(f"at character {self.at + 1}: this is not allowed here")
        return self._repeated(group, inner)

    def _repeated(self, group: bool, inner: int) -> int:
        found = _REPEAT.match(self.pattern, self.at)
        if found is None:
            return inner
        self.at = found.end()
        if found[0] == "?":
            return inner + 1
        if group:
            raise self.wrong("repeats a group: repeat single characters only")
        if found[1] is None or (found[2] and found[3] is None):
            return TEXT
        return max(int(found[3] or found[1]) - int(found[1]), 0) + 1

    def _take(self, text: str) -> bool:
        there = self.pattern.startswith(text, self.at)
        self.at += len(text) if there else 0
        return there
