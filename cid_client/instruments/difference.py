"""What is otherwise between two states of a microscope, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

ONE = {
    "software": "software",
    "objectives": "objective",
    "lasers": "laser",
    "filters": "filter",
    "detectors": "detector",
}


def lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return a line for each part that came, went or is another; none where all is the same."""
    return list(_lines(before, after))


def _lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    old, new = before.get("microscope", ""), after.get("microscope", "")
    if old != new:
        yield f"microscope {old or '–'} → {new or '–'}"
    for kind, word in ONE.items():
        was, now = (_parts(told, kind) for told in (before, after))
        for name in was:
            if name not in now:
                yield f"{word} removed: {name}"
        for name, part in now.items():
            if name not in was:
                yield f"{word} added: {name}"
            elif part != was[name]:
                yield f"{word} {name}: {_changed(was[name], part)}"


def _parts(hardware: Mapping[str, Any], kind: str) -> dict[str, Mapping[str, Any]]:
    """Return the parts of a kind by name; the second of the same name is told apart."""
    seen: Counter[str] = Counter()
    found: dict[str, Mapping[str, Any]] = {}
    for part in hardware.get(kind, ()):
        name = str(part["name"])
        seen[name] += 1
        found[name if seen[name] == 1 else f"{name} ({seen[name]})"] = part
    return found


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    keys = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    return ", ".join(f"{key} {_shown(old.get(key))} → {_shown(new.get(key))}" for key in keys)


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value)
