r"""Regular expressions that people declare: a small language that cannot run away.

Letters, escapes, classes, groups with "|", "?" on anything, and *, +, {m,n} on single characters.
A group may have a name where the caller takes one: (?P<well>[A-H]\d+).
No group repeats, so the ways in which a text can be tried are a product that is known beforehand
and bounded (`WAYS`); Python's own engine then tries them. What repeats until a character that it
cannot be itself, as [^_]+ before "_", ends in one way only.
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
    # a class; Python means to give "||" and its like a meaning there one day
    r"|\[(?!\^\])\^?(?:\\[dws\]\[\\.\-^]|(?!--|&&|~~|\|\|)[^\]\[\\])+\]"
    r"|[^\\\[\](){}|*+?^$]"  # a plain character, or the dot
)
_NAMED = re.compile(r"\(\?P<([A-Za-z]\w{0,79})>", re.ASCII)
_AFTER = re.compile(r"\)*(?:([A-Za-z0-9_ #@&%=~,;:/-])|\\([-.+*?()\[\]{}|^$]))(?![?*{])")
_REPEAT = re.compile(r"\*|\+|\?|\{(\d{1,3})(?:(,)(\d{1,3})?)?\}")


def read(pattern: str, what: str = "pattern", *, named: bool = False) -> str:
    """Return the pattern if it is of the language above, or raise BadInput naming `what`."""
    reader = _Reader(pattern, what, named)
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


def names(pattern: str) -> list[str]:
    """Return the names of the groups of a pattern that was read, in their order."""
    return list(_compiled(pattern).groupindex)


def groups(pattern: str, text: str) -> dict[str, str] | None:
    """Return what the named groups are in a text, those that are there; None: it does not match."""
    found = _compiled(pattern).fullmatch(text) if len(text) <= TEXT else None
    return found and {name: said for name, said in found.groupdict().items() if said}


@functools.lru_cache(256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


class _Reader:
    """Reads from left to right; each method returns in how many ways its part can be tried."""

    def __init__(self, pattern: str, what: str, named: bool = False) -> None:
        self.pattern, self.what, self.named, self.at = pattern, what, named, 0

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
        found = None
        group = self._take("(?:") or (self.named and self._take_name()) or self._take("(")
        if group:
            inner = self.choices(depth + 1)
            if not self._take(")"):
                raise self.wrong("has a '(' too many")
        elif found := _ATOM.match(self.pattern, self.at):
            self.at, inner = found.end(), 1
        else:
            raise self.wrong(f"at character {self.at + 1}: this is not allowed here")
        ways = self._repeated(group, inner)
        return 1 if not group and found and self._ends_at_once(found[0]) else ways

    def _ends_at_once(self, atom: str) -> bool:
        """Say whether a plain character comes next, for certain, that the atom does not match."""
        after = _AFTER.match(self.pattern, self.at)
        try:
            return after is not None and not re.fullmatch(atom, after[1] or after[2], re.ASCII)
        except re.error:  # a class such as [z-a]: `read` says so
            return False

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

    def _take_name(self) -> bool:
        found = _NAMED.match(self.pattern, self.at)
        self.at = found.end() if found else self.at
        return found is not None

    def _take(self, text: str) -> bool:
        there = self.pattern.startswith(text, self.at)
        self.at += len(text) if there else 0
        return there
