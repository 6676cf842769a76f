"""Conditions in Python become text of the query language: `snr__gt=10` is `snr>"10"`."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import Any

from ..errors import BadInput

SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_BARE = re.compile(r"\w+")


def text(query: str, conditions: Mapping[str, Any]) -> str:
    """Return a query for all that `query` finds and that meets every condition.

    `key=value` is the whole value, a list one of several, None no value at all; `key__gt`, `__ge`,
    `__lt` and `__le` compare, `key__not` takes out. A trailing `_` is left off: `in_="screen"`.
    """
    return joined(query, *(condition(name, value) for name, value in conditions.items()))


def joined(*queries: str) -> str:
    """Return the query for what all of them find."""
    said = [one for one in queries if one.strip()]
    if len(said) < 2:
        return "".join(said)
    return " ".join(f"({one})" if "OR" in one else one for one in said)


def condition(name: str, value: Any) -> str:
    """Return one condition as text, or raise BadInput that names it."""
    key, _, how = name.rpartition("__")
    if not key or how not in {*SIGNS, "not"}:
        key, how = name, ""
    key = key.rstrip("_") or key
    key = key if _BARE.fullmatch(key) else quoted(key)
    if how in SIGNS:
        return f"{key}{SIGNS[how]}{literal(name, value)}"
    out = how == "not"
    if value is None:
        return f"{'' if out else '-'}has:{key}"
    several = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
    if not several:
        raise BadInput(f"{name}: an empty list matches nothing")
    return f"{'-' if out else ''}{key}:{','.join(literal(name, one) for one in several)}"


def literal(name: str, value: Any) -> str:
    """Return a text, a number or a date in quotes: there it is whole."""
    if hasattr(value, "item"):  # numpy's own numbers
        value = value.item()
    if isinstance(value, str) and value.strip():
        return quoted(value)
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(dt.UTC)
        return quoted(value.strftime("%Y-%m-%dT%H:%M"))
    if isinstance(value, dt.date):
        return quoted(value.isoformat())
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return quoted(repr(value).removesuffix(".0"))
    raise BadInput(f"{name}: {value!r} is no text, number or date to look for")


def quoted(value: str) -> str:
    """Return a text in quotes as the query language reads it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
