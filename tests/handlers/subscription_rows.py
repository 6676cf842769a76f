"""How the operations of runs and subscriptions are called, for the matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import world


def wanted(w: world.World) -> dict[str, Any]:
    """Return a subscription that is not there yet."""
    asked = {"project": w.project, "search": "nothing yet", "template": "count-things"}
    return asked | {"parameters": {"sigma": 3}, "budget": {"runs": 1}}


ROWS: dict[tuple[str, str], Callable[[world.World], tuple[str, Any]]] = {
    ("GET", "runs"): lambda w: ("runs", None),
    ("POST", "runs"): lambda w: (
        "runs",
        {"template": "count-things", "images": [w.result]},
    ),
    ("GET", "runs/{run}"): lambda w: (f"runs/{w.run}", None),
    ("POST", "runs/preflight"): lambda w: (
        "runs/preflight",
        {"template": "count-things", "images": [w.image]},
    ),
    ("POST", "runs/{run}/cancel"): lambda w: (f"runs/{w.run}/cancel", None),
    ("POST", "runs/{run}/replay"): lambda w: (f"runs/{w.run}/replay", None),
    ("GET", "runs/{run}/comparison"): lambda w: (f"runs/{w.run}/comparison", None),
    ("GET", "runs/{run}/diff/{other}"): lambda w: (f"runs/{w.run}/diff/{w.run}", None),
    ("GET", "runs/{run}/work"): lambda w: (f"runs/{w.run}/work", None),
    ("POST", "runs/{run}/progress"): lambda w: (f"runs/{w.run}/progress", {"cell": 1}),
    ("POST", "runs/{run}/deposits"): lambda w: (
        f"runs/{w.run}/deposits",
        {"files": [{"path": "a.tif", "nbytes": 10}]},
    ),
    ("GET", "subscriptions"): lambda w: ("subscriptions", None),
    ("POST", "subscriptions"): lambda w: ("subscriptions", wanted(w)),
    ("POST", "subscriptions/preview"): lambda w: ("subscriptions/preview", wanted(w)),
    ("GET", "subscriptions/{subscription}"): lambda w: (f"subscriptions/{w.subscription}", None),
    ("PATCH", "subscriptions/{subscription}"): lambda w: (
        f"subscriptions/{w.subscription}",
        {"state": "paused"},
    ),
    ("DELETE", "subscriptions/{subscription}"): lambda w: (
        f"subscriptions/{w.subscription}",
        None,
    ),
    ("GET", "subscriptions/{subscription}/matches"): lambda w: (
        f"subscriptions/{w.subscription}/matches",
        None,
    ),
}
