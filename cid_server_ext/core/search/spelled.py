"""Which spellings of a value are meant by what somebody wrote."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from ...db.tables import Value
from . import language as q
from .words import fold, tokens


def fits(value: q.Text, folded: str) -> bool:
    """Say whether a folded value has what was asked for."""
    if value.whole:
        return folded == fold(value.text)
    asked = tokens(value.text)
    if not asked:
        return fold(value.text) in folded
    return f" {' '.join(asked)}" in f" {' '.join(tokens(folded))}"


def near(value: q.Text) -> ColumnElement[bool]:
    """Return a clause that keeps at least the spellings that fit."""
    folded = fold(value.text)
    if value.whole:
        return Value.folded == folded
    # a token is cut at its end: the beginning of its first word is surely there
    word = folded if not tokens(folded) else max(_pieces(folded), key=len)[:9]
    return Value.folded.contains(word, autoescape=True)


def _pieces(folded: str) -> list[str]:
    plain = "".join(c if tokens(c) else " " for c in folded)
    return plain.split()
