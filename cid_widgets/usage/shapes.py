"""What a usage view shows, from the catalog's answers: see `js/usage/shapes.ts`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..lib.shapes import Shape, only

HELD = ("used", "online", "trashed", "archived")
ROOM = ("limit", "linked", "reserved", "free", "state", "growth", "days_to_full", "disk_drift")
POSITION = ("project", "title", "kind", "tariff", "version", "price", "vat", "quantity", "cost")
SUMS = ("number", "team", "period", "provisional", "currency", "net", "vat", "total")


def overview(told: Mapping[str, Any]) -> Shape:
    """Return the teams, the projects in other teams, and what staff is told of the disk."""
    return {
        "level": "all",
        "teams": [_team(one) for one in told["teams"]],
        "projects": [_project(one) for one in told["projects"]],
        "storage": told.get("storage"),
    }


def team(told: Mapping[str, Any]) -> Shape:
    """Return a team with its projects."""
    projects = [_project(one) for one in told["projects"]]
    return {"level": "team", **_team(told), "projects": projects}


def project(told: Mapping[str, Any], dataset: str) -> Shape:
    """Return a project, and which of its datasets the people are told of; "" for all."""
    shares = _all(told["datasets"], "uid", "path", *HELD, "saves")
    return {
        "level": "dataset" if dataset else "project",
        **_project(told),
        "warning": told.get("warning") or "",
        "leads": bool(told.get("leads")),
        "dataset": next((one for one in shares if one["uid"] == dataset), None),
        "datasets": shares,
        "people": _all(told["people"], "person", *HELD),
        "series": _all(told["series"], "day", "storage", "archive", "gpu", "cpu"),
    }


def invoice(told: Mapping[str, Any]) -> Shape:
    """Return an invoice with its positions, their parts and its sums."""
    return {
        **only(told, *SUMS),
        "positions": [
            {**only(one, *POSITION), "parts": _all(one["parts"], "what", "name", "cost")}
            for one in told["positions"]
        ],
        "taxes": _all(told["taxes"], "rate", "net", "vat"),
    }


def _team(told: Mapping[str, Any]) -> Shape:
    return {
        **only(told, *HELD, *ROOM),
        "name": told["team"],
        "title": told["title"] or told["team"],
        "count": len(told["projects"]),
    }


def _project(told: Mapping[str, Any]) -> Shape:
    return {
        **only(told, *HELD, *ROOM, "soft", "drift", "saves", "team"),
        "name": told["project"],
        "title": told["title"] or told["project"],
    }


def _all(rows: Iterable[Mapping[str, Any]], *keys: str) -> list[Shape]:
    return [only(row, *keys) for row in rows]
