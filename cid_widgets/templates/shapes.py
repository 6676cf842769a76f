"""Templates, versions and differences as their view wants them; see `js/templates/shapes.ts`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..lib.catalog import Record
from ..lib.shapes import Shape, only, texts


def template(of: Record) -> Shape:
    """Return the newest version of a template as a line."""
    told = of.record
    keys = ("reference", "title", "summary", "version", "project", "published_by", "created_at")
    return texts(told, *keys)


def version(of: Record) -> Shape:
    """Return a version as a line."""
    told = of.record
    ended = told.get("withdrawn")
    return {
        **texts(told, "version", "changelog", "published_by", "created_at"),
        "withdrawn": ended and texts(ended, "at", "by", "reason"),
    }


def difference(of: Record) -> Shape:
    """Return what changed: values of parameters and of the manifest, then the cells."""
    told = of.record
    values = [
        _value(one, what) for what in ("parameters", "manifest") for one in told.get(what) or ()
    ]
    cells = [
        {**texts(one, "change", "kind"), **only(one, "before", "after"), "lines": one["lines"]}
        for one in told.get("cells") or ()
    ]
    return {**texts(told, "version", "to"), "values": values, "cells": cells}


def _value(told: Mapping[str, Any], what: str) -> Shape:
    key = told["key"] if what == "manifest" else f"{what}.{told['key']}"
    words = {side: _words(told.get(side)) for side in ("before", "after")}
    return {"key": key, **texts(told, "change"), **words}


def _words(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
