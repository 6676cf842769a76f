"""Members, requests and belongings as the views want them; see `js/people/shapes.ts`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from ..lib.catalog import Record
from ..lib.shapes import Shape, texts

GIVES = "put member"  # what the journal calls giving a role


def members(told: Mapping[str, Any], history: Iterable[Mapping[str, Any]]) -> list[Shape]:
    """Return a project's members, each with who gave the role and when, where that is known.

    A role that came another way (with the project, by a handover) names nobody.
    """
    given: dict[str, Mapping[str, Any]] = {}
    for entry in history:  # newest first
        if entry["action"] == GIVES and entry.get("undone_by") is None:
            given.setdefault(entry["detail"]["person"], entry)
    return [_member(one, given.get(one["person"])) for one in told["members"]]


def request(told: Mapping[str, Any], base: str) -> Shape:
    """Return a request; `page` is the address of the project it became, on the catalog's site."""
    keys = ("uid", "person", "state", "name", "team", "title", "purpose", "reason")
    return {
        **texts(told, *keys, "decided_by", "decided_at", "project", "created_at"),
        "limit": told["limit"],
        "members": [{"person": who, "role": role} for who, role in told["members"].items()],
        "terms": [
            {**texts(one, "key", "type", "unit"), "choices": list(one.get("choices") or ())}
            for one in told["terms"]
        ],
        "page": _page(base, told.get("project")),
    }


def team(of: Record) -> Shape:
    """Return a team with its leaders and the names of its projects."""
    told = of.record
    leaders = [one["person"] for one in told["members"] if one["role"] == "leader"]
    return {**texts(told, "name", "title"), "leaders": leaders, "projects": list(told["projects"])}


def room(of: Any) -> Shape:
    """Return how full a team's projects are together."""
    return {"limit": of.limit, "used": of.used, "reserved": of.reserved, "count": len(of.projects)}


def belongings(of: Any) -> Shape:
    """Return what a person has and made."""
    places = ("projects", "teams")
    things = ("live_datasets", "notes", "deposits", "runs", "subscriptions")
    return {
        "person": of.person,
        **{
            kind: [texts(one, "name", "role", "ends_at") for one in getattr(of, kind)]
            for kind in places
        },
        **{
            kind: list(getattr(of, kind)) for kind in ("only_reader", "only_manager", "only_leader")
        },
        **{kind: _listed(getattr(of, kind)) for kind in things},
        "records": of.records,
        "nbytes": of.nbytes,
    }


def _listed(told: Mapping[str, Any]) -> Shape:
    newest = [texts(one, "uid", "project", "text") for one in told["newest"]]
    return {"total": told["total"], "newest": newest}


def _member(told: Mapping[str, Any], entry: Mapping[str, Any] | None) -> Shape:
    same = entry is not None and entry["detail"].get("role") == told["role"]
    by = texts(entry, "person", "at") if entry is not None and same else {"person": "", "at": ""}
    return {**texts(told, "person", "role", "ends_at"), "by": by["person"], "at": by["at"]}


def _page(base: str, project: str | None) -> str:
    return f"{urlsplit(base).path}projects/{quote(project, safe='')}" if project and base else ""
