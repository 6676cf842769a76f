"""Records as views want them: plain, small, complete. Each view's own are in its `shapes.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Shape = dict[str, Any]


def only(told: Mapping[str, Any], *keys: str) -> Shape:
    """Return these fields as they came, None where unknown."""
    return {key: told.get(key) for key in keys}


def texts(told: Mapping[str, Any], *keys: str) -> dict[str, str]:
    """Return these fields as text, empty where unknown."""
    return {key: "" if told.get(key) is None else str(told[key]) for key in keys}


def named(told: Mapping[str, Any]) -> Shape:
    """Return uid and name."""
    return texts(told, "uid", "name")


def file(told: Mapping[str, Any] | None) -> Shape | None:
    """Return a file, if there is one."""
    if not told:
        return None
    there = told.get("in_place")
    return {
        **texts(told, "uid", "name", "sha256"),
        "nbytes": told.get("nbytes"),
        "in_place": there and texts(there, "where", "state", "reason"),
    }
