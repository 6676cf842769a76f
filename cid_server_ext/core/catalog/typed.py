"""What a value means for its term: read strictly, kept in one form, so that equal things are equal.

Numbers are kept in the term's unit, dates in seconds since 1970 (UTC) with the day or the time as
ISO 8601 text. What cannot be read is refused with a line that names the term.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from dataclasses import dataclass

from ...db.tables import Term
from ...errors import BadInput
from .. import names, units
from ..search.words import fold
from . import schemes

LONGEST = 400  # characters of a value
LABEL = 190  # of a concept; its IRI may have to stand beside it
SHORT = 80  # of a number or a date that could not be read, kept as a file gave it
Given = str | int | float | dict[str, str]  # {label, iri} for a term of an ontology

NUMERIC = ("number", "date")  # types whose values are in `Tag.number`
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*(.*)", re.ASCII)
_COMMA = re.compile(r"([+-]?)(\d+),(\d+)(?![\d.,])", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_LABELLED = re.compile(r"(.{1,190}?)\s*<([^<>\s]{1,200})>")


@dataclass(frozen=True, slots=True)
class Typed:
    """A value in the one form that is kept; `number` only of numbers and dates."""

    text: str
    number: float | None = None
    iri: str = ""


def read(term: Term, given: Given) -> Typed:
    """Return what `given` is for this term, or raise BadInput. Knows nothing of other values."""
    what = f"value of {term.key!r}:"
    if isinstance(given, dict):
        return _labelled(term, given, what)
    if term.type == "number":
        return _number(term, given, what)
    text = clean(number_text(given) if isinstance(given, float) else str(given), what)
    if term.type == "date":
        return _date(text, what)
    if term.type == "id":
        return Typed(schemes.identifier(term.scheme, term.pattern, text, what))
    if term.type == "ontology" and (found := _LABELLED.fullmatch(text)):
        return Typed(found[1], None, schemes.iri(found[2], what))
    return Typed(text)


def as_told(term: Term, given: Given) -> Typed:
    """Return the value as a file or a run gave it, even where the term does not allow it.

    What an instrument says is kept: as text, which is found by its words only.
    """
    try:
        return read(term, given)
    except BadInput:
        seen = (c.isprintable() and c not in names.UNSEEN for c in str(given))
        printable = "".join(c if s else " " for c, s in zip(str(given), seen, strict=True))
        text = clean(printable[:LONGEST], f"value of {term.key!r}:")
        return Typed(text[:SHORT] if term.type in NUMERIC else text)


def clean(text: str, what: str, longest: int = LONGEST) -> str:
    """Return text for people in NFC, trimmed, all spaces plain; what is invisible is refused."""
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in text)
    found = unicodedata.normalize("NFC", spaced).strip()
    if not 1 <= len(found) <= longest:
        raise BadInput(f"{what} 1 to {longest} characters")
    if not found.isprintable() or not names.UNSEEN.isdisjoint(found):
        raise BadInput(f"{what} no line breaks, control or invisible characters")
    return found


def folded(text: str, longest: int) -> str:
    """Return what two spellings of the same share; text that is all accents is its own."""
    return (fold(text) or text)[:longest]


def number_text(number: float | int) -> str:
    """Return the shortest text that reads back as the same number: 63, 0.25, 1e-09."""
    if isinstance(number, float) and number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return repr(number) if isinstance(number, float) else str(number)


def shown_number(number: float) -> str:
    """Return a number as a tag of a number term keeps it."""
    return number_text(number + 0.0)  # and minus zero as zero


def shown(given: Given) -> str:
    """Return what was given as text for people; a number as tags keep it."""
    if isinstance(given, dict):
        return str(given.get("label", ""))
    return given if isinstance(given, str) else number_text(given)


def is_number(text: str) -> bool:
    """Say whether text is a number in the form that tags keep."""
    found = _NUMBER.fullmatch(text)
    return found is not None and not found[2] and number_text(float(found[1])) == text


def _number(term: Term, given: str | int | float, what: str) -> Typed:
    if isinstance(given, str):
        number = _from_text(term, given, what)
    else:
        try:
            number = math.nan if isinstance(given, bool) else float(given)
        except OverflowError:
            number = math.inf
    if not math.isfinite(number):
        raise BadInput(f"{what} a number, not {str(given)[:60]!r}")
    return Typed(shown_number(number), number + 0.0)


def _from_text(term: Term, given: str, what: str) -> float:
    text = _point(clean(given, what).replace("−", "-"), what)
    found = _NUMBER.fullmatch(text)
    if found is None:
        return math.nan
    number, unit = float(found[1]), found[2]
    if not unit:
        return number
    if not term.unit:
        raise BadInput(f"{what} it has no unit; {unit[:30]!r} stands after the number")
    try:
        return units.convert(number, units.known(unit), term.unit)
    except BadInput as error:
        raise BadInput(f"{what} {error}") from None


def _point(text: str, what: str) -> str:
    """Return text with a decimal point for a decimal comma; 1,234 could be either."""
    found = _COMMA.match(text)
    if found is None:
        return text
    if len(found[3]) == 3 and len(found[2]) <= 3 and found[2] != "0":
        raise BadInput(f"{what} {text[:30]!r} can be read in two ways: write it without a comma")
    return text.replace(",", ".", 1)


def _date(text: str, what: str) -> Typed:
    try:
        if _DAY.fullmatch(text):
            day = dt.date.fromisoformat(text)
            start = dt.datetime.combine(day, dt.time(), dt.UTC)
            return Typed(day.isoformat(), start.timestamp())
        if not _TIME.fullmatch(text):
            raise ValueError
        time = dt.datetime.fromisoformat(text)
        time = (time if time.tzinfo else time.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise BadInput(
            f"{what} a date like 2026-11-21 or 2026-11-21T09:30:00Z, not {text[:40]!r}"
        ) from None
    told = time.isoformat(timespec="microseconds" if time.microsecond else "seconds")
    return Typed(told.replace("+00:00", "Z"), time.timestamp())


def _labelled(term: Term, given: dict[str, str], what: str) -> Typed:
    if term.type != "ontology" or set(given) != {"label", "iri"}:
        raise BadInput(f"{what} only a term of an ontology takes {{label, iri}}")
    label = clean(str(given["label"]), f"{what} label:", LABEL)
    return Typed(label, None, schemes.iri(str(given["iri"]), f"{what} iri"))
