"""Masks as the view wants them; see `js/masks/shapes.ts`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..lib.shapes import Shape

SHOWN = 60  # characters of a value in a line about a change


def line(told: Mapping[str, Any]) -> Shape:
    """Return a mask of the list."""
    scope = told["instrument"]
    return {
        "uid": told["uid"],
        "name": told["name"],
        "instrument": scope["name"] if scope else "",
        "retired": told["retired"],
        "version": told["version"]["number"],
    }


def version(told: Mapping[str, Any]) -> Shape:
    """Return a version as the list of versions shows it."""
    return {
        "number": told["number"],
        "note": told["note"],
        "person": told["person"],
        "at": told["created_at"],
    }


def wrong(one: Any) -> Shape:
    """Return what is wrong with a field, a line or a file."""
    return {key: getattr(one, key) for key in ("field", "file", "line", "message")}


def tried(one: Any) -> Shape:
    """Return what a file of this name would say."""
    tags = [{"key": t.key, "value": "; ".join(t.values), "source": t.source} for t in one.tags]
    return {"path": one.path, "good": one.good, "asks": list(one.asks), "tags": tags}


def changed(one: Mapping[str, Any]) -> str:
    """Return a change of a version in words."""
    what = f"{one['field']}: {one['key']}" if one["field"] and one["key"] else ""
    what = what or one["field"] or one["key"]
    if one["what"] == "moved":
        return "fields in another order"
    if not one["key"]:
        return f"{what} {one['what']}"
    if one["what"] == "added":
        return f"{what} {_short(one['after'])}"
    if one["what"] == "removed":
        return f"{what} no longer {_short(one['before'])}"
    return f"{what} {_short(one['before'])} → {_short(one['after'])}"


def _short(value: Any) -> str:
    if isinstance(value, list):
        text = ", ".join(str(one) for one in value)
    elif isinstance(value, bool):  # 1 is no yes
        text = "yes" if value else "no"
    elif isinstance(value, float):
        text = str(value).removesuffix(".0")
    else:
        text = "–" if value is None else str(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
