"""What is otherwise between two versions of a mask, key by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .completeness import folded

Change = dict[str, Any]  # {field, key, what: added | removed | changed | moved, before, after}


def between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return what changed: of the mask itself first, then of its fields in their order."""
    if not before:
        return []
    whole = ({k: v for k, v in one.items() if k != "fields"} for one in (before, after))
    found = list(_keys("", *whole))
    old, new = (_fields(one) for one in (before, after))
    for key in old.keys() - new.keys():
        found.append(_change(old[key]["key"], "", "removed", old[key], None))
    for key, one in new.items():
        if key not in old:
            found.append(_change(one["key"], "", "added", None, one))
        else:
            found += _keys(one["key"], old[key], one)
    kept = [key for key in old if key in new]
    if kept != [key for key in new if key in old]:
        told = [[one["key"] for one in some.values()] for some in (old, new)]
        found.append(_change("", "fields", "moved", *told))
    return found


def _keys(field: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for key in dict.fromkeys((*before, *after)):
        was, is_ = before.get(key), after.get(key)
        if was != is_:
            what = "added" if key not in before else "removed" if key not in after else "changed"
            yield _change(field, key, what, was, is_)


def _change(field: str, key: str, what: str, before: Any, after: Any) -> Change:
    return {"field": field, "key": key, "what": what, "before": before, "after": after}


def _fields(body: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {folded(one["key"]): one for one in body.get("fields", ())}
