"""What stands in one cell of a spreadsheet: text that no program computes, and back, exactly.

A text that a spreadsheet could take for a formula gets an apostrophe in front, as does one that
begins with an apostrophe itself; reading takes one off. Several values stand with "; " between
them, a ";" or a backslash inside one behind a backslash.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...db.tables import Term
from . import typed
from .spelling import Word

Cell = str | float | None

_DANGEROUS = ("=", "+", "-", "@", "'", "\t", "\r", "\n")


def guard(text: str) -> str:
    """Return the text as it stands in a cell, where nothing takes it for a formula."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def bare(cell: str) -> str:
    """Return what `guard` was given."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_DANGEROUS) else cell


def shown(term: Term, words: Sequence[Word]) -> Cell:
    """Return the cell of a term's values on one record; None when it has none."""
    if not words:
        return None
    if term.type == "number" and words[0].number is not None:
        return words[0].number
    if term.many:
        return guard("; ".join(_escaped(word.text) for word in words))
    return guard(words[0].text)


def read(term: Term, cell: Cell, unit: str = "") -> list[typed.Given]:
    """Return the values that a cell holds; `unit` is what its column's header says."""
    if isinstance(cell, float):
        return [f"{typed.number_text(cell)} {unit}" if unit else cell]
    text = bare((cell or "").strip())
    if not text:
        return []
    if unit and typed.is_number(text):
        return [f"{text} {unit}"]
    return list(_split(text)) if term.many else [text]


def text(cell: Cell) -> str:
    """Return a cell as people read it."""
    return typed.number_text(cell) if isinstance(cell, float) else bare(cell or "")


def same(one: Cell, other: Cell) -> bool:
    """Say whether two cells hold the same; a number is the text that spells it."""
    return _plain(one) == _plain(other)


def _plain(cell: Cell) -> str:
    return typed.number_text(cell) if isinstance(cell, float) else (cell or "").strip()


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(";", "\\;")


def _split(text: str) -> list[str]:
    found, word, rest = [], [], iter(text)
    for c in rest:
        if c == "\\":
            word.append(next(rest, "\\"))
        elif c == ";":
            found.append("".join(word).strip())
            word = []
        else:
            word.append(c)
    found.append("".join(word).strip())
    return [value for value in found if value]
