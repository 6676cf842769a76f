"""Subscriptions as the list wants them; see `js/subscriptions/shapes.ts`."""

from __future__ import annotations

from ..lib.catalog import Record
from ..lib.shapes import Shape, texts
from ..lib.words import size
from .catalog import Subscription

MANAGES = ("manager", "")  # "" where one looks as staff


def subscription(of: Record, me: str, role: str) -> Shape:
    """Return one; `mine` as the catalog would decide: its person's, or a manager's."""
    told = of.record
    counts, spent, most = told["counts"], told["spent"], told["budget"]
    limits = [
        _limit("Runs in all", spent["runs"], most["runs"]),
        _limit("Runs today", spent["today"], most["runs_a_day"]),
        _limit("Reserved", spent["nbytes"], most["nbytes"], sizes=True),
    ]
    return {
        **texts(told, "uid", "newer", "person", "state", "reason"),
        "template": told["template"]["name"],
        "version": told["template"]["version"],
        "search": told["search"]["path"],
        "query": told["search"]["query"],
        "parameters": [[name, _value(value)] for name, value in told["parameters"].items()],
        "budget": [one for one in limits if one is not None],
        **{part: counts[part] for part in _COUNTS},
        "mine": role in MANAGES or (told["person"] == me and role == "contributor"),
    }


def changeable(of: Subscription) -> Shape:
    """Return what can be changed of one, as it is now: limits as text, parameters as in a form."""
    told = of.record
    most, values = told["budget"], told["parameters"]
    runs = {name: str(most[name] or "") for name in ("runs", "runs_a_day")}
    return {
        "uid": told["uid"],
        "budget": runs | {"nbytes": size(most["nbytes"]) if most["nbytes"] else ""},
        "takes": {
            name: {key: value for key, value in one.items() if value is not None}
            | {"default": values.get(name)}
            for name, one in of.takes.items()
        },
    }


def _limit(what: str, spent: int, most: int | None, *, sizes: bool = False) -> Shape | None:
    if most is None:
        return None
    words = f"{size(spent)} of {size(most)}" if sizes else f"{spent} of {most}"
    return {"what": what, "spent": spent, "most": most, "words": words}


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


_COUNTS = ("there", "waiting", "running", "done", "failed", "left")
