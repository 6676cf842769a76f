"""Values from foreign metadata made harmless: one line of text, finite numbers, known colours."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from typing import Any

import numpy as np

from .source import Channel, MachineTag

LONGEST = 400  # characters of a tag


def clean(text: str | None, longest: int = LONGEST) -> str:
    """Return text for one line: blanks joined, control and direction signs gone, cut to length."""
    if text and text.isprintable() and "  " not in text:
        return text.strip()[:longest]
    kept = "".join(
        " " if sign.isspace() else sign
        for sign in text or ""
        if sign.isspace() or unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co"}
    )
    return " ".join(kept.split())[:longest]


def as_channel(name: Any, colour: Any) -> Channel:
    """Return a channel with the name and colour that are sound."""
    found: Channel = {}
    if called := clean(text(name), 120):
        found["name"] = called
    code = text(colour).removeprefix("#").upper()
    if len(code) == 6 and set(code) <= set("0123456789ABCDEF"):
        found["color"] = code
    return found


def present(tags: Iterable[MachineTag]) -> tuple[MachineTag, ...]:
    """Return the tags that have a text, cleaned."""
    return tuple((key, clean(said), number(size)) for key, said, size in tags if clean(said))


def joined(*words: str | None) -> str:
    """Return the words that there are, as one line."""
    return clean(" ".join(word for word in words if word))


def listed(items: Iterable[str]) -> str:
    """Return the items that there are, each once."""
    return "; ".join(dict.fromkeys(item for item in items if item))


def text(value: Any) -> str:
    """Return a text, or "" for what is none."""
    return value if isinstance(value, str) else ""


def number(value: Any) -> float | None:
    """Return a finite number, or None for what is none."""
    real = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return float(value) if real and math.isfinite(value) else None


def whole(value: Any) -> int:
    """Return a whole number, or 0 for what is none."""
    return int(value) if isinstance(value, int) else 0
