"""Numbers as people read them; `js/lib/words.ts` has the same words."""

from __future__ import annotations


def number(count: int) -> str:
    """Return 1234 as "1 234", with a narrow blank that does not break."""
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def counted(count: int, what: str) -> str:
    """Return "1 image" or "1 234 images"."""
    return f"{number(count)} {what}{'' if count == 1 else 's'}"


def size(nbytes: float) -> str:
    """Return a number of bytes, such as "1.2 GB"."""
    names = ["B", "kB", "MB", "GB", "TB", "PB"]
    while nbytes >= 999.95 and len(names) > 1:
        nbytes, names = nbytes / 1000, names[1:]
    return f"{nbytes:.0f} {names[0]}" if names[0] == "B" else f"{nbytes:.1f} {names[0]}"
