"""What may be in a page that strangers' notebooks make: an allow-list, by bleach.

No script, no handler, no address but http, https and mailto, no picture but those in the page
itself, and of CSS a few properties without `url()`. What is inside script, style and the like goes
with them.
"""

from __future__ import annotations

import re
from typing import Any

from bleach.css_sanitizer import CSSSanitizer
from bleach.sanitizer import Cleaner

_TAGS = (
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption figure"
    " h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strong sub summary"
    " sup table tbody td tfoot th thead tr u ul var"
)
TAGS = frozenset(_TAGS.split())
EVERYWHERE = frozenset({"class", "title", "style"})
OF_TAG = {
    "img": frozenset({"alt", "width", "height"}),
    "td": frozenset({"colspan", "rowspan", "align"}),
    "th": frozenset({"colspan", "rowspan", "align", "scope"}),
    "ol": frozenset({"start"}),
}
_STYLES = (
    "color background-color font-weight font-style font-family font-size text-align text-decoration"
    " vertical-align white-space width height max-width max-height padding margin border"
    " border-collapse border-color border-style border-width display"
)
STYLES = frozenset(_STYLES.split())
PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*\Z")
LINK = re.compile(r"(https?://|mailto:|#)", re.IGNORECASE)
GONE = re.compile(
    r"<(script|style|template|title|noscript|iframe|object|embed|svg|math|form)\b[^>]*>"
    r".*?(</\1\s*>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
LOADS = re.compile(r"url|expression|import|\\|/\*|@", re.IGNORECASE)


class _Plain(CSSSanitizer):
    """Drops the whole of a style that could load something, however it is spelt."""

    def sanitize_css(self, style: str) -> str:
        return "" if LOADS.search(style) else super().sanitize_css(style)


def _allowed(tag: str, name: str, value: str) -> bool:
    if tag == "img" and name == "src":
        return PICTURE.match(value) is not None
    if tag == "a" and name == "href":
        return LINK.match(value) is not None
    return name in EVERYWHERE or name in OF_TAG.get(tag, ())


_how: dict[str, Any] = {
    "tags": TAGS,
    "attributes": _allowed,
    "protocols": {"http", "https", "mailto", "data"},
    "css_sanitizer": _Plain(allowed_css_properties=STYLES),
    "strip": True,
    "strip_comments": True,
}


def cleaned(html: str) -> str:
    """Return the HTML with what is allowed, balanced, and nothing else."""
    return str(Cleaner(**_how).clean(html))


def piece(html: str) -> str:
    """Return one output or text cell: what is inside of scripts and styles is not shown as text."""
    return cleaned(GONE.sub("", html))
