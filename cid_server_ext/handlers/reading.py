"""How what a caller sends becomes values that every database takes, or a 400 that names the field.

Held for all endpoints, so that no handler thinks about it: the JSON of RFC 8259 in UTF-8, no key
twice, nothing nested deeper than people write, numbers that are finite and fit into 64 bits, text
without NUL and without half a surrogate pair.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, NoReturn, get_args, get_origin

from pydantic import AfterValidator, AwareDatetime, BaseModel, ValidationError

from ..errors import BadInput

DEEPEST = 64  # levels of a JSON document
SMALLEST, LARGEST = -(2**63), 2**63 - 1
UNFIT = re.compile(r"[\x00\ud800-\udfff]")
SHOWN = 80  # characters of a field's name in a message


def _utc(moment: dt.datetime) -> dt.datetime:
    try:
        return moment.astimezone(dt.UTC)
    except OverflowError:
        raise ValueError("a moment between the years 1 and 9999 in UTC is needed") from None


Moment = Annotated[AwareDatetime, AfterValidator(_utc)]  # with its time zone; read as UTC


def document(raw: bytes) -> Any:
    """Return the JSON document of a body, or raise BadInput; nothing is an empty object."""
    try:
        return json.loads(
            raw.decode() or "{}", object_pairs_hook=_once, parse_constant=_no_number, parse_int=_int
        )
    except UnicodeDecodeError:
        raise BadInput("the body is not UTF-8") from None
    except RecursionError:
        raise BadInput(f"the body is nested deeper than {DEEPEST} levels") from None
    except ValueError:
        raise BadInput("the body is not JSON") from None


def body(model: type[BaseModel], raw: bytes) -> Any:
    """Return a body as the model; its types are JSON's, so "1" and true are no numbers."""
    read = document(raw)
    for name, value in read.items() if isinstance(read, dict) else ():
        fit(name, "the name of a field")
        fit(value, name)
    return _valid(lambda: model.model_validate_json(raw or b"{}", strict=True))


def query(model: type[BaseModel], sent: Mapping[str, Iterable[bytes]]) -> Any:
    """Return a query string as the model; values are taken as they were sent."""
    read: dict[str, str | list[str]] = {}
    for name, values in sent.items():
        texts = [_text(name, value) for value in values]
        field = model.model_fields.get(name)
        if field is not None and _several(field.annotation):
            read[name] = texts
        elif len(texts) > 1:
            raise BadInput(f"{_named(name)}: given more than once")
        else:
            read[name] = texts[0]
    asked = _valid(lambda: model.model_validate(read))
    for name in model.model_fields:
        fit(getattr(asked, name), name)
    return asked


def _valid(make: Callable[[], BaseModel]) -> BaseModel:
    try:
        return make()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadInput(f"{_named(where)}: {_said(first['msg'])}") from None


def fit(value: Any, where: str, depth: int = 1) -> None:
    """Raise BadInput if a value, or one inside it, is one that a database refuses."""
    if depth > DEEPEST:
        raise BadInput(f"{_named(where)}: nested deeper than {DEEPEST} levels")
    if isinstance(value, str):
        if UNFIT.search(value):
            raise BadInput(f"{_named(where)}: text with a NUL or half a surrogate pair")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise BadInput(f"{_named(where)}: a finite number is needed")
    elif isinstance(value, int):
        if not SMALLEST <= value <= LARGEST:
            raise BadInput(f"{_named(where)}: a whole number of at most 64 bits is needed")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            fit(key, f"{where} (a key)", depth + 1)
            fit(item, f"{where}.{key}", depth + 1)
    elif isinstance(value, list | tuple | set | frozenset):
        for number, item in enumerate(value):
            fit(item, f"{where}.{number}", depth + 1)


def _several(annotation: Any) -> bool:
    kinds = (annotation, *get_args(annotation))
    return any(get_origin(kind) is list for kind in kinds)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise BadInput(f"{_named(key)}: given twice in one object")
        found[key] = value
    return found


def _no_number(name: str) -> NoReturn:
    raise BadInput(f"the body holds {name}: JSON has finite numbers only")


def _int(digits: str) -> int:
    if len(digits) > 20:  # also before Python would spend time on a million digits
        raise BadInput("the body holds a whole number of more than 64 bits")
    return int(digits)


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise BadInput(f"{_named(name)}: not UTF-8") from None


def _named(where: str) -> str:
    """Return a field's name that can stand in one line of a message."""
    short = where if len(where) <= SHOWN else where[: SHOWN - 1] + "…"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in short)


def _said(message: str) -> str:
    plain = message.removeprefix("Value error, ")
    return plain[:1].lower() + plain[1:]
