"""How text becomes words, so that every database finds the same: accents and case are folded here.

A token is a run of letters and digits. Letters outside ASCII are written as "U<hex>z", so that no
database's own idea of a word comes in; a prefix of a word stays a prefix of its token, and no word
of ASCII, which is folded to small letters, is one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_ASCII = re.compile("[a-z0-9]+")
LONGEST = 64  # characters of one token
MOST = 2000  # tokens of one record
HOME = "|"  # no token: what follows is said of a linked record to the members of its home only


def fold(text: str) -> str:
    """Return `text` without case, accents and doubled spaces (Unicode NFKD and case folding)."""
    if text.isascii():
        return " ".join(text.lower().split())
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = unicodedata.normalize("NFKD", plain)
    bare = "".join(c for c in plain if not unicodedata.category(c).startswith("M"))
    return " ".join(bare.split())


def tokens(text: str) -> list[str]:
    """Return the words of `text` in order."""
    folded = fold(text)
    if folded.isascii():
        return [token[:LONGEST] for token in _ASCII.findall(folded)]
    found: list[str] = []
    word: list[str] = []
    for c in [*folded, " "]:
        if unicodedata.category(c)[0] in "LN":
            word.append(c if c.isascii() else f"U{ord(c):x}z")
        elif word:
            found.append("".join(word)[:LONGEST])
            word = []
    return found


def document(texts: Iterable[str]) -> str:
    """Return the words of several texts, separated by one space, each text's in order."""
    words = [token for text in texts for token in tokens(text)]
    return " ".join(words[:MOST])
