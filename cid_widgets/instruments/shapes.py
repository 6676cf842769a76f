"""Microscopes as the view wants them; see `js/instruments/shapes.ts`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..lib.shapes import Shape, only

KINDS = {
    "objectives": "Objectives",
    "lasers": "Lasers",
    "filters": "Filters",
    "detectors": "Detectors",
    "software": "Software",
}
COLUMNS = {
    "name": "name",
    "magnification": "power",
    "na": "aperture",
    "immersion": "immersion",
    "wavelength": "wavelength",
    "manufacturer": "maker",
    "model": "model",
    "serial": "serial number",
    "type": "type",
}
FORMS = {"magnification": "{:g}x", "wavelength": "{:g} nm", "na": "{:g}"}


def line(scope: Any, standing: Any) -> Shape:
    """Return a microscope of the list; `standing` None: it is not known how it stands."""
    told, newest = scope.record, next(iter(scope.versions), None)
    return {
        **only(told, "uid", "name", "serial", "room", "names", "retired"),
        "model": str(newest.hardware.get("microscope", "")) if newest else "",
        "images": standing.images if standing else None,
        "last_used": day(standing.last_used) if standing else "",
        "control": standing.control if standing else "",
        "why": standing.why if standing else "",
    }


def version(one: Any) -> Shape:
    """Return a version of the time line."""
    return {
        "uid": one.uid,
        "since": day(one.valid_from),
        "why": one.why,
        "person": one.person,
        "tier": one.tier.reached if one.tier else None,
    }


def made(one: Any, earlier: Any) -> Shape:
    """Return what a microscope is made of by a version, and what is new since an earlier one."""
    return {
        "uid": one.uid,
        "against": earlier.uid if earlier else "",
        **hardware(one.hardware),
        "changes": one.since(earlier) if earlier else [],
        "tier": tier(one.tier),
    }


def hardware(told: Mapping[str, Any]) -> Shape:
    """Return parts as tables; a kind that nobody wrote down has none."""
    return {
        "microscope": str(told.get("microscope", "")),
        "parts": [_table(title, told[kind]) for kind, title in KINDS.items() if told.get(kind)],
    }


def tier(told: Any) -> Shape | None:
    """Return the tier of 4DN-BINA-OME, and what each one above lacks."""
    if told is None:
        return None
    missing = [{"tier": n, "fields": fields} for n, fields in sorted(told.missing.items())]
    return {"reached": told.reached, "missing": missing}


def series(name: str, rows: Sequence[Any], now: dt.datetime) -> Shape:
    """Return a series, the oldest measurement first."""
    last = rows[-1]
    late = last.due is not None and last.due < now
    return {
        "name": name,
        **{key: getattr(last, key) for key in ("metric", "place", "unit", "low", "high")},
        "every": last.every or None,
        "points": [[row.measured_at.isoformat(), row.value, row.fine] for row in rows],
        "value": last.value,
        "on": day(last.measured_at),
        "due": day(last.due),
        "state": "out" if last.fine is False else "overdue" if late else "within",
        "person": last.person,
        "note": last.note,
    }


def mask_names(masks: Iterable[Any], uid: str) -> list[str]:
    """Return the names of the masks of a microscope that uploads may use."""
    told = [one.record for one in masks]
    mine = [one for one in told if (one["instrument"] or {}).get("uid") == uid]
    return [one["name"] for one in mine if not one["retired"]]


def preview(described: Any, newest: Any, file: str, target: str) -> Shape:
    """Return what a description would change; `target` "": it would be a new microscope."""
    return {
        "file": file,
        "name": described.name,
        "target": target,
        **hardware(described.hardware),
        "changes": described.since(newest) if newest else [],
        "first": newest is None,
        "tier": tier(described.tier),
    }


def day(moment: dt.datetime | None) -> str:
    """Return the day of a moment, or ""."""
    return f"{moment:%Y-%m-%d}" if moment else ""


def _table(title: str, parts: Sequence[Mapping[str, Any]]) -> Shape:
    keys = [key for key in COLUMNS if any(part.get(key) not in (None, "") for part in parts)]
    rows = [[_shown(key, part.get(key)) for key in keys] for part in parts]
    return {"title": title, "columns": [COLUMNS[key] for key in keys], "rows": rows}


def _shown(key: str, value: Any) -> str:
    if value in (None, ""):
        return ""
    return FORMS.get(key, "{}").format(value)
