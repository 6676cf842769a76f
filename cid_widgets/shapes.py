"""The catalog's records as the views want them: plain, small, complete. See `js/lib/shapes.ts`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .catalog import Image, Project, Record, Run

Shape = dict[str, Any]

ENDED = frozenset({"done", "failed", "cancelled"})
METRICS = 6  # what fits in a line of the monitor


def project(of: Project) -> Shape:
    """Return a project with its allocation and the paths of its datasets."""
    told = of.record
    if "datasets" not in told or "allocation" not in told:
        told = of.refresh().record
    return {
        "name": told["name"],
        "title": told.get("title") or "",
        "role": told.get("role") or "",
        "allocation": told.get("allocation"),
        "datasets": [
            {**_only(dataset, "uid", "path"), "query": dataset.get("query")}
            for dataset in told.get("datasets") or ()
        ],
    }


def row(of: Record) -> Shape:
    """Return an image as a tile shows it."""
    keys = ("uid", "name", "kind", "axes", "project", "dataset")
    return {
        **_only(of.record, *keys),
        "shape": list(of.record["shape"]),
        "thumbnail": of.record.get("thumbnail") or "",
    }


def detail(of: Image) -> Shape:
    """Return an image as the details panel shows it; asks for its lineage."""
    told, lineage = of.record, of.lineage()
    return {
        **row(of),
        **_only(told, "dtype", "created_by", "created_at"),
        "nbytes": told.get("nbytes"),
        "scale": dict(told.get("scale") or {}),
        "units": dict(told.get("units") or {}),
        "channels": [_only(channel, "name", "color") for channel in told.get("channels") or ()],
        "tags": [
            _only(tag, "key", "value", "unit", "kind", "source", "link")
            for tag in told.get("tags") or ()
        ],
        "original": _file(told.get("original")),
        "sources": [named(image.record) for image in lineage.parents],
        "results": [_only(image.record, "uid", "name", "kind") for image in lineage.children],
        "run": told.get("run"),
    }


def template(of: Record) -> Shape:
    """Return a template with what a form needs of its parameters."""
    told = of.record
    return {
        **_only(told, "name", "version", "title", "summary"),
        "parameters": {
            name: {key: value for key, value in one.items() if value is not None}
            for name, one in (told.get("parameters") or {}).items()
        },
    }


def run(of: Run) -> Shape:
    """Return a run as a line of the monitor."""
    told = of.record
    progress = told.get("progress") or {}
    inputs = told.get("inputs") or []
    return {
        "uid": told["uid"],
        "template": (told.get("template") or {}).get("name", ""),
        "state": told["state"],
        "ended": told["state"] in ENDED,
        "cancelling": bool(told.get("cancel_asked")) and told["state"] not in ENDED,
        "input": named(inputs[0]) if inputs else None,
        "inputs": len(inputs),
        "cell": progress.get("cell") or 0,
        "cells": progress.get("cells") or 0,
        "fraction": progress.get("fraction"),
        "text": progress.get("text") or "",
        **_only(told, "created_at", "started_at", "ended_at"),
        "metrics": _metrics(told.get("metrics") or {}),
        "error": _error(told.get("error")),
        "output": _output((told.get("outputs") or {}).get("images") or []),
        "dataset": told.get("dataset") or "",
        "notebook": _file(told.get("notebook")),
    }


def named(told: Mapping[str, Any]) -> Shape:
    """Return uid and name."""
    return _only(told, "uid", "name")


def _only(told: Mapping[str, Any], *keys: str) -> Shape:
    """Return these fields as text, empty where unknown."""
    return {key: "" if told.get(key) is None else str(told[key]) for key in keys}


def _file(told: Mapping[str, Any] | None) -> Shape | None:
    return {**_only(told, "uid", "name", "sha256"), "nbytes": told.get("nbytes")} if told else None


def _error(told: Mapping[str, Any] | None) -> Shape | None:
    if not told:
        return None
    message = str(told.get("message") or told.get("error") or "failed without a reason")
    return {"message": " ".join(message.split()), "cell": told.get("cell")}


def _output(images: Iterable[Mapping[str, Any]]) -> Shape | None:
    """Return the result to show: labels before other images."""
    first = sorted(images, key=lambda image: image.get("kind") != "labels")[:1]
    return _only(first[0], "uid", "name", "kind") if first else None


def _metrics(told: Mapping[str, Any]) -> list[list[str]]:
    """Return the first plain values, numbers with four digits."""
    plain = [(key, value) for key, value in told.items() if isinstance(value, str | int | float)]
    return [
        [key, f"{value:.4g}" if isinstance(value, float) else str(value)]
        for key, value in plain[:METRICS]
    ]
