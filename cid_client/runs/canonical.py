"""JSON with one spelling: equal values give equal bytes (RFC 8785), so that they can be signed.

Names are sorted by their UTF-16 units, nothing is blank, numbers are written as JavaScript does.
The catalog signs these bytes; whoever checks a signature makes them again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

SAFE = 2**53  # whole numbers beyond are no JSON numbers that everybody reads alike


def encode(value: Any) -> bytes:
    """Return the one spelling of plain data; ValueError for what JSON cannot say."""
    return _text(value).encode("utf-8")


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int) and abs(value) <= SAFE:
        return str(value)
    if isinstance(value, int | float):
        return _number(float(value))
    if isinstance(value, Mapping):
        names = sorted(value, key=lambda name: str(name).encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_text(str(n))}:{_text(value[n])}" for n in names) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_text, value)) + "]"
    raise ValueError(f"{type(value).__name__} is no JSON")


def _number(value: float) -> str:
    """Write a number as ECMAScript's Number::toString does."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no JSON number")
    if value == 0:
        return "0"
    sign, raw, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    whole = "".join(map(str, raw))
    digits = whole.rstrip("0")
    exponent += len(whole) - len(digits)
    point, minus = len(digits) + exponent, "-" if sign else ""
    if len(digits) <= point <= 21:
        return minus + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{minus}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{digits}"
    rest = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{minus}{digits[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"
