"""XML that a microscope wrote into its file: parsed without entities, bounded in size and depth."""

from __future__ import annotations

import math
import xml.parsers.expat
from collections import Counter
from xml.etree.ElementTree import Element, TreeBuilder

from ...errors import BadFile

LARGEST = 128 << 20  # characters; tile scans list every tile
DEEPEST = 100
MOST_NOTES = 3000  # values that are kept of one element


def parse(text: str | bytes, what: str) -> Element:
    """Return the root of XML; `what` names it in the one line of a BadFile.

    BadFile: it is no XML, larger or deeper than any real one, or declares a DTD or entities,
    which could read other files or grow without end.
    """
    if len(text) > LARGEST:
        raise BadFile(f"its {what} is larger than {LARGEST >> 20} MB: no real metadata is")
    builder, depth = TreeBuilder(), 0
    parser = xml.parsers.expat.ParserCreate()
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise BadFile(f"its {what} declares a DTD or entities: export the file again without them")

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise BadFile(f"its {what} is nested deeper than any real metadata")
        builder.start(tag.rpartition(":")[2], attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag.rpartition(":")[2])

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(text, True)
        return builder.close()
    except (xml.parsers.expat.ExpatError, AssertionError, ValueError) as error:
        raise BadFile(f"its {what} is damaged: {error}. Copy the file again") from None


def flat(element: Element) -> dict[str, str]:
    """Return every attribute and text below an element by its path, "Laser[2]/Wavelength"."""
    found: dict[str, str] = {}
    _flatten(element, "", found)
    return found


def number(text: str | None) -> float | None:
    """Return a finite number, or None for what is none."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _flatten(element: Element, place: str, found: dict[str, str]) -> None:
    values = dict(element.attrib)
    if text := (element.text or "").strip():
        values[""] = text
    for key, value in values.items():
        if len(found) < MOST_NOTES and value.strip():
            found[f"{place}/{key}".strip("/")] = value.strip()
    twins = Counter(child.tag for child in element)
    seen: Counter[str] = Counter()
    for child in element:
        seen[child.tag] += 1
        name = f"{child.tag}[{seen[child.tag]}]" if twins[child.tag] > 1 else child.tag
        _flatten(child, f"{place}/{name}".strip("/"), found)
