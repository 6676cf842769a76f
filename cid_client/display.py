"""How records look in a notebook: small HTML in which everything that was written is escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

TILE = "display:inline-block;width:120px;margin:4px;vertical-align:top;font-size:11px;"
PICTURE = "width:120px;height:120px;object-fit:contain;background:#111;display:block;"


def facts(pairs: Iterable[tuple[str, Any]]) -> str:
    """Return a two-column table of (word, value); empty values are left out."""
    lines = "".join(
        f"<tr><th style='text-align:left'>{cell(word)}</th>"
        f"<td style='text-align:left'>{cell(value)}</td></tr>"
        for word, value in pairs
        if value not in ("", None)
    )
    return f"<table>{lines}</table>"


def table(head: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    """Return a table with a head."""
    top = "".join(f"<th style='text-align:left'>{cell(word)}</th>" for word in head)
    body = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{cell(v)}</td>" for v in line) + "</tr>"
        for line in lines
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def picture(png: bytes | None, alt: str = "") -> str:
    """Return a PNG inside the page, or an empty frame when there is none."""
    if png is None:
        return f"<div style='{PICTURE}'></div>"
    inside = base64.b64encode(png).decode()
    return f"<img style='{PICTURE}' alt='{cell(alt)}' src='data:image/png;base64,{inside}'>"


def gallery(tiles: Iterable[tuple[bytes | None, str, str]], more: str = "") -> str:
    """Return thumbnails, each with its name and a line of small print."""
    drawn = "".join(
        f"<div style='{TILE}'>{picture(png, name)}<b>{cell(name)}</b><br>{cell(small)}</div>"
        for png, name, small in tiles
    )
    return f"<div>{drawn}</div><div>{cell(more)}</div>"


def cell(value: Any) -> str:
    """Return a value as escaped text."""
    return escape("" if value is None else str(value))


def size(nbytes: int | None) -> str:
    """Return a number of bytes for people, such as "1.2 GB"."""
    if nbytes is None:
        return ""
    number = float(nbytes)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(number) < 1000 or unit == "TB":
            break
        number /= 1000
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
