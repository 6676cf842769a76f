"""Deposits as the upload view wants them; see `js/upload/shapes.ts`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..lib.shapes import Shape, only, texts
from .memory import Kept

SHOWN = 60  # images, files and problems that are named one by one
CHECKED = 500  # files of a report
IMAGES = 5  # of one file in it
WRONG = 200  # lines that a service tells of what is asked, at most


def going(told: Mapping[str, Any], kept: Kept, sender: str) -> Shape:
    """Return the deposit that is under way; `sender` is the page that has its files."""
    return {
        **texts(told, "uid", "project", "dataset", "kind"),
        "files": len(kept.about["files"]),
        "nbytes": sum(nbytes for _, nbytes, _ in kept.about["files"]),
        "warning": told.get("warning") or "",
        "sender": sender,
        "check": bool(kept.about.get("check")),
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


def report(told: Mapping[str, Any]) -> Shape:
    """Return what a deposit would become, which its service has told."""
    of, there = told["report"], told.get("there") or []
    known = {one["path"]: "/".join(filter(None, (one["project"], one["dataset"]))) for one in there}
    return {
        "files": [_checked(one, known) for one in of["files"][:CHECKED]],
        "files_in_all": sum(of["counts"].values()),
        "counts": dict(of["counts"]),
        "nbytes": int(of["nbytes"]),
        "masks": list(of.get("masks") or ()),
        "wrong": wrong_of(of),
        "asking": _asking(of),
    }


def _checked(one: Mapping[str, Any], known: Mapping[str, str]) -> Shape:
    said = list(one["findings"])
    if one["verdict"] == "there" and one["path"] in known:
        said.append(f"in {known[one['path']]}")
    return {
        **texts(one, "path", "verdict"),
        "nbytes": int(one["nbytes"]),
        "findings": said,
        "images": [
            {
                **only(image, "axes", "shape", "dtype", "scale", "units", "completeness"),
                "name": str(image["name"]),
                "missing": dict(image["missing"]),
            }
            for image in one["images"][:IMAGES]
        ],
        "images_in_all": len(one["images"]),
    }


def wrong_of(report: Mapping[str, Any]) -> list[Shape]:
    """Return what masks ask for, once for each field: of how many files, where not of all."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in report.get("wrong") or ():
        found.setdefault((one["field"], one["message"]), []).append(one["file"])
    return [
        {"field": field, "file": "", "message": f"{message}{_how_many(files)}"}
        for (field, message), files in found.items()
    ]


def _asking(report: Mapping[str, Any]) -> list[str]:
    """Return the files that something is asked of; none where it is all, or more than are told."""
    wrong = report.get("wrong") or ()
    files = {str(one["file"]) for one in wrong}
    return [] if "" in files or len(wrong) >= WRONG else sorted(files)


def _how_many(files: list[str]) -> str:
    if "" in files:
        return ""
    return f" ({files[0]})" if len(files) == 1 else f" (in {len(files)} files)"


def mask(told: Mapping[str, Any]) -> Shape:
    """Return a mask with the fields that a person fills."""
    document = told["version"]["document"]
    return {
        "name": str(told["name"]),
        "instrument": str((told.get("instrument") or {}).get("name") or ""),
        **texts(document, "help"),
        "fields": [
            {
                **texts(one, "key", "unit", "help", "minimum", "maximum"),
                "required": bool(one.get("required")),
                "many": bool(one.get("many")),
                "choices": [str(value) for value in one.get("choices") or one.get("values") or ()],
                "default": "" if one.get("default") is None else str(one["default"]),
            }
            for one in document.get("fields") or ()
        ],
    }


def wrong(one: Any) -> Shape:
    """Return what is wrong with one field of what would be sent."""
    return {"field": str(one.field), "message": str(one.message), "file": str(one.file)}
