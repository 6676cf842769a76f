"""Widgets that stand in one notebook do not style each other: the rules of all are on one page."""

from __future__ import annotations

import re
from pathlib import Path

JS = Path(__file__).parents[2] / "cid_widgets" / "js"
STYLES = JS / "styles"
# a class alone, or below any view: such a rule is for all widgets of the page
ALONE = re.compile(r"(?:\.cid\s+)?\.(cid-[\w-]+)(?:\[[^\]]*\]|:[\w-]+(?:\([^)]*\))?)*")
# words, colours and rows that mean the same wherever they are
SHARED = {
    *("cid-actions", "cid-bad", "cid-field", "cid-hint", "cid-kinds", "cid-note", "cid-said"),
    *("cid-said-line", "cid-state", "cid-status", "cid-undo", "cid-unit"),
}


def styles_of(name: str, met: set[str]) -> set[str]:
    """Return this file of styles and those that it takes in."""
    met.add(name)
    for other in re.findall(r'@import "\./([\w.-]+)"', (STYLES / name).read_text("utf-8")):
        if other not in met:
            styles_of(other, met)
    return met


def sources_of(path: Path, met: set[Path]) -> set[Path]:
    """Return this source and those that it imports."""
    met.add(path)
    for other in re.findall(r'from "(\.[^"]+)"', path.read_text("utf-8")):
        found = (path.parent / f"{other}.ts").resolve()
        if found not in met:
            sources_of(found, met)
    return met


def classes(sources: set[Path]) -> set[str]:
    """Return the classes that these sources name."""
    text = "".join(path.read_text("utf-8") for path in sources)
    return set(re.findall(r"(?<![\w.-])cid-[\w-]+", text))


def alone(path: Path) -> set[str]:
    """Return the classes that a file of styles has rules for, wherever they stand."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S)
    selectors = ",".join(re.findall(r"([^{}]+)\{[^{}]*\}", text))
    each = (one.strip() for one in re.split(r",(?![^()]*\))", selectors))
    return {found[1] for one in each if (found := ALONE.fullmatch(one))}


def test_no_widget_styles_the_parts_of_another() -> None:
    styles, named = {}, {}
    for page in sorted(JS.glob("*.ts")):
        if taken := re.findall(r'import "\./styles/([\w.-]+)"', page.read_text("utf-8")):
            styles[page.stem] = set().union(*(styles_of(name, set()) for name in taken))
            named[page.stem] = classes(sources_of(page.resolve(), set()))
    assert {"browser", "upload", "trash"} <= styles.keys()
    leaks = sorted(
        f"{path.name} styles {name} of {widget}: say whose it is, as in :where(.cid-usage) .{name}"
        for path in STYLES.glob("*.css")
        for name in alone(path) - SHARED
        for widget in styles
        if path.name not in styles[widget] and name in named[widget]
    )
    assert leaks == []
