"""What a search can say: a frozen tree, and the one text that each tree is written as.

`parser.parse` reads it. Words match the beginning of a word of the record, in quotes they are a
phrase; `key:value` asks for tags, or for what every record has when the key is one of CORE.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .words import fold

# key: (what its values are, what it means); the reference of the built-in keys
CORE: dict[str, tuple[str, str]] = {
    "in": ("path", 'a dataset with its sub-datasets, "path" or "project/path"; in= without them'),
    "project": ("name", "shown in this project: at home, or linked"),
    "team": ("name", "shown in a project of this team"),
    "kind": ("kind", "image, labels, table, figure, notebook, log or file"),
    "name": ("text", "these letters anywhere in the name; in quotes or with = the whole name"),
    "by": ("name", "who brought it"),
    "size": ("number", "bytes of storage, in B or any unit of bytes"),
    "pixel_size": ("number", "width of a pixel, in µm or any unit of length"),
    "created": ("date", "when it came into the catalog"),
    "acquired": ("date", "when the microscope took it"),
    "date": ("date", "acquired, or created where that is not known"),
    "axes": ("axes", "has all these axes; axes= has exactly these"),
    "dtype": ("name", "pixel type, as uint16"),
    "channel": ("words", "words of a channel's name; in quotes or with = the whole name"),
    "completeness": ("number", "0 to 1: how much of what is asked of an image is there"),
    "unknown": ("name", "this is asked of an image and missing, as unknown:Objective"),
    "fixity": ("name", "bytes in place: ok, changed, moved, missing, or unhashed"),
    "instrument": ("name", "taken with this microscope of the register, by its name or uid"),
    "run": ("uid", "made by this run"),
    "id": ("uid", "the record of this uid"),
    "sha256": ("digest", "the record, or the image whose original, has this digest"),
}
HAS = "has"  # has:key asks for any value of a key of the vocabulary
KINDS = ("image", "labels", "table", "figure", "notebook", "log", "file")

IN_QUOTES = frozenset({"text", "words"})  # quotes make a value of these whole, as with tags
BY_SIGN = frozenset({"path", "axes"})  # "=" makes it whole; values of all others always are

_SAFE = re.compile(r'[^\s"():=<>,*\\-][^\s"():=<>,*\\]*')
_RESERVED = frozenset({"AND", "OR", "NOT"})


@dataclass(frozen=True, slots=True)
class Text:
    """What somebody wrote; `whole` when it must be all there is, else words may go on."""

    text: str
    whole: bool = False

    def __str__(self) -> str:
        safe = _SAFE.fullmatch(self.text) and self.text not in _RESERVED and ".." not in self.text
        if safe and not self.whole:
            return self.text
        return quoted(self.text) + ("" if self.whole else "*")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit; where a date is meant, a year ("2026") or an age ("7d")."""

    number: float
    unit: str = ""

    def __str__(self) -> str:
        return repr(self.number).removesuffix(".0") + self.unit


@dataclass(frozen=True, slots=True)
class Day:
    """A month, a day or a minute as ISO 8601 writes it, in UTC."""

    text: str

    def __str__(self) -> str:
        return self.text


Literal = Amount | Day


@dataclass(frozen=True, slots=True)
class Key:
    """What is asked about: one of CORE, or a key of the vocabulary in its folded form."""

    name: str
    core: bool = False

    def __str__(self) -> str:
        if self.core:
            return self.name
        plain = self.name.replace(" ", "_")
        bare = _SAFE.fullmatch(plain) and plain not in CORE and plain != HAS
        return plain if bare else quoted(self.name)


class Leaf:
    """One thing that is asked for."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Words(Leaf):
    """These words, one after the other."""

    text: Text

    def __str__(self) -> str:
        return str(self.text)


@dataclass(frozen=True, slots=True)
class Is(Leaf):
    """One of these values."""

    key: Key
    values: tuple[Text, ...]

    def __str__(self) -> str:
        if not self.key.core or CORE[self.key.name][0] in IN_QUOTES:
            return f"{self.key}:{','.join(str(value) for value in self.values)}"
        sign = "=" if self.values[0].whole and CORE[self.key.name][0] in BY_SIGN else ":"
        plain = (value.text for value in self.values)
        shown = (text if _SAFE.fullmatch(text) else quoted(text) for text in plain)
        return f"{self.key}{sign}{','.join(shown)}"


@dataclass(frozen=True, slots=True)
class Between(Leaf):
    """A number or a date from `low` to `high`; None is open, `*_in` takes the end itself too."""

    key: Key
    low: Literal | None = None
    high: Literal | None = None
    low_in: bool = True
    high_in: bool = True

    def __str__(self) -> str:
        if self.low is not None and self.high is not None:
            return f"{self.key}:{self.low}..{self.high}"
        sign, end, closed = (">", self.low, self.low_in)
        if end is None:
            sign, end, closed = ("<", self.high, self.high_in)
        return f"{self.key}{sign}{'=' if closed else ''}{end}"


@dataclass(frozen=True, slots=True)
class Has(Leaf):
    """Any value of a key of the vocabulary."""

    key: Key

    def __str__(self) -> str:
        plain = self.key.name.replace(" ", "_")
        return f"{HAS}:{plain if _SAFE.fullmatch(plain) else quoted(self.key.name)}"


@dataclass(frozen=True, slots=True)
class Not:
    """Everything but this."""

    node: Node

    def __str__(self) -> str:
        return f"-{_inner(self.node)}"


@dataclass(frozen=True, slots=True)
class All:
    """All of these; of none: everything."""

    nodes: tuple[Node, ...] = ()

    def __str__(self) -> str:
        return " ".join(_inner(node) for node in self.nodes)


@dataclass(frozen=True, slots=True)
class Any:
    """At least one of these."""

    nodes: tuple[Node, ...]

    def __str__(self) -> str:
        return " OR ".join(str(node) for node in self.nodes)


Node = Leaf | Not | All | Any
EVERYTHING = All()


def all_of(*nodes: Node) -> Node:
    """Return the node that asks for all of these, as flat as it can be."""
    flat = [n for node in nodes for n in (node.nodes if isinstance(node, All) else (node,))]
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def any_of(*nodes: Node) -> Node:
    """Return the node that asks for one of these, as flat as it can be."""
    flat = [n for node in nodes for n in (node.nodes if isinstance(node, Any) else (node,))]
    return flat[0] if len(flat) == 1 else Any(tuple(flat))


def no(node: Node) -> Node:
    """Return the node that asks for everything else."""
    return node.node if isinstance(node, Not) else Not(node)


def tag_key(name: str) -> str:
    """Return a key as it is compared: folded, with blanks for underscores."""
    return fold(name.replace("_", " "))


def leaves(node: Node) -> list[Leaf]:
    """Return everything that is asked for, from left to right."""
    if isinstance(node, Not):
        return leaves(node.node)
    if isinstance(node, All | Any):
        return [leaf for inner in node.nodes for leaf in leaves(inner)]
    return [node]


def top(node: Node) -> tuple[Node, ...]:
    """Return what must all be true."""
    return node.nodes if isinstance(node, All) else (node,)


def quoted(text: str) -> str:
    """Return the text in quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _inner(node: Node) -> str:
    return f"({node})" if isinstance(node, All | Any) else str(node)
