"""Templates and runs as the form and the monitor want them; see `js/lib/shapes.ts`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..lib.catalog import Record
from ..lib.shapes import Shape, file, named, only, texts

ENDED = frozenset({"done", "failed", "cancelled"})
NOTED = 50  # images whose notes the form lists
METRICS = 6  # what fits in a line of the monitor


def template(of: Record) -> Shape:
    """Return a template with what a form needs of its parameters."""
    told = of.record
    return {
        **texts(told, "name", "version", "title", "summary"),
        **({"name": told["reference"]} if told.get("reference") else {}),  # `project:name`
        "parameters": {
            name: {key: value for key, value in one.items() if value is not None}
            for name, one in (told.get("parameters") or {}).items()
        },
        "also": [
            {**texts(one, "role", "help"), **only(one, "many", "optional")}
            for one in ((told.get("manifest") or {}).get("inputs") or {}).get("also") or ()
        ],
    }


def preflight(of: Record) -> Shape:
    """Return what would become of the runs: the images that are not simply ready, worst first."""
    told = of.record
    ranks = list(told["counts"])
    noted = sorted(
        (image for image in told["images"] if image["notes"]),
        key=lambda image: ranks.index(image["light"]),
    )
    return {
        "counts": told["counts"],
        "notes": told["notes"],
        "images": [{**one, "name": one["name"] or one["uid"]} for one in noted[:NOTED]],
        "more": max(len(noted) - NOTED, 0),
        "nbytes": told["nbytes"],
        "channels": told["channels"],
        "estimate": texts(told["estimate"], "says"),
        "error": "",
    }


def batch(of: Record) -> Shape:
    """Return how a batch stands: its runs by state, why some failed, when it will end."""
    told = of.record
    return {
        "uid": told["uid"],
        "template": told["template"]["name"],
        "state": told["state"],
        "ended": told["state"] in ENDED,
        "runs": told["runs"],
        "counts": dict(told["counts"]),
        "paused": told.get("paused") or 0,
        "fraction": told["fraction"],
        "eta": _eta(told.get("eta")),
        "waits": told.get("waits") or "",
        "failures": [
            {
                **only(one, "error", "cell", "count", "run"),
                "message": " ".join(str(one["message"]).split()),
            }
            for one in told.get("failures") or ()
        ],
    }


def begun(uid: str, count: int) -> Shape:
    """Return a batch that was submitted just now."""
    counts = {"queued": count}
    rest: Shape = {"paused": 0, "fraction": 0.0, "eta": None, "waits": "", "failures": []}
    return {
        **{"uid": uid, "template": "", "state": "queued", "ended": False, "runs": count},
        **{"counts": counts, **rest},
    }


def _eta(told: Mapping[str, Any] | None) -> Shape | None:
    return None if not told else texts(told, "low", "likely", "high")


def run(of: Record) -> Shape:
    """Return a run as a line of the monitor."""
    told = of.record
    progress = told.get("progress") or {}
    inputs = told.get("inputs") or []
    return {
        "uid": told["uid"],
        "batch": told.get("batch") or "",
        "template": (told.get("template") or {}).get("name", ""),
        "state": told["state"],
        "ended": told["state"] in ENDED,
        "cancelling": bool(told.get("cancel_asked")) and told["state"] not in ENDED,
        "input": named(inputs[0]) if inputs else None,
        "inputs": len(inputs),
        "cell": progress.get("cell") or 0,
        "cells": progress.get("cells") or 0,
        "fraction": progress.get("fraction"),
        "tile": progress.get("tile") or 0,
        "tiles": progress.get("tiles") or 0,
        "text": progress.get("text") or "",
        "paused": bool(told.get("paused")),
        "waits": told.get("waits") or "",
        **texts(told, "created_at", "started_at", "ended_at"),
        "metrics": _metrics(told.get("metrics") or {}),
        "error": _error(told.get("error")),
        "output": _output((told.get("outputs") or {}).get("images") or []),
        "dataset": told.get("dataset") or "",
        "notebook": _notebook(told.get("notebook")),
        "then": [step["template"].partition("@")[0] for step in told.get("then") or ()],
        "refused": _refused(told.get("followed") or {}),
    }


def _refused(followed: Mapping[str, Any]) -> str:
    """Return why the next step could not begin, or nothing."""
    return " ".join(str(followed.get("message") or "").split())


def _notebook(told: Mapping[str, Any] | None) -> Shape | None:
    return None if not told else {**(file(told) or {}), **texts(told, "page")}


def _error(told: Mapping[str, Any] | None) -> Shape | None:
    if not told:
        return None
    message = str(told.get("message") or told.get("error") or "failed without a reason")
    return {"message": " ".join(message.split()), "cell": told.get("cell")}


def _output(images: Iterable[Mapping[str, Any]]) -> Shape | None:
    """Return the result to show: labels before other images."""
    first = sorted(images, key=lambda image: image.get("kind") != "labels")[:1]
    return texts(first[0], "uid", "name", "kind") if first else None


def _metrics(told: Mapping[str, Any]) -> list[list[str]]:
    """Return the first plain values, numbers with four digits."""
    plain = [(key, value) for key, value in told.items() if isinstance(value, str | int | float)]
    return [
        [key, f"{value:.4g}" if isinstance(value, float) else str(value)]
        for key, value in plain[:METRICS]
    ]
