"""How text becomes words, so that every database finds the same: accents and case are folded here.

A token is a run of letters and digits. Letters outside ASCII are written as "u<hex>z", so that no
database's own idea of a word comes in; a prefix of a word stays a prefix of its token.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

LONGEST = 64  # characters of one token
MOST = 2000  # tokens of one record


def fold(text: str) -> str:
    """Return `text` without case, accents and doubled spaces (Unicode NFKD and case folding)."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = unicodedata.normalize("NFKD", plain)
    bare = "".join(c for c in plain if not unicodedata.category(c).startswith("M"))
    return " ".join(bare.split())


def tokens(text: str) -> list[str]:
    """Return the words of `text` in order."""
    found: list[str] = []
    word: list[str] = []
    for c in [*fold(text), " "]:
        if unicodedata.category(c)[0] in "LN":
            word.append(c if c.isascii() else f"u{ord(c):x}z")
        elif word:
            found.append("".join(word)[:LONGEST])
            word = []
    return found


def document(texts: Iterable[str]) -> str:
    """Return the words of several texts, separated by one space, each text's in order."""
    words = [token for text in texts for token in tokens(text)]
    return " ".join(words[:MOST])
