"""Any text on paper: each character in a font that has it, or in its plainest form.

Bitstream Vera comes with reportlab and is embedded. What it lacks is set in fonts that every
reader of PDF knows by name: Symbol (Greek) and Adobe's for Japanese (Cyrillic too), Chinese and
Korean. A letter that none of them has loses its accents, and the rest becomes "?".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

PLAIN, BOLD = "Vera", "VeraBd"
# Adobe's font, and the codec that has its characters ("symbol" is reportlab's)
OTHERS = (
    ("Symbol", "symbol"),
    ("HeiseiKakuGo-W5", "shift_jis"),
    ("STSong-Light", "gb2312"),
    ("HYGothic-Medium", "euc_kr"),
    ("MSung-Light", "big5"),
)


@cache
def load() -> frozenset[str]:
    """Make the fonts known to reportlab, once, and return the characters of the plain one."""
    folder = Path(reportlab.__file__).parent / "fonts"
    for name in (PLAIN, BOLD):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))
    for name, _ in OTHERS[1:]:
        pdfmetrics.registerFont(UnicodeCIDFont(name))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)
    codes: Iterable[int] = pdfmetrics.getFont(PLAIN).face.charToGlyph
    return frozenset(chr(code) for code in codes if code > 31)


def markup(text: str) -> str:
    """Return text for a reportlab paragraph: nothing in it is taken for markup."""
    shown = (_shown(c) for c in unicodedata.normalize("NFC", text))
    pieces = groupby((pair for pairs in shown for pair in pairs), key=lambda pair: pair[0])
    return "".join(_piece(font, "".join(c for _, c in pairs)) for font, pairs in pieces)


def _piece(font: str, text: str) -> str:
    safe = escape(text)
    return safe if font == PLAIN else f'<font name="{font}">{safe}</font>'


@cache
def _shown(c: str) -> tuple[tuple[str, str], ...]:
    """Return (font, character) for what stands for `c`."""
    if not c.isprintable():
        return ((PLAIN, " "),)
    if (font := _font(c)) is not None:
        return ((font, c),)
    plain = (part for part in unicodedata.normalize("NFKD", c) if not unicodedata.combining(part))
    found = tuple((font, part) for part in plain if (font := _font(part)) is not None)
    return found or ((PLAIN, "?"),)


def _font(c: str) -> str | None:
    if c in load():
        return PLAIN
    return next((name for name, coded in OTHERS if _has(c, coded)), None)


def _has(c: str, codec: str) -> bool:
    try:
        c.encode(codec)
    except UnicodeEncodeError:
        return False
    return True
