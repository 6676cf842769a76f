"""Spellings that may mean the same thing: "GFP" and "gfp protein", "wild type" and "wild-type"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher

RATIO = 0.8  # from which on the catalog, too, calls two spellings similar
_PARTS = re.compile(r"[^\W\d_]+|\d+")


def alike(one: str, other: str) -> bool:
    """Say whether two spellings may mean the same; never where their numbers differ."""
    return _alike(_parts(one), _parts(other))


def pairs(spellings: Sequence[str]) -> list[tuple[int, int]]:
    """Return (first, later) places of those that are alike, each later one once."""
    read = [_parts(one) for one in spellings]
    found = []
    for later, parts in enumerate(read):
        first = next((n for n in range(later) if _alike(read[n], parts)), None)
        if first is not None:
            found.append((first, later))
    return found


def _alike(one: list[str], other: list[str]) -> bool:
    if not one or not other or _numbers(one) != _numbers(other):
        return False
    if set(one) <= set(other) or set(other) <= set(one):
        return True
    compared = SequenceMatcher(None, "".join(one), "".join(other))
    ways = (compared.real_quick_ratio, compared.quick_ratio, compared.ratio)  # the quick first
    return all(way() >= RATIO for way in ways)


def _parts(text: str) -> list[str]:
    """Return its words and numbers, without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _PARTS.findall("".join(one for one in plain if not unicodedata.combining(one)))


def _numbers(parts: list[str]) -> list[str]:
    return [part for part in parts if part.isdecimal()]
