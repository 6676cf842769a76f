"""Units of measurement: which are known, and a number taken from one to another.

pint knows the units and how they convert; what reaches its parser is a small grammar of ours
(names, powers of one digit, "*", "/"), so no text can make it compute.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from ..errors import BadInput

if TYPE_CHECKING:
    from pint import UnitRegistry

LONGEST = 24
_NAME = r"(?:[A-Za-zµΩÅ]{1,20}|°[CF]|%)"
_FACTOR = rf"(?:{_NAME}(?:(?:\^|\*\*)?-?[1-9])?|1)"
_UNIT = re.compile(rf"{_FACTOR}(?:\s?[*/·. ]\s?{_FACTOR})*")
_SAME = str.maketrans({"\u03bc": "µ", "\u2126": "Ω", "\u212b": "Å", "²": "^2", "³": "^3", "·": "*"})
DIGITS = 12  # of a converted number: 499 nm is 0.499 µm, not 0.49900000000000005


def known(unit: str) -> str:
    """Return the unit in one spelling, or raise BadInput; "" is no unit."""
    clean = " ".join(unit.translate(_SAME).split())
    if clean:
        _parsed(clean)
    return clean


def convert(number: float, unit: str, to: str) -> float:
    """Return `number` taken from one unit to another, or raise BadInput when they do not agree.

    Both have been read by `known`. Temperatures convert with their zero.
    """
    if unit == to:
        return number
    there = _parsed(to)
    try:
        found = float(_registry().Quantity(number, _parsed(unit)).to(there).magnitude)
    except (ArithmeticError, ValueError, TypeError):  # pint's DimensionalityError is a TypeError
        raise BadInput(f"unit {unit!r} cannot be converted to {to!r}") from None
    return float(f"{found:.{DIGITS}g}")


@functools.lru_cache(512)
def _parsed(unit: str) -> Any:
    if len(unit) > LONGEST or not _UNIT.fullmatch(unit):
        raise BadInput(f"unit {unit[:40]!r}: use names, powers, '*' and '/', as in µm or mg/mL")
    plain = re.sub(r"(?<=[A-Za-zµΩÅ])(-?[1-9])", r"^\1", unit.replace("**", "^"))
    try:
        return _registry().parse_units(re.sub(r"(?<=\w) (?=\w)", "*", plain).replace(".", "*"))
    except Exception:  # pint raises many kinds for what it does not know
        raise BadInput(f"unit {unit!r} is not known; examples: µm, ms, mg/mL, %") from None


@functools.cache
def _registry() -> UnitRegistry[Any]:
    from pint import UnitRegistry  # half a second: only who meets a unit pays for it

    registry: UnitRegistry[Any] = UnitRegistry()
    registry.define("cell = [cell] = _ = cells")
    return registry
