"""What a mask makes of one file: the value of each field with its source, or why it is refused.

Pure rules: no database is asked. What was said for the upload goes first, then what the file's name
says, then the register, then the default.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ...db.tables import Term
from ...errors import BadInput
from .. import units
from . import patterns, schemes, typed, vocabulary
from .completeness import folded
from .mask_document import FACTS, Field, Mask, Wrong
from .typed import Given, Typed

Facts = Mapping[str, str]  # what the register says of an instrument: FACTS -> text
Seen = dict[tuple[str, str], Given | BadInput]  # by key and value: many files say the same


@dataclass(frozen=True, slots=True)
class Said:
    """Values of one key as they will be kept, and their source: person, file, instrument, mask."""

    key: str
    values: tuple[Given, ...]
    source: str


@dataclass(slots=True)
class Found:
    """What one file says by its mask; `wrong` are pairs of a field and why it is refused.

    silent: the fields among them that are required and of which nothing is said.
    """

    said: list[Said] = field(default_factory=list)
    wrong: list[tuple[str, str]] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)

    @property
    def asks(self) -> list[str]:
        """What somebody has to say before it is taken; nothing when that would not do."""
        return self.silent if len(self.silent) == len(self.wrong) else []


def judge(
    mask: Mask,
    name: str,
    given: Mapping[str, Sequence[Given]],
    facts: Facts,
    seen: Seen | None = None,
) -> Found:
    """Return what a file of this name says, with what was said for it by key.

    name: of the file, without its folder; "": only what was said is judged. seen: values that were
    read before, of the same mask.
    """
    found, seen = Found(), {} if seen is None else seen
    meant = {folded(key): (key, values) for key, values in given.items()}
    known = {folded(one.key) for one in mask.fields}
    groups = patterns.groups(mask.filename, name) if mask.filename and name else {}
    if groups is None and mask.filename_required:
        found.wrong.append(("", f"the file's name does not have the form {mask.filename}"))
    for one in mask.fields:
        _field(one, _offers(one, meant, groups or {}, facts), found, bool(name), seen)
    for key, (shown, values) in meant.items():
        if key not in known:
            _free(mask, shown, values, found)
    for group, text in (groups or {}).items():
        if not any(_is_group(one, group) for one in mask.fields):
            found.said.append(Said(group.replace("_", " "), (text,), "file"))
    return found


def read(one: Field, given: Given) -> Given:
    """Return a value of a field as it will be kept, or raise BadInput that does not name it."""
    term = as_term(one)
    try:
        value = typed.read(term, given)
    except BadInput as error:
        raise BadInput(_bare(error, term)) from None
    if one.type == "number":
        _in_range(one, value)
    if one.choices:
        value = _chosen(one, term, value)
    if value.iri:
        return {"label": value.text, "iri": value.iri}
    if one.type == "number" and one.unit:
        return f"{value.text} {one.unit}"
    return float(value.text) if one.type == "number" else value.text


def fitted(term: Term, values: Sequence[Given]) -> list[Given]:
    """Return values as a term takes them: a number without its unit where the term has none."""
    if term.type != "number" or term.unit:
        return list(values)
    return [one.partition(" ")[0] if isinstance(one, str) else one for one in values]


def as_term(one: Field) -> Term:
    """Return a field as a term that is in no vocabulary."""
    return Term(
        key=one.key,
        folded=folded(one.key),
        kind="sample",
        type=one.type,
        unit=one.unit,
        scheme=one.scheme,
        pattern=one.pattern,
        many=one.many,
        retired=False,
    )


def check(mask: Mask, wrong: Wrong) -> None:
    """Note what of a mask contradicts itself."""
    groups: list[str] = []
    if mask.filename:
        try:
            patterns.read(mask.filename, "filename", named=True)
            groups = patterns.names(mask.filename)
        except BadInput as error:
            wrong.say(("filename",), str(error))
    seen: set[str] = set()
    for number, one in enumerate(mask.fields):
        say = _saying(wrong, number)
        if folded(one.key) in seen:
            say("key", "another field is called so")
        seen.add(folded(one.key))
        _try(say, "key", partial(vocabulary.term_key, one.key))
        _check_type(one, say)
        _check_source(one, groups, say)
        free = one.model_copy(update={"choices": []})
        for choice in one.choices:
            _try(say, "choices", partial(read, free, choice))
        if one.default is not None:
            _try(say, "default", partial(read, one, one.default))
    if mask.closed:
        for group in groups:
            if not any(_is_group(one, group) for one in mask.fields):
                wrong.say(("filename",), f"filename: its group {group!r} is no field of this mask")


def _check_type(one: Field, say: Callable[[str, str], None]) -> None:
    if one.unit and one.type != "number":
        say("unit", "only a number has one")
    elif one.unit:
        _try(say, "unit", lambda: units.known(one.unit))
    for what in ("minimum", "maximum"):
        if getattr(one, what) is not None and one.type != "number":
            say(what, "only a number has one")
    if one.minimum is not None and one.maximum is not None and one.minimum > one.maximum:
        say("maximum", "is less than the minimum")
    if one.type == "choice" and not one.choices:
        say("choices", "a choice has some, each in a line that begins with '- '")
    for choice in one.choices if one.type == "ontology" else ():
        if "<" not in str(choice):
            say("choices", f"{str(choice)[:60]!r} needs its IRI, as HeLa <CLO:0003684>")
    if one.type == "id" and not one.scheme:
        say("scheme", f"one of {', '.join(schemes.SCHEMES)}")
    if one.scheme and one.type != "id":
        say("scheme", "only an id has one")
    if one.pattern and one.scheme != "own":
        say("pattern", "only an id of the scheme own has one")
    elif one.pattern:
        _try(say, "pattern", lambda: patterns.read(one.pattern))
    if one.many and one.type in typed.NUMERIC:
        say("many", f"an image has one {one.type} of a key")


def _check_source(one: Field, groups: list[str], say: Callable[[str, str], None]) -> None:
    where, _, what = one.from_.partition(".")
    if where == "filename" and what not in groups:
        listed = ", ".join(groups) or "none"
        say("from", f"{what!r} is no named group of the filename: it has {listed}")
    elif where == "instrument" and what not in FACTS:
        say("from", f"instrument. and one of {', '.join(FACTS)}")
    elif where not in ("", "filename", "instrument"):
        near = difflib.get_close_matches(where, ("filename", "instrument"), 1)
        hint = f"did you mean {near[0]}.{what}?" if near else "filename.GROUP or instrument.FACT"
        say("from", f"{one.from_!r}: {hint}")


def _offers(
    one: Field,
    meant: Mapping[str, tuple[str, Sequence[Given]]],
    groups: Mapping[str, str],
    facts: Facts,
) -> Iterable[tuple[str, Sequence[Given]]]:
    """Yield what could be the field's values with their source, the first that is there counts."""
    yield "person", meant.get(folded(one.key), ("", ()))[1]
    yield "file", [text for group, text in groups.items() if _is_group(one, group)]
    where, _, what = one.from_.partition(".")
    if where == "instrument" and facts.get(what):
        yield "instrument", (facts[what],)
    yield "mask", _list(one.default)


def _field(
    one: Field,
    offers: Iterable[tuple[str, Sequence[Given]]],
    found: Found,
    whole: bool,
    seen: Seen,
) -> None:
    source, values = next(((s, v) for s, v in offers if v), ("", ()))
    if not values:
        if one.required and (whole or not one.from_.startswith("filename.")):
            found.wrong.append((one.key, "is required, and nothing says it"))
            found.silent.append(one.key)
        return
    if len(values) > 1 and not one.many:
        found.wrong.append((one.key, f"it takes one value, here are {len(values)}"))
        return
    try:
        found.said.append(Said(one.key, tuple(_once(one, v, seen) for v in values), source))
    except BadInput as error:
        where = {"file": " (from the file's name)", "instrument": " (from the register)"}
        found.wrong.append((one.key, f"{error}{where.get(source, '')}"))


def _once(one: Field, given: Given, seen: Seen) -> Given:
    """Return a value as `read` does, or raise what it raised."""
    asked = (one.key, repr(given))
    if asked not in seen:
        try:
            seen[asked] = read(one, given)
        except BadInput as error:
            seen[asked] = error
    known = seen[asked]
    if isinstance(known, BadInput):
        raise BadInput(str(known))
    return known


def _free(mask: Mask, key: str, values: Sequence[Given], found: Found) -> None:
    if not mask.closed:
        found.said.append(Said(key, tuple(values), "person"))
        return
    near = difflib.get_close_matches(folded(key), [folded(f.key) for f in mask.fields], 1)
    meant = [one.key for one in mask.fields if near and folded(one.key) == near[0]]
    hint = f"; did you mean {meant[0]!r}?" if meant else ""
    found.wrong.append((key[:80], f"is no field of mask {mask.mask!r}, which is closed{hint}"))


def _is_group(one: Field, group: str) -> bool:
    if one.from_.startswith("filename."):
        return one.from_ == f"filename.{group}"
    return folded(group) == folded(one.key)


def _in_range(one: Field, value: Typed) -> None:
    number = value.number or 0.0
    unit = f" {one.unit}" if one.unit else ""
    if one.minimum is not None and number < one.minimum:
        raise BadInput(f"{value.text}{unit} is less than {typed.shown_number(one.minimum)}{unit}")
    if one.maximum is not None and number > one.maximum:
        raise BadInput(f"{value.text}{unit} is more than {typed.shown_number(one.maximum)}{unit}")


def _chosen(one: Field, term: Term, value: Typed) -> Typed:
    """Return the choice that is meant, in its own spelling; of an ontology also by its IRI."""
    for choice in one.choices:
        known = typed.read(term, choice)
        if value.number is not None and known.number == value.number:
            return known
        same = typed.folded(known.text, 800) == typed.folded(value.text, 800)
        if value.number is None and (same or (value.iri and known.iri == value.iri)):
            return known
        if known.iri and value.text == known.iri:
            return known
    listed = ", ".join(repr(typed.shown(choice)) for choice in one.choices[:20])
    more = f" and {len(one.choices) - 20} more" if len(one.choices) > 20 else ""
    raise BadInput(f"{value.text[:60]!r} is not one of {listed}{more}")


def _bare(error: BadInput, term: Term) -> str:
    return str(error).removeprefix(f"value of {term.key!r}:").strip()


def _saying(wrong: Wrong, number: int) -> Callable[[str, str], None]:
    return lambda what, message: wrong.of_field(number, what, message)


def _try(say: Callable[[str, str], None], what: str, work: Callable[[], object]) -> None:
    try:
        work()
    except BadInput as error:
        say(what, str(error).removeprefix(f"{what}: "))


def _list(value: Given | None) -> list[Given]:
    return [] if value is None else [value]
