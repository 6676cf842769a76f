"""Deposits as the upload view wants them; see `js/upload/shapes.ts`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..lib.shapes import Shape, only, texts
from .memory import Kept

SHOWN = 60  # images, files and problems that are named one by one


def going(told: Mapping[str, Any], kept: Kept, sender: str) -> Shape:
    """Return the deposit that is under way; `sender` is the page that has its files."""
    return {
        **texts(told, "uid", "project", "dataset", "kind"),
        "files": len(kept.about["files"]),
        "nbytes": sum(nbytes for _, nbytes, _ in kept.about["files"]),
        "warning": told.get("warning") or "",
        "sender": sender,
    }


def unfinished(kept: Kept) -> Shape:
    """Return a deposit that nobody sends now."""
    files = kept.about["files"]
    return {
        "uid": kept.uid,
        **texts(kept.about, "project", "dataset"),
        "at": kept.about["at"],
        "files": len(files),
        "nbytes": sum(nbytes for _, nbytes, _ in files),
        "done": len(kept.done),
        "first": files[0][0] if files else "",
    }


def importing(told: Mapping[str, Any]) -> Shape:
    """Return how far the import is."""
    far = told.get("progress") or {}
    return {
        "fraction": float(far.get("fraction") or 0),
        "text": str(far.get("text") or ""),
        "files": [only(one, "path", "state", "fraction") for one in far.get("files") or ()],
        "counts": dict(far.get("counts") or {}),
    }


def outcome(told: Mapping[str, Any], names: Mapping[str, str]) -> Shape:
    """Return what came of it; `names` are those of the first images."""
    there, problems = told.get("there") or [], told.get("problems") or []
    whole = told.get("kept") if told.get("kind") == "import" else told.get("files")
    return {
        **texts(told, "project", "dataset", "kind"),
        "warning": told.get("warning") or "",
        "images": [{"uid": uid, "name": names[uid]} for uid in names],
        "images_in_all": len(told.get("images") or ()),
        "kept": len(whole or ()),
        "there": [texts(one, "path", "name", "project", "dataset") for one in there[:SHOWN]],
        "there_in_all": len(there),
        "problems": [texts(one, "path", "message") for one in problems[:SHOWN]],
        "problems_in_all": len(problems),
    }


def mask(told: Mapping[str, Any]) -> Shape:
    """Return a mask with the fields that a person fills."""
    document = told["version"]["document"]
    return {
        "name": str(told["name"]),
        "instrument": str((told.get("instrument") or {}).get("name") or ""),
        "fields": [
            {
                **texts(one, "key", "unit", "help"),
                "required": bool(one.get("required")),
                "choices": [str(value) for value in one.get("choices") or one.get("values") or ()],
                "default": "" if one.get("default") is None else str(one["default"]),
            }
            for one in document.get("fields") or ()
        ],
    }


def wrong(one: Any) -> Shape:
    """Return what is wrong with one field of what would be sent."""
    return {"field": str(one.field), "message": str(one.message), "file": str(one.file)}
